#include "command/move_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/alert_set.h"
#include "splunk/params.h"

#define AT_ONCE      4 /* splunkd starts a process to validate each input */
#define SET_API      "api="
#define SET_GRAPH    SET_API "graph"
#define SET_ENDPOINT SET_API "endpoint"

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
        status = move_report(&move);
    } else {
        log_error("%s", err.text);
    }
    release(&move);
    return status;
}
