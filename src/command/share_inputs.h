/* command/share_inputs.h - which inputs of a configuration forwarders share, and by which store. Pure.
 *
 * A process shares by one store and one group. The first enabled input with share_url decides which; inputs that say
 * something else are left out by the program, and named here. */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "splunk/config.h"

struct share_inputs {
    char *urls;    /* share_url; NULL: no input is shared */
    char *group;   /* share_group; never NULL */
    char *ca_file; /* share_ca_file; NULL: Splunk's own */
    char *first;   /* the input that says so */
    char **names;  /* of the enabled shared inputs, sorted */
    size_t count;
    char **odd; /* a sentence for each input that says something else */
    size_t odd_count;
};

void share_inputs_read(const struct config *config, struct share_inputs *ret);
void share_inputs_free(struct share_inputs *inputs); /* frees the members */
bool share_inputs_have(const struct share_inputs *inputs, const char *name);

/* Adds the entries of data_inputs_list() to a configuration that has none: names, and what share_inputs_read() needs. */
void share_inputs_list(const cJSON *list, struct config *config);

/* Returns true if that is 1 to 8 addresses and a group; err says which parameter is not, what it is and should be.
 * urls_name, group_name: of the parameter or option. */
bool share_inputs_check(const char *urls_name, const char *urls, const char *group_name, const char *group,
                        struct err *err);
