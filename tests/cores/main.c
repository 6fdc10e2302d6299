/* Forwarders that share inputs, in virtual time, from random seeds. docs/sharing.md says what is checked.
 *
 * usage: sharing [--from SEED] [--seeds N] [--seed SEED] [--break overwrites|unsafe] */
#include <stdio.h>

#include "world.h"

static void widen(struct result *all, const struct result *one)
{
    all->together_ms = one->together_ms > all->together_ms ? one->together_ms : all->together_ms;
    all->takeover_ms = one->takeover_ms > all->takeover_ms ? one->takeover_ms : all->takeover_ms;
    all->settled_ms = one->settled_ms > all->settled_ms ? one->settled_ms : all->settled_ms;
    all->calls_a_minute = one->calls_a_minute > all->calls_a_minute ? one->calls_a_minute : all->calls_a_minute;
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

/* Runs the seeds. Ends with the line "N passed, N failed". */
static int run(uint64_t from, uint64_t seeds, const struct broken *broken)
{
    struct result all = { 0 };
    uint64_t failed = 0;

    for (uint64_t seed = from; seed < from + seeds; seed++) {
        struct plan plan = plan_of(seed);
        struct result result = world_run(&plan, broken, false);

        widen(&all, &result);
        if (!result.failure[0])
            continue;
        failed++;
        if (failed <= 5)
            printf("FAILED seed %llu: %s\n", (unsigned long long)seed, result.failure);
    }
    printf(
        "%llu worlds: two readers %.1f s at most (with a rollback), takeover %.1f s, settled %.1f s after the last fault,\n"
        "%d calls a minute, %d tables, %d alerts twice\n",
        (unsigned long long)seeds, (double)all.together_ms / 1000, (double)all.takeover_ms / 1000,
        (double)all.settled_ms / 1000, all.calls_a_minute, all.tables, all.repeats);
    printf("%llu passed, %llu failed\n", (unsigned long long)(seeds - failed), (unsigned long long)failed);
    return failed != 0;
}

int main(int argc, char **argv)
{
    struct broken broken = { 0 };
    int64_t from = 0, seeds = 1000, seed = -1;

    json_init();
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];

        if (!strcmp(name, "--from"))
            text_int64(value, 0, INT64_MAX / 2, &from);
        else if (!strcmp(name, "--seeds"))
            text_int64(value, 1, INT64_MAX / 2, &seeds);
        else if (!strcmp(name, "--seed"))
            text_int64(value, 0, INT64_MAX / 2, &seed);
        else if (!strcmp(name, "--break"))
            broken = (struct broken){ .overwrites = !strcmp(value, "overwrites"), .unsafe = !strcmp(value, "unsafe") };
    }
    return seed >= 0 ? replay((uint64_t)seed, &broken) : run((uint64_t)from, (uint64_t)seeds, &broken);
}
