/* collect/audit_reader.h - reads windows of the past for an audit, one after another.
 *
 * With workers of its own and a feed of its own, a copy of the input's, whose backfill is the window. The input's cursor
 * does not move, and its workers go on. A window that fails is halved by the second worker, as an input's quarantine
 * worker does.
 *
 * Requests are counted in the input's tally. The input's feed must stay as it is until audit_reader_release(), which
 * hands back to it what the service turned out not to keep (collect/reliance.h). */
#pragma once

#include "collect/worker.h"

enum audit_worker { AUDIT_READER, AUDIT_SEARCHER, AUDIT_WORKERS };

/* Set home, port, changed, ctx and form. */
struct audit_reader {
    struct feed *home;              /* the input's */
    const struct worker_port *port; /* of the workers; NULL: worker_spare_port */
    /* While a window is read: a worker has learned something. Returns false if no more of the window is to be read:
     * audit_reader_end() has to follow from a timer, since the worker is at work. */
    bool (*changed)(void *ctx);
    void *ctx;
    enum list_form form; /* that the service takes, as far as known */

    /* To be read only: */
    bool ignored;         /* $select was */
    struct feed feed;     /* its problem says why nothing can be read */
    struct tally counted; /* requests so far; the input's tally has them */
    struct worker workers[AUDIT_WORKERS];
};

void audit_reader_init(struct audit_reader *reader);
void audit_reader_release(struct audit_reader *reader);

/* Begins to read a window. how: its form is the one that the service takes. */
void audit_reader_begin(struct audit_reader *reader, const struct window *window, const struct audit_reading *how);
/* Ends what is in flight, and keeps what was learned of the service. Harmless if nothing is. */
void audit_reader_end(struct audit_reader *reader);
/* The token source has changed. */
void audit_reader_wake(struct audit_reader *reader);

/* Returns true if there is no more to read of the window, or not soon. */
bool audit_reader_is_over(const struct audit_reader *reader);
/* Returns true if the first pass through the window came to its end. */
bool audit_reader_is_through(const struct audit_reader *reader);
/* Returns how many parts of the window failed. */
size_t audit_reader_unread(const struct audit_reader *reader);
/* Returns true if there is no use in going on: the sign-in, the service or the network fails. *refused: the input is
 * refused, whatever is asked for. */
bool audit_reader_fails(struct audit_reader *reader, bool *refused);
/* Returns true if the last response to one of the workers had records. The searcher has what is around a failure. */
bool audit_reader_has_records(const struct audit_reader *reader);
/* Returns how many records match, as the last response says; -1: it does not, or was not asked for this window (NULL:
 * whichever it was). */
int64_t audit_reader_count(const struct audit_reader *reader, const struct window *window);
