/* messages/remedy.h - who has to act, and what to do. *Our administrator* runs this Splunk and owns the app
 * registration; *the customer's administrator* owns the tenant. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum responsible {
    ACT_NOBODY,   /* transient, or nothing is wrong */
    ACT_PROVIDER, /* our administrator: configuration, app registration, this host */
    ACT_CUSTOMER, /* the customer's administrator: consent, conditional access */
    ACT_SIGN_IN,  /* someone has to sign in again: the refresh token is no longer valid */
    ACT_AS_SAID   /* depends; the line itself says who */
};

struct remedy {
    enum responsible responsible;
    const char *advice; /* imperative, lower case, no period; "nothing ..." if there is nothing to do */
};

/* Notes a cause and its remedy in *err, for the status of an input. Always returns false. */
bool remedy_set(struct err *err, const char *cause, enum responsible responsible, const char *advice);

/* Returns "our administrator", "the customer's administrator", ... */
const char *responsible_text(enum responsible responsible);

/* Adds ". Our administrator: <advice>", without a period at the end. */
void remedy_add(struct buf *to, enum responsible responsible, const char *advice);

/* Appends the same to the text in line[0..size), truncated where it does not fit. Allocates no memory. */
void remedy_append(char *line, size_t size, enum responsible responsible, const char *advice);
