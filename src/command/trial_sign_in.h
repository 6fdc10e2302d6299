/* command/trial_sign_in.h - tries to sign in as an input would, while splunkd waits for the validation.
 *
 * Asks for a token with the secret or certificate of the input, or with the stored secret that the mask means. A
 * refresh token or authorization code is never used: it works only once. Stores nothing. */
#pragma once

#include "splunk/config.h"

enum trial_result {
    TRIAL_ACCEPTED,
    TRIAL_REFUSED,  /* a person has to act: the input cannot work like this */
    TRIAL_NOT_TRIED /* the cause is elsewhere or may pass: splunkd, network, service, time */
};

/* Takes at most most_ms. Except for TRIAL_ACCEPTED *ret_why is a sentence; caller frees. *config has the session key of
 * the password store; without one a secret that was typed is tried all the same. */
enum trial_result trial_sign_in(const struct input *input, const struct config *config, int64_t most_ms,
                                char **ret_why);

/* How a person signs in from the inputs page, after "To sign in, ". %s: the address (target_sign_in_address()). */
#define TRIAL_HOW                                                                                                      \
    "open %s and sign in; the sign-in ends on a page that does not load; copy its whole address into "                 \
    "authorization_code and save again within ten minutes"
