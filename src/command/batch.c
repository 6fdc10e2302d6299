#include "command/batch.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "command/console.h"
#include "command/wrap.h"

#define PROGRESS_MS 200
#define BAR         20
#define BAR_WIDTH   70 /* of a terminal that has room for it: a line that wraps could not be replaced */

bool batch_wants(const struct raw_stanza *stanza, const char *only)
{
    return !stanza_is_disabled(stanza) &&
           (!only || text_same(only, stanza->name) || text_same(only, stanza_input_name(stanza)));
}

void batch_add(struct batch *batch)
{
    batch->finished += batch->kind->is_finished(batch->ctx, batch->count++);
}

static void show_progress(void *ctx, int64_t now_ms)
{
    struct batch *batch = ctx;
    struct buf line = BUF_INIT(160);
    size_t i, noted = 0;

    for (i = 0; i < batch->count; i++)
        noted += batch->kind->is_noted(batch->ctx, i);
    if (wrap_width(STDERR_FILENO) >= BAR_WIDTH) {
        buf_add_char(&line, '[');
        for (i = 0; i < BAR; i++)
            buf_add_char(&line, i * batch->count < batch->finished * BAR ? '#' : '.');
        buf_add_text(&line, "] ");
    }
    buf_add_format(&line, "%zu of %zu inputs %s", batch->finished, batch->count, batch->kind->done);
    if (noted)
        buf_add_format(&line, ", %zu %s", noted, batch->kind->noted);
    console_progress(buf_text(&line));
    buf_free(&line);
    timer_set(batch->loop, &batch->timer, now_ms + PROGRESS_MS);
}

void batch_start(struct batch *batch)
{
    batch->timer = (struct timer){ .fire = show_progress, .ctx = batch };
    timer_set(batch->loop, &batch->timer, clock_ms() + PROGRESS_MS);
}

static void begin_more(struct batch *batch)
{
    while (batch->ready && batch->next < batch->count && batch->running < batch->kind->at_once) {
        size_t number = batch->next++;

        if (batch->kind->is_finished(batch->ctx, number))
            continue;
        batch->running++;
        batch->kind->begin(batch->ctx, number);
    }
}

void batch_go(struct batch *batch)
{
    batch->ready = true;
    begin_more(batch);
}

void batch_one_done(struct batch *batch)
{
    batch->running--;
    batch->finished++;
    begin_more(batch);
}

bool batch_is_over(const struct batch *batch)
{
    return batch->ready && batch->finished == batch->count;
}
