/* base/responsible.h - whose move a trouble is. *Our administrator* runs this Splunk and owns the app registration; the
 * customer's owns the tenant. */
#pragma once

#include "base/buf.h"

enum responsible {
    ACT_NOBODY,          /* passes by itself, or nothing is wrong */
    ACT_PROVIDER,      /* our administrator: configuration, app registration, this host */
    ACT_CUSTOMER,      /* the customer's administrator: consent, conditional access */
    ACT_SIGN_IN,       /* somebody must sign in again: the refresh token is dead */
    ACT_AS_SAID        /* it depends; the line itself says it */
};

/* "our administrator", "the customer's administrator", ... */
const char *responsible_text(enum responsible responsible);

/* Adds ". Our administrator: <advice>", without a full stop behind it. */
void remedy_add(struct buf *to, enum responsible responsible, const char *advice);

/* The same behind the text in line[0..size), cut where it does not fit; without asking for memory. */
void remedy_append(char *line, size_t size, enum responsible responsible, const char *advice);
