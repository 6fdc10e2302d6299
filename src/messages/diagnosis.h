/* base/diagnosis.h - what connections and answers can suffer from: the text, the cause, whose move it is and what to do.
 * One table: the program's messages are put together from its texts and advice, and docs/troubleshooting.md is printed
 * from it.
 *
 * A text or an advice may hold one blank in braces, "no connection to {the host}": a message puts what it knows in its
 * place, the documentation prints what stands there. */
#pragma once

#include "base/err.h"
#include "messages/remedy.h"

enum diagnosis {
    DIAGNOSIS_NO_NAME, DIAGNOSIS_NO_CONNECTION, DIAGNOSIS_NO_PROXY, DIAGNOSIS_NO_TLS, DIAGNOSIS_NO_CA, DIAGNOSIS_CA_FILE,
    DIAGNOSIS_CUT, DIAGNOSIS_WEB_PAGE, DIAGNOSIS_HTTP_400, DIAGNOSIS_HTTP_400_FILTER, DIAGNOSIS_HTTP_401, DIAGNOSIS_HTTP_403,
    DIAGNOSIS_PERMISSION, DIAGNOSIS_POLICY, DIAGNOSIS_HTTP_4XX, DIAGNOSIS_HTTP_429, DIAGNOSIS_HTTP_5XX, DIAGNOSIS_SPLUNKD_TLS,
    DIAGNOSIS_SPLUNKD_KEY, DIAGNOSIS_SPLUNKD_RIGHTS,
    DIAGNOSIS_COUNT
};

struct diagnosis_entry {
    const char *text;
    enum responsible  responsible;
    const char *cause;      /* for the documentation */
    const char *advice;     /* imperative, lower case, no full stop; "nothing ..." with ACT_NOBODY, and then not said */
};
extern const struct diagnosis_entry diagnosis_table[DIAGNOSIS_COUNT];

/* What a message knows beyond the table; each may be NULL. */
struct diagnosis_facts {
    const char *text;       /* for the blank of the text */
    const char *detail;     /* behind the text, with its own ": " or " (...)" */
    const char *advice;     /* for the blank of the advice */
};

/* "<text><detail>. Our administrator: <advice>". Always false. */
bool diagnosis_set(struct err *err, enum err_kind kind, enum diagnosis diagnosis, const struct diagnosis_facts *facts);

/* Only the text, or only ". Our administrator: <advice>" (nothing with ACT_NOBODY). value is for the blank; NULL: what
 * stands there. */
void diagnosis_add_text(struct buf *to, enum diagnosis diagnosis, const char *value);
void diagnosis_add_advice(struct buf *to, enum diagnosis diagnosis, const char *value);

/* A text of the table with its blank filled in. */
void diagnosis_fill(struct buf *to, const char *text, const char *value);
