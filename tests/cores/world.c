#include "world.h"

#include <stdarg.h>
#include <stdio.h>

const char *const fault_names[FAULT_COUNT] = { "lost", "unheard", "late",     "kill",  "freeze", "cut", "deaf",
                                               "off",  "lag",     "rollback", "leave", "inputs", "wish" };

static uint64_t mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t world_random(void *world)
{
    struct world *w = world;

    return mixed(w->random += UINT64_C(0x9e3779b97f4a7c15));
}

int64_t world_between(struct world *w, int64_t least, int64_t most)
{
    return most <= least ? least : least + (int64_t)(world_random(w) % (uint64_t)(most - least + 1));
}

bool world_chance(struct world *w, double chance)
{
    return (double)(world_random(w) >> 11) / (double)(UINT64_C(1) << 53) < chance;
}

void world_trace(const struct world *w, const char *format, ...)
{
    va_list args;

    if (!w->traces)
        return;
    printf("%8.2f ", (double)w->now_ms / 1000);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

void world_fail(struct world *w, const char *format, ...)
{
    char *to = w->result.failure;
    size_t len;
    va_list args;

    if (*to)
        return;
    len = (size_t)snprintf(to, sizeof(w->result.failure), "at %.2f s ", (double)w->now_ms / 1000);
    va_start(args, format);
    vsnprintf(to + len, sizeof(w->result.failure) - len, format, args);
    va_end(args);
    world_trace(w, "FAILED: %s", to);
}

/* Each seed draws which faults it has: none, one in abundance, some, or all. */
struct plan plan_of(uint64_t seed)
{
    struct world w = { .random = mixed(seed + 1) };
    struct plan plan = { .seed = seed };
    int64_t mode = world_between(&w, 0, 9), only = world_between(&w, 0, FAULT_COUNT - 1);

    plan.hosts = (size_t)(world_chance(&w, 0.5) ? 2 : world_between(&w, 3, HOSTS_MOST));
    plan.inputs = (size_t)world_between(&w, 1, world_chance(&w, 0.3) ? INPUTS_MOST : 3);
    plan.quiet = mode == 0;
    plan.calm_ms = world_between(&w, 90, 300) * 1000;
    plan.every_ms = world_between(&w, 8, 60) * 1000;
    for (int i = 0; i < FAULT_COUNT; i++)
        plan.faults[i] = mode == 1 || (mode < 4 ? i == only : world_chance(&w, 0.4));
    plan.duel = mode == 4;
    for (int i = 0; i < FAULT_COUNT && plan.duel; i++)
        plan.faults[i] = i == FAULT_LATE || i == FAULT_DEAF || i == FAULT_WISH || (i == FAULT_LAG && plan.faults[i]);
    if (plan.duel) {
        plan.hosts = plan.inputs = 2;
        plan.every_ms = 12000;
        plan.calm_ms = 300000;
    }
    for (int i = 0; i < FAULT_COUNT && plan.quiet; i++)
        plan.faults[i] = i == FAULT_KILL || i == FAULT_FREEZE;
    if (plan.quiet)
        plan.every_ms = 100000;
    if (world_chance(&w, 0.1) && !plan.faults[FAULT_ROLLBACK]) {
        plan.behind_ms = world_between(&w, 1, 5000 / STEP_MS) * STEP_MS;
        plan.faults[FAULT_LAG] = false;
    }
    plan.faults[FAULT_LAG] = plan.faults[FAULT_LAG] || plan.faults[FAULT_ROLLBACK];
    plan.end_ms = plan.calm_ms + 230000;
    return plan;
}

static void start_again(struct world *w, struct host *host, int64_t most_ms)
{
    host_kill(w, host);
    host->starts_ms = w->now_ms + world_between(w, 500, most_ms);
}

static size_t alive(const struct world *w)
{
    size_t count = 0;

    for (size_t h = 0; h < w->plan.hosts; h++)
        count += !w->hosts[h].gone;
    return count;
}

static void wish(struct world *w, struct host *host, bool drains)
{
    static const char *const takes[] = { "", ",\\\"take\\\":[\\\"*\\\"]", ",\\\"take\\\":[\\\"a\\\"]" };
    const char *take = w->plan.duel && drains ? takes[world_between(w, 0, 2)] : "";
    char *text =
        mem_format("{\"_key\":\"g.wish.%s\",\"group\":\"g\",\"kind\":\"wish\",\"number\":0,\"id\":\"\",\"text\":"
                   "\"{\\\"drain\\\":%s%s}\"}",
                   host->name, drains && !*take ? "true" : "false", take);

    host->drains_ms = drains ? w->now_ms + world_between(w, 20000, 120000) : 0;
    store_put(&w->store, SHARE_COLLECTION, text);
    world_trace(w, "%s %s", host->name, drains ? "drains" : "drains no longer");
    free(text);
}

static void do_fault(struct world *w, struct host *host, enum fault fault)
{
    int64_t until = w->now_ms + world_between(w, 1000, world_chance(w, 0.5) ? 30000 : 120000);

    memset(w->unread_ms, 0, sizeof(w->unread_ms));
    world_trace(w, "fault: %s of %s until %.2f", fault_names[fault], host->name, (double)until / 1000);
    switch (fault) {
    case FAULT_KILL: start_again(w, host, w->plan.quiet ? 200000 : until - w->now_ms); break;
    case FAULT_FREEZE:
        host->frozen_ms = until;
        host->thawed_ms = (double)(until - w->now_ms) * host->rate > SHARE_FENCE_MS ? until : 0;
        break;
    case FAULT_CUT: host->cut_ms = until; break;
    case FAULT_DEAF: host->deaf_ms = until; break;
    case FAULT_OFF: w->off_ms = until; break;
    case FAULT_LAG: w->lags_ms = host->pinned_ms = until; break;
    case FAULT_ROLLBACK: /* of what was written until then */
        if (w->rollbacks || w->rolls_ms)
            break;
        w->rolls_ms = w->lags_ms = w->now_ms + world_between(w, 1000, 70000);
        break;
    case FAULT_LEAVE:
        if (alive(w) > 1) {
            host->gone = true;
            host_kill(w, host);
        }
        break;
    case FAULT_INPUTS:
        for (size_t i = 0; i < w->plan.inputs; i++)
            host->has[i] = world_chance(w, 0.6);
        start_again(w, host, 3000);
        break;
    case FAULT_WISH: wish(w, host, true); break;
    default: break;
    }
}

static void draw_fault(struct world *w)
{
    struct host *host = &w->hosts[world_between(w, 0, (int64_t)w->plan.hosts - 1)];
    enum fault fault = (enum fault)world_between(w, FAULT_KILL, FAULT_COUNT - 1);

    if (w->now_ms < w->next_fault_ms)
        return;
    w->next_fault_ms = w->now_ms + (w->plan.quiet ? w->plan.every_ms : world_between(w, 500, 2 * w->plan.every_ms));
    if (w->plan.quiet)
        fault = world_chance(w, 0.3) ? FAULT_FREEZE : FAULT_KILL;
    for (int tries = 0; !w->plan.faults[fault] && tries < 30; tries++)
        fault = (enum fault)world_between(w, FAULT_KILL, FAULT_COUNT - 1);
    if (w->plan.faults[fault] && host->core)
        do_fault(w, host, fault);
}

/* All that is broken is mended. */
static void begin_calm(struct world *w)
{
    world_trace(w, "calm");
    memset(w->unread_ms, 0, sizeof(w->unread_ms));
    w->off_ms = w->lags_ms = w->rolls_ms = 0;
    w->plan.faults[FAULT_LAG] = false;
    flights_end(w, true);
    for (size_t h = 0; h < w->plan.hosts; h++) {
        struct host *host = &w->hosts[h];

        if (host->frozen_ms > w->now_ms)
            host->thawed_ms = 0;
        host->frozen_ms = host->cut_ms = host->deaf_ms = host->pinned_ms = 0;
        if (w->plan.faults[FAULT_WISH])
            wish(w, host, false); /* the store may have lost that it drains no longer */
        if (!host->core && !host->gone)
            host_start(w, host);
    }
}

static void roll_back(struct world *w)
{
    world_trace(w, "%zu writes are lost", w->store.log_count);
    store_roll_back(&w->store);
    w->rolls_ms = 0;
    w->rollbacks++;
}

static void nodes_step(struct world *w)
{
    size_t step = (size_t)(w->now_ms / STEP_MS), ago = (size_t)(w->plan.behind_ms / STEP_MS);
    size_t applied = w->store.written - w->store.log_count;

    if (w->rolls_ms && w->rolls_ms <= w->now_ms)
        roll_back(w);
    w->written[step % COUNT_OF(w->written)] = w->store.written;
    if (ago) {
        size_t then = step > ago ? w->written[(step - ago) % COUNT_OF(w->written)] : 0;

        store_catch_up(&w->store, then > applied ? then - applied : 0);
    } else if (w->lags_ms <= w->now_ms) {
        store_catch_up(&w->store, w->plan.faults[FAULT_LAG] ? (size_t)world_between(w, 0, 6) : SIZE_MAX);
    } else if (world_chance(w, 0.02)) {
        store_catch_up(&w->store, (size_t)world_between(w, 1, 3));
    }
}

static void step(struct world *w)
{
    w->alerts = (int)(w->now_ms / 10000);
    for (size_t h = 0; h < w->plan.hosts; h++)
        host_tick(w, &w->hosts[h]);
    if (w->now_ms < w->plan.calm_ms)
        draw_fault(w);
    else if (w->now_ms - STEP_MS < w->plan.calm_ms)
        begin_calm(w);
    nodes_step(w);
    for (size_t h = 0; h < w->plan.hosts; h++) {
        struct host *host = &w->hosts[h];

        if (host->drains_ms && host->drains_ms <= w->now_ms)
            wish(w, host, false);
    }
    flights_step(w);
    for (size_t h = 0; h < w->plan.hosts; h++)
        host_step(w, &w->hosts[h]);
    for (size_t h = 0; h < w->plan.hosts; h++)
        host_look(w, &w->hosts[h]);
    promises_step(w);
}

struct result world_run(const struct plan *plan, const struct broken *broken, bool traces)
{
    struct world *w = mem_alloc(sizeof(*w));
    struct result result;

    *w = (struct world){ .plan = *plan, .broken = *broken, .traces = traces, .random = plan->seed };
    w->store.overwrites = broken->overwrites;
    w->next_fault_ms = plan->quiet ? 90000 : 20000;
    for (size_t h = 0; h < plan->hosts; h++) {
        struct host *host = &w->hosts[h];

        snprintf(host->name, sizeof(host->name), "hf%zu", h + 1);
        host->rate = (double)world_between(w, 900, 1100) / 1000;
        host->offset_ms = world_between(w, 0, 1000000);
        host->starts_ms = 1 + (h && !plan->quiet ? world_between(w, 0, world_chance(w, 0.5) ? 10000 : 100000) : 0);
        memset(host->has, true, sizeof(host->has));
    }
    for (; w->now_ms < plan->end_ms && !w->result.failure[0]; w->now_ms += STEP_MS)
        step(w);
    if (!w->result.failure[0])
        promises_end(w);
    result = w->result;
    for (size_t h = 0; h < plan->hosts; h++)
        share_core_free(w->hosts[h].core);
    flights_end(w, false);
    store_free(&w->store);
    free(w);
    return result;
}
