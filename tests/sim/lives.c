/* The lives of the process, one after another, from the first start to the last verdict. */
#include <stdio.h>
#include <stdlib.h>

#include "command/run.h"
#include "machine.h"

#define HEALED_WITHIN (5 * HOUR) /* the longest pause after a refusal or a window that failed, and what follows */
#define LAST_LIFE     (10 * MINUTE)
#define STEADY        (16 * MINUTE) /* three pauses of five minutes in which calls of the KV store are tried again */
#define READER_LATE   450              /* how long a process that ends waits for the reader (docs/architecture.md) */

enum phase {
    PHASE_FAULTS,
    PHASE_HEALING, /* everything has to arrive */
    PHASE_LAST,    /* after one more restart nothing may come again */
    PHASE_OVER
};

static enum phase phase;
static int64_t began, deadline, stop_asked, life_began;

int64_t process_age(void)
{
    return now() - life_began;
}

void process_stop(void)
{
    if (machine_term())
        stop_asked = now();
}

bool process_is_stopping(void)
{
    return stop_asked;
}

bool process_waits_no_more(void)
{
    return stop_asked && now() >= stop_asked + READER_LATE;
}

/* Returns true if the process has lived without faults for a while: what failed before them is not given up. */
static bool is_steady(void)
{
    return machine_alive() && process_age() > STEADY && now() - began - plan.lasts > STEADY;
}

/* Looks once a minute whether the next phase has come. */
static void look(void *ctx, int64_t number)
{
    heap_check(reader_stalls_until + 5 * MINUTE > now());
    month_look();
    if (phase == PHASE_FAULTS && now() - began >= plan.lasts) {
        month_check();
        faults_end();
        phase = PHASE_HEALING;
        deadline = now() + HEALED_WITHIN + 3 * plan.poll_s * SECOND + plan.overlap_s * SECOND;
    } else if (phase == PHASE_HEALING && is_steady() && !ledger_missing(NEVER, false) && !faults_await_secret()) {
        if (!plan.month) /* it has no KV store */
            kv_check_age();
        phase = PHASE_LAST;
        process_stop();
    } else if (phase == PHASE_HEALING && now() > deadline) {
        int missing = ledger_missing(NEVER, true);

        broken("nothing_lost", "%d versions have not arrived %lld min after the last fault", missing,
               (long long)(now() - began - plan.lasts) / MINUTE);
    } else if (phase == PHASE_LAST && machine_alive() && process_age() > LAST_LIFE + 2 * plan.poll_s * SECOND) {
        if (!plan.month)
            kv_check();
        phase = PHASE_OVER;
        process_stop();
    }
    if (phase != PHASE_OVER)
        at(now() + MINUTE, look, ctx, number);
}

static void life_ends(int status)
{
    if (machine_dead()) {
        if (machine_lost_power()) {
            ledger_crash(now() - rng_between(luck(), 0, MINUTE));
            disk_power_loss();
        }
        reader_leaves(!machine_lost_power() && rng_chance(luck(), 0.5));
        return;
    }
    trace("the process has ended with status %d", status);
    if (!stop_asked && !pipe_closed() && !splunkd_session_lost())
        broken("alive", "the process has ended with status %d, and nobody asked it to", status);
    if (stop_asked)
        check_stop(stop_asked);
    if (splunkd_session_lost())
        faults_process_ends();
    if (stop_asked || splunkd_session_lost())
        ledger_stopped();
    reader_leaves(false);
}

static void one_life(void)
{
    counts->lives++;
    life_began = now();
    stop_asked = 0;
    trouble(NULL, now() + 3 * MINUTE);
    machine_boot();
    curl_boot();
    writer_boot();
    reader_boot();
    splunkd_boot();
    check_boot();
    faults_boot();
    heap_boot();
    trace("the process starts");
    life_ends(run_inputs());
    heap_end();
    machine_end();
}

void world_live(void)
{
    world_init();
    disk_init();
    customers_init();
    ledger_init();
    kv_init();
    faults_init();
    began = now();
    at(now() + MINUTE, look, NULL, 0);
    while (phase != PHASE_OVER) {
        one_life();
        world_run(now() + (faults_on() && rng_chance(luck(), 0.1) ? rng_between(luck(), MINUTE, 2 * HOUR)
                                                                  : rng_between(luck(), SECOND, 20 * SECOND)),
                  NULL);
    }
    counts->digest = trace_digest();
    counts->lived = now() - began;
    exit(0);
}
