/* collect/lane_parts.h - what the four files of a lane call of each other. Private to them:
 *   lane.c     towards a request
 *   answer.c   what its answer means
 *   chain.c    did a page hold all of its span
 *   outcome.c  what is done next */
#pragma once

#include "collect/tenant.h"

/* lane.c */
size_t lane_page_top(const struct lane *lane);      /* records to ask for */
void lane_request_ends(struct lane *lane);          /* gives back what a request took */

/* chain.c */
void chain_page(struct lane *lane, const char *link);   /* a whole page was read; link: to the next one, or NULL */
void chain_forget(struct lane *lane);

/* outcome.c */
void lane_window_read(struct lane *lane);             /* all of the span is here */
void lane_recovered(struct lane *lane);             /* the service answers as it should */
void lane_failed(struct lane *lane, const struct err *err, bool may_be_size);
void lane_throttled(struct lane *lane, const struct err *err);
void lane_refused(struct lane *lane, const struct err *err);
void lane_broken(struct lane *lane, const struct err *err);     /* its JSON breaks among the records */
