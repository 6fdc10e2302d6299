/* collect/services.h - where an input goes: what its own parameters say, else the hosts of its API in its cloud. What
 * is returned belongs to the input or is a constant. */
#pragma once

#include "microsoft/api.h"
#include "splunk/input.h"

static inline const char *service_login_url(const struct input *input)
{
    return input->login_url ? input->login_url : login_host(input->cloud);
}

static inline const char *service_base_url(const struct input *input)
{
    return input->api_url ? input->api_url : api_at(input->api)->host[input->cloud];
}

/* The audience of its access tokens. */
static inline const char *service_resource(const struct input *input)
{
    return input->resource ? input->resource : api_at(input->api)->resource[input->cloud];
}
