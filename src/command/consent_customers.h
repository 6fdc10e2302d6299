/* command/consent_customers.h - the customers of a file: their consent links, and how far each is. */
#pragma once

#include "collect/target.h"
#include "command/import_rows.h"

enum customer_state {
    CUSTOMER_WAITS,      /* for the customer's consent; the next try is at due_ms */
    CUSTOMER_IN_TROUBLE, /* the same, and it is not for the customer to act: why says what is wrong */
    CUSTOMER_CONSENTED,  /* the input is to be created or changed */
    CUSTOMER_DONE,       /* the row's action says what was done */
    CUSTOMER_REFUSED     /* the row cannot be used: its err */
};

struct customer {
    struct import_row *row;
    struct target target; /* not of a refused row */
    char *link;           /* NULL: a refused row has none */
    enum customer_state state;
    char why[1024]; /* why it is not done; "": not tried yet */
    int64_t due_ms; /* CUSTOMER_WAITS, CUSTOMER_IN_TROUBLE: monotonic */
};

struct customers {
    struct customer *list;
    size_t count;
};

/* One for each row. redirect_uri: of rows that name none; NULL: the parameter's default. rows must outlive them. */
void customers_of(struct import_rows *rows, const char *redirect_uri, struct customers *ret);
void customers_release(struct customers *customers); /* frees the members */

/* Returns "waiting", "trouble", "consented", "created", "updated", "unchanged" or "refused". */
const char *customer_word(const struct customer *customer);
/* Returns how many are in that state. */
size_t customers_in(const struct customers *customers, enum customer_state state);

/* How links are written. */
enum consent_format { CONSENT_TEXT, CONSENT_CSV, CONSENT_JSON, CONSENT_MAIL };

/* Adds the links, and with states how far each customer is. Mails: one for each link. */
void customers_write(const struct customers *customers, enum consent_format format, bool states, struct buf *ret);
