/* base/trouble.h - what connections and answers can suffer from: the text, the cause, whose move it is and what to do.
 * One table: the program's messages are put together from its texts and advice, and docs/troubleshooting.md is printed
 * from it.
 *
 * A text or an advice may hold one blank in braces, "no connection to {the host}": a message puts what it knows in its
 * place, the documentation prints what stands there. */
#pragma once

#include "base/err.h"
#include "messages/remedy.h"

enum trouble {
    TROUBLE_NO_NAME, TROUBLE_NO_CONNECTION, TROUBLE_NO_PROXY, TROUBLE_NO_TLS, TROUBLE_NO_CA, TROUBLE_CA_FILE,
    TROUBLE_CUT, TROUBLE_WEB_PAGE, TROUBLE_HTTP_400, TROUBLE_HTTP_400_FILTER, TROUBLE_HTTP_401, TROUBLE_HTTP_403,
    TROUBLE_PERMISSION, TROUBLE_POLICY, TROUBLE_HTTP_4XX, TROUBLE_HTTP_429, TROUBLE_HTTP_5XX, TROUBLE_SPLUNKD_TLS,
    TROUBLE_SPLUNKD_KEY, TROUBLE_SPLUNKD_RIGHTS,
    TROUBLE_COUNT
};

struct trouble_entry {
    const char *text;
    enum responsible  responsible;
    const char *cause;      /* for the documentation */
    const char *advice;     /* imperative, lower case, no full stop; "nothing ..." with ACT_NOBODY, and then not said */
};
extern const struct trouble_entry trouble_table[TROUBLE_COUNT];

/* What a message knows beyond the table; each may be NULL. */
struct trouble_facts {
    const char *text;       /* for the blank of the text */
    const char *detail;     /* behind the text, with its own ": " or " (...)" */
    const char *advice;     /* for the blank of the advice */
};

/* "<text><detail>. Our administrator: <advice>". Always false. */
bool trouble_set(struct err *err, enum err_kind kind, enum trouble trouble, const struct trouble_facts *facts);

/* Only the text, or only ". Our administrator: <advice>" (nothing with ACT_NOBODY). value is for the blank; NULL: what
 * stands there. */
void trouble_add_text(struct buf *to, enum trouble trouble, const char *value);
void trouble_add_advice(struct buf *to, enum trouble trouble, const char *value);

/* A text of the table with its blank filled in. */
void trouble_fill(struct buf *to, const char *text, const char *value);
