/* microsoft/aad.h - Entra's error codes: whether waiting helps, and otherwise who has to act and what to do.
 *
 * A table, from which docs/troubleshooting.md is generated. Source: Entra's reference of error codes and its page on
 * each grant. Microsoft says that codes and texts may change, so the status and `error` decide first, and an unknown
 * code is a refusal that is retried slowly.
 *
 * Texts read "AADSTS7000222: the client secret has expired. Our administrator: create a new secret ...", followed by
 * Entra's trace and correlation ids. Entra's own message appears only for codes that are not in the table, in 'quotes'
 * and without words long enough to be a secret. Such a line says that the code is unknown, and names nobody who has to
 * act. */
#pragma once

#include "base/compiler.h"
#include "base/err.h"
#include "messages/remedy.h"

struct aad_code {
    int code; /* AADSTS<code> */
    enum responsible responsible;
    const char *meaning; /* a clause without a full stop */
    const char *advice;  /* an imperative sentence in lower case without a full stop */
};
extern const struct aad_code aad_codes[];
extern const size_t aad_codes_count;

const struct aad_code *aad_find(int code); /* NULL: not in the table */

/* Sets err from a token endpoint's JSON error body: ERR_RETRY for a transient error (wait_ms if the code asks for a
 * long wait), else ERR_AUTH. Returns false with err untouched if the body is not an error in JSON. */
bool aad_read_error(const char *body, size_t len, int status, struct err *err);

/* Sets err from the parameters of an address: always ERR_AUTH. Both may be NULL. Always returns false. */
bool aad_set_error(const char *error, const char *description, struct err *err);

/* Returns true for a code that a tenant brings about when consent, app, API, license or tenant itself is gone. Most of
 * them also come from a mistake in the input: whoever asks knows whether it worked before. */
bool aad_customer_left(int code);

/* Returns the code at the start of an err's text from here; 0: none. */
int aad_code_in(const struct err *err);
