/* `share take`, `share drain`, `share undrain`: stores the wish of a forwarder, or removes it, and shows for a while what
 * the forwarders make of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/share_change.h"
#include "command/share_moves.h"
#include "command/share_notes.h"
#include "command/share_private.h"
#include "command/share_probe.h"
#include "command/share_reader.h"
#include "command/share_session.h"

#define RECORD_MAX (1u << 20)
#define PAUSE_MS   1000 /* between readings */
#define WAIT_S     90   /* a table a minute, and what was written is waited for */
#define WAIT_MOST  600

enum phase { FIRST_READING, STORING, WATCHING };

struct wish {
    struct share_session session;
    struct share_reader *reader;
    struct share_change change;
    struct share_names wanted;
    enum phase phase;
    char id[SHARE_ID_MAX]; /* of the newest table before the wish */
    struct share_moves moves;
    int64_t wait_ms, began_ms;
    struct buf record;
    char *key;
    struct share_call call;
};

static const char *name_of(const struct wish *wish)
{
    return wish->change.name;
}

/* What is told while it waits. */

static void tell_done(const struct wish *wish, enum share_progress progress, const struct share_view *view)
{
    size_t held = share_view_held(view, name_of(wish));

    if (progress == SHARE_NOBODY)
        printf("No other forwarder that is heard has the %zu inputs of %s, so they stay there.\n", held, name_of(wish));
    else if (wish->change.wish == SHARE_DRAIN)
        printf("%s has no input any more: Splunk may be stopped there.\n", name_of(wish));
    else
        printf("Done: %s has %zu inputs.\n", name_of(wish), held);
}

static void tell_late(const struct wish *wish, const struct share_view *view)
{
    const struct share_view_member *self = share_view_member(view, name_of(wish));

    if (!share_view_heard(view))
        puts("No forwarder was heard: the wish holds, but nobody acts on it until one runs.");
    else if (wish->change.wish == SHARE_TAKE && !(self && self->here && self->moved))
        printf("%s was not heard, so it gets no input until it runs; the wish holds.\n", name_of(wish));
    else
        puts(
            "Not all of it is done yet: the forwarders make one table a minute at most. 'share status' shows how far it "
            "is.");
}

static int64_t watch(struct wish *wish, const struct share_view *view)
{
    int64_t past_ms = clock_ms() - wish->began_ms;
    enum share_progress progress = share_change_look(&wish->change, view, past_ms >= SHARE_WATCH_MS);

    share_moves_tell(&wish->moves, view);
    if (progress == SHARE_NOT_YET && past_ms < wish->wait_ms) {
        console_progress("waiting for the forwarders to make a table, a minute at most ...");
        return PAUSE_MS;
    }
    console_progress(NULL);
    if (progress != SHARE_NOT_YET)
        tell_done(wish, progress, view);
    else if (wish->wait_ms)
        tell_late(wish, view);
    share_session_end(&wish->session);
    return -1;
}

/* The wish itself. */

static void tell_stored(const struct wish *wish)
{
    struct buf text = BUF_INIT(4096);

    switch (wish->change.wish) {
    case SHARE_DRAIN: buf_add_format(&text, "%s is to have no inputs, until 'share undrain'.", name_of(wish)); break;
    case SHARE_UNDRAIN: buf_add_format(&text, "%s has no wish any more.", name_of(wish)); break;
    case SHARE_TAKE:
        buf_add_format(&text, "%s is to read ", name_of(wish));
        if (wish->wanted.count)
            share_add_names(&text, wish->wanted.list, wish->wanted.count);
        else
            buf_add_text(&text, "all of its inputs");
        buf_add_text(&text, ", until 'share undrain'.");
        break;
    }
    console_put(buf_text(&text), stdout);
    putchar('\n');
    fflush(stdout);
    buf_free(&text);
}

/* Fails with what was done, and why the store does not answer as it should. */
static void fail_at_store(struct wish *wish, const char *what, const struct kvstore_answer *answer)
{
    struct err err = *answer->err;

    share_explain(&err);
    share_session_refuse(&wish->session, "%s: %s", what, err.text);
}

static void on_stored(void *ctx, const struct kvstore_answer *answer)
{
    struct wish *wish = ctx;

    if (answer->fault != KVSTORE_OK && answer->fault != KVSTORE_MISSING) {
        fail_at_store(wish, "nothing was changed", answer);
        return;
    }
    tell_stored(wish);
    wish->phase = WATCHING;
    wish->began_ms = clock_ms();
    share_reader_again(wish->reader);
}

static void add_field(struct buf *to, const char *name, const char *value)
{
    buf_add_format(to, ",\"%s\":", name);
    buf_add_json(to, value);
}

static void store(struct wish *wish)
{
    const char *group = wish->session.inputs.group;
    CLEANUP(buf_free) struct buf text = BUF_INIT(RECORD_MAX);
    struct buf *record = &wish->record;

    wish->phase = STORING;
    wish->key = share_key(group, "wish", name_of(wish));
    wish->call = (struct share_call){ .collection = SHARE_COLLECTION };
    if (wish->change.wish == SHARE_UNDRAIN) {
        buf_add_text(record, "{\"_key\":");
        buf_add_json(record, wish->key);
        buf_add_char(record, '}');
        wish->call.kind = SHARE_CALL_DELETE;
        wish->call.query = buf_text(record);
    } else {
        share_change_text(&wish->change, &text);
        buf_add_text(record, "[{\"_key\":");
        buf_add_json(record, wish->key);
        add_field(record, "group", group);
        add_field(record, "kind", "wish");
        add_field(record, "text", buf_text(&text));
        buf_add_text(record, "}]");
        wish->call.kind = SHARE_CALL_SAVE;
        wish->call.body = buf_text(record);
    }
    share_link_call(wish->session.link, &wish->call, on_stored, wish);
}

/* Returns the name that the forwarder does not have; NULL: it has all. */
static const char *find_unknown(const struct wish *wish, const struct share_view_member *member)
{
    bool is_self = text_same(name_of(wish), wish->session.config.server_host);
    size_t i;

    for (i = 0; i < wish->wanted.count; i++) {
        const char *name = wish->wanted.list[i];

        if (is_self && share_inputs_have(&wish->session.inputs, name))
            continue;
        if (is_self || (member && member->has_inputs && !share_names_have(&member->inputs, name)))
            return name;
    }
    return NULL;
}

/* A name that is mistyped would be drained at once: it has no input. */
static void fail_unknown(struct wish *wish, const struct share_view *view)
{
    struct buf text = BUF_INIT(1024);

    share_add_forwarders(&text, view);
    share_session_refuse(&wish->session,
                         "nothing was changed: no forwarder of group '%s' is called '%.200s'; known: %s. Correct "
                         "--forwarder",
                         wish->session.inputs.group, name_of(wish), buf_text(&text));
    buf_free(&text);
}

static void begin(struct wish *wish, const struct share_view *view)
{
    const struct share_view_member *member = share_view_member(view, name_of(wish));
    const char *unknown = find_unknown(wish, member);

    memcpy(wish->id, view->id, sizeof(wish->id));
    wish->change.id = wish->id;
    share_moves_tell(&wish->moves, view); /* of nothing: from here on */
    if (!member && wish->session.forwarder && !text_same(name_of(wish), wish->session.config.server_host))
        fail_unknown(wish, view);
    else if (share_view_is_newer(view))
        share_session_refuse(&wish->session,
                             "the forwarders of group '%s' have a newer program, whose records this one does not know: our "
                             "administrator has to upgrade this one first",
                             wish->session.inputs.group);
    else if (unknown)
        share_session_refuse(
            &wish->session, "'%.200s' is no enabled input of %.200s that is shared; 'share status' lists the inputs",
            unknown, name_of(wish));
    else if (wish->change.wish == SHARE_UNDRAIN && !(member && (member->drains || member->takes.count))) {
        printf("%s has no wish that could be taken back.\n", name_of(wish));
        share_session_end(&wish->session);
    } else
        store(wish);
}

static int64_t on_read(void *ctx, const struct share_view *view)
{
    struct wish *wish = ctx;

    if (wish->phase == WATCHING)
        return watch(wish, view);
    if (wish->phase == FIRST_READING)
        begin(wish, view);
    return -1;
}

static void on_failed(void *ctx, const struct kvstore_answer *answer)
{
    struct wish *wish = ctx;

    fail_at_store(wish,
                  wish->phase == FIRST_READING ? "nothing was changed"
                                               : "the wish is stored, but what comes of it cannot be seen",
                  answer);
}

static void on_ready(void *ctx)
{
    struct wish *wish = ctx;
    struct share_session *session = &wish->session;

    if (!session->name) {
        share_session_refuse(
            &wish->session,
            "the name of this forwarder is not known from a session key alone: give the XML of 'splunk cmd splunkd "
            "print-modinput-config defender_alerts', or --forwarder NAME");
        return;
    }
    wish->change.name = session->name;
    wish->reader = share_reader_new(session->loop, session->link, session->inputs.group,
                                    &(struct share_reader_owner){ .read = on_read, .failed = on_failed, .ctx = wish });
}

/* The command. */

static const struct {
    const char *name, *usage;
} commands[] = {
    [SHARE_TAKE] = { "share take",
                     "usage: " SHARE_PIPE "take [INPUT ...] [OPTION ...]\n"
                     "Lets this forwarder read all of its inputs, or those that are named, until 'share undrain' there. For a\n"
                     "forwarder that is nearer, or a standby that takes over for a day. If it ends, the others take over as\n"
                     "always. Replaces what was said before by 'take' or 'drain'.\n" },
    [SHARE_DRAIN] = { "share drain",
                      "usage: " SHARE_PIPE "drain [OPTION ...]\n"
                      "Gives the inputs of this forwarder to the others, before work on it: nothing comes twice. It gets none\n"
                      "until 'share undrain', also after a restart. What no other forwarder has stays.\n" },
    [SHARE_UNDRAIN] = { "share undrain",
                        "usage: " SHARE_PIPE "undrain [OPTION ...]\n"
                        "Ends 'share drain' and 'share take' of this forwarder: inputs are spread evenly again.\n" }
};

static const char last_line[] =
    "Waits a little, and says which inputs move. Exit status 0: the wish is stored; 1: not.\n";

static enum share_wish wish_of(const char *name)
{
    size_t i;

    for (i = 0; i < COUNT_OF(commands) - 1 && !text_same(commands[i].name, name); i++)
        ;
    return (enum share_wish)i;
}

/* Takes the names of inputs out of the arguments: those that neither begin with a dash nor are an option's value. */
static int take_names(struct wish *wish, const struct option_spec *specs, size_t count, int argc, char **argv)
{
    int i, left = 1;
    size_t k;

    for (i = 1; i < argc; i++) {
        for (k = 0; k < count && !text_same(specs[k].name, argv[i]); k++)
            ;
        if (argv[i][0] != '-' && wish->change.wish == SHARE_TAKE) {
            share_names_add(&wish->wanted, argv[i]);
            continue;
        }
        argv[left++] = argv[i];
        if (k < count && !specs[k].flag && i + 1 < argc)
            argv[left++] = argv[++i];
    }
    return left;
}

static bool run(struct wish *wish, const char *wait, struct err *err)
{
    int64_t seconds = WAIT_S;

    if (wait && !text_int64(wait, 0, WAIT_MOST, &seconds))
        return err_set(err, ERR_INPUT, "--wait is '%.40s', but it should be a whole number of seconds from 0 to %d",
                       wait, WAIT_MOST);
    wish->wait_ms = seconds * CLOCK_SECOND_MS;
    return share_session_run(&wish->session, err);
}

static void wish_free(struct wish *wish)
{
    share_reader_free(wish->reader);
    share_moves_free(&wish->moves);
    share_names_free(&wish->wanted);
    buf_free(&wish->record);
    free(wish->key);
    share_session_free(&wish->session);
}

int share_wish_run(int argc, char **argv)
{
    const char *wait = NULL;
    struct wish wish = {
        .session = { .stopped = "stopped; 'share status' shows what has changed", .ready = on_ready, .ctx = &wish },
        .change = { .wish = wish_of(argv[0]), .wanted = &wish.wanted },
        .record = BUF_INIT(RECORD_MAX)
    };
    const struct option_spec specs[] = { { "--wait", &wait, NULL, "SECONDS", "how long to wait; default 90, 0: not" },
                                         { "--forwarder", &wish.session.forwarder, NULL, "NAME",
                                           "another forwarder of the group in place of this one" },
                                         SHARE_SESSION_SPECS(wish.session) };
    struct err err;
    bool ok;

    if (options_want_help(argc, argv)) {
        CLEANUP(mem_freep) char *text = mem_format("%s%s", commands[wish.change.wish].usage, last_line);

        options_print(text, specs, COUNT_OF(specs));
        return 0;
    }
    log_set_level(LOG_ERROR);
    argc = take_names(&wish, specs, COUNT_OF(specs), argc, argv);
    ok = options_read(specs, COUNT_OF(specs), argc, argv, &err) && run(&wish, wait, &err);
    fflush(stdout);
    if (!ok)
        log_error("%s", err.text);
    wish_free(&wish);
    return ok ? 0 : 1;
}
