/* collect/bad_input.h - an input whose stanza cannot be used: it does not run, and its record says why. */
#pragma once

#include "collect/env.h"
#include "splunk/stanza.h"

struct bad_input;

/* Logs the reason. Copies what it needs. Never returns NULL; free with bad_input_free(). */
struct bad_input *bad_input_new(const struct env *env, const struct raw_stanza *stanza, const struct err *err);
void bad_input_free(struct bad_input *input); /* NULL is allowed */
