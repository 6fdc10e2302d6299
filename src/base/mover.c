#include "base/mover.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ADVICE_MAX 600

const char *mover_text(enum mover mover)
{
    switch (mover) {
    case MOVE_PROVIDER: return "our administrator";
    case MOVE_CUSTOMER: return "the customer's administrator";
    case MOVE_SIGN_IN: return "somebody must sign in";
    case MOVE_AS_SAID: return "as the line says";
    default: return "it passes by itself";
    }
}

void mover_advise_into(char *line, size_t size, enum mover mover, const char *advice)
{
    const char *who = mover_text(mover);
    size_t len = strlen(line);

    snprintf(line + len, size - len, ". %c%s: %s", toupper((unsigned char)*who), who + 1, advice);
}

void mover_advise(struct buf *to, enum mover mover, const char *advice)
{
    char line[ADVICE_MAX] = "";

    mover_advise_into(line, sizeof(line), mover, advice);
    buf_add_text(to, line);
}
