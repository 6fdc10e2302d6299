#include "collect/log_output.h"

#include <poll.h>
#include <unistd.h>

#include "messages/log_events.h"

static void stderr_ready(void *ctx, short revents UNUSED)
{
    struct log_output *output = ctx;

    if (!log_flush())
        return;
    output->waits = false;
    watch_remove(output->loop, &output->watch);
    log_event_lost();
}

static void line_waits(void *ctx)
{
    struct log_output *output = ctx;

    if (output->waits)
        return;
    output->waits = true;
    watch_add(output->loop, &output->watch);
}

void log_output_init(struct log_output *output, struct loop *loop)
{
    *output = (struct log_output){ .loop = loop };
    output->watch = (struct watch){ .fd = STDERR_FILENO, .events = POLLOUT, .ready = stderr_ready, .ctx = output };
    log_tell(line_waits, output);
}

void log_output_free(struct log_output *output)
{
    log_tell(NULL, NULL);
    watch_remove(output->loop, &output->watch);
}
