/* `share forget`: removes the records of a forwarder that is gone for good. The program never does it: only a
 * person knows that a host will not come back, and the wish of one that is off (`share drain`) has to stay. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/share_notes.h"
#include "command/share_private.h"
#include "command/share_probe.h"
#include "command/share_reader.h"
#include "command/share_session.h"

#define QUERY_MAX 8192

/* What is removed, in this order: as long as one is there, the command knows the name. */
static const struct {
    const char *collection;
    const char *kinds[3];
} records[] = { { PLACES_COLLECTION, { "inputs", NULL, NULL } }, { SHARE_COLLECTION, { "start", "wish", "member" } } };

struct forget {
    struct share_session session;
    struct share_reader *reader;
    const char *name;
    int64_t began_ms;
    size_t at; /* in records */
    struct buf query;
    struct share_call call;
};

/* Fails with what was done, and why the store does not answer as it should. */
static void fail_at_store(struct forget *forget, const struct kvstore_answer *answer)
{
    struct err err = *answer->err;

    share_explain(&err);
    share_session_refuse(&forget->session, "%s: %s",
                         forget->at ? "not all records were removed, so do it again" : "nothing was removed", err.text);
}

static void on_removed(void *ctx, const struct kvstore_answer *answer);

static void remove_next(struct forget *forget)
{
    const char *group = forget->session.inputs.group;
    struct buf *query = &forget->query;
    size_t i;

    buf_clear(query);
    buf_add_text(query, "{\"group\":");
    buf_add_json(query, group);
    for (i = 0; i < COUNT_OF(records[0].kinds) && records[forget->at].kinds[i]; i++) {
        CLEANUP(mem_freep) char *key = share_key(group, records[forget->at].kinds[i], forget->name);

        buf_add_text(query, i ? ",{\"_key\":" : ",\"$or\":[{\"_key\":");
        buf_add_json(query, key);
        buf_add_char(query, '}');
    }
    buf_add_text(query, "]}");
    forget->call = (struct share_call){ .kind = SHARE_CALL_DELETE,
                                        .collection = records[forget->at].collection,
                                        .query = buf_text(query) };
    share_link_call(forget->session.link, &forget->call, on_removed, forget);
}

static void on_removed(void *ctx, const struct kvstore_answer *answer)
{
    struct forget *forget = ctx;
    CLEANUP(mem_freep) char *said = NULL;

    if (answer->fault != KVSTORE_OK) {
        fail_at_store(forget, answer);
        return;
    }
    if (++forget->at < COUNT_OF(records)) {
        remove_next(forget);
        return;
    }
    said = mem_format("The records of %s are removed. If it comes back, it joins as a new one.", forget->name);
    console_put(said, stdout);
    putchar('\n');
    share_session_end(&forget->session);
}

static void refuse_unknown(struct forget *forget, const struct share_view *view)
{
    struct buf known = BUF_INIT(1024);

    share_add_forwarders(&known, view);
    share_session_refuse(&forget->session,
                         "nothing was removed: no forwarder of group '%s' is called '%.200s'; known: %s. Correct the name",
                         forget->session.inputs.group, forget->name, buf_text(&known));
    buf_free(&known);
}

/* Decides once the heartbeats were watched for long enough. */
static void judge(struct forget *forget, const struct share_view *view, const struct share_view_member *member)
{
    struct share_session *session = &forget->session;
    const char *name = forget->name;
    size_t held = share_view_held(view, name);

    console_progress(NULL);
    if (share_view_is_newer(view))
        share_session_refuse(session,
                             "nothing was removed: the forwarders of group '%s' have a newer program, whose records this "
                             "one does not know: our administrator has to upgrade this one first",
                             session->inputs.group);
    else if (member->here && member->moved)
        share_session_refuse(session,
                             "nothing was removed: '%.200s' sends heartbeats, so it takes part: its administrator has to "
                             "disable its inputs, or stop Splunk there, first",
                             name);
    else if (view->table && !share_view_has_body(view))
        share_session_refuse(session, "nothing was removed: who reads what cannot be read now; try again in a minute");
    else if (held)
        share_session_refuse(session,
                             "nothing was removed: '%.200s' still has %zu %s. The others take over within 60 s of its "
                             "end: our administrator has to see to it that one of them runs and has these inputs, and to try "
                             "again then",
                             name, held, held == 1 ? "input" : "inputs");
    else
        remove_next(forget);
}

static int64_t on_read(void *ctx, const struct share_view *view)
{
    struct forget *forget = ctx;
    const struct share_view_member *member = share_view_member(view, forget->name);

    if (!member) {
        refuse_unknown(forget, view);
        return -1;
    }
    if (!(member->here && member->moved) && clock_ms() - forget->began_ms < SHARE_WATCH_MS) {
        console_progress("watching for its heartbeats, a few seconds ...");
        return SHARE_PAUSE_MS;
    }
    judge(forget, view, member);
    return -1;
}

static void on_failed(void *ctx, const struct kvstore_answer *answer)
{
    fail_at_store(ctx, answer);
}

static void on_ready(void *ctx)
{
    struct forget *forget = ctx;
    struct share_session *session = &forget->session;

    forget->began_ms = clock_ms();
    forget->reader = share_reader_new(session->loop, session->link, session->inputs.group,
                                      &(struct share_reader_owner){ .read = on_read,
                                                                    .failed = on_failed,
                                                                    .ctx = forget });
}

static const char usage[] =
    "usage: " SHARE_PIPE "forget FORWARDER [OPTION ...]\n"
    "Removes the records of a forwarder that is gone for good: its name, its wish ('share drain' or 'take'), its list of\n"
    "inputs. Refuses one that sends heartbeats, which it watches for seven seconds, or that still has inputs. Checkpoints\n"
    "stay: whoever reads those inputs now has newer ones. Exit status 0: removed; 1: nothing, or not all.\n";

static bool run(struct forget *forget, struct err *err)
{
    if (text_empty(forget->name))
        return err_set(err, ERR_INPUT, "'share forget' needs the name of a forwarder; 'share status' lists them");
    return share_session_run(&forget->session, err);
}

int share_forget_run(int argc, char **argv)
{
    struct forget forget = { .session = { .stopped = "stopped", .ready = on_ready, .ctx = &forget },
                             .query = BUF_INIT(QUERY_MAX) };
    const struct option_spec specs[] = { { "FORWARDER", &forget.name, NULL, "forwarder",
                                           "its name, as 'share status' has it" },
                                         SHARE_SESSION_SPECS(forget.session) };
    struct err err;
    bool ok;

    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return 0;
    }
    log_set_level(LOG_ERROR);
    ok = options_read(specs, COUNT_OF(specs), argc, argv, &err) && run(&forget, &err);
    fflush(stdout);
    if (!ok)
        log_error("%s", err.text);
    share_reader_free(forget.reader);
    buf_free(&forget.query);
    share_session_free(&forget.session);
    return ok ? 0 : 1;
}
