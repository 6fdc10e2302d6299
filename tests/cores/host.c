/* A forwarder: a clock of its own, and a core that lives, freezes and dies. */
#include <stdio.h>

#include "world.h"

void host_tick(const struct world *w, struct host *host)
{
    host->clock_ms = host->offset_ms + (int64_t)((double)w->now_ms * host->rate);
}

bool host_runs(const struct world *w, const struct host *host)
{
    return host->core && host->frozen_ms <= w->now_ms;
}

enum share_state host_state(const struct world *w, const struct host *host, size_t input)
{
    return host_runs(w, host) && host->has[input] ? share_core_state(host->core, host->number[input], host->clock_ms)
                                                  : SHARE_ELSEWHERE;
}

void host_start(struct world *w, struct host *host)
{
    const char *names[INPUTS_MOST];
    static const char *const all[INPUTS_MOST] = { "a", "b", "c", "d", "e", "f" };
    size_t count = 0;

    for (size_t i = 0; i < w->plan.inputs; i++)
        if (host->has[i]) {
            host->number[i] = count;
            names[count++] = all[i];
        }
    host->life++;
    host->awaited = 0;
    host->calls = 0;
    host->starts_ms = host->frozen_ms = host->thawed_ms = 0;
    host->core = share_core_new(&(struct share_core_spec){ .group = "g",
                                                           .forwarder = host->name,
                                                           .program = "1",
                                                           .now_ms = host->clock_ms,
                                                           .random = world_random,
                                                           .ctx = w },
                                names, count);
    for (size_t i = 0; i < w->plan.inputs; i++) {
        host->readings[i] = (struct reading){ 0 };
        if (host->has[i] && host->kept[i].since[0])
            share_core_restore(host->core, host->number[i], host->kept[i].since, host->kept[i].number);
    }
    world_trace(w, "%s starts with %zu inputs", host->name, count);
}

void host_kill(struct world *w, struct host *host)
{
    if (!host->core)
        return;
    for (size_t i = 0; i < w->plan.inputs; i++)
        reading_dies(w, host, i);
    share_core_free(host->core);
    host->core = NULL;
    world_trace(w, "%s dies", host->name);
}

/* What the file beside the checkpoints says: under which since each input was read. */
static void keep(struct world *w, struct host *host)
{
    for (size_t i = 0; i < w->plan.inputs; i++) {
        const struct reading *reading = &host->readings[i];

        memcpy(host->kept[i].since, reading->reads ? reading->since : "", reading->reads ? SHARE_ID_MAX : 1);
        host->kept[i].number = reading->number;
    }
}

static void tell(struct world *w, struct host *host)
{
    static const char *const words[] = { "joined",      "taken", "given",     "paused", "alone",    "back",      "dead",
                                         "rolled back", "twin",  "twin gone", "newer",  "left out", "bad record" };
    struct share_event event;

    while (share_core_take_event(host->core, &event)) {
        world_trace(w, "%s: %s %zu %s (%s)", host->name, words[event.kind], event.count, event.from, event.why);
        for (size_t h = 0; h < w->plan.hosts && event.kind == SHARE_EVENT_DEAD; h++)
            host->deaths[h] += !strcmp(event.from, w->hosts[h].name);
        if (event.kind == SHARE_EVENT_TWIN || event.kind == SHARE_EVENT_BAD_RECORD || event.kind == SHARE_EVENT_NEWER)
            world_fail(w, "%s tells of a %s, which nobody made: %s", host->name, words[event.kind], event.from);
    }
}

void host_answer(struct world *w, struct host *host, struct flight *flight)
{
    struct kvstore_answer answer = { .fault = flight->fault };
    const struct share_call *next;

    if (flight->call.kind == SHARE_CALL_FIND)
        answer.rows = flight->tree;
    else
        answer.record = flight->tree;
    host->awaited = 0;
    next = share_core_answered(host->core, &answer, host->clock_ms);
    if (next)
        flight_start(w, host, next, true);
    else if (!share_core_is_busy(host->core))
        flight_count_save(w, host);
}

void host_step(struct world *w, struct host *host)
{
    if (!host->core && host->starts_ms && host->starts_ms <= w->now_ms)
        host_start(w, host);
    if (!host_runs(w, host))
        return;
    promises_look(w, host);
    for (size_t i = 0; i < w->plan.inputs; i++)
        reading_step(w, host, i);
    if (!host->awaited && share_core_round_ms(host->core) <= host->clock_ms)
        flight_start(w, host, share_core_begin(host->core, host->clock_ms), true);
    tell(w, host);
    keep(w, host);
}

void host_look(const struct world *w, struct host *host)
{
    for (size_t i = 0; i < w->plan.inputs; i++)
        host->states[i] = host_state(w, host, i);
}
