/* command/export_table.h - the inputs that splunkd lists as a CSV text. */
#pragma once

#include "base/buf.h"
#include "base/json.h"

/* Appends one row for each input, disabled ones included. Columns without anything to say are left out: those that are
 * empty, or have the default, in all rows. Secrets and passwords become eight asterisks. Text with a character that
 * `import` would refuse (base/utf8.h) is made plain; the number of these inputs is returned. */
size_t export_table(const cJSON *inputs, struct buf *ret);
