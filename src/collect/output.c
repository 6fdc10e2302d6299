#include "collect/output.h"

#include <poll.h>

#include "messages/log_events.h"

#define FLUSH_AT  (128 * 1024)
#define RESUME_AT (256 * 1024) /* each time the downloads go on, there is room for more than a few bytes of each */

static void stop_unread(struct output *output)
{
    if (!loop_stopping(output->loop))
        log_event(EVENT_STOP, "reason=stdout_closed nobody reads the events any more");
    loop_stop(output->loop);
}

void output_flush(struct output *output)
{
    enum outbox_state state = outbox_flush(output->outbox);

    output->watch.events = state == OUTBOX_BLOCKED ? POLLOUT : 0;
    if (state == OUTBOX_CLOSED)
        stop_unread(output);
}

static void flush_and_resume(struct output *output)
{
    output_flush(output);
    if (outbox_pending(output->outbox) > RESUME_AT)
        return;
    http_resume_all(output->http);
    limiter_resume(output->limiter);
}

static void stdout_ready(void *ctx, short revents)
{
    if (revents & POLLOUT)
        flush_and_resume(ctx);
    else
        stop_unread(ctx);
}

static void flush_timer_fired(void *ctx, int64_t now_ms UNUSED)
{
    flush_and_resume(ctx);
}

void output_wrote(struct output *output)
{
    size_t pending = outbox_pending(output->outbox);

    if (pending >= FLUSH_AT) {
        output_flush(output);
        pending = outbox_pending(output->outbox);
    }
    if (pending && !timer_is_set(&output->flush_timer))
        timer_set(output->loop, &output->flush_timer, loop_now(output->loop));
}

bool output_is_read(struct output *output)
{
    if (!outbox_reader_gone(output->outbox))
        return true;
    stop_unread(output);
    return false;
}

void output_init(struct output *output, struct loop *loop, struct http *http, struct limiter *limiter, int out_fd)
{
    *output = (struct output){ .loop = loop, .http = http, .limiter = limiter, .outbox = outbox_new(out_fd) };
    output->watch = (struct watch){ .fd = out_fd, .ready = stdout_ready, .ctx = output };
    output->flush_timer = (struct timer){ .fire = flush_timer_fired, .ctx = output };
    watch_add(loop, &output->watch);
}

void output_free(struct output *output)
{
    timer_cancel(output->loop, &output->flush_timer);
    watch_remove(output->loop, &output->watch);
    outbox_free(output->outbox);
}
