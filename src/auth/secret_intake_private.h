/* auth/secret_intake_private.h - the state of an intake, for secret_intake.c (the order of the work) and
 * secret_intake_use.c (which secrets may be used, and by whom). */
#pragma once

#include "auth/secret_intake.h"

struct secret_intake {
    struct secret_intake_spec spec;
    struct secret_intake_owner owner;
    enum secret_kind at;         /* SECRET_KINDS: done */
    char *names[SECRET_KINDS];   /* in the store; the code has none */
    bool to_mask[SECRET_KINDS];  /* readable in inputs.conf */
    bool as_given[SECRET_KINDS]; /* used although the store did not take it */
    char *hosts[SECRET_KINDS];   /* that the secret of this stanza is bound to; see auth/binding.h */
    bool gate_passed;
    bool held; /* a stored secret may not go where the stanza says; held_err tells why */
    struct err held_err;
    bool changed;
    bool warned; /* of the secret at hand */
    struct timer retry;
};

extern const char *const secret_param_names[SECRET_KINDS];

/* Returns the place of the plaintext in the input. */
char **secret_plaintext(const struct secret_intake *intake, enum secret_kind kind);
/* Returns the stored secret; NULL: none. */
const char *secret_stored(const struct secret_intake *intake, enum secret_kind kind);
/* Returns true if the stored secret may go where the stanza sends it, or there is none. */
bool secret_is_bound(const struct secret_intake *intake, enum secret_kind kind, struct err *err);
/* Returns true if all that the input signs in with may go where it would be sent. */
bool secrets_may_sign_in(const struct secret_intake *intake, struct err *err);

/* Hands the value to the part that uses it. */
void secret_hand_over(const struct secret_intake *intake, enum secret_kind kind, const char *value);
/* Hands over the stored secret if it may be used. */
void secret_hand_over_stored(const struct secret_intake *intake, enum secret_kind kind);
