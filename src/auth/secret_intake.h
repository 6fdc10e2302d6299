/* auth/secret_intake.h - moves the plaintext secrets of one stanza into Splunk's password store.
 *
 * Each secret is stored, reported to the owner as imported, handed to the principal, wiped from memory and masked in
 * inputs.conf. It is bound to the hosts that the stanza names (auth/binding.h); a stored secret that is not bound to them
 * holds the input. Then the input waits for the secrets that other inputs of its app bring (auth/secret_gate.h), because
 * what follows signs in with them. An authorization code is exchanged for a refresh token once. The owner remembers the
 * imported values (as salted hashes): a secret that cannot be masked comes again with each start, and must not
 * overwrite its successor.
 *
 * Call order: _new, _start once the store has been read, done() by callback, _mask. _refresh at any time after
 * that. */
#pragma once

#include "auth/binding.h"
#include "auth/principal.h"
#include "auth/secret_gate.h"
#include "splunk/data_inputs.h"
#include "splunk/input.h"

/* In the order of the work: the proxy is needed to reach anything, the code is exchanged last. */
enum secret_kind { SECRET_PROXY, SECRET_CLIENT, SECRET_REFRESH, SECRET_CODE, SECRET_KINDS };

struct secret_intake;

/* The callbacks. `param` is the name of an input parameter; `value` is its plaintext, borrowed for the call. */
struct secret_intake_owner {
    /* Returns true if this value was imported before. */
    bool (*imported)(void *ctx, const char *param, const char *value);
    /* Remembers the value as imported: it is in the store, or the code is used up. */
    void (*import)(void *ctx, const char *param, const char *value);
    /* Takes the proxy's password; NULL: none. Called once, before anything else needs the network. */
    void (*use_proxy)(void *ctx, const char *password);
    /* Returns the principal of the input. Only called after use_proxy. */
    struct principal *(*principal)(void *ctx);
    /* Reports why a secret is not in place yet. The intake tries again. */
    void (*waits)(void *ctx, const struct err *err);
    /* A stored secret may not go where this input would send it: see secret_intake_held(). */
    void (*held)(void *ctx);
    /* All secrets are in place. changed: import() was called; save that before the call of secret_intake_mask(), which
     * is due in either case. */
    void (*done)(void *ctx, bool changed);
    void *ctx;
};

/* All pointers are borrowed and must outlive the intake. */
struct secret_intake_spec {
    struct loop *loop;
    struct passwords *passwords;
    struct data_inputs *data_inputs;
    struct input *input;          /* its plaintext secrets are wiped and set to NULL, one after the other */
    struct secret_ticket *ticket; /* at the gate of the input's app; NULL: nobody is waited for */
    const char *label;            /* the input's name for log lines */
    struct destination to;
    bool v1; /* the token endpoint's version */
};

/* Copies *spec and *owner, not what they point to. Never returns NULL. */
struct secret_intake *secret_intake_new(const struct secret_intake_spec *spec, const struct secret_intake_owner *owner);
/* NULL is allowed. A call to splunkd that is still pending would answer to freed memory: free it after the loop has
 * ended, before splunkd is freed. */
void secret_intake_free(struct secret_intake *intake);

/* Starts with the first secret; to be called once, after the store has been read. Ends in done(), perhaps before this
 * returns. Retries every 10 s while splunkd or Microsoft does not answer. */
void secret_intake_start(struct secret_intake *intake);

/* Masks the imported secrets in inputs.conf; splunkd then restarts this process. To be called from or after done(),
 * once the owner has saved that they were imported. Does nothing if there is nothing to mask. A refusal is logged. */
void secret_intake_mask(struct secret_intake *intake);

/* The store was read again: hands its client secret and refresh token to the principal if they may go there, or looks
 * again at a secret that is held. */
void secret_intake_refresh(struct secret_intake *intake);
/* Returns why the input must not sign in, until a person enters the secret again; NULL: it may. NULL is allowed. */
const struct err *secret_intake_held(const struct secret_intake *intake);
