/* What an update sends to Microsoft, and what it tells of each try. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/update_event.h"
#include "command/update_private.h"
#include "messages/log_events.h"
#include "microsoft/claims.h"

#define TIMEOUT_S    30
#define EVENT_SOURCE "defender_alerts:update"

static void send(struct update *update, const char *authorization);

/* The end, and what is told of each try. */

static void stop_if_done(struct update *update)
{
    if (update->ended && !update->posting)
        loop_stop(update->once.loop);
}

void update_events_lost(struct update *update, const char *why)
{
    if (!update->told_no_event)
        log_event(EVENT_UPDATE_UNTOLD, "sourcetype=" UPDATE_SOURCETYPE " why=%s", QUOTED(why));
    update->told_no_event = true;
}

static void event_posted(void *ctx, bool ok, const struct err *err)
{
    struct update *update = ctx;

    if (!ok)
        update_events_lost(update, err->text);
    update->posting--;
    stop_if_done(update);
}

/* Sends the result event of a try. status 0: nothing was sent, or nothing was answered. */
static void tell(struct update *update, enum update_result result, int status, const char *why)
{
    const struct update_try try = { .action = &update->action,
                                    .customer = update_customer(update),
                                    .tenant_id = update->has_input ? update->input.tenant_id : NULL,
                                    .change = update->has_change ? &update->change : NULL,
                                    .comment = update->commenting,
                                    .number = update->tries,
                                    .status = status,
                                    .result = result,
                                    .why = why };
    const char *index = action_param(&update->action, "index");
    struct buf text = BUF_INIT(1 << 20);

    update_event(&try, clock_wall_ms(), &text);
    update->posting++;
    receiver_send(update->receiver,
                  &(struct receiver_event){ .index = text_empty(index) ? update->index : index,
                                            .sourcetype = UPDATE_SOURCETYPE,
                                            .source = EVENT_SOURCE,
                                            .text = buf_text(&text) },
                  event_posted, update);
    buf_free(&text);
}

static void log_end(const struct update *update, const char *why)
{
    const struct change *change = update->has_change ? &update->change : NULL;
    const char *customer = update_customer(update), *id = change ? change->id : "", *owner = update->action.owner;
    const char *search = update->action.search_name, *said = why ? why : "", *label = why ? " why=" : "";
    enum event event = update->result == UPDATE_DONE ? EVENT_UPDATED : EVENT_UPDATE_FAILED;

    log_event(event, "input=%s kind=%s id=%s result=%s step=%s tries=%d user=%s search=%s%s%s", QUOTED(customer),
              change ? change_kind_word(change->kind) : "none", QUOTED(id), update_result_word(update->result),
              update->commenting ? "comment" : "change", update->tries, QUOTED(owner), QUOTED(search), label,
              *label ? QUOTED(said) : "");
}

/* Ends the update once the events are on their way. why NULL: it is done. */
static void end(struct update *update, enum update_result result, const char *why)
{
    if (update->ended)
        return;
    timer_cancel(update->once.loop, &update->again);
    timer_set(update->once.loop, &update->deadline, clock_ms() + UPDATE_TELL_S * 1000);
    update->ended = true;
    update->result = result;
    log_end(update, why);
    stop_if_done(update);
}

/* Ends it before anything was sent to Microsoft. */
void update_end_before(struct update *update, enum update_result result, const char *why)
{
    if (update->ended)
        return;
    tell(update, result, 0, why);
    end(update, result, why);
}

void update_continue(void *ctx)
{
    struct update *update = ctx;
    struct token_view view;

    if (update->ended || update->request || timer_is_set(&update->again))
        return;
    switch (token_source_ask(update->source, clock_ms(), &view)) {
    case TOKEN_BUSY: return;
    case TOKEN_READY:
        update->token = view.token;
        send(update, view.authorization);
        return;
    case TOKEN_FAILED:
        update_end_before(update, view.err->kind == ERR_AUTH ? UPDATE_REFUSED : UPDATE_FAILED, view.err->text);
        return;
    }
}

void update_again_fired(void *ctx, int64_t now_ms UNUSED)
{
    update_continue(ctx);
}

/* The change is made, or the comment is added. */
static void step_done(struct update *update)
{
    if (update->commenting || !update->change.comment) {
        end(update, UPDATE_DONE, NULL);
        return;
    }
    update->tries = 0;
    update->commenting = true;
    update_continue(update);
}

static void answered(void *ctx, const struct http_result *result)
{
    struct update *update = ctx;
    const struct update_facts facts = { .change = &update->change,
                                        .comment = update->commenting,
                                        .new_token = update->new_token,
                                        .tries = update->tries,
                                        .left_ms = update->deadline.due_ms - clock_ms() };
    struct update_verdict verdict;

    update->request = NULL;
    if (update->ended)
        return;
    update_judge(result, &facts, &verdict);
    tell(update, verdict.result, result->status, verdict.result == UPDATE_DONE ? NULL : verdict.err.text);
    switch (verdict.result) {
    case UPDATE_DONE: step_done(update); return;
    case UPDATE_AGAIN: timer_set(update->once.loop, &update->again, clock_ms() + verdict.wait_ms); return;
    case UPDATE_NEW_TOKEN:
        update->new_token = true;
        token_source_reject(update->source, update->token);
        update_continue(update);
        return;
    default: end(update, verdict.result, verdict.err.text); return;
    }
}

/* Returns true if the token may write, as far as it tells. */
static bool may_write(struct update *update, const char *authorization)
{
    const char *permission = change_permission(update->change.kind);
    CLEANUP(mem_freep) char *granted = NULL;
    struct claims claims;
    struct err err;
    bool ok;

    claims_read(authorization, &claims);
    ok = !claims.readable || claims_hold(&claims, permission);
    granted = mem_format(" (granted: %s)", text_empty(claims.granted) ? "none" : claims.granted);
    claims_release(&claims);
    if (ok)
        return true;
    diagnosis_set(&err, ERR_AUTH, DIAGNOSIS_PERMISSION,
                  &(struct diagnosis_facts){ .text = permission, .detail = granted, .advice = permission });
    update_end_before(update, UPDATE_REFUSED, err.text);
    return false;
}

static void send(struct update *update, const char *authorization)
{
    static const char *const headers[] = { "Content-Type: application/json", NULL };
    struct buf url = BUF_INIT(8192), body = BUF_INIT(1 << 20);

    if (!may_write(update, authorization))
        return;
    update->commenting = update->commenting || !change_has_members(&update->change);
    update->tries++;
    change_url(&update->change, update->to.api_url, update->commenting, &url);
    change_body(&update->change, update->commenting, &body);
    update->request = http_start(update->once.http,
                                 &(struct http_spec){ .url = buf_text(&url),
                                                      .form = buf_text(&body),
                                                      .method = update->commenting ? "POST" : "PATCH",
                                                      .authorization = authorization,
                                                      .headers = headers,
                                                      .route = &update->route,
                                                      .done = answered,
                                                      .ctx = update,
                                                      .timeout_s = TIMEOUT_S,
                                                      .once = update->commenting });
    buf_free(&url);
    buf_free(&body);
}
