/* Runs worlds of many seeds, each in a process of its own, and shrinks one that fails.
 *
 * usage: sim [--seed N] [--seeds COUNT] [--seconds S] [--cpu S] [--shrink] [--first] [WORD ...]
 *
 * --cpu: ends after so many seconds of CPU time, which a busy machine does not shorten.
 *
 * WORDs change the plan that the seed draws (plan_set()). The last line is "N passed, N failed". */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

#define RUN_MOST_S 120 /* of CPU; twenty times as much on a busy machine */
#define MONTH_MOST_S 3600

static struct counts total;
/* What the worlds of a kind took: [plan.quiet]. A customer-day is a day of virtual time in the life of one customer. */
static struct {
    double cpu_s, days;
    unsigned long long requests;
} used[2];

static double cpu_s(void)
{
    struct rusage usage;

    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void live(bool quiet)
{
    rlim_t most_s = plan.month ? MONTH_MOST_S : RUN_MOST_S;
    struct rlimit most = { most_s, most_s };

    setenv("TZ", "UTC", 1);
    setenv("SPLUNK_HOME", SIM_HOME, 1);
    if (quiet && !freopen("/dev/null", "w", stdout))
        _exit(3);
    if (quiet && !freopen("/dev/null", "w", stderr))
        _exit(3);
    setrlimit(RLIMIT_CPU, &most);
    alarm(20 * (unsigned)most_s);
    world_live();
}

static int run_once(bool quiet)
{
    int status = 0;
    pid_t child;

    memset(counts, 0, sizeof(*counts));
    fflush(stdout);
    child = fork();
    if (child == 0)
        live(quiet);
    waitpid(child, &status, 0);
    return status;
}

/* Runs the world of `plan`. Returns true if every property holds. A trace costs a tenth of the time, so of many worlds
 * only those that fail run again with one. */
static bool run(bool quiet)
{
    int status = run_once(quiet);

    if (status && !trace_kept && !quiet) {
        trace_kept = true;
        if (!run_once(quiet)) {
            snprintf(counts->property, sizeof(counts->property), "same_again");
            printf("FAILED property=same_again: the world failed, and did not when it was run once more\n");
            plan_print(&plan);
        }
        trace_kept = false;
    }
    if (status && !counts->property[0]) {
        snprintf(counts->property, sizeof(counts->property), "%s",
                 WIFSIGNALED(status) && (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGKILL) ? "ends"
                                                                                                 : "crash");
        if (!quiet) {
            printf("FAILED property=%s: the run ended with status %d\n", counts->property, status);
            plan_print(&plan);
        }
    }
    return !status;
}

static void add_up(double cpu)
{
    used[plan.quiet].cpu_s += cpu;
    used[plan.quiet].days += (double)counts->lived * plan.customers / (double)DAY;
    used[plan.quiet].requests += counts->requests;
    total.tokens += counts->tokens;
    total.events += counts->events;
    total.heap = total.heap > counts->heap ? total.heap : counts->heap;
    total.repeats += counts->repeats;
    total.lives += counts->lives;
    total.kills += counts->kills;
    total.rounds += counts->rounds;
    for (int i = 0; i < FAULT_COUNT; i++)
        total.faults[i] += counts->faults[i];
}

/* Shrinking: takes away what is not needed for the same property to break. */

static bool still_fails(const struct plan *smaller, const char *property)
{
    struct plan before = plan;

    plan = *smaller;
    if (!run(true) && !strcmp(counts->property, property))
        return true;
    plan = before;
    return false;
}

static bool shrink_numbers(const char *property)
{
    struct plan less = plan;
    bool any = false;

    less.customers = plan.customers / 2;
    any = (less.customers && still_fails(&less, property)) || any;
    less = plan;
    less.alerts = plan.alerts / 2;
    any = (less.alerts && still_fails(&less, property)) || any;
    less = plan;
    less.lasts = plan.lasts / 2 / MINUTE * MINUTE;
    any = (less.lasts >= MINUTE && still_fails(&less, property)) || any;
    return any;
}

static bool shrink_faults(const char *property)
{
    bool any = false;

    for (int i = 0; i < FAULT_COUNT; i++) {
        struct plan less = plan;

        less.rate[i] = 0;
        if (plan.rate[i] > 0 && still_fails(&less, property))
            any = true;
    }
    return any;
}

static void shrink(void)
{
    char property[sizeof(counts->property)];

    strcpy(property, counts->property);
    printf("shrinking %s\n", property);
    while (shrink_faults(property) | shrink_numbers(property))
        ;
    plan.trace = false;
    run(false);
}

/* Reports. */

static void report_speed(const char *kind, double days, unsigned long long requests, double cpu)
{
    if (cpu > 0 && days > 0)
        printf("%s: %.0f customer-days, %llu polls, %.1f s of CPU: %.0f customer-days and %.0f polls a CPU minute\n",
               kind, days, requests, cpu, days * 60 / cpu, (double)requests * 60 / cpu);
}

static void report(int passed, int failed)
{
    printf("faults:");
    for (int i = 0; i < FAULT_COUNT; i++)
        printf(" %s=%llu", fault_name((enum fault)i), (unsigned long long)total.faults[i]);
    printf("\n%llu tokens, %llu events, %llu repeats, %llu lives, %llu kills, %llu rounds of the loop\n",
           (unsigned long long)total.tokens, (unsigned long long)total.events, (unsigned long long)total.repeats,
           (unsigned long long)total.lives, (unsigned long long)total.kills, (unsigned long long)total.rounds);
    report_speed("busy worlds", used[false].days, used[false].requests, used[false].cpu_s);
    report_speed("quiet worlds", used[true].days, used[true].requests, used[true].cpu_s);
    report_speed("all", used[false].days + used[true].days, used[false].requests + used[true].requests,
                 used[false].cpu_s + used[true].cpu_s);
    printf("most heap: %.1f MB\n", (double)total.heap / 1048576);
    printf("%d passed, %d failed\n", passed, failed);
}

static bool plan_words(char **words, int count)
{
    for (int i = 0; i < count; i++)
        if (!plan_set(&plan, words[i])) {
            fprintf(stderr, "unknown: %s\n", words[i]);
            return false;
        }
    return true;
}

struct options {
    uint64_t seed;
    long seeds, seconds, cpu;
    bool shrink, first; /* first: the end is the first seed that fails */
    int words;          /* index of the first */
};

static struct options read_options(int argc, char **argv)
{
    struct options ret = { .seed = 1, .seeds = 1 };
    int i;

    for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i++) {
        if (!strcmp(argv[i], "--shrink"))
            ret.shrink = true;
        else if (!strcmp(argv[i], "--first"))
            ret.first = true;
        else if (i + 1 == argc)
            break;
        else if (!strcmp(argv[i], "--seed"))
            ret.seed = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--seeds"))
            ret.seeds = atol(argv[++i]);
        else if (!strcmp(argv[i], "--seconds"))
            ret.seconds = atol(argv[++i]);
        else if (!strcmp(argv[i], "--cpu"))
            ret.cpu = atol(argv[++i]);
    }
    ret.words = i;
    if (ret.seconds || ret.cpu)
        ret.seeds = INT32_MAX;
    return ret;
}

/* end: when --seconds are over. */
static bool goes_on(const struct options *options, long done, int failed, time_t end)
{
    return done < options->seeds && (!options->seconds || time(NULL) < end) &&
           (!options->cpu || cpu_s() < (double)options->cpu) && !(options->first && failed);
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    time_t end = time(NULL) + options.seconds;
    int passed = 0, failed = 0;
    double before;

    trace_kept = options.seeds == 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (long i = 0; goes_on(&options, i, failed, end); i++) {
        plan = plan_of(options.seed + (uint64_t)i);
        if (!plan_words(argv + options.words, argc - options.words))
            return 2;
        before = cpu_s();
        if (run(false)) {
            passed++;
        } else {
            failed++;
            if (options.shrink)
                shrink();
        }
        add_up(cpu_s() - before);
        if (options.seeds == 1)
            printf("digest %016llx\n", (unsigned long long)counts->digest);
    }
    report(passed, failed);
    return failed != 0;
}
