/* microsoft/refusal.h - the error message of an alert API, and a refusal that quotes it. */
#pragma once

#include "base/err.h"
#include "messages/diagnosis.h"
#include "net/http.h"

#define REFUSAL_WORDS_MAX 400

/* Writes ": code 'message'" from the JSON error body of a response, truncated to a readable length; "" if it has none.
 * The body is { "error": { "code", "message" } } (OData) or { "error": "message" }. */
void refusal_words(const struct http_result *result, char ret[REFUSAL_WORDS_MAX]);

/* Sets err (ERR_AUTH) for a response that a person has to act on: the diagnosis, the service's words, its request id
 * and the advice. permission: the one that the API needs, for a diagnosis that names it; NULL for the others. */
void refusal_set(const struct http_result *result, enum diagnosis diagnosis, const char *permission, struct err *err);
