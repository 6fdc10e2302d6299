/* command/check_duplicates.h - inputs of `check` that read the same alerts as another enabled input. */
#pragma once

#include "command/check_row.h"
#include "splunk/config.h"

/* Adds a note to each row whose alerts another enabled input of the configuration reads too, tried or not. To be called
 * once the rows are finished: their tokens tell which tenant a domain stands for. */
void check_duplicates_note(struct row *const *rows, size_t count, const struct config *config);
