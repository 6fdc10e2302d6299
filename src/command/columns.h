/* command/columns.h - the columns of a CSV file of inputs, which `import` reads and `export` writes: the name, the
 * parameters of an input, and some of splunkd's own keys. */
#pragma once

#include "base/buf.h"

/* Returns the name of a column by its number; NULL after the last one. */
const char *column_name(size_t at);
bool column_is_known(const char *name);
/* Returns the name in a cell of the header: without blanks around it, in lower case. Caller frees. */
char *column_of_cell(const char *cell);

/* Adds a file with the columns of the usual case and two examples. */
void columns_add_template(struct buf *ret);
/* Adds the names of all columns, in lines for --help. */
void columns_add_list(struct buf *ret);
