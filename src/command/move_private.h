/* command/move_private.h - the state of `import --set api=...`, for move.c (finds, tries and changes the inputs) and
 * move_report.c (tells). */
#pragma once

#include "command/check_rows.h"
#include "command/move.h"
#include "command/session.h"
#include "splunk/data_inputs.h"

enum moved { MOVED_NOT, MOVED_DONE, MOVED_REFUSED };

/* One input. */
struct mover {
    struct move *move;
    const struct outcome *outcome;
    const struct raw_stanza *stanza;
    const char *list[8]; /* to send: name, value, ..., NULL */
    enum moved moved;
    struct err err;
};

struct move {
    const struct move_options *options;
    const struct api *to;
    int kind, days;
    struct console console;
    struct config config; /* session, and the inputs as splunkd lists them */
    struct loop *loop;
    struct http *http;
    struct rest *rest;
    struct data_inputs *inputs;
    struct check_rows *rows;
    struct mover *movers;
    size_t count, next, running, there, elsewhere;
    bool listed;
    struct err err;
};

/* Prints what became of each input. Returns the exit status. */
int move_report(const struct move *move);
