/* base/mover.h - whose move a trouble is. *Our administrator* runs this Splunk and owns the app registration; the
 * customer's owns the tenant. */
#pragma once

#include "base/buf.h"

enum mover {
    MOVE_NONE,          /* passes by itself, or nothing is wrong */
    MOVE_PROVIDER,      /* our administrator: configuration, app registration, this host */
    MOVE_CUSTOMER,      /* the customer's administrator: consent, conditional access */
    MOVE_SIGN_IN,       /* somebody must sign in again: the refresh token is dead */
    MOVE_AS_SAID        /* it depends; the line itself says it */
};

/* "our administrator", "the customer's administrator", ... */
const char *mover_text(enum mover mover);

/* Adds ". Our administrator: <advice>", without a full stop behind it. */
void mover_advise(struct buf *to, enum mover mover, const char *advice);

/* The same behind the text in line[0..size), cut where it does not fit; without asking for memory. */
void mover_advise_into(char *line, size_t size, enum mover mover, const char *advice);
