/* microsoft/managed_identity.h - the managed identity of this machine: where its tokens come from, and what the answers
 * mean. Pure functions, except for the two that look at this host.
 *
 * On an Azure virtual machine the instance metadata service has them (http://169.254.169.254). On a server that is
 * connected by Azure Arc its agent has them, on a loopback address: the first answer is a 401 that names a file, and
 * whoever can read that file is let in. Arc's agent sets IDENTITY_ENDPOINT and IMDS_ENDPOINT for logins; a service such
 * as splunkd often lacks them, so the agent's program tells, too. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "net/http.h"

/* The tokens' audience, so that they can be used as assertions (workload identity federation). */
const char *identity_audience(const char *login_url);

/* What this host says. */
struct identity_hints {
    const char *identity_endpoint, *imds_endpoint; /* of the environment; NULL: not set */
    bool has_agent;                                /* Arc's program is there */
};
struct identity_hints identity_hints_read(void);

struct identity_service {
    bool arc;
    const char *url;        /* of the endpoint; borrowed from the hints or static */
    const char *key_folder; /* Arc's: where its challenges may lead */
};
/* Finds the service: both variables, else Arc's program, else the metadata service of a virtual machine. Returns false
 * with ERR_AUTH if the variable names another place than this host. */
bool identity_find(const struct identity_hints *hints, struct identity_service *ret, struct err *err);

/* Adds the address of a request. client_id: of a user-assigned identity; NULL: the machine's own. */
void identity_address(const struct identity_service *service, const char *audience, const char *client_id,
                      struct buf *ret);

/* Reads the key that Arc's 401 asks for. *ret is a secret: the value of the header Authorization; free it with
 * mem_free_secret(). Only files *.key directly in the key folder are read, up to 4096 bytes. */
bool identity_key(const struct identity_service *service, const char *authenticate, char **ret, struct err *err);

struct identity_token {
    char *text;         /* secret */
    int64_t expires_ms; /* monotonic */
    int64_t lifetime_ms;
};
/* Reads an answer. On failure err is ERR_RETRY or, if a person has to act, ERR_AUTH. A user-assigned identity that
 * Arc's answer does not name is a failure: older agents answer with the machine's own. */
bool identity_read(const struct identity_service *service, const char *client_id, const struct http_result *result,
                   int64_t now_ms, struct identity_token *ret, struct err *err);
