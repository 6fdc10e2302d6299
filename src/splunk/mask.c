#include "splunk/mask.h"

#include <string.h>

bool mask_matches(const char *value)
{
    return !value || value[strspn(value, "*")] == '\0';
}
