/* splunk/secret_hosts.h - the note in the password store that binds a secret to hosts.
 *
 * The entry "<name>.hosts" says where the secret "<name>" may go besides Microsoft's own hosts:
 * "TA-defender-mssp hosts <sha256>[,<sha256>] <origin> [<origin> ...]". The hash is that of the secret. A note of
 * another secret does not count, so neither a crash between two writes nor two processes that write at once can bind a
 * secret to hosts that were named for another. While a refresh token rotates, the note has the hashes of both. */
#pragma once

#include "base/compiler.h"

/* Returns the name of the note's entry. Caller frees. */
char *secret_hosts_name(const char *name);

/* Returns the origins that the note names for this value, separated by blanks; NULL: the note (or the value) is NULL,
 * damaged, or of another secret. Borrowed from the note. */
const char *secret_hosts_of(const char *note, const char *value);

/* Returns the note to write before the value is stored; NULL: none is needed. Caller frees.
 * before: the token that was rotated into this value; NULL: the value was entered. origins: where the value may go,
 * separated by blanks; NULL or "": nowhere else. They are added to those that the old note has for `before`, or for the
 * entered value. */
char *secret_hosts_note(const char *note, const char *before, const char *value, const char *origins);

/* Returns true if the origin is in the list. NULL is an empty list. */
bool secret_hosts_hold(const char *origins, const char *origin);
