#include "splunk/input.h"

#include <string.h>

#include "base/mem.h"

char *input_label(const char *name)
{
    char *label, *at;

    if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")] == '\0' && *name)
        return mem_text(name);
    label = mem_format("\"%s\"", name);
    for (at = label + 1; at[1]; at++)
        if (*at == '"')
            *at = '\'';
    return label;
}
