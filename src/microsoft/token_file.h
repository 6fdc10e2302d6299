/* microsoft/token_file.h - a file with a token that others renew: Kubernetes' projected service account tokens, and what
 * else is federated. The token is sent to the sign-in service as the app's assertion.
 *
 * Only what has the shape of a JWT and has not expired leaves this host: an administrator who may edit inputs can name
 * any file that Splunk's user can read. */
#pragma once

#include "base/err.h"

/* Returns true for three parts in base64url with dots between them, of which the first two are JSON objects. */
bool token_is_jwt(const char *text);

/* Reads the file's token; *ret is a secret: free it with mem_free_secret(). now_unix_ms: by the service's clock.
 * Otherwise err is ERR_AUTH, with one sentence: no such file, no regular one, too large, no JWT, expired, not valid
 * yet, or without an end. Links are followed, since Kubernetes renews by them. */
bool token_file_read(const char *path, int64_t now_unix_ms, char **ret, struct err *err);
