#include "command/consent_watch_private.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    TRIED_AT_ONCE = 8,
    SENT_AT_ONCE = 4, /* splunkd starts a process to validate each input */
    TICK_MS = 1000,
    KEEP_SESSION_MS = 10 * 60 * 1000 /* splunkd forgets a session that is not used for an hour */
};

/* The end. */

void consents_fail(struct consents *watch, const struct err *err)
{
    watch->failed = true;
    watch->err = *err;
    loop_stop(watch->spec->loop);
}

/* Returns true if nothing is left to do, or the time is up and nothing is under way. */
static bool is_over(const struct consents *watch)
{
    int64_t end_ms = watch->spec->end_ms;
    size_t i;

    if (watch->trying || watch->sending)
        return false;
    for (i = 0; i < watch->spec->customers->count; i++) {
        const struct watched *each = &watch->list[i];

        if (watched_is_open(each) &&
            (!end_ms || clock_ms() < end_ms || !each->tries || each->customer->state == CUSTOMER_CONSENTED))
            return false;
    }
    return true;
}

void consents_changed(struct consents *watch)
{
    watch->spec->changed(watch->spec->ctx);
}

/* All. */

static void go_on(struct consents *watch, int64_t now_ms)
{
    int64_t end_ms = watch->spec->end_ms;
    size_t i;

    watch->waiting = customers_in(watch->spec->customers, CUSTOMER_WAITS) +
                     customers_in(watch->spec->customers, CUSTOMER_IN_TROUBLE);
    for (i = 0; i < watch->spec->customers->count; i++) {
        struct watched *each = &watch->list[i];
        const struct customer *customer = each->customer;

        if (each->trying || each->sending || !watched_is_open(each))
            continue;
        if (customer->state == CUSTOMER_CONSENTED && watch->sending < SENT_AT_ONCE)
            watched_send(each);
        else if (customer->state != CUSTOMER_CONSENTED && customer->due_ms <= now_ms && watch->trying < TRIED_AT_ONCE &&
                 (!end_ms || now_ms < end_ms || !each->tries))
            watched_try(each);
    }
}

static const cJSON *entry_named(const cJSON *list, const char *name)
{
    const cJSON *entry;

    cJSON_ArrayForEach(entry, list) if (text_same(json_text(entry, "name"), name)) return entry;
    return NULL;
}

/* Looks at the inputs now and then, which also keeps the session: somebody else may have created one. */
static void looked_at_inputs(void *ctx, bool ok, const cJSON *list, const struct err *err)
{
    struct consents *watch = ctx;
    size_t i;

    watch->listing = false;
    if (!ok && err->kind == ERR_AUTH)
        consents_fail(watch, err);
    for (i = 0; ok && i < watch->spec->customers->count; i++) {
        struct watched *each = &watch->list[i];
        struct import_row *row = each->customer->row;

        if (each->trying || each->sending || !watched_is_open(each) || row->action != ACTION_CREATE ||
            !entry_named(list, row->stanza.name))
            continue;
        row->action = ACTION_NONE;
        watched_set(each, CUSTOMER_DONE, "");
    }
}

static void ticked(void *ctx, int64_t now_ms)
{
    struct consents *watch = ctx;

    go_on(watch, now_ms);
    consents_changed(watch);
    if (is_over(watch)) {
        loop_stop(watch->spec->loop);
        return;
    }
    if (now_ms >= watch->list_due_ms && !watch->listing && !watch->sending) {
        watch->list_due_ms = now_ms + KEEP_SESSION_MS;
        watch->listing = true;
        data_inputs_list(watch->spec->inputs, looked_at_inputs, watch);
    }
    timer_set(watch->spec->loop, &watch->tick, now_ms + TICK_MS);
}

/* Refuses a row whose secret could not be stored. */
static void check_secrets(struct import_row *row)
{
    size_t i;

    for (i = 0; i < row->upload_count; i++)
        if (row->uploads[i]->failed)
            import_refuse(row, &row->uploads[i]->err);
}

/* Begins with the customers, each a little later than the one before it. */
static void secrets_stored(void *ctx)
{
    struct consents *watch = ctx;
    int64_t now_ms = clock_ms(), due_ms = now_ms;
    size_t i;

    for (i = 0; i < watch->spec->customers->count; i++) {
        struct watched *each = &watch->list[i];
        struct import_row *row = each->customer->row;

        check_secrets(row);
        if (row->action == ACTION_REFUSED) {
            watched_set(each, CUSTOMER_REFUSED, "");
        } else if (row->action == ACTION_NONE) {
            watched_set(each, CUSTOMER_DONE, "");
        } else if (watched_is_delegated(each)) {
            each->tries = 1;
            watched_set(each, CUSTOMER_CONSENTED, "");
        } else {
            each->customer->due_ms = due_ms;
            due_ms += CONSENT_EACH_MS;
        }
    }
    watch->list_due_ms = now_ms + KEEP_SESSION_MS;
    ticked(watch, now_ms);
}

static void inputs_listed(void *ctx, bool ok, const cJSON *list, const struct err *err)
{
    struct consents *watch = ctx;
    const struct watch_spec *spec = watch->spec;

    if (!ok) {
        consents_fail(watch, err);
        return;
    }
    import_plan(spec->rows, list, spec->passwords);
    import_find_duplicates(spec->rows, list);
    import_send_secrets(&watch->secrets, spec->rows, spec->passwords, secrets_stored, watch);
}

static void secrets_read(void *ctx, bool ok, const struct err *err)
{
    struct consents *watch = ctx;

    if (ok)
        data_inputs_list(watch->spec->inputs, inputs_listed, watch);
    else
        consents_fail(watch, err);
}

/* Rotated tokens are dropped: no refresh token is redeemed here. */
static void session_lost(void *ctx UNUSED)
{
}

static void watch_free(struct consents *watch)
{
    size_t i;

    timer_cancel(watch->spec->loop, &watch->tick);
    principals_free(watch->principals);
    limiter_free(watch->limiter);
    for (i = 0; i < watch->spec->customers->count; i++)
        mem_free_secret(watch->list[i].proxy);
    free(watch->list);
}

bool consent_watch(const struct watch_spec *spec, struct err *err)
{
    struct consents watch = { .spec = spec, .list = mem_alloc((spec->customers->count + 1) * sizeof(*watch.list)) };
    size_t i;

    watch.tick = (struct timer){ .fire = ticked, .ctx = &watch };
    watch.limiter = limiter_new(spec->loop, TRIED_AT_ONCE, TRIED_AT_ONCE);
    watch.principals = principals_new(spec->loop, spec->http, watch.limiter, NULL, session_lost, NULL);
    for (i = 0; i < spec->customers->count; i++) {
        spec->rows->list[i].ctx = &watch;
        watch.list[i] = (struct watched){ .watch = &watch, .customer = &spec->customers->list[i] };
    }
    passwords_load(spec->passwords, secrets_read, &watch);
    loop_run(spec->loop);
    watch_free(&watch);
    if (watch.failed)
        *err = watch.err;
    return !watch.failed;
}
