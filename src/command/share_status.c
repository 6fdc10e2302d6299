/* `share status`: reads the records of the group for a few seconds, and prints them. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "command/share_private.h"
#include "command/share_probe.h"
#include "command/share_reader.h"
#include "command/share_report.h"
#include "command/share_session.h"

struct status {
    struct share_session session;
    struct share_reader *reader;
    int64_t began_ms;
    bool as_json;
};

static int64_t on_read(void *ctx, const struct share_view *view)
{
    struct status *status = ctx;

    if (share_view_all_heard(view) || clock_ms() - status->began_ms >= SHARE_WATCH_MS) {
        share_session_end(&status->session);
        return -1;
    }
    console_progress("watching for the heartbeats of the forwarders, a few seconds ...");
    return SHARE_PAUSE_MS;
}

static void on_failed(void *ctx, const struct kvstore_answer *answer)
{
    struct status *status = ctx;
    struct err err = *answer->err;

    share_explain(&err);
    share_session_fail(&status->session, &err);
}

static void on_ready(void *ctx)
{
    struct status *status = ctx;
    struct share_session *session = &status->session;

    status->began_ms = clock_ms();
    status->reader = share_reader_new(session->loop, session->link, session->inputs.group,
                                      &(struct share_reader_owner){ .read = on_read,
                                                                    .failed = on_failed,
                                                                    .ctx = status });
}

static int print_status(const struct status *status)
{
    const struct share_session *session = &status->session;
    struct share_report report = { .view = share_reader_view(status->reader),
                                   .own = &session->inputs,
                                   .name = session->name,
                                   .store = share_link_url(session->link, share_link_present(session->link)),
                                   .watched_s = SHARE_WATCH_MS / CLOCK_SECOND_MS };
    struct wrap to = { .to = stdout, .width = wrap_width(STDOUT_FILENO), .colors = wrap_colors(STDOUT_FILENO) };

    if (status->as_json)
        share_report_json(&report, stdout);
    else
        share_report_print(&report, &to);
    return fflush(stdout) ? 1 : 0;
}

static const char usage[] =
    "usage: " SHARE_PIPE "status [OPTION ...]\n"
    "Prints the forwarders that share the inputs with this one, their state, who reads which input, and what is odd.\n"
    "Watches their heartbeats for up to seven seconds. Changes nothing. Exit status 0: printed; 1: not.\n"
    "  member    reads what the table gives to it\n"
    "  draining  is to have no inputs ('share drain')\n"
    "  not well  reaches no customer, its splunkd takes no events, or its disk no checkpoints\n"
    "  silent    sends no heartbeat: its inputs go to others\n"
    "  twin      two processes have this name\n"
    "  newer     its program is newer than this one\n"
    "  absent    only its wish or its list of inputs is in the store\n";

int share_status_run(int argc, char **argv)
{
    struct status status = { .session = { .stopped = "stopped", .ready = on_ready, .ctx = &status } };
    const struct option_spec specs[] = { { "--json", NULL, &status.as_json, NULL, "the findings as JSON" },
                                         { "--forwarder", &status.session.forwarder, NULL, "NAME",
                                           "the name of this forwarder, if stdin has only a session key" },
                                         SHARE_SESSION_SPECS(status.session) };
    struct err err;
    bool ok;
    int exit_status = 1;

    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return 0;
    }
    log_set_level(LOG_ERROR);
    ok = options_read(specs, COUNT_OF(specs), argc, argv, &err) && share_session_run(&status.session, &err);
    console_progress(NULL);
    if (ok)
        exit_status = print_status(&status);
    else
        log_error("%s", err.text);
    share_reader_free(status.reader);
    share_session_free(&status.session);
    return exit_status;
}
