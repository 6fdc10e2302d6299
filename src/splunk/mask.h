/* splunk/mask.h - the text that is shown and stored in place of a secret. */
#pragma once

#include "base/compiler.h"

#define SECRET_MASK "********" /* eight: Splunk Web's own password field takes it for "unchanged" */

/* Returns true for NULL, "" and text that is all asterisks: the stored secret is meant. */
bool mask_matches(const char *value);
