/* collect/secrets.h - an input's secrets: from inputs.conf into Splunk's password store, and from there to its account.
 *
 * A secret that stands in clear in the stanza is stored, remembered as taken (a salted hash in the checkpoint, so that
 * one that cannot be masked never overwrites a later one) and then masked in inputs.conf. An authorization code is
 * exchanged for a refresh token once. */
#pragma once

struct tenant;
struct secrets_job;

/* Begins; ends in tenant_secrets_ready(). Needs the store to have been read, or to have failed. */
void secrets_start(struct tenant *t);
/* The store was read again: takes over what has changed there. */
void secrets_refresh(struct tenant *t);
void secrets_free(struct secrets_job *job);
