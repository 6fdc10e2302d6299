/* microsoft/aad.h - Entra's error codes: does waiting help, and otherwise whose move is it and what is to be done.
 * A table; docs/troubleshooting.md is generated from it. Source: Entra's reference of error codes and the pages on each
 * grant. Microsoft says that codes and texts may change: the status and `error` decide first, an unknown code is a
 * refusal that is tried again slowly.
 *
 * Texts read "AADSTS7000222: the client secret has expired. Our administrator: create a new secret ...", with Entra's
 * trace and correlation ids behind. What Entra itself says appears only where the table knows no code, in 'quotes' and
 * without words long enough to be a secret. */
#pragma once

#include "base/compiler.h"
#include "base/err.h"
#include "messages/remedy.h"

struct aad_code {
    int            code;        /* AADSTS<code> */
    enum responsible responsible;
    const char    *meaning;     /* what it says: a clause, no full stop */
    const char    *advice;      /* what to do: an imperative sentence in lower case, no full stop */
};
extern const struct aad_code aad_codes[];
extern const size_t aad_codes_count;

const struct aad_code *aad_find(int code);      /* NULL: unknown */

/* Sets err from a token endpoint's JSON error body: ERR_RETRY for what passes by itself (wait_ms where the code asks
 * for a long one), else ERR_AUTH. False if the body is no such JSON; err is then untouched. */
bool aad_read_error(const char *body, size_t len, int status, struct err *err);

/* The same for an error that came as the parameters of an address: always ERR_AUTH. Both may be NULL. Always false. */
bool aad_set_error(const char *error, const char *description, struct err *err);

/* The code that an err's text from here begins with; 0: none. */
int aad_code_in(const struct err *err);
