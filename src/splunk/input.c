#include "splunk/input.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "splunk/params.h"

/* Are the parameter's values kept as text of their own? */
static bool holds_text(enum param_type type)
{
    return type != PARAM_CHOICE && type != PARAM_START && type != PARAM_SECONDS;
}

void input_free(struct input *input)
{
    size_t i;

    if (!input)
        return;
    for (i = 0; i < params_count; i++)
        if (holds_text(params[i].type))
            mem_free_secret(*(char **)((char *)input + params[i].offset));
    mem_free_secret(input->proxy_password);
    free(input->name);
    free(input->app);
    memset(input, 0, sizeof(*input));
}

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
