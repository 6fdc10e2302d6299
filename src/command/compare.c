#include "command/compare.h"

#include <stdlib.h>
#include <string.h>

#include "auth/token_source.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "microsoft/aad.h"
#include "microsoft/claims.h"
#include "microsoft/refusal.h"

#define DAYS_DEFAULT 7
#define DAYS_MOST    30
#define DAY_S        INT64_C(86400)
#define NO_CONSENT   65001 /* AADSTS: a user's token is refused as a whole if nobody consented */
#define SETTLED_S    900   /* one service may show an alert that much later than the other */

struct compare {
    struct compare_spec spec;
    struct token_source *sources[2]; /* present, other */
    struct token_listener listeners[2];
    struct alert_listing *listings[2];
    struct listed_alerts lists[2];
    bool is_listed[2], is_cut[2];
    struct err errs[2];
    int at; /* the side that is being listed; 2: none any more */
    bool lacks_permission;
    struct timer timer; /* the next side */
    struct compared *ret;
    void (*done)(void *ctx);
    void *ctx;
};

enum { PRESENT, OTHER, ENDED };

const char *compared_word(enum compare_result result)
{
    static const char *const words[] = { "not compared",  "same",    "answers", "lacks alerts",
                                         "no permission", "refused", "unknown" };

    return words[result];
}

bool compared_is_ready(const struct compared *compared)
{
    return compared->result == COMPARE_SAME || compared->result == COMPARE_ANSWERS;
}

static void free_ids(char **ids, size_t count)
{
    while (count)
        free(ids[--count]);
    free(ids);
}

void compared_release(struct compared *compared)
{
    free_ids(compared->only_present, compared->present_count);
    free_ids(compared->only_other, compared->other_count);
    compared->only_present = compared->only_other = NULL;
    compared->present_count = compared->other_count = 0;
}

/* Lists. */

static void take_id(char ***ids, size_t *count, const char *id)
{
    if (!(*count & (*count - 1))) /* room up to the next power of two */
        *ids = mem_grow(*ids, *count ? 2 * *count : 1, sizeof(**ids));
    (*ids)[(*count)++] = mem_text(id);
}

static bool counts(ticks time, ticks from, ticks settled)
{
    return time >= from && time < settled;
}

void compare_lists(const struct listed_alerts *present, const struct listed_alerts *other, ticks from, ticks settled,
                   struct compared *ret)
{
    size_t a = 0, b = 0;

    while (a < present->count && b < other->count) {
        const struct listed *one = &present->list[a], *two = &other->list[b];
        int order = strcmp(one->id, two->id);

        if (order == 0)
            ret->both += one->time >= from || two->time >= from;
        else if (order < 0 && counts(one->time, from, settled))
            take_id(&ret->only_present, &ret->present_count, one->id);
        else if (order > 0 && counts(two->time, from, settled))
            take_id(&ret->only_other, &ret->other_count, two->id);
        a += order <= 0;
        b += order >= 0;
    }
    for (; a < present->count; a++)
        if (counts(present->list[a].time, from, settled))
            take_id(&ret->only_present, &ret->present_count, present->list[a].id);
    for (; b < other->count; b++)
        if (counts(other->list[b].time, from, settled))
            take_id(&ret->only_other, &ret->other_count, other->list[b].id);
}

/* Compares both sides, as far back as both are whole. */
static void judge(struct compare *compare)
{
    struct compared *ret = compare->ret;
    ticks now = compare->spec.now, wanted = ticks_back(now, compare->spec.days * DAY_S);
    ticks whole = ticks_max(compare->lists[PRESENT].from, compare->lists[OTHER].from);

    ret->cut = compare->is_cut[PRESENT] || compare->is_cut[OTHER];
    ret->from = ret->cut ? ticks_max(wanted, ticks_ahead(whole, DAY_S)) : wanted;
    if (ret->from >= now) {
        ret->result = COMPARE_UNKNOWN;
        ret->err = compare->errs[compare->is_cut[OTHER] ? OTHER : PRESENT];
        return;
    }
    compare_lists(&compare->lists[PRESENT], &compare->lists[OTHER], ret->from, ticks_back(now, SETTLED_S), ret);
    ret->result = ret->present_count ? COMPARE_LACKS : COMPARE_SAME;
}

static void finish(struct compare *compare, enum compare_result result, const struct err *err)
{
    if (compare->at == ENDED)
        return;
    compare->at = ENDED;
    if (result == COMPARE_SAME)
        judge(compare);
    else
        compare->ret->result = result;
    if (err)
        compare->ret->err = *err;
    compare->done(compare->ctx);
}

/* Steps: the other side first, since it decides. */

static const struct target *target_at(const struct compare *compare, int side)
{
    return side == OTHER ? compare->spec.other : compare->spec.present;
}

/* The other service refuses, or its sign-in does. */
static void refused(struct compare *compare, const struct http_result *result, const struct err *err)
{
    struct err why = *err;
    bool forbidden = result && result->status == 403;

    if (forbidden && compare->lacks_permission)
        refusal_set(result, DIAGNOSIS_PERMISSION, compare->spec.other->api->permission, &why);
    finish(compare, forbidden || aad_code_in(err) == NO_CONSENT ? COMPARE_NO_PERMISSION : COMPARE_REFUSED, &why);
}

/* The side is done with. */
static void side_ended(struct compare *compare, enum alert_listing_end how, const struct http_result *result,
                       const struct err *err)
{
    static const struct err nothing = { .kind = ERR_RETRY };
    int side = compare->at;

    if (!err)
        err = &nothing;
    compare->errs[side] = *err;
    compare->is_listed[side] = how == ALERT_LISTING_WHOLE || how == ALERT_LISTING_CUT;
    compare->is_cut[side] = how == ALERT_LISTING_CUT;
    if (side == OTHER && how == ALERT_LISTING_REFUSED) {
        refused(compare, result, err);
    } else if (side == OTHER && how == ALERT_LISTING_FAILED) {
        finish(compare, COMPARE_UNKNOWN, err);
    } else if (side == OTHER) {
        compare->at = PRESENT;
        timer_set(compare->spec.loop, &compare->timer, clock_ms());
    } else if (!compare->is_listed[PRESENT]) {
        finish(compare, COMPARE_ANSWERS, err);
    } else {
        finish(compare, COMPARE_SAME, NULL);
    }
}

static void listing_done(void *ctx, enum alert_listing_end how, struct listed_alerts *alerts,
                         const struct http_result *result, const struct err *err)
{
    struct compare *compare = ctx;

    if (compare->at == ENDED)
        return;
    compare->lists[compare->at] = *alerts;
    *alerts = (struct listed_alerts){ .list = NULL };
    side_ended(compare, how, result, err);
}

static void look_at_token(struct compare *compare, const char *authorization)
{
    const struct api *api = compare->spec.other->api;
    struct claims claims;

    claims_read(authorization, &claims);
    compare->lacks_permission = api->permissions && claims.readable && !claims_hold(&claims, api->permissions);
    claims_release(&claims);
}

static void list_side(struct compare *compare, const char *authorization)
{
    const struct target *target = target_at(compare, compare->at);
    ticks now = compare->spec.now;

    if (compare->at == OTHER)
        look_at_token(compare, authorization);
    compare->listings[compare->at] =
        alert_listing_start(&(struct alert_listing_spec){ .loop = compare->spec.loop,
                                                          .http = compare->spec.http,
                                                          .route = compare->spec.route,
                                                          .api = target->api,
                                                          .base = target->base_url,
                                                          .filter = compare->spec.filter,
                                                          .authorization = authorization,
                                                          .from = ticks_back(now, (compare->spec.days + 1) * DAY_S),
                                                          .to = ticks_ahead(now, SETTLED_S) },
                            listing_done, compare);
}

static void step(struct compare *compare)
{
    struct token_view view;

    if (compare->at == ENDED || compare->listings[compare->at])
        return;
    switch (token_source_ask(compare->sources[compare->at], clock_ms(), &view)) {
    case TOKEN_BUSY: return;
    case TOKEN_FAILED:
        side_ended(compare, view.err->kind == ERR_AUTH ? ALERT_LISTING_REFUSED : ALERT_LISTING_FAILED, NULL, view.err);
        return;
    case TOKEN_READY: list_side(compare, view.authorization); return;
    }
}

static void token_changed(void *ctx)
{
    step(ctx);
}

static void timer_fired(void *ctx, int64_t now_ms UNUSED)
{
    step(ctx);
}

static void begin(void *ctx, int side)
{
    struct compare *compare = ctx;
    const struct target *target = target_at(compare, side);
    struct destination to = target_destination(target);
    CLEANUP(mem_freep) char *api = binding_api(&to);

    compare->sources[side] = token_source_get(compare->spec.principal, target->resource, target->api->v1_token, api);
    compare->listeners[side] = (struct token_listener){ .changed = token_changed, .ctx = compare };
    token_source_listen(compare->sources[side], &compare->listeners[side]);
}

struct compare *compare_start(const struct compare_spec *spec, struct compared *ret, void (*done)(void *ctx), void *ctx)
{
    struct compare *compare = mem_alloc(sizeof(*compare));

    *ret = (struct compared){ .present = spec->present->api, .other = spec->other->api, .days = spec->days };
    *compare = (struct compare){ .spec = *spec, .at = OTHER, .ret = ret, .done = done, .ctx = ctx };
    compare->timer = (struct timer){ .fire = timer_fired, .ctx = compare };
    begin(compare, PRESENT);
    begin(compare, OTHER);
    step(compare);
    return compare;
}

void compare_stop(struct compare *compare)
{
    struct err err;

    if (compare->at == ENDED)
        return;
    err_set(&err, ERR_RETRY, "there was no time to compare all of it");
    if (compare->listings[compare->at])
        alert_listing_stop(compare->listings[compare->at], &err);
    else
        finish(compare, COMPARE_UNKNOWN, &err);
    if (compare->at == PRESENT) /* the other side was cut short, and nobody waits for this one */
        finish(compare, COMPARE_UNKNOWN, &err);
}

void compare_free(struct compare *compare)
{
    int side;

    if (!compare)
        return;
    compare->at = ENDED;
    timer_cancel(compare->spec.loop, &compare->timer);
    for (side = PRESENT; side <= OTHER; side++) {
        alert_listing_free(compare->listings[side]);
        listed_alerts_release(&compare->lists[side]);
    }
    free(compare);
}

bool compare_options(const char *api, const char *days, int *api_kind, int *ret_days, struct err *err)
{
    int64_t number = DAYS_DEFAULT;

    if (days && !text_int64(days, 1, DAYS_MOST, &number))
        return err_set(err, ERR_INPUT, "--days %.40s: it should be a number from 1 to %d", days, DAYS_MOST);
    *ret_days = (int)number;
    *api_kind = -1;
    if (!api)
        return !days || err_set(err, ERR_INPUT, "--days goes with --compare only");
    if (text_same(api, api_graph.name))
        *api_kind = API_GRAPH;
    else if (text_same(api, api_endpoint.name))
        *api_kind = API_ENDPOINT;
    return *api_kind >= 0 ||
           err_set(err, ERR_INPUT, "--compare %.40s: it should be graph or endpoint, whose alerts have the same IDs",
                   api);
}
