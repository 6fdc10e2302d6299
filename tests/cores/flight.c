/* Calls on their way to the store and back. */
#include "world.h"

#define GIVES_UP_MS 4000

static struct flight *free_flight(struct world *w)
{
    for (size_t i = 0; i < FLIGHTS_MOST; i++)
        if (!w->flights[i].used) {
            if (i >= w->flights_end)
                w->flights_end = i + 1;
            return &w->flights[i];
        }
    return NULL;
}

static void end(struct flight *flight)
{
    cJSON_Delete(flight->tree);
    for (size_t i = 0; i < COUNT_OF(flight->texts); i++)
        free(flight->texts[i]);
    *flight = (struct flight){ 0 };
}

void flights_end(struct world *w, bool only_late)
{
    for (size_t i = 0; i < FLIGHTS_MOST; i++)
        if (w->flights[i].used && (!only_late || w->flights[i].answer_ms == INT64_MAX))
            end(&w->flights[i]);
}

/* Whoever made a table that comes late hears nothing of the others until about then, or is not heard either: it may be
 * back at the very moment at which a store that is unfit shows its table in the place of the others'. */
static void draw_silence(struct world *w, struct host *host, const struct flight *flight)
{
    int64_t ms = world_between(w, 0, 5000);

    if (w->plan.seed % 2 == 0 || flight->id % 2)
        host->deaf_ms = flight->done_ms - ms;
    else
        host->cut_ms = flight->done_ms + ms / 2;
}

/* Draws what becomes of a call. */
static void draw(struct world *w, struct host *host, struct flight *flight)
{
    const bool *faults = w->plan.faults;
    bool calm = w->now_ms >= w->plan.calm_ms, slow = !calm && world_chance(w, 0.03);
    int64_t gives_up = w->now_ms + (int64_t)(GIVES_UP_MS / host->rate);

    flight->done_ms = w->now_ms + world_between(w, 5, slow ? 3000 : 150);
    flight->answer_ms = flight->done_ms + world_between(w, 5, slow ? 900 : 150);
    flight->lags = w->plan.behind_ms || host->pinned_ms > w->now_ms || (faults[FAULT_LAG] && world_chance(w, 0.4));
    if (host->cut_ms > w->now_ms) {
        flight->fault = KVSTORE_AWAY;
        flight->answer_ms = world_chance(w, 0.5) ? gives_up : w->now_ms + 20;
        flight->done_ms = INT64_MAX;
    } else if (w->off_ms > w->now_ms) {
        flight->fault = KVSTORE_OFF;
        flight->done_ms = INT64_MAX;
    } else if (!calm && faults[FAULT_LOST] && world_chance(w, 0.05)) {
        flight->fault = KVSTORE_AWAY;
        flight->done_ms = INT64_MAX;
        flight->answer_ms = gives_up;
    } else if (host->deaf_ms > w->now_ms || (!calm && faults[FAULT_UNHEARD] && world_chance(w, 0.05))) {
        flight->fault = KVSTORE_AWAY;
        flight->answer_ms = gives_up;
    } else if (!calm && faults[FAULT_LATE] && store_is_write(&flight->call) &&
               world_chance(w, w->plan.duel && flight->call.kind == SHARE_CALL_INSERT ? 0.5 : 0.08)) {
        flight->fault = KVSTORE_AWAY;
        flight->answer_ms = gives_up;
        flight->done_ms = gives_up + world_between(w, 0, 90000);
        if (w->plan.duel && flight->call.kind == SHARE_CALL_INSERT)
            draw_silence(w, host, flight);
    }
}

static void count_call(struct host *host)
{
    host->calls_ms[host->calls++ % COUNT_OF(host->calls_ms)] = host->clock_ms;
}

void flight_count_save(const struct world *w, struct host *host)
{
    for (size_t i = 0; i < w->plan.inputs; i++)
        if (host->states[i] != SHARE_ELSEWHERE) {
            count_call(host);
            return;
        }
}

void flight_start(struct world *w, struct host *host, const struct share_call *call, bool awaited)
{
    struct flight *flight = free_flight(w);

    if (awaited)
        count_call(host);
    if (!flight) {
        world_fail(w, "too many calls are on their way");
        return;
    }
    *flight = (struct flight){ .used = true,
                               .call = *call,
                               .texts = { mem_text(call->key), mem_text(call->query), mem_text(call->body) },
                               .host = (int)(host - w->hosts),
                               .life = host->life,
                               .id = ++w->last_flight };
    flight->call.key = flight->texts[0];
    flight->call.query = flight->texts[1];
    flight->call.body = flight->texts[2];
    draw(w, host, flight);
    if (awaited)
        host->awaited = flight->id;
    else
        flight->fault = flight->fault ? flight->fault : KVSTORE_OK;
}

static void reach_store(struct world *w, struct flight *flight)
{
    bool heard = flight->fault == KVSTORE_OK;
    enum kvstore_fault fault = KVSTORE_OK;

    flight->done = true;
    if (store_is_write(&flight->call)) {
        fault = store_apply(&w->store, &flight->call);
        if (flight->call.kind == SHARE_CALL_INSERT && fault == KVSTORE_OK) {
            w->result.tables++;
            world_trace(w, "%s inserts %s", w->hosts[flight->host].name, flight->call.body);
        }
    } else if (heard) {
        fault = store_read(flight->lags ? &w->store.lag : &w->store.prime, &flight->call, &flight->tree).fault;
    }
    if (heard)
        flight->fault = fault;
}

void flights_step(struct world *w)
{
    while (w->flights_end && !w->flights[w->flights_end - 1].used)
        w->flights_end--;
    for (size_t i = 0; i < w->flights_end; i++) {
        struct flight *flight = &w->flights[i];
        struct host *host = &w->hosts[flight->host];

        if (!flight->used)
            continue;
        if (!flight->done && flight->done_ms <= w->now_ms)
            reach_store(w, flight);
        if (flight->answer_ms <= w->now_ms && (host->life != flight->life || host->awaited != flight->id))
            flight->answer_ms = INT64_MAX;
        if (flight->answer_ms <= w->now_ms && host_runs(w, host)) {
            flight->answer_ms = INT64_MAX;
            host_answer(w, host, flight);
        }
        if (flight->answer_ms == INT64_MAX && (flight->done || flight->done_ms == INT64_MAX))
            end(flight);
    }
}
