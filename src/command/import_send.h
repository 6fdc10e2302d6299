/* command/import_send.h - carries out the plan for the rows of an imported file: secrets first, then inputs. */
#pragma once

#include "command/import_rows.h"
#include "splunk/data_inputs.h"

/* Lives inside of its owner. */
struct import_sending {
    size_t left; /* secrets that are on their way */
    void (*stored)(void *ctx);
    void *ctx;
};

/* Stores the secrets that are due; those that fail say so (upload->failed). stored() is called once, perhaps before
 * this returns. All pointers must outlive it. */
void import_send_secrets(struct import_sending *sending, struct import_rows *rows, struct passwords *passwords,
                         void (*stored)(void *ctx), void *ctx);

/* Creates or changes the input of a row; done gets the row as its ctx. Returns false if the row needs no request, or is
 * refused now since one of its secrets was not stored. */
bool import_send_row(struct import_row *row, struct data_inputs *inputs, rest_done_fn *done);
