/* command/trial_sign_in.h - tries what an input would do, while splunkd waits for the validation: the connection to
 * the sign-in host, a token, and one record with the filter.
 *
 * The secret, refresh token or certificate is the input's, or the stored one that the mask means. A refresh token is
 * redeemed once and the new one is discarded, since Microsoft does not revoke the old one. The stored one is left
 * alone if nothing that the sign-in or the request depends on is being changed (saved_input.h). An authorization
 * code works only once. For these two, the connection is all that is tried. Stores nothing. A stored secret that may
 * not go where the input says (auth/binding.h) refuses the input before anything is sent. */
#pragma once

#include "splunk/config.h"

enum trial_result {
    TRIAL_ACCEPTED,
    TRIAL_REFUSED,  /* a person has to act: the input cannot work like this */
    TRIAL_UNBOUND,  /* a stored secret may not go where the input says */
    TRIAL_LEFT,     /* the host was reached; more would use up the code, or has nothing new to try */
    TRIAL_NOT_TRIED /* the cause is elsewhere or may pass: splunkd, network, service, time */
};

struct trial_outcome {
    enum trial_result result;
    char *why; /* a sentence. With TRIAL_ACCEPTED NULL, or that splunkd did not answer: stored secrets were not tried.
                     With TRIAL_LEFT NULL: nothing is being changed */
    char *tenant; /* the GUID of the tenant, of the token; NULL or "": not known */
};

/* Takes at most most_ms. splunkd is not asked twice for the same, and may take splunkd_most_s for an answer. *config
 * has the session key of the password store; without one a secret that was typed is tried all the same. */
struct trial_outcome trial_sign_in(const struct input *input, const struct config *config, int splunkd_most_s,
                                   int64_t most_ms);
void trial_outcome_release(struct trial_outcome *outcome); /* frees the members */

/* How a person signs in from the inputs page, after "To sign in, ". %s: the address (target_sign_in_address()). */
#define TRIAL_HOW                                                                                                      \
    "open %s and sign in; the sign-in ends on a page that does not load; copy its whole address into "                 \
    "authorization_code and save again within ten minutes"
