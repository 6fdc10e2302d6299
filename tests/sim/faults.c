/* The faults: one row each. A fault of requests strikes each request with a chance; an episode begins at times, so many
 * an hour, and lasts. Which faults a run has, and how many, is drawn from its seed (plan.c). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define RETRY_MOST      (6 * MINUTE)             /* the longest pause after a failure that passes, and its jitter */
#define REFUSED_MOST    (4 * HOUR + 30 * MINUTE) /* the longest pause after a refusal */
#define ISOLATED_WITHIN (40 * MINUTE)            /* a window that fails, while other faults are in the way */
#define SAVED_WITHIN    (190 * SECOND)           /* what is older is in a checkpoint */

int64_t login_down_until, store_down_until, reader_stalls_until, wall_shift;
static int64_t disk_bad_since = NEVER, disk_good_since;
static bool over;
static struct rng fault_luck[FAULT_COUNT];

static struct customer *somebody(enum fault fault)
{
    return &customers[rng_between(&fault_luck[fault], 0, plan.customers - 1)];
}

/* Most episodes are short, some last for hours. */
static int64_t some_time(enum fault fault, int64_t most)
{
    struct rng *rng = &fault_luck[fault];

    return rng_between(rng, SECOND, rng_chance(rng, 0.7) && most > MINUTE ? MINUTE : most);
}

void trouble(struct customer *customer, int64_t until)
{
    for (int i = 0; i < plan.customers; i++)
        if ((!customer || customer == &customers[i]) && customers[i].trouble < until)
            customers[i].trouble = until;
}

/* The episodes. */

static void refused(enum fault fault)
{
    static const int statuses[] = { 400, 401, 403, 404, 4000 }; /* 4000: only the full query is refused, with 400 */
    struct customer *customer = somebody(fault);
    int64_t lasts = some_time(fault, 3 * HOUR);

    customer->refused_until = now() + lasts;
    customer->refused_with = statuses[customer->api == API_ENDPOINT && rng_chance(&fault_luck[fault], 0.4)
                                          ? 4 /* what came in part meanwhile is read again in full */
                                          : rng_between(&fault_luck[fault], 0, 4)];
    trouble(customer, customer->refused_until + (lasts > 40 * SECOND ? REFUSED_MOST : 3 * MINUTE));
    trace("%s is refused with %d for %lld s", customer->name, customer->refused_with, (long long)lasts / 1000);
}

/* An episode that sets the end of something of a customer. excuse: how long the customer may be late after it. */
static void until(enum fault fault, struct customer *customer, int64_t *slot, int64_t most, int64_t excuse)
{
    int64_t lasts = some_time(fault, most);

    *slot = now() + lasts;
    if (excuse >= 0)
        trouble(customer, *slot + excuse);
    trace("%s: %s for %lld s", customer ? customer->name : "all", fault_name(fault), (long long)lasts / 1000);
}

static void heal(void *ctx, int64_t number)
{
    struct version *v = ctx;

    (void)number;
    if (v->harm != HARM_NONE)
        trace("a record is healed");
    v->harm = HARM_NONE;
}

/* The service cannot tell a record from a poisoned one by its time, or not by much. */
static void excuse_neighbors(struct customer *customer, const struct version *poisoned)
{
    for (int a = 0; a < customer->count; a++)
        for (int i = 0; i < customer->alerts[a].versions; i++) {
            struct version *v = &customer->alerts[a].version[i];

            if (llabs(v->ticks - poisoned->ticks) < 20000000 && v->excused_until < poisoned->excused_until)
                v->excused_until = poisoned->excused_until;
        }
}

static void poison(enum fault fault)
{
    struct rng *rng = &fault_luck[fault];
    struct customer *customer = somebody(fault);
    struct alert *alert = customer->count ? &customer->alerts[rng_between(rng, 0, customer->count - 1)] : NULL;
    int64_t heals = rng_chance(rng, 0.2) ? NEVER : now() + rng_between(rng, MINUTE, 6 * HOUR);
    struct version *v;

    if (!alert || !alert->versions)
        return;
    v = &alert->version[alert->versions - 1];
    if (v->copies || v->harm != HARM_NONE)
        return;
    v->harm = fault == FAULT_bad_record ? HARM_JSON : (enum harm)rng_between(rng, HARM_500, HARM_ERROR);
    if (customer->api == API_SIEM && v->harm == HARM_ERROR) /* a bare list has no place for it */
        v->harm = HARM_CUT;
    trouble(customer, (v->visible > now() ? v->visible : now()) + ISOLATED_WITHIN);
    v->excused_until = heals == NEVER ? NEVER : heals + REFUSED_MOST;
    excuse_neighbors(customer, v);
    customer->harms++;
    if (customer->harmed_until < v->excused_until)
        customer->harmed_until = v->excused_until;
    if (heals != NEVER)
        at(heals, heal, v, 0);
    trace("%s: alert %d is poisoned (%d)", customer->name, alert->number, v->harm);
}

static void revoke(enum fault fault)
{
    struct customer *customer = somebody(fault);

    customer->least_token = customer->token + 1;
    trouble(customer, now() + 2 * MINUTE);
    trace("%s: tokens are revoked", customer->name);
}

static int secrets_awaited; /* new ones that nobody has entered yet */

bool faults_await_secret(void)
{
    return secrets_awaited > 0;
}

static void enter_secret(void *ctx, int64_t number)
{
    (void)number;
    secrets_awaited--;
    splunkd_store_secret(ctx);
}

/* The old secret is refused at once, and somebody enters the new one later. */
static void replace_secret(enum fault fault)
{
    struct customer *customer = somebody(fault);
    int64_t entered = now() + some_time(fault, 2 * HOUR);

    customer->secret++;
    customer->least_token = customer->token + 1;
    trouble(customer, entered + REFUSED_MOST);
    secrets_awaited++;
    at(entered, enter_secret, customer, 0);
    trace("%s has a new secret, which is entered in %lld s", customer->name, (long long)(entered - now()) / 1000);
}

static void disk_heals(void *ctx, int64_t number)
{
    (void)ctx, (void)number;
    disk_fails(0);
    writer_slow(0);
    disk_good_since = now();
}

static void disk_bad(int64_t lasts)
{
    if (disk_bad_since == NEVER || now() - disk_good_since > SAVED_WITHIN)
        disk_bad_since = now();
    disk_good_since = now() + lasts;
    at(disk_good_since, disk_heals, NULL, 0);
}

static void break_disk(enum fault fault)
{
    static const int errors[] = { ENOSPC, EIO, EROFS, EACCES };
    int64_t lasts = some_time(fault, 20 * MINUTE);

    disk_bad(lasts);
    if (fault == FAULT_disk_slow) {
        writer_slow(rng_between(&fault_luck[fault], SECOND, 40 * SECOND));
    } else {
        disk_fails(errors[rng_between(&fault_luck[fault], 0, 3)]);
        trouble(NULL, now() + lasts + RETRY_MOST);
    }
    trace("%s for %lld s", fault_name(fault), (long long)lasts / 1000);
}

static void wipe(enum fault fault)
{
    if (!machine_alive()) /* nobody could notice */
        return;
    if (process_age() < 3 * MINUTE || now() < disk_good_since + 30 * SECOND)
        ledger_killed(NEVER); /* the process may not have read its checkpoints yet */
    disk_wipe(rng_chance(&fault_luck[fault], 0.5));
    disk_bad(30 * SECOND);
    disk_bad_since = 0; /* whoever is killed before the next save knows nothing */
    trace("the checkpoint folder is removed");
}

bool clock_agrees(int64_t wrong)
{
    return llabs(wrong) < HOUR || llabs(wrong - wall_shift) < HOUR;
}

static void jump(enum fault fault)
{
    struct rng *rng = &fault_luck[fault];

    wall_shift = rng_between(rng, -2 * HOUR, 2 * HOUR) * (rng_chance(rng, 0.4) ? 24 : 1);
    trace("the host's clock is %lld s off", (long long)wall_shift / 1000);
}

int64_t repeats_within(bool power_lost)
{
    int64_t lost = power_lost ? 130 * SECOND : 0; /* the save before the last one */

    if (disk_bad_since != NEVER && now() - disk_good_since < SAVED_WITHIN)
        return now() - disk_bad_since + SAVED_WITHIN + lost;
    return SAVED_WITHIN + lost;
}

void faults_process_ends(void)
{
    if (now() < disk_good_since + SECOND) /* its last saves were a moment ago */
        ledger_killed(repeats_within(false));
}

static bool older; /* the next process finds the checkpoints of an earlier version */

static void end_at_event(void *ctx, int64_t number);

static void end_process(enum fault fault)
{
    static int at_event; /* 2: the process will end when it writes its next event */

    struct rng *rng = &fault_luck[fault];

    if (!machine_alive())
        return;
    if (at_event < 2 && rng_chance(rng, 0.4)) {
        at_event = 2;
        reader_stall_at_event(end_at_event, fault);
        return;
    }
    at_event = 1;
    if (fault == FAULT_stop || fault == FAULT_old_checkpoint) {
        faults_process_ends();
        older = older || fault == FAULT_old_checkpoint;
        process_stop();
        return;
    }
    if (fault == FAULT_splunkd_crash && process_is_stopping())
        return; /* that cannot be told from an end in peace */
    if (fault == FAULT_splunkd_crash) {
        trace("splunkd crashes");
        ledger_killed(repeats_within(false) + MINUTE);
        ledger_crash(now() - rng_between(rng, 0, MINUTE));
        reader_close();
        machine_orphan();
        if (rng_chance(rng, 0.5))
            machine_kill(0, false);
        return;
    }
    machine_kill(rng_chance(rng, 0.3) ? 0 : rng_between(rng, 1, 40), fault == FAULT_power_loss);
}

static void end_at_event(void *ctx, int64_t number)
{
    (void)ctx;
    if (!over)
        end_process((enum fault)number);
}

void faults_boot(void)
{
    if (older)
        old_checkpoints(&fault_luck[FAULT_old_checkpoint]);
    older = false;
    for (int fault = FAULT_kill; fault <= FAULT_power_loss; fault++) /* a start that does not get far */
        if (!over && plan.rate[fault] > 0 && rng_chance(&fault_luck[fault], plan.rate[fault] > 1 ? 0.4 : 0.2)) {
            counts->faults[fault]++;
            if (rng_chance(&fault_luck[fault], 0.4))
                machine_kill_at_change(rng_between(&fault_luck[fault], 1, 6), fault == FAULT_power_loss);
            else
                machine_kill(rng_between(&fault_luck[fault], 1, 150), fault == FAULT_power_loss);
        }
}

/* The table. */

static void begin_episode(enum fault fault)
{
    struct customer *c = somebody(fault);

    switch ((int)fault) {
    case FAULT_refused: refused(fault); break;
    case FAULT_outage: until(fault, c, &c->down_until, HOUR, RETRY_MOST); break;
    case FAULT_unreachable: until(fault, c, &c->unreachable_until, HOUR, RETRY_MOST); break;
    case FAULT_login_down: until(fault, NULL, &login_down_until, HOUR, RETRY_MOST); break;
    case FAULT_silent_connection:
        connections_silent();
        check_hints_lost();
        trouble(NULL, now() + 90 * SECOND);
        trace("all open connections are silent");
        break;
    case FAULT_goaway:
        connections_break();
        check_hints_lost();
        trouble(NULL, now() + MINUTE);
        trace("all connections end");
        break;
    case FAULT_poison:
    case FAULT_bad_record: poison(fault); break;
    case FAULT_coarse:
        if (c->coarse_until != NEVER)
            until(fault, c, &c->coarse_until, 2 * HOUR, -1);
        break;
    case FAULT_unfiltered: until(fault, c, &c->unfiltered_until, HOUR, RETRY_MOST); break;
    case FAULT_shuffled: until(fault, c, &c->shuffled_until, 2 * HOUR, -1); break;
    case FAULT_short_pages: until(fault, c, &c->short_until, 2 * HOUR, -1); break;
    case FAULT_no_link: until(fault, c, &c->no_link_until, 2 * HOUR, -1); break;
    case FAULT_miscount: until(fault, c, &c->miscount_until, 2 * HOUR, -1); break;
    case FAULT_new_secret: replace_secret(fault); break;
    case FAULT_revoked: revoke(fault); break;
    case FAULT_kv_off: until(fault, NULL, &kv_off_until, HOUR, -1); break;
    case FAULT_store_down: until(fault, NULL, &store_down_until, 10 * MINUTE, 20 * MINUTE); break;
    case FAULT_disk_fails:
    case FAULT_disk_slow: break_disk(fault); break;
    case FAULT_folder_wiped: wipe(fault); break;
    case FAULT_store_truncates: break; /* it does from the start */
    case FAULT_session_dead:
        splunkd_forget_session();
        trace("the session key is not accepted any more");
        break;
    case FAULT_stall: until(fault, NULL, &reader_stalls_until, 20 * MINUTE, 2 * MINUTE); break;
    case FAULT_clock_jump: jump(fault); break;
    default: end_process(fault); break;
    }
}

const char *fault_name(enum fault fault)
{
    static const char *const names[] = {
#define X(name) #name,
        FAULTS(X)
#undef X
    };

    return names[fault];
}

static void episode(void *ctx, int64_t number)
{
    enum fault fault = (enum fault)number;
    int64_t pause = (int64_t)(2 * (double)HOUR / plan.rate[fault]);

    if (over)
        return;
    if (ctx) {
        counts->faults[fault]++;
        begin_episode(fault);
    }
    at(now() + rng_between(&fault_luck[fault], SECOND, pause), episode, &over, number);
}

void faults_init(void)
{
    for (int i = 0; i < FAULT_COUNT; i++) {
        fault_luck[i] = rng_of(plan.seed, fault_name((enum fault)i), 0);
        if (i >= FAULT_refused && plan.rate[i] > 0)
            episode(NULL, i);
    }
}

bool faults_on(void)
{
    return !over;
}

/* How long a fault of one request may delay its customer. From the fourth refusal in a row on, it is a refusal. */
static int64_t excuse(enum fault fault, struct customer *customer)
{
    bool refuses = fault >= FAULT_http_400 && fault <= FAULT_http_404;

    if (!refuses)
        return 2 * RETRY_MOST;
    customer->refused_last = now();
    if (++customer->refusals < 4)
        return 2 * RETRY_MOST;
    return customer->refusals < 8 ? (20 * MINUTE) << (customer->refusals - 4) : REFUSED_MOST;
}

bool fault_strikes(enum fault fault, struct customer *customer)
{
    if (over || plan.rate[fault] <= 0 || !rng_chance(&fault_luck[fault], plan.rate[fault]))
        return false;
    counts->faults[fault]++;
    if (fault < FAULT_kv_refuses || fault > FAULT_kv_slow) /* the KV store delays nobody */
        trouble(customer, now() + (customer ? excuse(fault, customer) : 20 * MINUTE));
    trace("%s: %s", customer ? customer->name : "splunkd", fault_name(fault));
    return true;
}

void faults_end(void)
{
    over = true;
    login_down_until = store_down_until = reader_stalls_until = kv_off_until = 0;
    disk_heals(NULL, 0);
    machine_spare();
    reader_go_on();
    for (int i = 0; i < plan.customers; i++) {
        struct customer *c = &customers[i];

        c->refused_until = c->down_until = c->unreachable_until = c->shuffled_until = c->unfiltered_until = 0;
        c->coarse_until = c->coarse_until == NEVER ? NEVER : 0;
        c->short_until = c->no_link_until = c->miscount_until = 0;
        for (int a = 0; a < c->count; a++)
            for (int v = 0; v < c->alerts[a].versions; v++)
                heal(&c->alerts[a].version[v], 0);
    }
    trouble(NULL, NEVER);
    trace("the faults are over");
}
