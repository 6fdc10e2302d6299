#include "state/ledger_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

#define TEXT_MOST  512 /* bytes of an ID and a time that need no memory */
#define BATCH_MOST ((size_t)1 << 40)

struct ledger *ledger_new(const char *of)
{
    struct ledger *ledger = mem_alloc(sizeof(*ledger));

    snprintf(ledger->line.of, sizeof(ledger->line.of), "%s", of);
    ledger->batch = BUF_INIT(BATCH_MOST);
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    waiting_clear(&ledger->waiting);
    buf_free(&ledger->batch);
    free(ledger->path);
    free(ledger->news);
    free(ledger);
}

void ledger_place(struct ledger *ledger, const char *path)
{
    if (!ledger)
        return;
    free(ledger->path);
    ledger->path = mem_text(path);
}

/* Where it begins. */

static void trouble(struct ledger *ledger, const struct err *err)
{
    if (!ledger->in_trouble && !ledger->news)
        ledger->news = mem_text(err->text);
    ledger->in_trouble = true;
}

bool ledger_trouble(struct ledger *ledger, struct err *err)
{
    if (!ledger || !ledger->news)
        return false;
    err_set(err, ERR_RETRY, "%s", ledger->news);
    mem_freep(&ledger->news);
    return true;
}

/* What waits is kept: a new file may hold more than it must. */
static void begin_file(struct ledger *ledger, ticks since, bool whole)
{
    random_bytes(&ledger->line.id, sizeof(ledger->line.id));
    ledger->begun = true;
    ledger->exists = ledger->compacts = false;
    ledger->line.since = since;
    ledger->line.whole = whole;
    ledger->line.len = 0;
    ledger->size = ledger->dropped = 0;
    ledger->day = LEDGER_NO_DAY;
    ledger_forget_days(ledger);
}

void ledger_begin(struct ledger *ledger, ticks since, bool whole)
{
    if (!ledger)
        return;
    if (ledger->newest) { /* written by this process */
        since = ticks_max(since, ledger->newest + 1);
        whole = false;
    }
    buf_clear(&ledger->batch);
    begin_file(ledger, since, whole);
}

/* Returns the time from which on a new file is complete: what was written before and is dated ahead is not in it, and an
 * audit would write it again. One record that is dated years ahead does not count. */
static ticks after_newest(const struct ledger *ledger)
{
    ticks most = ledger->today ? ledger_day_begin(ledger->today + LEDGER_KEPT_DAYS) : ledger->newest;

    return ticks_max(ledger->line.since, ticks_min(ledger->newest, most) + 1);
}

/* Returns false if the file cannot be continued: err says why, unless its absence is no surprise. */
static bool usable(struct ledger *ledger, int64_t end, uint64_t id, struct ledger_head *head, struct err *err)
{
    uint64_t had = (uint64_t)end, start;

    err->text[0] = '\0';
    if (end < 0 || !ledger->path)
        return false;
    if (!ledger_read_head(ledger->path, head, err))
        return false;
    if (!text_same(head->line.of, ledger->line.of)) /* filter or api was changed */
        return false;
    if (head->line.id != id)
        return err_set(err, ERR_INPUT,
                       "'%s' is not the ledger that its checkpoint speaks of: it was swapped or restored",
                       ledger->path);
    start = head->line.len + LEDGER_MARK;
    if (had >= head->dropped && head->size >= start && head->size - start >= had - head->dropped &&
        ledger_has_slot(ledger->path, start + (had - head->dropped)))
        return true;
    return err_set(err, ERR_INPUT, "'%s' is not as its checkpoint says: it was cut, restored, or not written",
                   ledger->path);
}

bool ledger_continue(struct ledger *ledger, int64_t end, uint64_t id, ticks newest, bool whole)
{
    struct ledger_head head;
    struct err err;

    if (!ledger)
        return true;
    if (!usable(ledger, end, id, &head, &err)) {
        if (err.text[0])
            trouble(ledger, &err);
        ledger->newest = whole ? ledger->newest : ticks_max(ledger->newest, newest);
        buf_clear(&ledger->batch);
        begin_file(ledger, whole ? newest : newest + 1, whole);
        return false;
    }
    begin_file(ledger, head.line.since, head.line.whole);
    ledger->newest = ticks_max(ledger->newest, newest);
    ledger->exists = ledger->cuts = true;
    ledger->line = head.line;
    ledger->dropped = head.dropped;
    ledger->size = head.line.len + LEDGER_MARK + ((uint64_t)end - head.dropped);
    return true;
}

void ledger_forget(struct ledger *ledger)
{
    if (!ledger)
        return;
    waiting_clear(&ledger->waiting);
    buf_clear(&ledger->batch);
    begin_file(ledger, 0, false);
    ledger->begun = ledger->busy = false;
    ledger->newest = 0;
}

/* Versions. */

uint64_t ledger_key(const char *id, size_t id_len, const char *time, size_t time_len)
{
    char room[TEXT_MOST], *text = id_len < sizeof(room) - 1 && time_len < sizeof(room) - 1 - id_len ? room : NULL;
    CLEANUP(mem_freep) char *large = text ? NULL : mem_alloc(id_len + 1 + time_len);
    unsigned char digest[SHA256_BYTES];
    uint64_t ret = 0;

    text = text ? text : large;
    memcpy(text, id, id_len);
    text[id_len] = '|';
    memcpy(text + id_len + 1, time, time_len);
    sha256_of(text, id_len + 1 + time_len, digest);
    for (int i = 0; i < 8; i++)
        ret = ret << 8 | digest[i];
    return ret;
}

void ledger_add(struct ledger *ledger, uint64_t key, ticks time, uint64_t pos)
{
    uint32_t day = ledger_day_of(time);

    if (!ledger)
        return;
    ledger->newest = ticks_max(ledger->newest, time);
    if (!ledger->path || day == LEDGER_NO_DAY || day + LEDGER_KEPT_DAYS < ledger->today)
        return;
    waiting_add(&ledger->waiting, key, day, pos);
}

static void put_key(void *ctx, uint64_t key)
{
    struct ledger *ledger = ctx;

    ledger_put_slot(&ledger->batch, key);
}

static void put_keys(struct ledger *ledger, uint64_t pos, uint32_t day)
{
    if (ledger->batch_day != day)
        ledger_put_mark(&ledger->batch, LEDGER_DAY, day, 0);
    ledger->batch_day = day;
    waiting_walk(&ledger->waiting, pos, day, put_key, ledger);
}

static void put_marks(struct ledger *ledger)
{
    struct ledger_day *day;

    for (day = ledger->days; day < ledger->days + LEDGER_DAYS; day++) {
        if (!day->unwritten)
            continue;
        if (day->lost)
            ledger_put_mark(&ledger->batch, LEDGER_LOST, day->day, 0);
        if (day->was_said)
            ledger_put_mark(&ledger->batch, LEDGER_SAID, day->day, day->said);
        if (day->audited)
            ledger_put_mark(&ledger->batch, LEDGER_AUDITED, day->day, day->audited);
        if (day->begins)
            ledger_put_mark(&ledger->batch, LEDGER_AGAIN, day->day, 0);
        day->unwritten = false;
    }
}

/* The marks come first: a file that is cut to what the checkpoint of a failed save says keeps them. A day's versions
 * come together, as a page may hold those of many days in any order. */
void ledger_prepare(struct ledger *ledger, uint64_t pos, ticks now)
{
    uint32_t day, kept;

    if (!ledger || !ledger->path || !ledger->begun)
        return;
    ledger->today = ledger_day_of(now);
    kept = ledger->today > LEDGER_KEPT_DAYS ? ledger->today - LEDGER_KEPT_DAYS : 1;
    if (!ledger->batch.len)
        ledger->batch_day = ledger->day;
    put_marks(ledger);
    day = kept - 1;
    while ((day = waiting_day_after(&ledger->waiting, pos, day)) != LEDGER_NO_DAY)
        put_keys(ledger, pos, day);
    waiting_drop(&ledger->waiting, pos);
}

/* Saving. */

int64_t ledger_end(const struct ledger *ledger)
{
    if (!ledger || !ledger->path || !ledger->begun)
        return -1;
    if (!ledger->exists)
        return (int64_t)ledger->batch.len;
    return (int64_t)(ledger->dropped + (ledger->size - ledger->line.len - LEDGER_MARK) + ledger->batch.len);
}

uint64_t ledger_id(const struct ledger *ledger)
{
    return ledger ? ledger->line.id : 0;
}

bool ledger_unsaved(const struct ledger *ledger)
{
    return ledger && ledger->path && ledger->begun && !ledger->exists;
}

void ledger_make_job(struct ledger *ledger, bool directly, struct ledger_job *job)
{
    *job = (struct ledger_job){ .change = LEDGER_UNCHANGED };
    if (!ledger || !ledger->path || !ledger->begun)
        return;
    ledger->busy = true;
    job->change = !ledger->exists ? LEDGER_CREATE : ledger->compacts && !directly ? LEDGER_COMPACT : LEDGER_APPEND;
    job->path = mem_text(ledger->path);
    job->temp = mem_format("%s.%s", ledger->path, directly ? "last" : "tmp");
    job->bytes = BUF_INIT(BATCH_MOST);
    job->line_len = ledger->line.len;
    job->id = ledger->line.id;
    job->size = ledger->size;
    job->cuts = ledger->cuts;
    job->last_day = ledger->day;
    job->keep_from = ledger->today > LEDGER_KEPT_DAYS ? ledger->today - LEDGER_KEPT_DAYS : 0;
    if (job->change == LEDGER_COMPACT) /* once a day, whatever comes of it */
        ledger->compacts = false;
    if (job->change == LEDGER_CREATE) {
        ledger_format_line(&ledger->line, &job->bytes);
        ledger_put_mark(&job->bytes, LEDGER_DROPPED, 0, 0);
    }
    buf_add(&job->bytes, ledger->batch.data, ledger->batch.len);
}

/* The batch is in the file. */
static void written(struct ledger *ledger, const struct ledger_job *job)
{
    uint64_t end = (uint64_t)ledger_end(ledger);

    if (job->change == LEDGER_CREATE)
        ledger->line.len = job->bytes.len - ledger->batch.len - LEDGER_MARK;
    ledger->exists = true;
    ledger->size = job->new_size;
    ledger->dropped = end - (job->new_size - ledger->line.len - LEDGER_MARK);
    ledger_count_batch(ledger);
    ledger->day = ledger->batch_day;
    ledger->in_trouble = ledger->cuts = false;
    buf_clear(&ledger->batch);
}

/* The checkpoint goes on without the batch. */
static void not_written(struct ledger *ledger, const struct ledger_job *job)
{
    bool gone = job->error == ENOENT || job->error == ESTALE;

    if (ledger->exists && !gone)
        ledger_lose_batch(ledger);
    else if (ledger->exists || ledger->batch.len)
        begin_file(ledger, after_newest(ledger), ledger->line.whole && !ledger->newest);
    buf_clear(&ledger->batch);
}

void ledger_ended(struct ledger *ledger, const struct ledger_job *job, bool checkpoint)
{
    if (!ledger)
        return;
    ledger->busy = false;
    if (!job || job->change == LEDGER_UNCHANGED || job->id != ledger->line.id) /* another file was begun meanwhile */
        return;
    ledger->cuts = true;
    if (!job->error) {
        written(ledger, job);
        return;
    }
    if (!checkpoint) /* which is trouble enough, and nothing is lost */
        return;
    trouble(ledger, &job->err);
    not_written(ledger, job);
}
