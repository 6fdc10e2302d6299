/* command/check_row_private.h - the state of a row, for check_row.c (connection, token, newest alert) and
 * check_row_end.c (comparison with another API, end). */
#pragma once

#include "collect/target.h"
#include "command/check_row.h"
#include "command/compare.h"
#include "command/input_sign_in.h"

struct row {
    const struct row_context *context;
    char *label;
    struct input input;
    struct target target;
    struct endpoint *login, *service;
    struct input_sign_in sign_in;
    bool begun, finished;
    bool waits_for_store; /* whether it takes the successor of a refresh token */
    struct timer deadline;
    struct look *look;
    struct target other; /* to compare with */
    struct compare *compare;
    bool is_compared; /* or being compared */
    struct outcome outcome;
};

/* Ends the row with this result, after the comparison with another API if there is to be one. */
void row_end(struct row *row, enum check_result result);
