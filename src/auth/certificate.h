/* auth/certificate.h - certificate files for client assertions, each read once even if many principals use it.
 *
 * A file that has changed is read again before its next use. If it cannot be used any more, the old key stays in use.
 * The log warns 30, 7 and 1 days before a certificate expires, once each. */
#pragma once

#include "microsoft/assertion.h"

struct certificate;

/* Finds the entry of this path in the list, or creates it. Does not read the file. Owned by the list; NULL is an empty
 * list. */
struct certificate *certificate_get(struct certificate **list, const char *path);
/* Returns the next entry of the list; NULL: none. */
struct certificate *certificate_next(const struct certificate *cert);
/* Frees the entries and their keys. */
void certificates_free(struct certificate **list);

/* Reads the file again if it has changed. Returns true if it had changed and there is a usable key, new or old. */
bool certificate_renewed(struct certificate *cert);

/* Returns the key, after reading the file if it is new or has changed. Borrowed until the next call. NULL without a
 * usable key; err is ERR_AUTH. Warns if the certificate expires soon. */
const struct assertion_key *certificate_key(struct certificate *cert, struct err *err);

/* Sets *ret to the whole days until the certificate expires. Returns false if no key has been read. */
bool certificate_days(const struct certificate *cert, int64_t *ret);

/* Returns true if a warning is due with this many days left. *warned_days remembers the last warning; 0: none. */
bool certificate_end_is_news(int64_t days_left, int64_t *warned_days);
