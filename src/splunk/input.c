#include "splunk/input.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

char *input_label(const char *name)
{
    if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")] == '\0' && *name)
        return mem_text(name);
    return mem_text(QUOTED(name));
}

const char *input_token_file(const char *client_assertion)
{
    return client_assertion && text_starts(client_assertion, INPUT_TOKEN_FILE)
               ? client_assertion + strlen(INPUT_TOKEN_FILE)
               : NULL;
}
