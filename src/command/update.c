#include "command/update.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/console.h"
#include "command/options.h"
#include "command/update_event.h"
#include "command/update_private.h"
#include "command/update_turn.h"
#include "messages/log_events.h"
#include "splunk/stanza.h"

#define ALL_MS   240000 /* with UPDATE_TELL_S below maxtime of alert_actions.conf */
#define TURN_MS  120000
#define STOP_MS  800 /* for the result event after a signal: splunkd kills what does not end */
#define REQUESTS 1

static void deadline_fired(void *ctx, int64_t now_ms UNUSED)
{
    struct update *update = ctx;

    if (update->ended) {
        update_events_lost(update, "splunkd did not take the events in time");
        loop_stop(update->once.loop);
    } else if (update->request && update->commenting) {
        update_end_before(update, UPDATE_UNKNOWN, "no answer in time; the comment may have been added or not");
    } else {
        update_end_before(update, UPDATE_FAILED,
                          "neither splunkd nor Microsoft answered in time; run the action again");
    }
}

/* Returns a parameter of the action; if it is empty, the field of the same name of the results. */
static const char *either(const struct action *action, const char *name)
{
    const char *value = action_param(action, name);

    return text_empty(value) ? action_field(action, name) : value;
}

static bool read_change(struct update *update, struct err *err)
{
    const struct action *action = &update->action;
    const struct change_words words = { .kind = action_param(action, "kind"),
                                        .id = either(action, "id"),
                                        .status = action_param(action, "status"),
                                        .classification = action_param(action, "classification"),
                                        .determination = action_param(action, "determination"),
                                        .assigned_to = action_param(action, "assigned_to"),
                                        .comment = action_param(action, "comment") };

    update->has_change = action_is_filled(action, err) && change_read(&words, &update->change, err);
    if (update->has_change && text_empty(update_customer(update))) {
        update->has_change = false;
        change_release(&update->change);
        return err_set(err, ERR_INPUT,
                       "customer is empty; it should be the name of an input, such as $result.customer$");
    }
    return update->has_change;
}

static void open_all(struct update *update)
{
    once_open(&update->once, update->action.server_uri, update->action.session_key, UPDATE_SPLUNKD_S, REQUESTS);
    update->receiver_rest = rest_new(update->once.loop, update->once.http, update->action.server_uri,
                                     update->action.session_key, getenv("SPLUNK_HOME"));
    update->receiver = receiver_new(update->receiver_rest);
    update->again = (struct timer){ .fire = update_again_fired, .ctx = update };
    update->deadline = (struct timer){ .fire = deadline_fired, .ctx = update };
}

static void close_all(struct update *update)
{
    timer_cancel(update->once.loop, &update->again);
    timer_cancel(update->once.loop, &update->deadline);
    if (update->request)
        http_cancel(update->request);
    receiver_free(update->receiver);
    rest_free(update->receiver_rest);
    once_close(&update->once);
    if (update->has_input)
        input_free(&update->input);
    if (update->has_change)
        change_release(&update->change);
    free(update->index);
    mem_free_secret(update->proxy);
}

static void begin(struct update *update)
{
    struct err err;

    timer_set(update->once.loop, &update->deadline, clock_ms() + ALL_MS);
    if (!read_change(update, &err))
        update_end_before(update, UPDATE_BAD_INPUT, err.text);
    else if (!update_turn_take(getenv("SPLUNK_HOME"), TURN_MS, &err))
        update_end_before(update, UPDATE_THROTTLED, err.text);
    else
        update_find_customer(update);
}

static bool is_posting(void *ctx)
{
    return ((const struct update *)ctx)->posting;
}

/* Tells how far an update was that is stopped by a signal: whether a comment was added is not known later. */
static void end_stopped(struct update *update)
{
    if (!update->ended && update->request && update->commenting)
        update_end_before(update, UPDATE_UNKNOWN,
                          "the action was stopped before Microsoft answered; the comment may have been added or not");
    else if (!update->ended)
        update_end_before(update, UPDATE_FAILED, "the action was stopped before it was done; run it again");
    loop_drain(update->once.loop, clock_ms() + STOP_MS, is_posting, update);
    if (update->posting)
        update_events_lost(update, "the action was stopped before splunkd took the events");
}

/* Reads stdin to its end. */
static bool read_stdin(struct buf *ret, struct err *err)
{
    ssize_t got = 1;
    char *to;

    while (got > 0 && (to = buf_room(ret, 65536))) {
        got = read(STDIN_FILENO, to, 65536);
        ret->len += got > 0 ? (size_t)got : 0;
    }
    if (ret->full)
        return err_set(err, ERR_INPUT, "stdin has more than %d bytes", ACTION_PAYLOAD_MAX);
    return !got || err_set(err, ERR_INPUT, "stdin cannot be read");
}

/* splunkd may repeat the name of the command. */
static bool takes_no_more(int argc, char **argv)
{
    while (argc > 1 && text_same(argv[argc - 1], "--execute"))
        argc--;
    return argc == 1;
}

int update_run(int argc, char **argv)
{
    struct update update = { .result = UPDATE_FAILED };
    struct buf payload = BUF_INIT(ACTION_PAYLOAD_MAX);
    struct err err;
    bool ok;

    if (argc > 1 && options_is_help(argv[1])) {
        puts("usage: defender_alerts --execute\nThe alert action " UPDATE_ACTION
             ": splunkd starts this, and writes its "
             "JSON to stdin. See docs/operations.md.");
        return 0;
    }
    if (!takes_no_more(argc, argv)) {
        log_error("--execute takes no arguments; splunkd starts it for the alert action");
        return 1;
    }
    console_tell_waiting("Waiting on stdin for the JSON of an alert action, which Splunk sends when it starts this.");
    ok = read_stdin(&payload, &err) && action_read(buf_text(&payload), payload.len, &update.action, &err);
    buf_free_secret(&payload);
    if (!ok) {
        log_event(EVENT_UPDATE_FAILED, "result=bad_input why=%s", QUOTED(err.text));
        return 1;
    }
    open_all(&update);
    begin(&update);
    loop_catch_signals(update.once.loop); /* until now nothing was sent */
    loop_run(update.once.loop);
    end_stopped(&update);
    close_all(&update);
    action_release(&update.action);
    return update.result == UPDATE_DONE ? 0 : 1;
}
