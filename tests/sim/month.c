/* A month of audits: alerts are hidden from the polls, and in the end it has to be proven of every day of every customer
 * that all of it has arrived.
 *
 * Some alerts are published after the overlap, some are left out of pages although $count has them, and some make every
 * page fail that would hold them, for up to two days. The process is killed now and then. Three nights after the last
 * one was hidden, month_check() looks at what arrived and at what the program said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define A_DAY        3    /* alerts of a customer */
#define HIDDEN       0.04 /* share of the alerts */
#define NIGHTS       4    /* after the last hidden one */
#define DAYS_MOST    400
#define HARM_MOST    (2 * DAY)
#define RETRY_MOST   (4 * HOUR + 30 * MINUTE) /* the longest pause of a quarantined window */
#define ISOLATED     (40 * MINUTE)            /* ... and until it is one */
#define NAMES_MOST   20                       /* missing versions of a day that are named */
#define NAMED_WITHIN (20 * MINUTE)            /* after the event of a repair, unless the process is killed */
#define A_SECOND     INT64_C(10000000) /* ticks */
#define TICKS_A_DAY  (DAY * 10000)
#define FLAT_FROM    4        /* memory does not grow from this day on ... */
#define FLAT_MORE    (1 << 20) /* ... by more than this and a tenth */

static char results[CUSTOMERS_MOST][DAYS_MOST]; /* first letter of what was said last of a day; 0: nothing */
static int64_t memory_of[DAYS_MOST];            /* at noon */
static int names[CUSTOMERS_MOST]; /* missing versions that were named since the last result */
static int64_t began;
static int repairs_said;

void month_plan(struct plan *ret, int days)
{
    ret->month = days;
    ret->quiet = true;
    ret->customers = CUSTOMERS_MOST;
    ret->lasts = (days + NIGHTS) * DAY;
    ret->alerts = A_DAY * (days + NIGHTS);
    ret->poll_s = 14400;
    ret->overlap_s = 900;
    ret->save_ms = 30;
    memset(ret->rate, 0, sizeof(ret->rate)); /* no stop: the last save is not synced, and power may be lost after it */
    ret->rate[FAULT_kill] = 0.02;
    ret->rate[FAULT_power_loss] = 0.005;
}

/* Hiding. */

static void heal(void *ctx, int64_t number)
{
    struct version *v = ctx;

    (void)number;
    v->harm = HARM_NONE;
}

/* From now on pages with the version fail. The customer is excused: its window is isolated and tried again later. */
static void harm(void *ctx, int64_t number)
{
    struct customer *customer = &customers[number];

    (void)ctx;
    trouble(customer, now() + ISOLATED);
    customer->harms++;
    customer->harmed_until = now() + HARM_MOST + RETRY_MOST;
}

static void hide(struct customer *customer, struct version *v, struct rng *rng)
{
    int64_t made = v->visible, late = plan.overlap_s * SECOND + rng_between(rng, 3 * HOUR, DAY + 12 * HOUR);

    v->excused_until = NEVER;
    switch (v->hidden) {
    case HIDDEN_DROPPED: v->counted = made; /* fallthrough */
    case HIDDEN_LATE: v->visible = made + late; return;
    case HIDDEN_BOTH:
        v->visible = made + late / 2;
        v->harm = HARM_FULL;
        break;
    default: v->harm = HARM_500; break;
    }
    at(v->visible, harm, NULL, customer->number);
    at(made + rng_between(rng, 6 * HOUR, HARM_MOST), heal, v, 0);
}

bool month_hides(struct customer *customer, struct alert *alert, int64_t time)
{
    struct rng rng = rng_of(plan.seed, "hidden", (uint64_t)(customer->number * 100000 + alert->number));
    struct version *v = &alert->version[0];

    if (!plan.month)
        return false;
    began = now();
    if (customer->api == API_SIEM || time < began + DAY || time >= began + plan.month * DAY || !rng_chance(&rng, HIDDEN))
        return false;
    alert->versions = 1;
    *v = (struct version){ .replaced = NEVER, .first = NEVER, .last = NEVER, .visible = time + SECOND };
    v->ticks = wall_of(time) * 10000 + rng_between(&rng, 0, 9999);
    alert->created = v->ticks;
    v->hidden = (enum hidden)rng_between(&rng, HIDDEN_LATE, HIDDEN_BOTH);
    hide(customer, v, &rng);
    return true;
}

/* What happens. A poll has no upper bound, unless it is in windows, and the listing of an audit is within a day. A repair
 * asks for the update time of a version, or for its second. */

void month_sent(const struct customer *customer, struct version *v, int64_t lo, int64_t hi)
{
    bool repairs = (lo == v->ticks || lo == v->ticks - v->ticks % A_SECOND) && hi - lo <= A_SECOND;
    bool polls = hi == INT64_MAX || (!repairs && customer->selecting == SELECTING_KEPT);

    if (v->hidden && v->first == NEVER && (polls || customer->harmed_until > now()))
        v->polled = true;
}

static void take_result(const struct customer *customer, const char *line)
{
    const char *day = strstr(line, " day="), *result = strstr(line, " result=");
    const char *missing = strstr(line, " missing="), *repaired = strstr(line, " repaired=");
    int64_t ticks, number;
    char date[DATE_MOST];
    int wanted;

    if (!day || !result || !missing || !repaired)
        return;
    wanted = atoi(missing + strlen(" missing=")) + atoi(repaired + strlen(" repaired="));
    if (names[customer->number] != (wanted < NAMES_MOST ? wanted : NAMES_MOST))
        broken("hidden_named", "%s: an audit names %d alerts of %d", customer->name, names[customer->number], wanted);
    names[customer->number] = 0;
    snprintf(date, sizeof(date), "%.10sT00:00:00Z", day + strlen(" day="));
    if (!date_read(date, &ticks))
        return;
    number = (ticks - wall_of(began) * 10000) / TICKS_A_DAY;
    if (number >= 0 && number < DAYS_MOST)
        results[customer->number][number] = result[strlen(" result=")];
    repairs_said += result[strlen(" result=")] == 'r';
}

void month_log(const char *line)
{
    struct customer *customer = customer_of_line(line);
    const char *id = strstr(line, " id=\"a");
    int c, a;

    if (!plan.month || !customer)
        return;
    if (strstr(line, "event=audit "))
        take_result(customer, line);
    if (!strstr(line, "event=audit_missing") || !id || sscanf(id, " id=\"a%d-%d\"", &c, &a) != 2 || a < 0 ||
        a >= customer->count)
        return;
    customer->alerts[a].version[0].named = true;
    names[customer->number]++;
}

void month_look(void)
{
    int64_t day = (now() - began) / DAY, minute = (now() - began) % DAY / MINUTE;

    if (plan.month && minute == 12 * 60 && day < DAYS_MOST && machine_alive() && process_age() > HOUR)
        memory_of[day] = heap_used();
}

/* What has to hold in the end. */

static void check_version(const struct customer *customer, const struct alert *alert, int told[])
{
    const struct version *v = &alert->version[0];
    bool repaired = !v->polled && v->hidden != HIDDEN_HARMED;
    char date[DATE_MOST];

    if (!v->hidden)
        return;
    if (v->first == NEVER)
        broken("hidden_found", "%s: alert %d was hidden (%d), is listed since %lld min, and has not arrived",
               customer->name, alert->number, v->hidden, (long long)(now() - v->visible) / MINUTE);
    if (repaired && !v->named && !ledger_killed_after(v->first, NAMED_WITHIN))
        broken("hidden_named", "%s: alert %d of %s was hidden (%d), came %lld min ago with an audit, and none has named it",
               customer->name, alert->number, date_text(v->ticks, 7, date), v->hidden,
               (long long)(now() - v->first) / MINUTE);
    told[0]++;
    told[1] += v->named;
    told[2] += v->polled && !v->named;
}

static void check_days(const struct customer *customer, int said[])
{
    for (int day = 0; day < plan.month + NIGHTS - 1; day++) {
        char result = results[customer->number][day];

        if (result != 'e' && result != 'r')
            broken("days_proven", "%s: day %d is not proven in the end: '%c'", customer->name, day,
                   result ? result : '-');
        said[result == 'r']++;
    }
}

static int64_t check_memory(void)
{
    int64_t least = 0, most = 0;

    for (int day = FLAT_FROM; day < plan.month + NIGHTS; day++) {
        if (!memory_of[day])
            continue;
        if (!least)
            least = memory_of[day];
        most = memory_of[day] > most ? memory_of[day] : most;
    }
    if (most > least + least / 10 + FLAT_MORE)
        broken("memory_flat", "the program has %lld bytes, and had %lld on day %d", (long long)most, (long long)least,
               FLAT_FROM);
    return most;
}

void month_check(void)
{
    int told[3] = { 0 }, said[2] = { 0 };
    int64_t most;

    if (!plan.month)
        return;
    for (int c = 0; c < plan.customers; c++) {
        for (int a = 0; a < customers[c].count; a++)
            check_version(&customers[c], &customers[c].alerts[a], told);
        if (customers[c].api != API_SIEM)
            check_days(&customers[c], said);
    }
    most = check_memory();
    printf("month: %d days of customers proven, %d times repaired; %d alerts were hidden: %d were named, %d came with a "
           "poll or from quarantine; %.1f MB\n",
           said[0] + said[1], repairs_said, told[0], told[1], told[2], (double)most / 1048576);
}
