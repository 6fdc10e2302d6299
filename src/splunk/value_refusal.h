/* splunk/value_refusal.h - what is said of a value that its parameter does not take: the value, what it should be, and
 * what it seems to be. Never a secret, be it typed into a wrong field or part of an address. */
#pragma once

#include "base/err.h"
#include "splunk/params.h"

/* Returns what the parameter should be, such as "a whole number of seconds from 1 to 86400". Valid until the next
 * call. */
const char *value_wanted(const struct param *param);

/* Sets *err. Returns false. */
bool value_refuse(const struct param *param, const char *value, struct err *err);

/* Returns true for the address of a page on which a sign-in ended. */
bool value_holds_code(const char *value);
