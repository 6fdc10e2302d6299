/* command/save_duplicates.h - whether an input that is being saved reads alerts that another one reads already. */
#pragma once

#include "command/alert_set.h"
#include "splunk/config.h"

/* Asks splunkd once for its inputs, which may take most_s. Returns false if it does not tell. *ret is the sentence
 * of alert_set_sentence(), which the caller frees; NULL: no enabled input does, as far as is known. tenant: the GUID
 * of the input's tenant; NULL or "": not known. Which tenants the domains of other inputs stand for is taken from
 * their checkpoints. */
bool save_duplicates_find(const struct input *input, const char *tenant, const struct config *config, int most_s,
                          char **ret);
