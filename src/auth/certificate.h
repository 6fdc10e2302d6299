/* auth/certificate.h - certificate files for client assertions, each read once however many tenants use it.
 *
 * A file that changes is read again before its next use; one that changed into something unusable leaves the old key in
 * place. The end of a certificate is warned of once each 30, 7 and 1 days ahead. */
#pragma once

#include "microsoft/assertion.h"

struct certificate;

/* Finds or makes the entry of a path in the list. */
struct certificate *certificate_get(struct certificate **list, const char *path);
void certificates_free(struct certificate **list);

/* Reads the file again if it has changed since it was last read. True if it had, and there is a key to use. */
bool certificate_renewed(struct certificate *cert);
struct certificate *certificate_next(const struct certificate *cert);   /* of the list; NULL: the last */

/* The key, read or read again if that is due. NULL with err (ERR_AUTH) when there is none to use. */
const struct assertion_key *certificate_key(struct certificate *cert, struct err *err);

/* Whole days until it ends; false while no key has been read. */
bool certificate_days(const struct certificate *cert, int64_t *ret);

/* With so many days left, is there something to say that was not said yet? 30, 7 and 1 days ahead, once each; what was
 * said last is kept in *warned_days (0 at first). */
bool certificate_end_is_news(int64_t days_left, int64_t *warned_days);
