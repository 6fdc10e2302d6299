/* collect/collector_private.h - what the files of the collector share. Times are clock_ms(). */
#pragma once

#include "collect/collector.h"

#define COLLECTOR_METRICS_MS (5 * 60 * 1000)    /* from one line to the next */


/* collector.c. The reader has closed its end. */
void collector_stop_unread(struct collector *col);

/* collector_rounds.c */

/* Once a second, or each CLOCK_IDLE_MS while no input wants a look; ctx is the collector. */
void collector_tick(void *ctx, int64_t now_ms);
/* Notices what was removed from the checkpoint folder: it is saved anew. */
void collector_look_at_folder(struct collector *col);
void collector_save_anew(struct tenant *t);

/* collector_metrics.c */

/* event=metrics, and when the next one is due. */
void collector_metrics(struct collector *col, int64_t now_ms);
