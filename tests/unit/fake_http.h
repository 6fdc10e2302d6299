/* Another transport for the tests of a module; test_token_source.c has the wrappers that call it. */
#pragma once

#include "net/http.h"

/* NULL: the real ones. */
extern struct http_request *(*fake_http_start)(const struct http_spec *spec);
extern void (*fake_http_cancel)(struct http_request *request);
