/* In place of state/file_writer.c: its thread, as a part of the world that takes its time. What it does at the end of
 * that time is what the thread does, with the same calls. */
#include "state/file_writer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "sim.h"

#undef free /* its memory is the program's */

enum state { NONE, GIVEN, GIVEN_UP, ENDED, OVER };

struct file_writer {
    enum state state;
    int64_t number; /* of the job */
    char *path, *temp;
    struct buf text;
    bool sync;
    struct ledger_job ledger;
    int error;
    struct err err;
};

static struct file_writer *present;
static int64_t slow, jobs; /* slow: milliseconds that a save takes at most for a while; 0: as usually */
static struct rng writer_luck;

void writer_boot(void)
{
    present = NULL;
    if (writer_luck.state)
        return;
    writer_luck = rng_of(plan.seed, "writer", 0);
}

void writer_slow(int64_t ms)
{
    slow = ms;
}

bool writer_ready(void)
{
    return present && (present->state == ENDED || present->state == OVER);
}

static void job_ends(void *ctx, int64_t number)
{
    struct file_writer *w = present;
    int error;

    (void)ctx;
    if (!w || machine_dead() || w->number != number || (w->state != GIVEN && w->state != GIVEN_UP))
        return;
    ledger_job_write(&w->ledger, w->sync);
    error = file_write(w->temp, buf_text(&w->text), w->text.len, w->sync, &w->err) ? 0 : errno;
    if (w->state == GIVEN_UP) {
        w->state = OVER;
        return;
    }
    ledger_job_commit(&w->ledger);
    if (!error && !file_rename_kept(w->temp, w->path, w->sync, &w->err))
        error = errno;
    w->error = error;
    w->state = ENDED;
}

struct file_writer *file_writer_new(void)
{
    return present = mem_alloc(sizeof(*present));
}

static void free_job(struct file_writer *w)
{
    buf_free(&w->text);
    ledger_job_release(&w->ledger);
    mem_freep(&w->path);
    mem_freep(&w->temp);
}

void file_writer_free(struct file_writer *w)
{
    free_job(w);
    free(w);
    present = NULL;
}

int file_writer_fd(const struct file_writer *w)
{
    (void)w;
    return FD_WRITER;
}

bool file_writer_idle(struct file_writer *w)
{
    return w->state == NONE;
}

static void give(struct file_writer *w)
{
    w->state = GIVEN;
    w->number = ++jobs;
    at(now() + rng_between(&writer_luck, 1, 1 + (slow ? slow : plan.save_ms)), job_ends, NULL, w->number);
}

void file_writer_start(struct file_writer *w, const char *path, struct buf *text, bool sync, struct ledger_job *ledger)
{
    free_job(w);
    w->path = mem_text(path);
    w->temp = mem_format("%s.tmp", path);
    w->text = *text;
    *text = BUF_INIT(text->limit);
    w->sync = sync;
    if (ledger) {
        w->ledger = *ledger;
        *ledger = (struct ledger_job){ .change = LEDGER_UNCHANGED };
    }
    give(w);
}

const struct ledger_job *file_writer_ledger(const struct file_writer *w)
{
    return &w->ledger;
}

void file_writer_again(struct file_writer *w)
{
    file_writer_take(w);
    give(w);
}

static bool has_ended(void)
{
    return machine_dead() || present->state == ENDED;
}

bool file_writer_wait(struct file_writer *w, int64_t until)
{
    if (!machine_dead())
        world_run(until > now() ? until : now(), has_ended);
    if (machine_dead())
        machine_dead_time(10 * SECOND);
    return w->state == ENDED;
}

bool file_writer_ended(struct file_writer *w, int *error, struct err *err)
{
    if (w->state == OVER)
        w->state = NONE;
    if (w->state != ENDED)
        return false;
    *error = w->error;
    *err = w->err;
    return true;
}

void file_writer_take(struct file_writer *w)
{
    w->state = NONE;
}

void file_writer_give_up(struct file_writer *w)
{
    if (w->state == GIVEN)
        w->state = GIVEN_UP;
    else if (w->state == ENDED)
        w->state = NONE;
}
