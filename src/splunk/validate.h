/* splunk/validate.h - --validate-arguments, the part that needs no network. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "splunk/config.h"

/* The one item of an <items> document as an input: every value, what values forbid each other, named files. A secret
 * that is absent or a mask is fine: an edit sends it so. On false err holds a sentence for Splunk Web. */
bool validate_items(const struct config *config, struct input *ret, struct err *err);

/* Appends <error><message>...</message></error>, which Splunk Web shows to the person who saved the input. */
void validate_print_refusal(struct buf *ret, const char *text);
