#include "command/run.h"

#include <unistd.h>

#include "base/clock.h"
#include "collect/collector.h"
#include "command/console.h"
#include "messages/log_events.h"
#include "net/loop.h"
#include "splunk/config.h"

#define BAD_START_MS 3000 /* splunkd restarts a process that ended; this keeps it from doing so in a tight loop */

static int bad_start(const struct err *err, int64_t began_ms)
{
    int64_t left_ms = BAD_START_MS - (clock_ms() - began_ms);

    log_event(EVENT_BAD_START, "why=%s nothing is read", QUOTED(err->text));
    if (left_ms > 0)
        usleep((useconds_t)left_ms * 1000);
    return 1;
}

int run_inputs(void)
{
    int64_t began_ms = clock_ms();
    struct config config;
    struct collector *col;
    struct loop *loop;
    struct err err;
    bool ok;

    console_tell_waiting(
        "Waiting on stdin for the XML of the inputs, which Splunk sends when it starts this program; to "
        "use it by hand, press Ctrl-C and type 'defender_alerts -h'.");
    if (!config_read(STDIN_FILENO, CONFIG_INPUT, &config, &err))
        return bad_start(&err, began_ms);
    if (!config.count) {
        config_free(&config);
        return 0;
    }
    loop = loop_new();
    loop_catch_signals(loop);
    col = collector_new(loop, &config, STDOUT_FILENO);
    config_free(&config);
    ok = collector_run(col);
    collector_free(col);
    loop_free(loop);
    return ok ? 0 : 1;
}
