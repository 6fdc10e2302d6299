/* The end of a row of `check`, and what comes before it if inputs are compared with another API. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/loss.h"
#include "command/check_row_private.h"
#include "command/noted.h"
#include "messages/log_events.h"

#define COMPARE_MOST_MS 90000 /* a comparison lists alerts of days at two services */

static void row_finish(void *ctx)
{
    struct row *row = ctx;

    row->finished = true;
    timer_cancel(row->context->loop, &row->deadline);
    row->context->finished(row->context->ctx);
}

/* Returns true if another service is to be asked first what it has. Whether the present one answers does not matter. */
static bool row_compares(const struct row *row)
{
    int with = row->context->compare_with;

    return with >= 0 && with != row->input.api && row->target.api->shape.id && row->sign_in.ready && !row->is_compared;
}

static void row_compare(struct row *row)
{
    ticks now = ticks_from_ms(clock_wall_ms() + (row->outcome.has_clock ? row->outcome.clock_offset_ms : 0));

    row->is_compared = true;
    target_with_api(&row->input, row->context->compare_with, &row->other);
    timer_set(row->context->loop, &row->deadline, clock_ms() + COMPARE_MOST_MS);
    row->compare = compare_start(&(struct compare_spec){ .loop = row->context->loop,
                                                         .http = row->context->http,
                                                         .principal = row->sign_in.principal,
                                                         .route = &row->login->route,
                                                         .present = &row->target,
                                                         .other = &row->other,
                                                         .filter = row->input.filter,
                                                         .days = row->context->compare_days,
                                                         .now = now },
                                 &row->outcome.compared, row_finish, row);
}

/* Returns true if the customer of a refused input worked before and is lost. Its words and advice say so then. */
static bool row_is_lost(struct row *row)
{
    CLEANUP(mem_freep) char *as = target_sign_in_as(&row->input);
    CLEANUP(mem_freep) char *worked = NULL;
    struct err *err = &row->outcome.err;

    if (!loss_fits(err))
        return false;
    worked = noted_text(row->context->checkpoint_dir, row->input.name, "worked");
    if (!text_same(worked, as))
        return false;
    err_prefix(err, "the customer is lost, it worked before");
    err->responsible = (int)event_table[EVENT_LOST].remedy.responsible;
    err->advice = event_table[EVENT_LOST].remedy.advice;
    return true;
}

void row_end(struct row *row, enum check_result result)
{
    if (result == CHECK_REFUSED && row_is_lost(row))
        result = CHECK_LOST;
    row->outcome.result = result;
    row->outcome.compared.days = row->context->compare_days;
    if (row_compares(row))
        row_compare(row);
    else
        row_finish(row);
}
