/* command/device_code.h - the device authorization request (RFC 8628): the short code that a person enters on another
 * device. redeem.h then waits for the token. */
#pragma once

#include "microsoft/token.h"

struct device_code {
    char *code;              /* secret: for the token endpoint */
    char *user_code, *where; /* for the person */
    int64_t interval_s;
    int64_t give_up_ms; /* monotonic: when the code expires */
};
void device_code_release(struct device_code *device); /* frees the members; the code is overwritten */

/* Requests a code for the app and tenant of *who (only login_url, tenant_id, client_id, resource and v1 are used).
 * done is called once, from the loop, and owns *device; NULL: err says why. */
typedef void device_code_done_fn(void *ctx, struct device_code *device, const struct err *err);
struct device_code_ask;
struct device_code_ask *device_code_ask(struct http *http, const struct http_route *route,
                                        const struct token_request *who, device_code_done_fn *done, void *ctx);
void device_code_ask_free(struct device_code_ask *ask); /* before http; NULL is allowed */
