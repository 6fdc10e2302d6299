/* splunk/validate.h - the part of --validate-arguments that needs no network. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "splunk/config.h"

/* Checks what matters only while an input is saved; one that runs goes on with it: a client secret that is the ID of a
 * secret, a start in the future, files that are not PEM. On false err is a sentence. */
bool validate_values(const struct input *input, struct err *err);

/* Parses the one item of an <items> document as an input: every value, values that exclude each other, named files. A
 * secret may be absent or a mask, as an edit sends it. On false err is a sentence for Splunk Web. */
bool validate_items(const struct config *config, struct input *ret, struct err *err);

/* Appends <error><message>...</message></error>, which Splunk Web shows to the person who saved the input. */
void validate_print_refusal(struct buf *ret, const char *text);
