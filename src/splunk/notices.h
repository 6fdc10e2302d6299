/* splunk/notices.h - sentences in the menu *Messages* of Splunk Web (REST endpoint messages), one for each input and
 * topic. The topic is a word; NULL: whether the input works.
 *
 * splunkd shows the words of a validation only if it refuses the input. A notice tells what is no reason to refuse it.
 * A new notice replaces the last one of the same input and topic. Only users who may add inputs see it: on a server with several
 * customers as users, one does not read the name of another. */
#pragma once

#include "splunk/rest.h"

struct notices;

/* Never returns NULL. */
struct notices *notices_new(struct rest *rest);
/* Before the rest; NULL is allowed. Calls in flight get no answer. */
void notices_free(struct notices *notices);

/* Shows a sentence. What Splunk Web would take for a link or for markup becomes plain text. */
void notices_show(struct notices *notices, const char *topic, const char *input_name, const char *text,
                  rest_done_fn *done, void *ctx);
/* Removes the input's notice. One that does not exist counts as removed. */
void notices_remove(struct notices *notices, const char *topic, const char *input_name, rest_done_fn *done, void *ctx);

/* The input works: removes its notice without a topic if there is one. Asks splunkd for the list of notices the first time, and for
 * nothing more unless the input is in the list. A failure has no effect but that a notice stays. */
void notices_input_works(struct notices *notices, const char *input_name);
