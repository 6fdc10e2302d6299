/* command/consent_show.h - what `consent --watch` shows: a table that is drawn again on a terminal, a line for each
 * change elsewhere, and a report at the end. */
#pragma once

#include "command/consent_customers.h"
#include "command/wrap.h"

struct consent_show {
    const struct customers *customers;
    struct wrap to;
    bool live;  /* the table is drawn again and again; else lines are printed */
    bool quiet; /* the report at the end is for programs; before it only a progress line on stderr */
    /* private: */
    size_t drawn;                /* lines of the table on the screen */
    enum customer_state *before; /* of each customer, when its line was printed */
    bool *told;
};

void consent_show_start(struct consent_show *show);
void consent_show_free(struct consent_show *show);
/* Shows how far the customers are. height: lines of the terminal, for the table. */
void consent_show_now(struct consent_show *show, int64_t now_ms, size_t height);
/* Removes the table, and prints the report: what was done, what is waited for, what was refused. */
void consent_show_end(struct consent_show *show);

/* Prints the table: a progress bar, then a line for each customer, those with news for a person first, as many as fit.
 * Returns the number of lines. */
size_t consent_show_table(const struct customers *customers, int64_t now_ms, size_t height, struct wrap *to);
