/* splunk/passwords.h - our secrets in Splunk's password store (storage/passwords, realm TA-defender-mssp).
 *
 * Facts about splunkd: a list has 30 entries unless count=0; create answers 409 when the entry exists; a blank password
 * is refused; old versions truncate a secret at 255 characters. Therefore each write is read back and compared.
 * Where the store truncates, a long secret is split into pieces (passwords_pieces.h). A new value is written as a new
 * generation of pieces, then the main entry is switched over, then the pieces of other generations are deleted: after
 * a crash at any point the old or the new value is there, whole. */
#pragma once

#include "splunk/rest.h"
#include "splunk/secret_name.h"

struct passwords;

/* Never returns NULL. Nothing is loaded yet. */
struct passwords *passwords_new(struct rest *rest);
/* Before the rest; NULL is allowed. Overwrites the secrets; calls in flight get no answer. */
void passwords_free(struct passwords *passwords);

/* Reads all our entries into memory. Retries for a minute while splunkd starts (connection refused, 503). On failure
 * the secrets in memory stay. A second load replaces one in flight, whose done is never called. */
void passwords_load(struct passwords *passwords, rest_done_fn *done, void *ctx);

/* Calls troubled() from now on whenever the store does not do what it is asked to, with a new reason; NULL: nobody is
 * told. */
void passwords_listen(struct passwords *passwords, void (*troubled)(void *ctx), void *ctx);
/* Returns why the store does not do what it is asked to, at present; NULL: it does, as far as is known. It is told
 * within seconds, while the call itself is repeated for a minute. */
const struct err *passwords_trouble(const struct passwords *passwords);

/* Returns the stored secret of that name (secret_name.h), or NULL if there is none. Borrowed until the next store or
 * load ends. */
const char *passwords_get(const struct passwords *passwords, const char *name);

/* Returns the origins that the stored secret of that name may go to besides Microsoft's own hosts, separated by blanks
 * (secret_hosts.h); NULL: none. Borrowed like the secret. */
const char *passwords_hosts(const struct passwords *passwords, const char *name);

/* Creates or updates an entry and reads it back before done(ok). Several stores may be in flight. Stores of one name
 * are done in order. value: not empty; copied. hosts: the origins other than Microsoft's own that the value may go to,
 * named by the person who entered it, separated by blanks ("": none); copied. */
void passwords_store(struct passwords *passwords, const char *name, const char *value, const char *hosts,
                     rest_done_fn *done, void *ctx);
/* The same for the successor of a rotated token. It may go to these hosts and to those that the store's note has for
 * `before`, its predecessor. If another token was stored meanwhile, that one's hosts do not count. before: copied. */
void passwords_rotate(struct passwords *passwords, const char *name, const char *before, const char *value,
                      const char *hosts, rest_done_fn *done, void *ctx);
