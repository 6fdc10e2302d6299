#include "messages/remedy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ADVICE_MAX 600

const char *responsible_text(enum responsible responsible)
{
    switch (responsible) {
    case ACT_PROVIDER: return "our administrator";
    case ACT_CUSTOMER: return "the customer's administrator";
    case ACT_SIGN_IN: return "somebody must sign in";
    case ACT_AS_SAID: return "as the line says";
    default: return "no action needed";
    }
}

bool remedy_set(struct err *err, const char *cause, enum responsible responsible, const char *advice)
{
    snprintf(err->cause, sizeof(err->cause), "%s", cause);
    err->responsible = (int)responsible;
    err->advice = advice;
    return false;
}

void remedy_append(char *line, size_t size, enum responsible responsible, const char *advice)
{
    const char *who = responsible_text(responsible);
    size_t len = strlen(line);

    snprintf(line + len, size - len, ". %c%s: %s", toupper((unsigned char)*who), who + 1, advice);
}

void remedy_add(struct buf *to, enum responsible responsible, const char *advice)
{
    char line[ADVICE_MAX] = "";

    remedy_append(line, sizeof(line), responsible, advice);
    buf_add_text(to, line);
}
