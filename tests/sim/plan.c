/* What a run consists of. Each seed draws which faults it has: one in abundance, those of a subject in abundance, some,
 * all, or none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* The chance of a request, or how many in an hour. Over weeks, what would be an emergency comes a twelfth as often. */
static double usual_rate(const struct plan *p, enum fault fault, struct rng *rng)
{
    double share = (double)rng_between(rng, 5, 100) / 100, rare = p->quiet ? 12 : 1;

    if (fault < FAULT_refused)
        return 0.04 * share / (p->quiet ? 2 : 1);
    return (fault >= FAULT_stop ? 0.4 : 0.5) * share / rare;
}

/* Faults that do their harm together, one after another. `until`: seeds of that hundredth, from the one before it on. */
enum subject { SUBJECT_NONE, SUBJECT_ENDS, SUBJECT_CLOCKS, SUBJECT_RECORDS, SUBJECT_COUNT };

static const struct {
    const char *name;
    int until;
    enum fault faults[4];
} subjects[SUBJECT_COUNT] = {
    [SUBJECT_NONE] = { "none", 5, { 0 } },
    /* What was saved last, and is it there: the disk is often slow. */
    [SUBJECT_ENDS] = { "ends", 13, { FAULT_stop, FAULT_kill, FAULT_power_loss, FAULT_disk_slow } },
    [SUBJECT_CLOCKS] = { "clocks", 17, { FAULT_wrong_date, FAULT_clock_jump, FAULT_stop, FAULT_poison } },
    [SUBJECT_RECORDS] = { "records", 21, { FAULT_poison, FAULT_bad_record, FAULT_coarse, FAULT_outage } },
};

static bool has_fault(enum subject subject, enum fault fault)
{
    for (size_t i = 0; i < sizeof(subjects->faults) / sizeof(*subjects->faults); i++)
        if (subject != SUBJECT_NONE && subjects[subject].faults[i] == fault)
            return true;
    return false;
}

/* Some disks are slow, and a few so much that the last save before an end is not synced. */
static void draw_disk(struct plan *ret, enum subject subject)
{
    struct rng own = rng_of(ret->seed, "disk speed", 0);
    int64_t kind = rng_between(&own, 0, 99);

    if (kind < (subject == SUBJECT_ENDS ? 80 : 5) && !ret->quiet) /* the saves of many customers are made one after another */
        ret->save_ms = rng_between(&own, 700, 3000);
    else
        ret->save_ms = kind < 70 ? 30 : rng_between(&own, 30, 600);
}

/* Returns what the faults are about; SUBJECT_COUNT: no subject. */
static enum subject subject_of(int64_t mode)
{
    int ret = 0;

    while (ret < SUBJECT_COUNT && mode >= subjects[ret].until)
        ret++;
    return (enum subject)ret;
}

/* about: SUBJECT_COUNT: what the seed draws. */
static void draw_faults(struct plan *ret, struct rng *rng, enum subject about)
{
    int64_t mode = rng_between(rng, 0, 99);
    int only = (int)rng_between(rng, 0, FAULT_COUNT - 1), i;
    enum subject subject = about < SUBJECT_COUNT ? about : subject_of(mode);
    bool is_subject = subject < SUBJECT_COUNT, single = !is_subject && mode < 35, some = !is_subject && !single && mode < 75;

    for (i = 0; i < FAULT_COUNT; i++) {
        double rate = usual_rate(ret, (enum fault)i, rng);

        if ((is_subject && !has_fault(subject, (enum fault)i)) || (single && i != only) || (some && !rng_chance(rng, 0.25)))
            continue;
        ret->rate[i] = is_subject || single ? rate * 6 : rate;
    }
    draw_disk(ret, subject);
}

/* Many customers with few alerts, weeks, and polls that are far apart. */
static void draw_quiet(struct plan *ret, struct rng *rng)
{
    static const int64_t polls[] = { 1800, 3600, 3600, 7200 };

    ret->quiet = true;
    ret->customers = (int)rng_between(rng, 20, 80);
    ret->alerts = (int)rng_between(rng, 4, 60);
    ret->poll_s = polls[rng_between(rng, 0, 3)];
    ret->lasts = rng_between(rng, 4 * 24, 24 * 24) * HOUR;
}

static void draw_busy(struct plan *ret, struct rng *rng)
{
    static const int64_t polls[] = { 60, 60, 60, 300, 300, 900, 20, 10 };

    ret->customers = (int)rng_between(rng, 1, 6);
    ret->alerts = (int)rng_between(rng, 10, rng_chance(rng, 0.15) ? 1500 : 150);
    ret->poll_s = polls[rng_between(rng, 0, 7)];
    ret->lasts = rng_between(rng, 2 * 60, 12 * 60) * MINUTE;
}

static struct plan draw(uint64_t seed, double quiet, enum subject about)
{
    static const int64_t overlaps[] = { 900, 900, 60, 3600 };
    struct rng rng = rng_of(seed, "plan", 0);
    struct plan ret = { .seed = seed };

    if (rng_chance(&rng, quiet))
        draw_quiet(&ret, &rng);
    else
        draw_busy(&ret, &rng);
    ret.overlap_s = overlaps[rng_between(&rng, 0, 3)];
    draw_faults(&ret, &rng, about);
    return ret;
}

struct plan plan_of(uint64_t seed)
{
    return draw(seed, 0.05, SUBJECT_COUNT);
}

static int fault_of(const char *name, size_t len)
{
    for (int i = 0; i < FAULT_COUNT; i++)
        if (strlen(fault_name((enum fault)i)) == len && !strncmp(fault_name((enum fault)i), name, len))
            return i;
    return -1;
}

/* Keeps or removes the faults of a list with commas. Returns false if one is unknown. */
static bool choose(struct plan *ret, const char *list, bool keep)
{
    bool named[FAULT_COUNT] = { false };
    size_t len;

    for (; *list; list += len + (list[len] == ',')) {
        int fault;

        len = strcspn(list, ",");
        fault = fault_of(list, len);
        if (fault < 0)
            return false;
        named[fault] = true;
    }
    for (int i = 0; i < FAULT_COUNT; i++)
        if (named[i] != keep)
            ret->rate[i] = 0;
    return true;
}

/* "fault:name=rate" sets one rate. */
static bool set_rate(struct plan *ret, const char *word)
{
    size_t len = strcspn(word, "=");
    int fault = fault_of(word, len);

    if (fault < 0 || word[len] != '=')
        return false;
    ret->rate[fault] = atof(word + len + 1);
    return true;
}

/* Draws a busy world of the subject. Returns false if there is none of that name. */
static bool draw_about(struct plan *ret, const char *name)
{
    for (int i = 0; i < SUBJECT_COUNT; i++)
        if (!strcmp(subjects[i].name, name)) {
            *ret = draw(ret->seed, 0, (enum subject)i);
            return true;
        }
    return false;
}

bool plan_set(struct plan *ret, const char *word)
{
    const char *value = strchr(word, '=');
    size_t len = value ? (size_t)(value++ - word) : 0;
    char name[16];

    if (!len || len >= sizeof(name))
        return !strncmp(word, "fault:", 6) && set_rate(ret, word + 6);
    snprintf(name, sizeof(name), "%.*s", (int)len, word);
    if (!strcmp(name, "month"))
        month_plan(ret, atoi(value));
    else if (!strcmp(name, "quiet"))
        *ret = draw(ret->seed, atoi(value) ? 1 : 0, SUBJECT_COUNT);
    else if (!strcmp(name, "about"))
        return draw_about(ret, value);
    else if (!strcmp(name, "customers"))
        ret->customers = atoi(value) < CUSTOMERS_MOST ? atoi(value) : CUSTOMERS_MOST;
    else if (!strcmp(name, "alerts"))
        ret->alerts = atoi(value);
    else if (!strcmp(name, "minutes"))
        ret->lasts = atoll(value) * MINUTE;
    else if (!strcmp(name, "poll"))
        ret->poll_s = atoll(value);
    else if (!strcmp(name, "overlap"))
        ret->overlap_s = atoll(value);
    else if (!strcmp(name, "saves"))
        ret->save_ms = atoll(value);
    else if (!strcmp(name, "trace"))
        ret->trace = atoi(value) != 0;
    else if (!strcmp(name, "only"))
        return choose(ret, value, true);
    else if (!strcmp(name, "without"))
        return choose(ret, value, false);
    else
        return !strncmp(word, "fault:", 6) && set_rate(ret, word + 6);
    return true;
}

void plan_print(const struct plan *p)
{
    bool any = false;

    printf("again: make simulate SEED=%llu PLAN='", (unsigned long long)p->seed);
    if (p->month)
        printf("month=%d ", p->month);
    printf("customers=%d alerts=%d minutes=%lld poll=%lld overlap=%lld saves=%lld only=", p->customers, p->alerts,
           (long long)(p->lasts / MINUTE), (long long)p->poll_s, (long long)p->overlap_s, (long long)p->save_ms);
    for (int i = 0; i < FAULT_COUNT; i++)
        if (p->rate[i] > 0) {
            printf("%s%s", any ? "," : "", fault_name((enum fault)i));
            any = true;
        }
    printf("'\n");
}
