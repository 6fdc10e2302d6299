/* What has to be true at every step, and at the end. */
#include <stdio.h>

#include "world.h"

#define SLOWEST     0.9
#define TOGETHER_MS (2 * SHARE_FENCE_MS) /* with one rollback */
#define TAKEOVER_MS 60000
#define OLD_MS      57000 /* and twice the age of the reads: silence, wait, two rounds, on slow clocks; and calls */
#define UNREAD_MS   90000 /* after the last fault */
#define MOVE_MS     40000 /* until a planned move is over */
#define CALLS_MOST  40
#define KEPT_MS     120000

static size_t readers_of(const struct world *w, size_t input, bool alone_too)
{
    size_t readers = 0;

    for (size_t h = 0; h < w->plan.hosts; h++) {
        enum share_state state = w->hosts[h].states[input];

        readers += state == SHARE_READING || (alone_too && state == SHARE_ALONE);
    }
    return readers;
}

static void check_two(struct world *w, size_t input)
{
    if (readers_of(w, input, false) < 2)
        return;
    if (!w->rollbacks)
        world_fail(w, "two read input %zu", input);
    w->result.together_ms += STEP_MS;
    if ((double)w->result.together_ms * SLOWEST > (double)TOGETHER_MS * w->rollbacks * (double)w->plan.inputs)
        world_fail(w, "two read the same input for %lld ms after a rollback", (long long)w->result.together_ms);
}

void promises_look(struct world *w, const struct host *host)
{
    if (!host->thawed_ms || w->now_ms - host->thawed_ms >= SHARE_ALONE_MS / 2)
        return;
    for (size_t i = 0; i < w->plan.inputs; i++)
        if (host_state(w, host, i) == SHARE_ALONE)
            world_fail(w, "%s was frozen and counts as alone", host->name);
}

static bool somebody_has(const struct world *w, size_t input)
{
    for (size_t h = 0; h < w->plan.hosts; h++)
        if (host_runs(w, &w->hosts[h]) && w->hosts[h].has[input])
            return true;
    return false;
}

/* Two waits of 20 s are 44.4 s by clocks that are a tenth slow, and a heartbeat and a table may each just miss a round:
 * with reads that are old, the last heartbeat and the table are seen so much later. */
static int64_t takeover_most(const struct world *w)
{
    int64_t old_ms = OLD_MS + 2 * w->plan.behind_ms;

    return old_ms > TAKEOVER_MS ? old_ms : TAKEOVER_MS;
}

/* In a world with nothing but deaths and freezes, somebody reads again in time. */
static void check_takeover(struct world *w, size_t input)
{
    bool read = readers_of(w, input, true) > 0;
    int64_t *longest = w->plan.behind_ms ? &w->result.behind_ms : &w->result.takeover_ms;

    if (read && w->unread_ms[input] > *longest && w->plan.quiet)
        *longest = w->unread_ms[input];
    w->unread_ms[input] = read || !somebody_has(w, input) ? 0 : w->unread_ms[input] + STEP_MS;
    if (w->plan.quiet && w->unread_ms[input] > takeover_most(w))
        world_fail(w, "nobody reads input %zu for %lld ms", input, (long long)w->unread_ms[input]);
}

static void check_calls(struct world *w, const struct host *host)
{
    size_t most = COUNT_OF(host->calls_ms), kept = host->calls < most ? host->calls : most;
    int calls = 0, *most_calls = w->plan.quiet ? &w->result.calls_quiet : &w->result.calls_trouble;

    for (size_t i = 0; i < kept; i++)
        calls += host->clock_ms - host->calls_ms[i] < MINUTE_MS;
    if (calls > *most_calls)
        *most_calls = calls;
    if (calls > CALLS_MOST)
        world_fail(w, "%s makes %d calls in a minute", host->name, calls);
}

/* Returns true if the host may have died so often that it gets nothing for a while. */
static bool barred(const struct world *w, size_t host)
{
    for (size_t h = 0; h < w->plan.hosts; h++)
        if (w->hosts[h].deaths[host] >= 3)
            return true;
    return false;
}

/* Returns true if each input has one reader, and nobody has two less than one who could give to him. */
static bool equal(const struct world *w, char why[64])
{
    size_t held[HOSTS_MOST] = { 0 };

    for (size_t i = 0; i < w->plan.inputs; i++) {
        if (somebody_has(w, i) && readers_of(w, i, true) != 1) {
            snprintf(why, 64, "input %zu has %zu readers", i, readers_of(w, i, true));
            return false;
        }
        for (size_t h = 0; h < w->plan.hosts; h++)
            held[h] += w->hosts[h].states[i] == SHARE_READING;
    }
    for (size_t i = 0; i < w->plan.inputs; i++)
        for (size_t a = 0; a < w->plan.hosts; a++)
            for (size_t b = 0; b < w->plan.hosts; b++)
                if (w->hosts[a].states[i] == SHARE_READING && host_runs(w, &w->hosts[b]) && w->hosts[b].has[i] &&
                    held[a] > held[b] + 1 && !barred(w, b)) {
                    snprintf(why, 64, "%s has %zu, %s has %zu", w->hosts[a].name, held[a], w->hosts[b].name, held[b]);
                    return false;
                }
    return true;
}

/* After the last fault. */
static void check_calm(struct world *w)
{
    int64_t calm_ms = w->now_ms - w->plan.calm_ms;

    for (size_t i = 0; i < w->plan.inputs; i++) {
        if (w->unread_ms[i] > w->result.settled_ms)
            w->result.settled_ms = w->unread_ms[i];
        if (w->unread_ms[i] > UNREAD_MS)
            world_fail(w, "after the last fault nobody reads input %zu for %lld ms", i, (long long)w->unread_ms[i]);
        if (calm_ms > SHARE_ALONE_MS && readers_of(w, i, true) > 1)
            world_fail(w, "two read input %zu, %lld s after the last fault", i, (long long)calm_ms / 1000);
    }
    if (equal(w, w->unequal))
        w->equal_ms = w->now_ms;
    if (w->now_ms + STEP_MS >= w->plan.end_ms && w->equal_ms < w->now_ms - MOVE_MS)
        world_fail(w, "%lld s after the last fault %s", (long long)calm_ms / 1000, w->unequal);
}

void promises_step(struct world *w)
{
    for (size_t i = 0; i < w->plan.inputs; i++) {
        check_two(w, i);
        check_takeover(w, i);
    }
    if (w->now_ms % 1000 == 0)
        for (size_t h = 0; h < w->plan.hosts; h++)
            check_calls(w, &w->hosts[h]);
    if (w->now_ms > w->plan.calm_ms)
        check_calm(w);
}

void promises_end(struct world *w)
{
    int until = w->alerts - KEPT_MS / 10000;

    for (size_t i = 0; i < w->plan.inputs; i++)
        for (int k = 1; k <= until && somebody_has(w, i); k++)
            if (!w->kept[i][k])
                world_fail(w, "alert %d of input %zu is lost", k, i);
}
