/* What a collector looks at again and again: the inputs to which something happened, the files, the reader. */
#include "collect/collector_private.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define SAVES_MOST_MS    100        /* of each round, for the saves that are due */
#define FILES_EVERY_MS   5000

/* The inputs that want a look. Hundreds may be at rest, and to touch them all each time would cost as much as their
 * polls. */

static void stirred_put(struct collector *col, struct tenant *t)
{
    t->stirred = true;
    t->stirred_next = NULL;
    *col->stirred_end = t;
    col->stirred_end = &t->stirred_next;
    col->stirred_count++;
}

static struct tenant *stirred_take(struct collector *col)
{
    struct tenant *t = col->stirred;

    col->stirred = t->stirred_next;
    if (!col->stirred)
        col->stirred_end = &col->stirred;
    col->stirred_count--;
    t->stirred = false;
    return t;
}

void collector_stir(struct collector *col, struct tenant *t)
{
    int64_t due_ms = clock_next(loop_now(col->loop), CLOCK_SECOND_MS);

    if (!t->stirred)
        stirred_put(col, t);
    if (col->tick_timer.heap_index && col->tick_timer.due_ms > due_ms)
        timer_set(col->loop, &col->tick_timer, due_ms);
}

/* The checkpoint folder. */

void collector_save_anew(struct tenant *t)
{
    t->cp_changed = t->unsaved = true;
    timer_cancel(t->col->loop, &t->save_timer);
    collector_stir(t->col, t);
}

/* Has anything come into the folder or left it? A removal in the same tick of the file system's clock as an entry that
 * was seen leaves the time as it is, so one more look follows each change. */
static bool folder_is_quiet(struct collector *col)
{
    struct stat now;

    if (stat(col->checkpoint_dir, &now))
        now = (struct stat){ .st_ino = 0 };
    if (now.st_ino && now.st_ino == col->folder.st_ino && now.st_dev == col->folder.st_dev &&
        now.st_mtim.tv_sec == col->folder.st_mtim.tv_sec && now.st_mtim.tv_nsec == col->folder.st_mtim.tv_nsec)
        return col->folder_alike++ > 0;
    col->folder = now;
    col->folder_alike = 0;
    return false;
}

/* Only to notice what was removed from the folder; with no lock yet, the tenants ask by themselves. A folder that
 * cannot be used is said by the first save that fails. */
void collector_look_at_folder(struct collector *col)
{
    struct err ignored;
    size_t i;

    if (col->lock)
        collector_lock(col, &ignored);
    if (folder_is_quiet(col))
        return;
    for (i = 0; i < col->count; i++) {
        struct tenant *t = col->tenants[i];

        if (t->has_begin && access(t->cp_path, F_OK) && errno == ENOENT)
            collector_save_anew(t);
    }
}

/* The rounds. */

/* A save waits for the disk, and hundreds may be due at once: a slow disk must stop neither the polls nor a SIGTERM, so
 * a round takes turns and ends after a while. What is saved later only comes again more often after a crash. */
static void save_round(struct collector *col, int64_t now_ms)
{
    uint64_t settled = outbox_settled(col->outbox, now_ms);
    int64_t began_ms = clock_ms();
    struct tenant *t;
    size_t left;

    for (left = col->stirred_count; left && !loop_stopping(col->loop); left--) {
        t = stirred_take(col);
        stirred_put(col, t);        /* the next round begins behind the last that had its turn */
        if (t->unsaved && tenant_save_due(t, settled) && clock_ms() - began_ms >= SAVES_MOST_MS)
            return;
    }
}

static void state_round(struct collector *col)
{
    struct tenant *t;
    size_t left;

    for (left = col->stirred_count; left; left--) {
        t = stirred_take(col);
        if (t->watched)
            status_update(t);
        if ((t->watched || (t->unsaved && !t->save_timer.heap_index)) && !t->stirred)
            stirred_put(col, t);
    }
}

void collector_tick(void *ctx, int64_t now_ms)
{
    struct collector *col = ctx;

    if (outbox_reader_gone(col->outbox)) {
        collector_stop_unread(col);
        return;
    }
    outbox_note(col->outbox, now_ms);
    if (now_ms >= col->files_due_ms) {
        col->files_due_ms = clock_next(now_ms, FILES_EVERY_MS);
        if (col->lock)
            lock_touch(col->lock);
        principals_look_at_certificates(col->principals);
        collector_look_at_folder(col);
    }
    save_round(col, now_ms);
    state_round(col);
    if (now_ms >= col->metrics_due_ms)
        collector_metrics(col, now_ms);
    timer_set(col->loop, &col->tick_timer, clock_next(now_ms, col->stirred ? CLOCK_SECOND_MS : CLOCK_IDLE_MS));
}
