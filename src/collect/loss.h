/* collect/loss.h - whether a refused customer was lost: it worked before with the same sign-in, and now its consent, the
 * app, the tenant or the license is gone on its side. What never worked is refused: that is our own mistake, or the
 * customer has not consented yet. Some of Entra's codes mean either.
 *
 * That a customer worked, and when it was last said that it is lost, is in its checkpoint. */
#pragma once

#include "base/err.h"
#include "base/ticks.h"

struct loss {
    char *as;    /* what the input signs in as: target_sign_in_as() */
    bool worked; /* a poll was complete with that, in this process or before */
    bool lost;
    ticks said;      /* when the log said so last, by this host's clock, for the checkpoint; 0: it has not */
    int64_t said_ms; /* the same, monotonic */
};

/* Returns true if the reason of a refusal is one that a customer who left brings about. */
bool loss_fits(const struct err *err);
/* Returns true if the customer worked before and the reason fits. */
bool loss_explains(const struct loss *loss, const struct err *err);
/* Takes over when a process before this one said that the customer is lost; 0: it is not. */
void loss_resume(struct loss *loss, ticks said, ticks now, int64_t now_ms);
/* Returns true once a day: that the customer is lost is to be said now. */
bool loss_say(struct loss *loss, ticks now, int64_t now_ms);
