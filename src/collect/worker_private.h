/* collect/worker_private.h - what the four files of a lane call of each other. Private to them:
 *   worker.c     towards a request
 *   answer.c   what its answer means
 *   chain.c    did a page hold all of its span
 *   outcome.c  what is done next */
#pragma once

#include "collect/tenant.h"

/* worker.c */
size_t worker_page_top(const struct worker *worker);      /* records to ask for */
void worker_request_ends(struct worker *worker);          /* gives back what a request took */

/* chain.c */
void chain_page(struct worker *worker, const char *link);   /* a whole page was read; link: to the next one, or NULL */
void chain_forget(struct worker *worker);

/* outcome.c */
void worker_window_read(struct worker *worker);             /* all of the span is here */
void worker_recovered(struct worker *worker);             /* the service answers as it should */
void worker_failed(struct worker *worker, const struct err *err, bool may_be_size);
void worker_throttled(struct worker *worker, const struct err *err);
void worker_refused(struct worker *worker, const struct err *err);
void worker_broken(struct worker *worker, const struct err *err);     /* its JSON breaks among the records */
