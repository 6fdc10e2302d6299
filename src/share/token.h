/* share/token.h - the authentication token of the shared store, in this forwarder's password store.
 *
 * It is bound to the addresses that share_url had when a person entered it: otherwise whoever may edit inputs could have
 * it sent to a host of his own. It never goes to Microsoft's hosts. When it ends is in share/link.h. */
#pragma once

#include "base/err.h"
#include "splunk/passwords.h"

/* Returns "share_token.<group>", its name in the password store. The caller frees it. */
char *share_token_name(const char *group);

/* Returns the next address of a list with blanks or commas between, without a slash at its end; NULL after the last one.
 * *rest is the list at first, and moves on. The caller frees it. */
char *share_next_url(const char **rest);

/* Returns the origins of the addresses, separated by blanks, for passwords_store(). The caller frees it. */
char *share_token_hosts(const char *urls);

/* Returns the token of the group if all addresses of the list may be sent it. Borrowed like passwords_get(). Otherwise
 * NULL with err (ERR_AUTH): what the administrator has to do. */
const char *share_token_find(const struct passwords *passwords, const char *group, const char *urls, struct err *err);
