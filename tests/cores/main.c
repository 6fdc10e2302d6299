/* Forwarders that share inputs, in virtual time, from random seeds. docs/sharing.md says what is checked.
 *
 * usage: sharing [--from SEED] [--seeds N] [--jobs N] [--seed SEED] [--break overwrites|unsafe] */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

#define FAILURES_TOLD 5 /* by each process */

/* What the seeds of one process came to. */
struct total {
    struct result all;
    uint64_t failed;
};

static void widen_ms(int64_t *all, int64_t one)
{
    *all = one > *all ? one : *all;
}

static void widen(struct result *all, const struct result *one)
{
    widen_ms(&all->together_ms, one->together_ms);
    widen_ms(&all->takeover_ms, one->takeover_ms);
    widen_ms(&all->behind_ms, one->behind_ms);
    widen_ms(&all->settled_ms, one->settled_ms);
    all->calls_quiet = one->calls_quiet > all->calls_quiet ? one->calls_quiet : all->calls_quiet;
    all->calls_trouble = one->calls_trouble > all->calls_trouble ? one->calls_trouble : all->calls_trouble;
    all->repeats += one->repeats;
    all->tables += one->tables;
}

static void tell_plan(const struct plan *plan)
{
    printf("seed %llu: %zu forwarders, %zu inputs, calm at %lld s, faults:", (unsigned long long)plan->seed,
           plan->hosts, plan->inputs, (long long)plan->calm_ms / 1000);
    if (plan->behind_ms)
        printf(" reads %lld ms behind", (long long)plan->behind_ms);
    for (int i = 0; i < FAULT_COUNT; i++)
        if (plan->faults[i])
            printf(" %s", fault_names[i]);
    putchar('\n');
}

static int replay(uint64_t seed, const struct broken *broken)
{
    struct plan plan = plan_of(seed);
    struct result result;

    tell_plan(&plan);
    result = world_run(&plan, broken, true);
    printf("%s\n", result.failure[0] ? result.failure : "good");
    return result.failure[0] != '\0';
}

/* Runs every step-th seed. */
static struct total run_some(uint64_t from, uint64_t end, uint64_t step, const struct broken *broken)
{
    struct total total = { 0 };

    for (uint64_t seed = from; seed < end; seed += step) {
        struct plan plan = plan_of(seed);
        struct result result = world_run(&plan, broken, false);

        widen(&total.all, &result);
        if (!result.failure[0])
            continue;
        if (total.failed++ < FAILURES_TOLD) {
            printf("FAILED seed %llu: %s\n", (unsigned long long)seed, result.failure);
            fflush(stdout);
        }
    }
    return total;
}

/* Runs the seeds in several processes at once. Returns false if one of them did not come to its end. */
static bool run_at_once(uint64_t from, uint64_t seeds, uint64_t jobs, const struct broken *broken, struct total *ret)
{
    bool ended = true;
    int ends[2];

    if (pipe(ends) < 0)
        return false;
    for (uint64_t job = 0; job < jobs; job++)
        if (!fork()) {
            struct total total = run_some(from + job, from + seeds, jobs, broken);

            _exit(write(ends[1], &total, sizeof(total)) != sizeof(total));
        }
    close(ends[1]);
    for (uint64_t job = 0; job < jobs; job++) {
        struct total total;

        if (read(ends[0], &total, sizeof(total)) != sizeof(total))
            ended = false;
        else {
            widen(&ret->all, &total.all);
            ret->failed += total.failed;
        }
    }
    close(ends[0]);
    while (wait(NULL) > 0)
        continue;
    return ended;
}

/* Runs the seeds. Ends with the line "N passed, N failed". */
static int run(uint64_t from, uint64_t seeds, uint64_t jobs, const struct broken *broken)
{
    struct total total = { 0 };
    const struct result *all = &total.all;

    if (jobs < 2)
        total = run_some(from, from + seeds, 1, broken);
    else if (!run_at_once(from, seeds, jobs, broken, &total)) {
        printf("FAILED: a process with some of the seeds did not come to its end\n");
        total.failed++;
    }
    printf(
        "%llu worlds from seed %llu on: two readers for %.1f s at most (with a rollback), takeover %.1f s, %.1f s with old\n"
        "reads, settled %.1f s after the last fault, %d calls a minute, %d in trouble, %d tables, %d alerts twice\n",
        (unsigned long long)seeds, (unsigned long long)from, (double)all->together_ms / 1000,
        (double)all->takeover_ms / 1000, (double)all->behind_ms / 1000, (double)all->settled_ms / 1000,
        all->calls_quiet, all->calls_trouble, all->tables, all->repeats);
    printf("%llu passed, %llu failed\n", (unsigned long long)(seeds - total.failed), (unsigned long long)total.failed);
    return total.failed != 0;
}

int main(int argc, char **argv)
{
    struct broken broken = { 0 };
    int64_t from = 0, seeds = 1000, seed = -1, jobs = 1;

    json_init();
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];

        if (!strcmp(name, "--from"))
            text_int64(value, 0, INT64_MAX / 2, &from);
        else if (!strcmp(name, "--seeds"))
            text_int64(value, 1, INT64_MAX / 2, &seeds);
        else if (!strcmp(name, "--seed"))
            text_int64(value, 0, INT64_MAX / 2, &seed);
        else if (!strcmp(name, "--jobs"))
            text_int64(value, 1, 64, &jobs);
        else if (!strcmp(name, "--break"))
            broken = (struct broken){ .overwrites = !strcmp(value, "overwrites"), .unsafe = !strcmp(value, "unsafe") };
    }
    return seed >= 0 ? replay((uint64_t)seed, &broken) : run((uint64_t)from, (uint64_t)seeds, (uint64_t)jobs, &broken);
}
