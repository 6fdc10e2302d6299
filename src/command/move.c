#include "command/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/alert_set.h"
#include "command/check_rows.h"
#include "command/session.h"
#include "command/wrap.h"
#include "splunk/data_inputs.h"
#include "splunk/params.h"

#define AT_ONCE      4 /* splunkd starts a process to validate each input */
#define NAME_MOST    28
#define WORD_WIDTH   20
#define SET_API      "api="
#define SET_GRAPH    SET_API "graph"
#define SET_ENDPOINT SET_API "endpoint"
#define JSON_MAX     (64u * 1024 * 1024)

enum moved { MOVED_NOT, MOVED_DONE, MOVED_REFUSED };

/* One input. */
struct mover {
    struct move *move;
    const struct outcome *outcome;
    const struct raw_stanza *stanza;
    const char *list[8]; /* to send: name, value, ..., NULL */
    enum moved moved;
    struct err err;
};

struct move {
    const struct move_options *options;
    const struct api *to;
    int kind, days;
    struct console console;
    struct config config; /* session, and the inputs as splunkd lists them */
    struct loop *loop;
    struct http *http;
    struct rest *rest;
    struct data_inputs *inputs;
    struct check_rows *rows;
    struct mover *movers;
    size_t count, next, running, there, elsewhere;
    bool listed;
    struct err err;
};

/* A loop runs once: one for the list of inputs, one for the changes. */

static void splunkd_open(struct move *move)
{
    move->loop = loop_new();
    move->http = http_new(move->loop);
    move->rest = rest_new(move->loop, move->http, move->config.server_uri, move->config.session_key,
                          getenv("SPLUNK_HOME"));
    rest_key_is_entered(move->rest);
    move->inputs = data_inputs_new(move->rest);
}

static void splunkd_close(struct move *move)
{
    data_inputs_free(move->inputs);
    rest_free(move->rest);
    http_free(move->http);
    loop_free(move->loop);
}

/* The inputs as splunkd lists them. */

static void add_param(struct raw_stanza *stanza, const char *name, const cJSON *item)
{
    char number[32];
    const char *value = cJSON_IsString(item) ? item->valuestring : number;

    if (cJSON_IsNumber(item))
        snprintf(number, sizeof(number), "%.15g", item->valuedouble);
    else if (!cJSON_IsString(item))
        return;
    stanza->params = mem_grow(stanza->params, stanza->count + 1, sizeof(*stanza->params));
    stanza->params[stanza->count++] = (struct raw_param){ mem_text(name), mem_text(value) };
}

static void add_stanza(struct move *move, const cJSON *entry)
{
    struct config *config = &move->config;
    const cJSON *content = json_member(entry, "content"), *item;
    const char *app = json_text(json_member(entry, "acl"), "app");
    struct raw_stanza stanza = { .name = mem_text(json_text(entry, "name")), .app = mem_text(app ? app : "") };

    if (content)
        cJSON_ArrayForEach(item, content) if (param_find(item->string)) add_param(&stanza, item->string, item);
    config->stanzas = mem_grow(config->stanzas, config->count + 1, sizeof(*config->stanzas));
    config->stanzas[config->count++] = stanza;
}

/* Sorts out which inputs are to be moved. Disabled ones too: they would fail once somebody enables them. */
static void take_list(struct move *move, const cJSON *list)
{
    const char *only = move->options->only;
    struct alert_set set;
    const cJSON *entry;

    cJSON_ArrayForEach(entry, list)
    {
        alert_set_of_entry(entry, &set);
        if (!*set.name || (only && !text_same(only, set.name)))
            continue;
        if (text_same_nocase(set.api, move->to->name))
            move->there++;
        else if (api_same_ids(move->to, set.api))
            add_stanza(move, entry);
        else
            move->elsewhere++;
    }
}

static void inputs_listed(void *ctx, bool ok, const cJSON *list, const struct err *err)
{
    struct move *move = ctx;

    move->listed = ok;
    if (ok)
        take_list(move, list);
    else
        move->err = *err;
    loop_stop(move->loop);
}

/* Moving. */

static bool is_ready(const struct mover *mover)
{
    const struct compared *compared = &mover->outcome->compared;

    return compared_is_ready(compared) || (compared->result == COMPARE_LACKS && mover->move->options->accept_missing);
}

/* An address of Microsoft's present API and an audience would not fit the other one. */
static void fill_list(struct mover *mover)
{
    struct input input;
    struct err err;
    size_t n = 0;

    mover->list[n++] = "api";
    mover->list[n++] = mover->move->to->name;
    if (!input_from_stanza(mover->stanza, CHECK_NO_FILES, &input, &err))
        return;
    if (target_has_own_url(&input)) {
        mover->list[n++] = "api_url";
        mover->list[n++] = "";
    }
    if (input.resource) {
        mover->list[n++] = "resource";
        mover->list[n++] = "";
    }
    input_free(&input);
}

static void movers_go_on(struct move *move);

static void mover_done(void *ctx, bool ok, const struct err *err)
{
    struct mover *mover = ctx;

    mover->moved = ok ? MOVED_DONE : MOVED_REFUSED;
    if (!ok)
        mover->err = *err;
    mover->move->running--;
    movers_go_on(mover->move);
}

/* Returns false if the input stays as it is. */
static bool mover_start(struct mover *mover)
{
    struct move *move = mover->move;

    if (!is_ready(mover))
        return false;
    fill_list(mover);
    if (move->options->dry_run) {
        mover->moved = MOVED_DONE;
        return false;
    }
    data_inputs_edit(move->inputs, mover->stanza->app, mover->stanza->name, mover->list, mover_done, mover);
    return true;
}

static void movers_go_on(struct move *move)
{
    while (move->next < move->count && move->running < AT_ONCE)
        move->running += mover_start(&move->movers[move->next++]);
    if (!move->running && move->next == move->count)
        loop_stop(move->loop);
}

static void begin_moving(void *ctx, int64_t now_ms UNUSED)
{
    movers_go_on(ctx);
}

static void move_all(struct move *move)
{
    struct timer timer = { .fire = begin_moving, .ctx = move };
    size_t i;

    move->movers = mem_alloc((move->count + 1) * sizeof(*move->movers));
    for (i = 0; i < move->count; i++)
        move->movers[i] = (struct mover){ .move = move,
                                          .outcome = row_outcome(check_rows_list(move->rows)[i]),
                                          .stanza = &move->config.stanzas[i] };
    splunkd_open(move);
    timer_set(move->loop, &timer, 0);
    loop_run(move->loop);
    splunkd_close(move);
}

/* The report. */

static const char *word_of(const struct mover *mover)
{
    if (mover->moved == MOVED_DONE)
        return mover->move->options->dry_run ? "would be moved" : "moved";
    return mover->moved == MOVED_REFUSED ? "refused" : "not moved";
}

/* Returns which parameters were emptied, for the end of a sentence. */
static const char *emptied(const struct mover *mover)
{
    if (mover->moved != MOVED_DONE || !mover->list[2])
        return "";
    return mover->list[4] ? "; api_url and resource are emptied" : "; api_url or resource is emptied";
}

/* Returns why the input was not moved, or what a person should know of the move. */
static char *reason_of(const struct mover *mover)
{
    const struct compared *compared = &mover->outcome->compared;
    const char *present = mover->outcome->api ? mover->outcome->api : "", *to = mover->move->to->name;

    if (mover->moved == MOVED_REFUSED)
        return mem_format("splunkd: %s", mover->err.text);
    switch (compared->result) {
    case COMPARE_NOT: return mem_text(mover->outcome->err.text);
    case COMPARE_SAME:
        return mem_format("%zu in both, %zu only in %s%s", compared->both, compared->other_count, to, emptied(mover));
    case COMPARE_LACKS:
        return mem_format("%zu only in %s, such as %s%s%s", compared->present_count, present, compared->only_present[0],
                          mover->moved == MOVED_DONE ? "" : "; --accept-missing moves the input nevertheless",
                          emptied(mover));
    case COMPARE_ANSWERS:
        return mem_format("%s answers%s; %s could not be listed: %s", to, emptied(mover), present, compared->err.text);
    default: return mem_text(compared->err.text);
    }
}

static void print_mover(const struct mover *mover, size_t column, struct wrap *to)
{
    CLEANUP(mem_freep) char *reason = reason_of(mover);

    wrap_begin(to, 0, 4);
    wrap_add(to, mover->stanza->name, NULL);
    wrap_move(to, column);
    wrap_add(to, word_of(mover), mover->moved == MOVED_DONE ? WRAP_GREEN : WRAP_RED);
    wrap_move(to, column + WORD_WIDTH);
    wrap_add(to, reason, NULL);
    wrap_end(to);
}

static void print_json(const struct move *move)
{
    struct buf out = BUF_INIT(JSON_MAX);
    size_t i;

    buf_add_format(&out, "{\"api\":\"%s\",\"dry_run\":%s,\"there_already\":%zu,\"other_apis\":%zu,\"inputs\":[",
                   move->to->name, move->options->dry_run ? "true" : "false", move->there, move->elsewhere);
    for (i = 0; i < move->count; i++) {
        const struct mover *mover = &move->movers[i];
        CLEANUP(mem_freep) char *reason = reason_of(mover);

        buf_add_format(&out, "%s{\"input\":", i ? ",\n" : "\n");
        buf_add_json(&out, mover->stanza->name);
        buf_add_format(&out,
                       ",\"moved\":%s,\"compared\":\"%s\",\"text\":", mover->moved == MOVED_DONE ? "true" : "false",
                       compared_word(mover->outcome->compared.result));
        buf_add_json(&out, reason);
        buf_add_char(&out, '}');
    }
    buf_add_text(&out, "\n]}\n");
    fwrite(buf_text(&out), 1, out.len, stdout);
    buf_free(&out);
}

static void print_table(const struct move *move, size_t moved)
{
    struct wrap to = { .to = stdout, .width = wrap_width(1), .colors = wrap_colors(1) };
    size_t i, column = 0;
    char line[400];

    for (i = 0; i < move->count; i++) {
        size_t columns = wrap_columns(move->movers[i].stanza->name);

        column = columns > column && columns <= NAME_MOST ? columns : column;
    }
    for (i = 0; i < move->count; i++)
        print_mover(&move->movers[i], column + 2, &to);
    wrap_skip(&to);
    snprintf(line, sizeof(line), "%zu %s to %s, %zu not moved, %zu there already, %zu of other APIs.", moved,
             move->options->dry_run ? "would be moved" : "moved", move->to->name, move->count - moved, move->there,
             move->elsewhere);
    wrap_line(&to, 0, 0, line);
}

static int report(const struct move *move)
{
    size_t i, moved = 0;

    for (i = 0; i < move->count; i++)
        moved += move->movers[i].moved == MOVED_DONE;
    if (move->options->as_json)
        print_json(move);
    else
        print_table(move, moved);
    return fflush(stdout) == 0 && moved == move->count ? 0 : 1;
}

/* The command. */

static bool read_options(struct move *move, struct err *err)
{
    const char *set = move->options->set;

    if (!text_same(set, SET_GRAPH) && !text_same(set, SET_ENDPOINT))
        return err_set(err, ERR_INPUT, "--set %.80s: it should be " SET_GRAPH " (or " SET_ENDPOINT ", to move back)",
                       set);
    return compare_options(set + strlen(SET_API), move->options->days, &move->kind, &move->days, err);
}

/* Reads the session, the inputs, and tries them. */
static bool try_inputs(struct move *move, struct err *err)
{
    console_start(&move->console, "stopped: inputs that had not begun stay as they are; run it again to continue");
    if (!console_session(&move->console, &move->config.session_key, &move->config.server_uri, err))
        return false;
    if (!move->config.session_key)
        return err_set(err, ERR_INPUT, "Splunk's session key is needed as the first line of stdin; see --help");
    if (move->options->server_uri || !move->config.server_uri) {
        free(move->config.server_uri);
        move->config.server_uri = mem_text(move->options->server_uri ? move->options->server_uri : SERVER_URI);
    }
    splunkd_open(move);
    data_inputs_list(move->inputs, inputs_listed, move);
    loop_run(move->loop);
    splunkd_close(move);
    if (!move->listed) {
        *err = move->err;
        return false;
    }
    if (move->options->only && !move->config.count && !move->there && !move->elsewhere)
        return err_set(err, ERR_INPUT, "there is no input '%.200s'", move->options->only);
    move->rows = check_rows_new(move->kind, move->days);
    check_rows_fill(move->rows, &move->config, NULL);
    check_rows_try(move->rows, &move->config);
    move->count = check_rows_count(move->rows);
    return true;
}

static void release(struct move *move)
{
    check_rows_free(move->rows);
    free(move->movers);
    config_free(&move->config);
}

int move_run(const struct move_options *options)
{
    struct move move = { .options = options };
    struct err err;
    int status = 1;

    log_set_level(LOG_ERROR);
    if (!read_options(&move, &err)) {
        log_error("%s", err.text);
        return 1;
    }
    move.to = api_at(move.kind);
    if (try_inputs(&move, &err)) {
        move_all(&move);
        status = report(&move);
    } else {
        log_error("%s", err.text);
    }
    release(&move);
    return status;
}
