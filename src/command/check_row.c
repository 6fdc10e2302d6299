#include "command/check_row_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "command/check_look.h"
#include "messages/log_events.h"
#include "messages/notes.h"
#include "microsoft/refusal.h"
#include "net/url.h"
#include "splunk/secret_name.h"

#define MOST_MS 9500 /* at most ten seconds for each input */

/* Takes the clock of the service that answered last. */
static void row_take_clock(struct row *row, bool has_clock, int64_t offset_ms)
{
    if (!has_clock)
        return;
    row->outcome.has_clock = true;
    row->outcome.clock_offset_ms = offset_ms;
}

/* The end of a row. */

static void row_fail(struct row *row, enum check_result result, const struct err *err)
{
    row->outcome.err = *err;
    row_end(row, result);
}

static bool row_not_tried(struct row *row, const struct err *why)
{
    struct err err;

    err_set(&err, ERR_AUTH, "the sign-in was not tried: %s", why->text);
    err_blame(&err, why);
    row_fail(row, CHECK_NOT_TRIED, &err);
    return false;
}

static void end_look(struct row *row, const struct look_found *found);

/* Says which answer did not come, in the words of the log. */
static void row_fail_late(struct row *row)
{
    bool connecting = !row->login->found.done || !row->service->found.done;
    bool at_login = connecting ? row->service->found.done : !row->outcome.has_token;
    CLEANUP(mem_freep) char *host = url_host(at_login ? row->target.login_url : row->target.base_url);
    char detail[80];
    struct err err;

    snprintf(detail, sizeof(detail), " within %d s%s", MOST_MS / 1000,
             connecting ? ""
             : at_login ? " since the check began, waiting for a token"
                        : " since the check began, waiting for alerts");
    diagnosis_set(&err, ERR_RETRY, DIAGNOSIS_CUT, &(struct diagnosis_facts){ .text = host, .detail = detail });
    row_fail(row, CHECK_FAILING, &err);
}

static void row_deadline_fired(void *ctx, int64_t now_ms UNUSED)
{
    struct row *row = ctx;
    struct look_found found = { 0 };
    bool answered = row->look && look_found_so_far(row->look, &found);
    struct err err;

    if (row->compare) {
        compare_stop(row->compare);
        return;
    }
    look_free(row->look);
    row->look = NULL;
    if (answered) {
        end_look(row, &found);
    } else if (row->waits_for_store) {
        diagnosis_set(&err, ERR_RETRY, DIAGNOSIS_SPLUNKD_BUSY, &(struct diagnosis_facts){ .detail = NULL });
        row_not_tried(row, &err);
    } else {
        row_fail_late(row);
    }
}

/* The newest alert. */

/* Notes what a person would wonder about later: nothing comes before start_time, or nothing came for long. */
static void note_silence(struct row *row)
{
    const struct start_time *start = &row->input.start_time;
    const struct look_found *newest = &row->outcome.newest;
    struct buf note = BUF_INIT(sizeof(row->outcome.note) - 1);

    if (!start->relative && start->time > newest->service_now) {
        note_future_start(&note, start->time);
        buf_add_char(&note, '.');
    } else if (!newest->has_newest && !newest->whole) {
        buf_add_format(&note, "No alert in %d h. The service answered too slowly to look further back.",
                       newest->looked_back_h);
    } else if (!newest->has_newest) {
        buf_add_format(&note, "No alert in %d days: check that the tenant has Defender%s.", newest->looked_back_h / 24,
                       row->input.filter ? ", and the filter" : "");
    }
    snprintf(row->outcome.note, sizeof(row->outcome.note), "%s", buf_text(&note));
    buf_free(&note);
}

static void end_look(struct row *row, const struct look_found *found)
{
    row->outcome.newest = *found;
    note_silence(row);
    row->outcome.lacks_permission = false; /* the service has accepted the token */
    row_end(row, CHECK_OK);
}

static void row_looked(void *ctx, enum look_end end, const struct look_found *found, const struct http_result *result,
                       const struct err *err)
{
    struct row *row = ctx;
    struct err refusal;

    row_take_clock(row, result->date_ms != 0, result->date_ms - clock_wall_ms());
    switch (end) {
    case LOOK_DONE: end_look(row, found); return;
    case LOOK_FAILED: row_fail(row, CHECK_FAILING, err); return;
    case LOOK_REFUSED: break;
    }
    if (result->status == 403 && row->outcome.lacks_permission) {
        refusal_set(result, DIAGNOSIS_PERMISSION, row->target.api->permission, &refusal);
        err = &refusal;
    }
    row_fail(row, CHECK_REFUSED, err);
}

static void row_look(struct row *row, const char *authorization)
{
    row->look = look_start(&(struct look_spec){ .http = row->context->http,
                                                .route = &row->service->route,
                                                .api = row->target.api,
                                                .base = row->target.base_url,
                                                .filter = row->input.filter,
                                                .authorization = authorization,
                                                .clock_offset_ms = row->outcome.has_clock ? row->outcome.clock_offset_ms
                                                                                          : 0 },
                           row_looked, row);
}

/* Tokens. */

static void row_token_changed(void *ctx)
{
    row_step(ctx);
}

/* Sets the credentials of the principal. Returns false if it is too early, or the row has ended. */
static bool principal_ready(struct row *row)
{
    enum input_sign_in_state state;
    struct err err;

    row->sign_in.input = &row->input;
    row->sign_in.target = &row->target;
    row->sign_in.store = row->context->store;
    row->sign_in.principals = row->context->principals;
    row->sign_in.route = &row->login->route;
    row->sign_in.changed = row_token_changed;
    row->sign_in.ctx = row;
    state = input_sign_in_step(&row->sign_in, &err);
    row->waits_for_store = state == INPUT_WAITS;
    if (state == INPUT_REFUSED)
        row_fail(row, CHECK_REFUSED, &err);
    if (state == INPUT_NOT_TRIED)
        row_fail(row, CHECK_NOT_TRIED, &err);
    return state == INPUT_READY;
}

static void row_take_token(struct row *row, const struct token_view *view)
{
    row->outcome.has_token = true;
    claims_read(view->authorization, &row->outcome.claims);
    row->outcome.lacks_permission = row->target.api->permissions && row->outcome.claims.readable &&
                                    !claims_hold(&row->outcome.claims, row->target.api->permissions);
    row->outcome.credential = principal_credential(row->sign_in.principal);
    row->outcome.has_days = principal_certificate_days(row->sign_in.principal, &row->outcome.certificate_days);
}

/* The steps. */

static bool endpoints_passed(struct row *row)
{
    struct err err;

    if (!endpoint_failed(row->login, &err) && !endpoint_failed(row->service, &err))
        return true;
    row_fail(row, CHECK_UNREACHABLE, &err);
    return false;
}

void row_step(struct row *row)
{
    struct token_view view;
    enum token_state state;

    if (!row->begun || row->finished || row->look || row->is_compared || !row->login->found.done ||
        !row->service->found.done)
        return;
    if (!endpoints_passed(row) || !principal_ready(row))
        return;
    state = token_source_ask(row->sign_in.source, clock_ms(), &view);
    row_take_clock(row, view.has_clock, view.clock_offset_ms);
    switch (state) {
    case TOKEN_BUSY: return;
    case TOKEN_FAILED: row_fail(row, view.err->kind == ERR_AUTH ? CHECK_REFUSED : CHECK_FAILING, view.err); return;
    case TOKEN_READY:
        row_take_token(row, &view);
        row_look(row, view.authorization);
        return;
    }
}

void row_begin(struct row *row)
{
    const struct row_context *context = row->context;
    const struct input *input = &row->input;
    CLEANUP(mem_free_secretp) char *proxy = NULL;
    struct err err;

    row->begun = true;
    if (!input_sign_in_proxy(input, context->store, &proxy, &err)) {
        row_fail(row, CHECK_REFUSED, &err);
        return;
    }
    row->login = endpoints_get(context->endpoints, row->target.login_url, input->ca_file, proxy);
    row->service = endpoints_get(context->endpoints, row->target.base_url, input->ca_file, proxy);
    row->outcome.login = &row->login->found;
    row->outcome.service = &row->service->found;
    timer_set(context->loop, &row->deadline, clock_ms() + MOST_MS);
    row_step(row);
}

static void describe_input(struct row *row)
{
    row->outcome.tenant_id = row->input.tenant_id;
    row->outcome.client_id = row->input.client_id;
    row->outcome.api = row->target.api->name;
    row->outcome.permission = row->target.api->permission;
    row->outcome.ends = api_days_left(row->target.api, ticks_from_ms(clock_wall_ms()), &row->outcome.ends_days);
    row->outcome.ends_on = row->target.api->ends;
}

struct row *row_new(const struct row_context *context, const struct raw_stanza *stanza)
{
    struct row *row = mem_alloc(sizeof(*row));

    row->context = context;
    row->label = mem_text(stanza_input_name(stanza));
    row->outcome.input = row->label;
    row->deadline = (struct timer){ .fire = row_deadline_fired, .ctx = row };
    if (input_from_stanza(stanza, CHECK_FILES, &row->input, &row->outcome.err)) {
        target_of(&row->input, &row->target);
        describe_input(row);
    } else {
        row->finished = true;
        row->outcome.result = CHECK_BAD_INPUT;
        event_blame(&row->outcome.err, EVENT_BAD_INPUT);
    }
    return row;
}

void row_free(struct row *row)
{
    if (!row)
        return;
    look_free(row->look);
    compare_free(row->compare);
    compared_release(&row->outcome.compared);
    claims_release(&row->outcome.claims);
    input_free(&row->input);
    free(row->label);
    free(row);
}

bool row_is_finished(const struct row *row)
{
    return row->finished;
}

const struct outcome *row_outcome(const struct row *row)
{
    return &row->outcome;
}

void row_add_note(struct row *row, const char *sentence)
{
    char *note = row->outcome.note;
    size_t len = strlen(note), size = sizeof(row->outcome.note);
    size_t start = len ? len + 1 : 0;

    snprintf(note + len, size - len, "%s%s.", len ? " " : "", sentence);
    if (start < size && note[start] >= 'a' && note[start] <= 'z')
        note[start] = (char)(note[start] - 'a' + 'A');
    utf8_end_whole(note);
}
