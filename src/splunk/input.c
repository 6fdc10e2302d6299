#include "splunk/input.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

char *input_label(const char *name)
{
    if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")] == '\0' && *name)
        return mem_text(name);
    return mem_text(QUOTED(name));
}
