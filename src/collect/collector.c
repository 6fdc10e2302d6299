#include "collect/collector.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <dirent.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/secrets.h"

#define REQUESTS_MOST    100        /* under way at once: as many as one HTTP/2 connection usually carries */
#define REQUESTS_AT_ONCE 5
#define FLUSH_AT         (128 * 1024)
#define TICK_MS          1000
#define START_AT_ONCE    16
#define SECRETS_RETRY_MS 30000
#define SECRETS_LOOK_MS  60000      /* with a refused input: has somebody stored a new secret? */
#define SESSION_GRACE_MS 60000
/* SIGTERM leaves a second. So long after it: refresh tokens may go into the store; a torn event may be completed and
 * the pipe's reader catch up; checkpoints are synced to the disk (later ones are written without). */
#define STORE_UNTIL_MS   300
#define CLOSE_UNTIL_MS   450
#define SAVES_MOST_MS    100        /* of each second, for the saves that are due */
#define SYNC_UNTIL_MS    600
#define FILES_EVERY_MS   5000
#define METRICS_EVERY_MS (5 * 60 * 1000)

struct shared_budget {
    struct shared_budget *next;
    char         *tenant_id, *client_id;
    const char   *family;
    struct budget budget;
};

static void load_secrets(struct collector *col);

/* The output. */

static void flush(struct collector *col)
{
    enum outbox_state state = outbox_flush(col->outbox);

    col->stdout_watch.events = state == OUTBOX_BLOCKED ? POLLOUT : 0;
    if (state == OUTBOX_CLOSED && !loop_stopping(col->loop)) {
        log_event(EVENT_STOP, "reason=stdout_closed nobody reads the events any more");
        loop_stop(col->loop);
    }
}

static void flush_and_go_on(struct collector *col)
{
    flush(col);
    if (outbox_has_room(col->outbox))
        http_resume_all(col->http);
}

static void stdout_ready(void *ctx, short revents UNUSED)
{
    flush_and_go_on(ctx);
}

static void flush_fire(void *ctx, int64_t now_ms UNUSED)
{
    flush_and_go_on(ctx);
}

void collector_events_added(struct collector *col)
{
    if (outbox_pending(col->outbox) >= FLUSH_AT)
        flush(col);
    if (outbox_pending(col->outbox) && !col->flush_timer.place)
        timer_set(col->loop, &col->flush_timer, loop_now(col->loop));
}

/* What tenants share. */

/* Searched one by one, like the accounts: 2,000 tenants cost 20 ms in all, once. */
struct budget *collector_budget(struct collector *col, const char *tenant_id, const char *client_id,
                                const struct api *api)
{
    struct shared_budget *shared;

    for (shared = col->budgets; shared; shared = shared->next)
        if (text_same(shared->tenant_id, tenant_id) && text_same(shared->client_id, client_id) &&
            text_same(shared->family, api->family))
            return &shared->budget;
    shared = mem_alloc(sizeof(*shared));
    shared->tenant_id = mem_text(tenant_id);
    shared->client_id = mem_text(client_id);
    shared->family = api->family;
    budget_start(&shared->budget, budget_limits_for(api->per_minute, api->per_hour), clock_ms());
    shared->next = col->budgets;
    col->budgets = shared;
    return &shared->budget;
}

static void save_anew(struct tenant *t)
{
    t->cp_changed = true;
    t->save_due_ms = 0;
}

/* The folder was cleaned under us: lock everything anew in the new file before the old one is let go. What the inputs
 * know is in memory alone now, also that of quiet ones, which would not be saved again by themselves. */
static bool lock_anew(struct collector *col, struct err *err)
{
    struct lock_file *old = col->lock, *file;
    struct err ignored;
    size_t i;

    if (!file_make_folder(col->checkpoint_dir, err) || !(file = lock_open(col->checkpoint_dir, err)))
        return false;
    for (i = 0; i < col->count; i++) {
        struct tenant *t = col->tenants[i];

        if (t->phase == PHASE_LOCK)
            continue;
        lock_input(file, t->input.name, &ignored);
        save_anew(t);
    }
    lock_close(old);
    col->lock = file;
    return true;
}

struct lock_file *collector_lock(struct collector *col, struct err *err)
{
    if (col->lock && !lock_is_current(col->lock))
        return lock_anew(col, err) ? col->lock : NULL;
    if (!col->lock && file_make_folder(col->checkpoint_dir, err))
        col->lock = lock_open(col->checkpoint_dir, err);
    return col->lock;
}

/* Only to notice what was removed from the folder; with no lock yet, the tenants ask by themselves. A folder that cannot
 * be used is said by the first save that fails. */
static void look_at_folder(struct collector *col)
{
    struct err ignored;
    size_t i;

    if (col->lock)
        collector_lock(col, &ignored);
    for (i = 0; i < col->count; i++) {
        struct tenant *t = col->tenants[i];

        if (t->has_begin && access(t->cp_path, F_OK) && errno == ENOENT)
            save_anew(t);
    }
}

/* splunkd. */

static void session_fire(void *ctx, int64_t now_ms UNUSED)
{
    struct collector *col = ctx;

    log_event(EVENT_STOP_KEY, "reason=session_key splunkd no longer takes this process's session key; it ends so "
              "that splunkd starts it with a fresh one");
    loop_stop(col->loop);
}

static void session_lost(void *ctx)
{
    struct collector *col = ctx;

    if (col->session_lost)
        return;
    col->session_lost = true;
    log_event(EVENT_SESSION_KEY, "splunkd no longer takes this process's session key; inputs go on with what they "
              "hold, and the process ends in %d s to get a fresh key", SESSION_GRACE_MS / 1000);
    timer_set(col->loop, &col->session_timer, clock_ms() + SESSION_GRACE_MS);
}

/* A secret that somebody stored while we run (another input, the sign-in command) reaches its account here. */
static void secrets_to_accounts(struct collector *col)
{
    size_t i;

    for (i = 0; i < col->count; i++) {
        struct tenant *t = col->tenants[i];

        if (t->phase == PHASE_RUN && t->state == STATE_REFUSED)
            secrets_refresh(t);
    }
}

static void secrets_loaded(void *ctx, bool ok, const struct err *err)
{
    struct collector *col = ctx;
    bool first = !col->secrets_loaded;
    size_t i;

    col->secrets_loading = false;
    timer_set(col->loop, &col->secrets_timer, clock_ms() + (ok ? SECRETS_LOOK_MS : SECRETS_RETRY_MS));
    if (!ok) {
        if (!text_same(col->secrets_err.text, err->text))
            log_event(EVENT_STORE_UNREADABLE, "Splunk's password store cannot be read: %s. Trying again in %d s",
                      err->text, SECRETS_RETRY_MS / 1000);
        col->secrets_err = *err;
        if (err->kind == ERR_AUTH)
            session_lost(col);
        return;
    }
    col->secrets_err.text[0] = '\0';
    col->secrets_loaded = true;
    for (i = 0; first && i < col->count; i++)
        if (col->tenants[i]->phase == PHASE_SECRETS)
            secrets_start(col->tenants[i]);
    if (!first)
        secrets_to_accounts(col);
}

static bool any_refused(const struct collector *col)
{
    size_t i;

    for (i = 0; i < col->count; i++)
        if (col->tenants[i]->state == STATE_REFUSED)
            return true;
    return false;
}

static void secrets_fire(void *ctx, int64_t now_ms)
{
    struct collector *col = ctx;

    if (!col->secrets_loaded || any_refused(col))
        load_secrets(col);
    else
        timer_set(col->loop, &col->secrets_timer, now_ms + SECRETS_LOOK_MS);
}

static void load_secrets(struct collector *col)
{
    if (col->secrets_loading)
        return;
    col->secrets_loading = true;
    splunkd_load_secrets(col->splunkd, secrets_loaded, col);
}

/* Once a second. */

static unsigned long resident_kb(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file)
        return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
}

static unsigned open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    if (!dir)
        return 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count > 3 ? count - 3 : 0;       /* ".", ".." and the folder itself */
}

static void metrics(struct collector *col, int64_t now_ms)
{
    uint64_t events = 0, bytes = 0, requests = 0;
    struct rusage usage;
    size_t i;

    for (i = 0; i < col->count; i++) {
        events += col->tenants[i]->tally.new_events;
        bytes += col->tenants[i]->tally.bytes;
        requests += col->tenants[i]->tally.requests;
    }
    getrusage(RUSAGE_SELF, &usage);
    log_event(EVENT_METRICS, "inputs=%zu rss_kb=%lu descriptors=%u loop_ms=%lld events=%llu events_per_s=%.2f "
              "requests=%llu bytes=%llu pending_bytes=%zu cpu_s=%.2f uptime_s=%lld", col->count, resident_kb(),
              open_descriptors(), (long long)loop_take_longest_round_ms(col->loop), (unsigned long long)events,
              (double)(events - col->metrics_events) * 1000 / METRICS_EVERY_MS, (unsigned long long)requests,
              (unsigned long long)bytes, outbox_pending(col->outbox),
              (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
              (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
              (long long)(now_ms - col->started_ms) / 1000);
    col->metrics_events = events;
    col->metrics_due_ms = now_ms + METRICS_EVERY_MS;
}

/* A save waits for the disk, and hundreds may be due at once: a slow disk must stop neither the polls nor a SIGTERM, so
 * a round takes turns and ends after a while. What is saved later only comes again more often after a crash. */
static void save_round(struct collector *col, int64_t now_ms)
{
    int64_t began_ms = clock_ms();
    size_t i;

    for (i = 0; i < col->count && clock_ms() - began_ms < SAVES_MOST_MS && !loop_stopping(col->loop); i++) {
        tenant_tick(col->tenants[col->save_next], now_ms);
        col->save_next = (col->save_next + 1) % col->count;
    }
}

static void tick(void *ctx, int64_t now_ms)
{
    struct collector *col = ctx;
    size_t i;

    timer_set(col->loop, &col->tick_timer, now_ms + TICK_MS);
    if (outbox_reader_gone(col->outbox)) {
        log_event(EVENT_STOP, "reason=stdout_closed nobody reads the events any more");
        loop_stop(col->loop);
        return;
    }
    outbox_note(col->outbox, now_ms);
    if (now_ms >= col->files_due_ms) {
        col->files_due_ms = now_ms + FILES_EVERY_MS;
        accounts_look_at_certificates(col->accounts);
        look_at_folder(col);
    }
    save_round(col, now_ms);
    for (i = 0; i < col->count; i++) {
        struct tenant *t = col->tenants[i];

        status_update(t);
        if (now_ms >= t->status_due_ms)
            status_line(t, now_ms);
    }
    if (now_ms >= col->metrics_due_ms)
        metrics(col, now_ms);
}

/* Beginning and end. */

/* A few at a time, so that the first ones are under way while the others' checkpoints are read. */
static void start_some(void *ctx, int64_t now_ms)
{
    struct collector *col = ctx;
    size_t until = col->begun + START_AT_ONCE;

    for (; col->begun < col->count && col->begun < until; col->begun++)
        tenant_start(col->tenants[col->begun]);
    if (col->begun < col->count)
        timer_set(col->loop, &col->start_timer, now_ms);
}

static void add_tenant(struct collector *col, const struct raw_stanza *stanza)
{
    struct input input = { .name = NULL };
    CLEANUP(mem_freep) char *label = NULL;
    struct tenant *t;
    struct err err;

    if (stanza_is_disabled(stanza))     /* whatever else it holds */
        return;
    if (!input_from_stanza(stanza, true, &input, &err)) {
        label = input_label(stanza_input_name(stanza));
        log_event(EVENT_BAD_INPUT, "input=%s %s. This input does not run until it is corrected", label, err.text);
        return;
    }
    t = tenant_new(col, &input);
    /* Status lines are spread over their five minutes. */
    t->status_due_ms = col->started_ms + 60000 + (int64_t)(col->count * 240000 / 500) % 240000;
    col->tenants = mem_grow(col->tenants, col->count + 1, sizeof(*col->tenants));
    col->tenants[col->count++] = t;
}

struct collector *collector_new(struct loop *loop, const struct config *config, int out_fd)
{
    struct collector *col = mem_alloc(sizeof(*col));
    size_t i;

    col->loop = loop;
    col->started_ms = clock_ms();
    col->metrics_due_ms = col->started_ms + METRICS_EVERY_MS;
    col->http = http_new(loop);
    col->gate = gate_new(loop, REQUESTS_MOST, REQUESTS_AT_ONCE);
    col->outbox = outbox_new(out_fd);
    col->checkpoint_dir = mem_text(config->checkpoint_dir);
    col->splunkd = splunkd_new(loop, col->http, config, getenv("SPLUNK_HOME"));
    col->accounts = accounts_new(loop, col->http, col->gate, col->splunkd, session_lost, col);
    col->stdout_watch = (struct watch){ .fd = out_fd, .ready = stdout_ready, .ctx = col };
    col->flush_timer = (struct timer){ .fire = flush_fire, .ctx = col };
    col->tick_timer = (struct timer){ .fire = tick, .ctx = col };
    col->start_timer = (struct timer){ .fire = start_some, .ctx = col };
    col->secrets_timer = (struct timer){ .fire = secrets_fire, .ctx = col };
    col->session_timer = (struct timer){ .fire = session_fire, .ctx = col };
    watch_add(loop, &col->stdout_watch);
    for (i = 0; i < config->count; i++)
        add_tenant(col, &config->stanzas[i]);
    return col;
}

/* Every checkpoint as far as splunkd has taken the events. What is still in the pipe comes again at the next start. */
static void save_all(struct collector *col, int64_t sync_until_ms)
{
    uint64_t taken = outbox_taken(col->outbox);
    struct err err;
    size_t i;

    look_at_folder(col);
    for (i = 0; i < col->count; i++) {
        struct tenant *t = col->tenants[i];

        if (!tenant_has_news(t, taken))
            continue;
        if (!tenant_save(t, taken, clock_ms() < sync_until_ms, &err))
            log_event(EVENT_CHECKPOINT_FAILED, "input=%s tenant=%s %s; what was written since its last save comes "
                      "again", t->label, t->input.tenant_id, err.text);
    }
}

static bool storing(void *ctx)
{
    return accounts_storing(ctx);
}

void collector_run(struct collector *col)
{
    int64_t stopped_ms;

    log_event(EVENT_START, "inputs=%zu version=%s", col->count, VERSION);
    flush(col);
    load_secrets(col);
    timer_set(col->loop, &col->start_timer, clock_ms());
    timer_set(col->loop, &col->tick_timer, clock_ms());
    loop_run(col->loop);
    stopped_ms = clock_ms();
    loop_drain(col->loop, stopped_ms + STORE_UNTIL_MS, storing, col->accounts);
    outbox_close(col->outbox, (int)(stopped_ms + CLOSE_UNTIL_MS - clock_ms()));
    save_all(col, stopped_ms + SYNC_UNTIL_MS);
    log_event(EVENT_STOPPED, "inputs=%zu uptime_s=%lld", col->count,
              (long long)(clock_ms() - col->started_ms) / 1000);
}

void collector_free(struct collector *col)
{
    struct shared_budget *shared;
    size_t i;

    if (!col)
        return;
    for (i = 0; i < col->count; i++)
        tenant_free(col->tenants[i]);
    free(col->tenants);
    accounts_free(col->accounts);
    splunkd_free(col->splunkd);
    http_free(col->http);
    gate_free(col->gate);
    outbox_free(col->outbox);
    lock_close(col->lock);
    while ((shared = col->budgets)) {
        col->budgets = shared->next;
        free(shared->tenant_id);
        free(shared->client_id);
        free(shared);
    }
    free(col->checkpoint_dir);
    free(col);
}
