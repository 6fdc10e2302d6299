/* Customers, their alerts, and the ledger of what reached the indexer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define TICKS_A_MS INT64_C(10000)
#define KILLS_MOST 4000
#define AHEAD_ALERTS 200 /* each poll reads those that are dated in the future */

struct customer customers[CUSTOMERS_MOST];

static struct {
    int64_t time, bound;
} kills[KILLS_MOST];
static size_t kill_count;

const char *field_of(enum api api)
{
    return api == API_ENDPOINT ? "lastUpdateTime" : api == API_SIEM ? "LastProcessedTimeUtc" : "lastUpdateDateTime";
}

/* Making them. */

/* Most versions are listed at once, some late, and a few as late as the overlap allows. */
static int64_t listed_after(struct rng *rng)
{
    int64_t kind = rng_between(rng, 0, 99), most = plan.overlap_s * SECOND * 9 / 10;

    if (kind < 70)
        return rng_between(rng, 0, 3 * SECOND);
    if (kind < 95 && most > 2 * MINUTE)
        return rng_between(rng, 0, 2 * MINUTE);
    return rng_between(rng, 0, most);
}

/* The update times of some customers are whole seconds. Alerts that were resolved in bulk have the same one. */
static int64_t update_time(struct customer *customer, struct rng *rng, int64_t time)
{
    int64_t ticks = wall_of(time) * TICKS_A_MS + rng_between(rng, 0, TICKS_A_MS - 1);

    if (customer->number % 3 == 1)
        ticks -= ticks % 10000000;
    if (rng_chance(rng, 0.05) && customer->bulk / 10000000 / 3600 == ticks / 10000000 / 3600)
        return customer->bulk;
    return customer->bulk = ticks;
}

static void make_versions(struct customer *customer, struct alert *alert, int64_t time, int64_t until)
{
    struct rng rng = rng_of(plan.seed, "alert", (uint64_t)(customer->number * 100000 + alert->number));
    int most = customer->api == API_SIEM ? 1 : (int)rng_between(&rng, 1, 4);
    int64_t listed = 0, dated;

    for (; alert->versions < most && time < until; alert->versions++) {
        struct version *v = &alert->version[alert->versions];

        *v = (struct version){ .replaced = NEVER, .first = NEVER, .last = NEVER };
        v->ticks = update_time(customer, &rng, time);
        if (!alert->versions && rng_chance(&rng, customer->ahead)) /* dated in the future */
            v->ticks += rng_between(&rng, MINUTE, customer->ahead_most) * TICKS_A_MS;
        if (!alert->versions)
            alert->created = v->ticks - rng_between(&rng, 0, HOUR) * TICKS_A_MS;
        else if (v->ticks <= v[-1].ticks)
            v->ticks = v[-1].ticks + 1;
        dated = v->ticks / TICKS_A_MS - wall_of(0);
        v->visible = (dated < time ? dated : time) + 1 + listed_after(&rng);
        if (v->visible <= listed)
            v->visible = listed + 1;
        listed = v->visible;
        if (alert->versions)
            v[-1].replaced = v->visible;
        time += rng_chance(&rng, 0.5) ? rng_between(&rng, SECOND, 20 * MINUTE) : rng_between(&rng, MINUTE, DAY);
    }
}

/* Half of the alerts were there before the input began. */
static void make_alerts(struct customer *customer)
{
    int64_t until = now() + plan.lasts, time, burst;
    struct rng own = rng_of(plan.seed, "burst", (uint64_t)customer->number);
    bool bursts = customer->coarse_until == NEVER ||
                  rng_chance(&own, 0.3); /* a third of the alerts come within seconds */

    burst = now() + rng_between(&own, -DAY, plan.lasts - MINUTE);
    customer->count = plan.alerts;
    customer->alerts = calloc((size_t)plan.alerts, sizeof(*customer->alerts));
    for (int i = 0; i < plan.alerts; i++) {
        struct rng rng = rng_of(plan.seed, "time", (uint64_t)(customer->number * 100000 + i));

        customer->alerts[i].number = i;
        time = i % 2 ? now() - rng_between(&rng, MINUTE, 25 * DAY) : now() + rng_between(&rng, 0, plan.lasts - 1);
        if (bursts && i % 3 == 0)
            time = burst + rng_between(&rng, 0, 20 * SECOND);
        if (plan.month)
            time = now() + rng_between(&rng, -2 * DAY, until - now() - DAY);
        if (!month_hides(customer, &customer->alerts[i], time))
            make_versions(customer, &customer->alerts[i], time, until);
    }
}

/* Few alerts are dated in the future; of some customers many are, or all, since a clock is wrong. */
static void make_ahead(struct customer *customer)
{
    struct rng own = rng_of(plan.seed, "ahead", (uint64_t)customer->number);

    customer->ahead = 0.03;
    customer->ahead_most = 2 * DAY;
    if (plan.month || plan.alerts > AHEAD_ALERTS || !rng_chance(&own, 0.2))
        return;
    customer->ahead = rng_chance(&own, 0.3) ? 1 : 0.1 * (double)rng_between(&own, 2, 9);
    customer->ahead_most = rng_chance(&own, 0.3) ? 30 * DAY : 2 * DAY;
}

/* Of some customers the pages are small, and the service sorts, counts, or says that it does. */
static void make_service(struct customer *customer)
{
    struct rng own = rng_of(plan.seed, "sorting", (uint64_t)customer->number);

    bool odd = customer->ahead > 0.1; /* a page is full of alerts that are dated in the future */

    customer->cap = rng_chance(&own, odd ? 0.8 : 0.4) && customer->api != API_SIEM && customer->api != API_ENDPOINT ? 20 : 0;
    if (rng_chance(&own, 0.3))
        return;
    customer->sorting = (enum sorting)rng_between(&own, 0, SORTING_COUNT - 1);
    customer->counting = rng_chance(&own, odd ? 0.1 : 0.5) ? COUNTING_EXACT
                                               : (enum counting)rng_between(&own, 0, COUNTING_COUNT - 1);
    if (customer->sorting == SORTING_PAGE && rng_chance(&own, 0.5)) /* what it says is of the page alone */
        customer->counting = COUNTING_PAGE;
}

static void make_selecting(struct customer *customer)
{
    struct rng own = rng_of(plan.seed, "selecting", (uint64_t)customer->number);

    if (rng_chance(&own, 0.5))
        customer->selecting = (enum selecting)rng_between(&own, 0, SELECTING_COUNT - 1);
}

void customers_init(void)
{
    for (int i = 0; i < plan.customers; i++) {
        struct customer *customer = &customers[i];
        struct rng rng = rng_of(plan.seed, "customer", (uint64_t)i);

        *customer = (struct customer){ .number = i, .api = (enum api)rng_between(&rng, 0, API_COUNT - 1) };
        customer->down_since = customer->stuck = NEVER;
        customer->order = (int)rng_between(&rng, 0, 2);
        customer->loose = rng_chance(&rng, 0.3);
        customer->user = rng_chance(&rng, 0.3);
        customer->long_refresh = rng_chance(&rng, 0.3) && !plan.quiet ? (int)rng_between(&rng, 100, 1600) : 0;
        customer->fat = rng_chance(&rng, 0.15) ? (int)rng_between(&rng, 1, plan.quiet ? 8 : 40) : 0; /* KB of an alert */
        customer->coarse_until = plan.rate[FAULT_coarse] > 0 && rng_chance(&rng, 0.4) ? NEVER : 0;
        customer->luck = rng_of(plan.seed, "requests", (uint64_t)i);
        snprintf(customer->name, sizeof(customer->name), "customer %d", i);
        snprintf(customer->tenant, sizeof(customer->tenant), "11111111-2222-3333-4444-%012d", i);
        snprintf(customer->client, sizeof(customer->client), "%08x-bbbb-cccc-dddd-%012d",
                 (unsigned)i * 2654435761u, i);
        make_ahead(customer);
        make_service(customer);
        make_selecting(customer);
        make_alerts(customer);
    }
}

/* Records. */

struct version *version_listed(struct alert *alert)
{
    struct version *ret = NULL;

    for (int i = 0; i < alert->versions; i++)
        if (alert->version[i].visible <= now())
            ret = &alert->version[i];
    return ret;
}

int date_digits(const struct customer *customer, const struct version *v)
{
    return customer->number % 3 == 1 && v->ticks % 10000000 == 0 ? 0 : 7;
}

static int number_of(const struct alert *alert, const struct version *v)
{
    return (int)(v - alert->version);
}

/* Adds a member of about a thousand bytes. */
static void put_padding(struct text *ret, bool loose, const struct alert *alert, int number)
{
    char digits[984];

    memset(digits, '0' + alert->number % 10, sizeof(digits));
    text_add(ret, loose ? "\n  \"pad" : "\"pad");
    text_count(ret, number);
    text_add(ret, loose ? "\" : \"" : "\":\"");
    text_put(ret, digits, sizeof(digits));
    text_put(ret, "\",", 2);
}

/* Adds the name of a member, and what comes before its value. */
static void put_name(struct text *ret, const char *name, bool loose)
{
    text_add(ret, loose ? "\n  \"" : "\"");
    text_add(ret, name);
    text_add(ret, loose ? "\" : " : "\":");
}

static void put_string(struct text *ret, const char *name, const char *value, bool loose)
{
    put_name(ret, name, loose);
    text_add(ret, "\"");
    text_add(ret, value);
    text_add(ret, "\",");
}

/* Adds numbers with dots or dashes between them. */
static void put_numbers(struct text *ret, const char *before, int a, int b, const char *between)
{
    text_add(ret, before);
    text_count(ret, a);
    text_add(ret, between);
    text_count(ret, b);
}

void record_write(struct text *ret, const struct customer *customer, const struct alert *alert, const struct version *v,
                  bool loose, bool evidence)
{
    static const char *const titles[] = { "Caf\\u00e9 & <b>\\\"quoted\\\"</b>", "plain",
                                          "\xE6\x97\xA5\xE6\x9C\xAC \\/ \\\\ path", "]}, {\\\"id\\\":\\\"x\\\"" };
    const char *colon = loose ? "\" : " : "\":";
    int digits = date_digits(customer, v);
    char date[DATE_MOST];

    text_add(ret, "{");
    put_name(ret, customer->api == API_SIEM ? "AlertId" : "id", loose);
    put_numbers(ret, "\"a", customer->number, alert->number, "-");
    text_add(ret, "\",");
    put_string(ret, "title", titles[(alert->number + number_of(alert, v)) % 4], loose);
    put_name(ret, "nested", loose);
    text_add(ret, "{\"");
    text_add(ret, field_of(customer->api));
    text_add(ret, colon);
    text_add(ret, "\"2001-01-01T00:00:00Z\",\"n");
    text_add(ret, colon);
    text_add(ret, "[1.50,-0,1e400,null,{}]},");
    put_string(ret, field_of(customer->api), date_text(v->ticks, digits, date), loose);
    if (customer->api == API_ENDPOINT) {
        put_name(ret, "evidence", loose);
        text_add(ret, evidence ? "[{\"sha1\":null}]," : "[],");
    }
    for (int i = 0; i < customer->fat; i++)
        put_padding(ret, loose, alert, i);
    put_name(ret, "simKey", loose);
    put_numbers(ret, "\"", customer->number, alert->number, ".");
    text_add(ret, ".");
    text_count(ret, number_of(alert, v));
    text_add(ret, loose ? "\"\n  }" : "\"}");
}

/* The ledger. */

void ledger_killed(int64_t bound)
{
    if (kill_count < KILLS_MOST) {
        kills[kill_count].time = now();
        kills[kill_count++].bound = bound;
    }
}

/* A version may come again if the process was killed after it had arrived, and soon after. */
static bool may_repeat(const struct version *v)
{
    for (size_t i = kill_count; i-- && kills[i].time >= v->last;)
        if (kills[i].time - v->last <= kills[i].bound)
            return true;
    return false;
}

bool ledger_killed_after(int64_t time, int64_t within)
{
    for (size_t i = kill_count; i-- && kills[i].time >= time;)
        if (kills[i].time - time <= within)
            return true;
    return false;
}

static void check_time(const char *data, const struct version *v, const char *time_text)
{
    char expected[40];

    snprintf(expected, sizeof(expected), "%lld.%07d", (long long)(v->ticks / 10000000), (int)(v->ticks % 10000000));
    if (strcmp(expected, time_text) != 0)
        broken("unaltered", "<time> is %s, it should be %s: %s", time_text, expected, data);
}

/* Returns true if the version was listed late, and quarantined windows are in the way: not each poll looks for it. */
static bool is_late(const struct customer *customer, const struct version *v)
{
    return customer->harmed_until > now() && v->visible - (v->ticks / TICKS_A_MS - wall_of(0)) > 5 * SECOND;
}

/* The stretches between quarantined windows are read less often, the more of them there are, and every hour at least. */
static int64_t excuse_of_gaps(const struct customer *customer)
{
    int64_t excuse = customer->harms * 5 * MINUTE;

    return customer->harmed_until <= now() ? 0 : excuse < HOUR ? excuse : HOUR;
}

/* Alerts that come at once from a service whose pages are small: twenty of them, or fifty incidents, take up to three
 * requests, there are hundred requests a minute, and each poll reads the overlap again. */
static int64_t excuse_of_burst(const struct customer *customer, int64_t since)
{
    bool small = customer->cap || customer->coarse_until == NEVER;
    int64_t from = since - MINUTE - plan.overlap_s * SECOND;
    int count = 0;

    if (!small && customer->api != API_INCIDENTS)
        return 0;
    for (int a = 0; a < customer->count; a++)
        for (int i = 0; i < customer->alerts[a].versions; i++)
            count += customer->alerts[a].version[i].visible > from &&
                     customer->alerts[a].version[i].visible <= now();
    return count * (small ? 90 : 36);
}

/* Returns true if the version is dated in the future, as is a record that cannot be sent. That one is in each open window,
 * which fails with it, and the past is read without it. So the others wait until it is healed, or its time has come. */
static bool is_ahead(const struct customer *customer, const struct version *v)
{
    int64_t since = v->ticks / TICKS_A_MS - wall_of(0), latest = 0;

    for (int a = 0; a < customer->count; a++)
        for (int i = 0; i < customer->alerts[a].versions; i++) {
            const struct version *other = &customer->alerts[a].version[i];
            int64_t until = other->ticks / TICKS_A_MS - wall_of(0) + 40 * MINUTE;

            until = until < other->excused_until ? until : other->excused_until;
            if (other->excused_until && other->visible < now() && latest < until)
                latest = until;
        }
    return since > v->visible && latest > now();
}

/* A version arrives within two intervals after it is listed, or after the last fault that could delay it. */
static void check_delay(const struct customer *customer, const struct version *v)
{
    int64_t since = customer->trouble > v->visible ? customer->trouble : v->visible,
            limit = 2 * plan.poll_s * SECOND + 5 * SECOND + excuse_of_gaps(customer);

    if (since == NEVER || now() <= since || now() - since <= limit || now() < v->excused_until || is_late(customer, v) ||
        now() - since <= limit + excuse_of_burst(customer, since) || is_ahead(customer, v))
        return;
    broken("nobody_late",
           "%s: a version is late: %lld s after it could be seen, %lld s after the last excuse "
           "(limit %lld s); it is dated %lld s after that",
           customer->name, (long long)(now() - v->visible) / 1000, (long long)(now() - since) / 1000,
           (long long)limit / 1000, (long long)(v->ticks / TICKS_A_MS - wall_of(v->visible)) / 1000);
}

static void arrive(struct customer *customer, struct version *v, const char *key, bool partial)
{
    char date[DATE_MOST];

    counts->events++;
    customer->arrived++;
    if (partial) {
        v->partial++;
        return;
    }
    if (disk_failing_since() + 5 * SECOND < now() && v->visible > disk_failing_since() &&
        reader_stalls_until < disk_failing_since())
        broken("held_back", "%s: version %s is written, and no checkpoint can be", customer->name, key);
    if (v->copies) {
        counts->repeats++;
        if (!may_repeat(v))
            broken("written_once", "%s: version %s, updated %s, arrives again, %lld s after its last copy, and no kill excuses it",
                   customer->name, key, date_text(v->ticks, 7, date), (long long)(now() - v->last) / 1000);
    } else {
        check_delay(customer, v);
    }
    v->copies++;
    if (v->first == NEVER)
        v->first = now();
    v->last = now();
}

static struct version *version_of(const char *data, struct customer **customer, struct alert **alert, char key[64])
{
    const char *found = strstr(data, "\"simKey\":\"");
    int c, a, v;

    if (!found || sscanf(found + 10, "%d.%d.%d", &c, &a, &v) != 3 || c < 0 || c >= plan.customers || a < 0 ||
        a >= customers[c].count || v < 0 || v >= customers[c].alerts[a].versions)
        return NULL;
    snprintf(key, 64, "%d.%d.%d", c, a, v);
    *customer = &customers[c];
    *alert = &customers[c].alerts[a];
    return &customers[c].alerts[a].version[v];
}

void ledger_event(const char *stanza, const char *data, const char *time_text, bool unreadable)
{
    struct customer *customer;
    struct alert *alert;
    struct text full = { 0 }, less = { 0 };
    struct version *v;
    char key[64];
    bool partial;

    if (unreadable)
        return;
    v = version_of(data, &customer, &alert, key);
    if (!v || strncmp(stanza, "defender_alerts://", 18) != 0 || strcmp(stanza + 18, customer->name) != 0)
        broken("published", "an event of %s that nobody published: %s", stanza, data);
    if (v->visible > now())
        broken("published", "%s: version %s arrives before it can be seen", customer->name, key);
    record_write(&full, customer, alert, v, false, true);
    partial = strcmp(full.data, data) != 0;
    if (partial)
        record_write(&less, customer, alert, v, false, false);
    if (partial && (customer->api != API_ENDPOINT || strcmp(less.data, data) != 0))
        broken("unaltered", "%s: version %s is\n%s\nand should be\n%s", customer->name, key, data, full.data);
    check_time(data, v, time_text);
    text_drop(&full);
    text_drop(&less);
    arrive(customer, v, key, partial);
}

static int64_t safe_until; /* what arrived before is not lost any more */

void ledger_stopped(void)
{
    safe_until = now();
}

void ledger_crash(int64_t since)
{
    since = since > safe_until ? since : safe_until;
    for (int c = 0; c < plan.customers; c++)
        for (int a = 0; a < customers[c].count; a++)
            for (int i = 0; i < customers[c].alerts[a].versions; i++) {
                struct version *v = &customers[c].alerts[a].version[i];

                if (!v->copies || v->last < since)
                    continue;
                v->copies = v->first < since;
                customers[c].alerts[a].lost = true;
                if (!v->copies)
                    v->first = NEVER;
            }
}

/* Returns true if the last version of the alert has to have arrived. Earlier ones may have been replaced before anybody
 * could read them. */
static bool is_missing(const struct alert *alert, int64_t visible_before)
{
    const struct version *v = &alert->version[alert->versions - 1];

    return alert->versions && !v->copies && v->visible < visible_before && v->harm == HARM_NONE && !v->excused;
}

/* Looks whether the last version of the alert is late. While it has not arrived, looks again when it could be. */
static void look_at_alert(void *ctx, int64_t number)
{
    struct customer *customer = ctx;
    struct alert *alert = &customer->alerts[number];
    const struct version *v = &alert->version[alert->versions - 1];
    int64_t since = customer->trouble > v->visible ? customer->trouble : v->visible, next;

    if (v->copies || alert->lost || !faults_on())
        return;
    if (machine_alive() && is_missing(alert, now()))
        check_delay(customer, v);
    next = since > now() ? since : now();
    at(next + 2 * plan.poll_s * SECOND + MINUTE, look_at_alert, customer, number);
}

void ledger_init(void)
{
    for (int c = 0; c < plan.customers; c++)
        for (int a = 0; a < customers[c].count; a++) {
            const struct alert *alert = &customers[c].alerts[a];

            if (alert->versions)
                at(alert->version[alert->versions - 1].visible + MINUTE, look_at_alert, &customers[c], a);
        }
}

int ledger_missing(int64_t visible_before, bool tell)
{
    int missing = 0;

    for (int c = 0; c < plan.customers; c++)
        for (int a = 0; a < customers[c].count; a++) {
            const struct alert *alert = &customers[c].alerts[a];
            char date[DATE_MOST];

            if (!is_missing(alert, visible_before))
                continue;
            if (tell && missing < 5)
                printf("missing: %s (api %d) alert %d, updated %s, listed from %lld\n", customers[c].name,
                       customers[c].api, a, date_text(alert->version[alert->versions - 1].ticks, 7, date),
                       (long long)alert->version[alert->versions - 1].visible);
            missing++;
        }
    return missing;
}

/* Returns true if the version has been listed for ten minutes and nothing of it has arrived, not even without its
 * evidence. A version that could not be sent may be written as it was then. */
static bool is_unproven(const struct alert *alert, const struct version *v)
{
    return v->visible < now() - 10 * MINUTE && v->first == NEVER && !v->partial && v->harm == HARM_NONE &&
           !v->excused && !alert->lost;
}

struct customer *customer_of_line(const char *line)
{
    const char *name = strstr(line, "input=\"customer ");
    int number = name ? atoi(name + strlen("input=\"customer ")) : -1;

    return number < 0 || number >= plan.customers ? NULL : &customers[number];
}

void audit_says_equal(const char *line)
{
    struct customer *customer = customer_of_line(line);
    const char *day = strstr(line, " day=");
    char date[DATE_MOST];

    if (!customer || !day)
        return;
    for (int a = 0; a < customer->count; a++) {
        struct alert *alert = &customer->alerts[a];
        const struct version *v = version_listed(alert);

        if (v && !strncmp(date_text(v->ticks, 7, date), day + strlen(" day="), 10) && is_unproven(alert, v))
            broken("audits_true", "%s: alert %d, updated %s, has not arrived, and an audit of its day says equal",
                   customer->name, a, date);
    }
}
