/* splunk/stanza.h - from a raw stanza to a validated input, by the table of parameters. */
#pragma once

#include "base/err.h"
#include "splunk/input.h"

/* Name and value pairs of one stanza, as splunkd gave them. */
struct raw_param {
    char *name;
    char *value;
};
struct raw_stanza {
    char *name; /* as given: with or without "defender_alerts://" */
    char *app;
    struct raw_param *params;
    size_t count;
};
/* Frees the members, not the struct. Values are overwritten. */
void raw_stanza_free(struct raw_stanza *stanza);

/* Parses every known parameter, fills in defaults, ignores unknown names and splunkd's own keys, and checks which
 * parameters exclude each other. check: which named files must be readable. Returns false with nothing in *ret; err
 * then names the first bad parameter, its value (never a secret) and what it should be. Free *ret with input_free(). */
bool input_from_stanza(const struct raw_stanza *stanza, enum file_check check, struct input *ret, struct err *err);
/* Frees the members, not the struct; NULL is allowed. Secrets are overwritten. */
void input_free(struct input *input);

/* Returns the value of a key, the last one that is given; NULL: the stanza does not have it. */
const char *stanza_value(const struct raw_stanza *stanza, const char *name);
/* Returns the stanza's name without "defender_alerts://". Points into the stanza. */
const char *stanza_input_name(const struct raw_stanza *stanza);
/* Returns true if splunkd's own key `disabled` is set: the input is not ours, even if a parameter is bad. */
bool stanza_is_disabled(const struct raw_stanza *stanza);
/* Returns true for the words that splunkd reads as true. NULL is false. */
bool stanza_truth(const char *text);

/* Returns true if the name, and the value of every parameter, those of splunkd's own keys included, have no hidden
 * characters (base/utf8.h): in a conf file, a log or a terminal they could act or deceive. For an input that is being
 * saved; an existing one runs on. err names the parameter. */
bool stanza_is_plain(const struct raw_stanza *stanza, struct err *err);
