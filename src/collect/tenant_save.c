/* The checkpoint of an input on its way to the disk. */
#include "base/clock.h"
#include "base/file.h"
#include "collect/collector.h"
#include "collect/tenant.h"
#include "messages/log_events.h"

#define SAVE_EVERY_MS       (120 * 1000)    /* each is a sync of the disk; what it misses comes again after a crash */
#define SAVE_LOOK_MS        5000
#define CHECKPOINT_TEXT_MAX (512u * 1024 * 1024)

static void format(const struct tenant *t, const struct cursor *cursor, uint64_t pos, struct buf *text)
{
    checkpoint_format(&t->cp, cursor, t->dedup, pos, t->input.overlap, text);
}

struct pruning {
    const struct cursor *cursor;
    int64_t overlap_s;
};

static bool needed(void *ctx, const struct dedup_entry *entry)
{
    const struct pruning *pruning = ctx;

    return cursor_needs(pruning->cursor, entry->time, pruning->overlap_s);
}

static void prune(struct tenant *t, const struct cursor *saved)
{
    struct pruning pruning = { saved, t->input.overlap };

    dedup_prune(t->dedup, needed, &pruning);
    cursor_pruned(&t->cursor, saved, t->input.overlap);
}

static bool write_text(struct tenant *t, const struct buf *text, bool sync, struct err *err)
{
    if (file_replace(t->cp_path, buf_text(text), text->len, sync, err))
        return true;
    /* A folder that vanished is made again; anything else is the administrator's to mend. */
    return file_make_folder(t->col->checkpoint_dir, err) &&
           file_replace(t->cp_path, buf_text(text), text->len, sync, err);
}

bool tenant_save(struct tenant *t, uint64_t pos, bool sync, struct err *err)
{
    const struct pending_cursor *found;
    struct buf text = BUF_INIT(CHECKPOINT_TEXT_MAX);
    bool ok;

    if (!t->has_begin || !(found = acks_confirmed(&t->acks, pos)))
        return true;
    format(t, &found->cursor, pos, &text);
    ok = write_text(t, &text, sync, err);
    buf_free(&text);
    if (!ok)
        return false;
    t->saved_cursor = found->cursor;
    t->saved_pos = pos;
    t->cp_changed = false;
    prune(t, &found->cursor);
    return true;
}

/* Said once, by whoever notices first: a save, or an event that is to be written. */
static void cannot_save(struct tenant *t, const struct err *err)
{
    if (!t->save_fails)
        log_event(EVENT_CHECKPOINT_FAILED, "input=%s tenant=%s %s; the input holds its events back until it can be "
                  "written", t->label, t->input.tenant_id, err->text);
    t->save_fails = true;
}

static bool can_stage(struct tenant *t, struct err *err)
{
    static const char block[4096];
    struct buf text = BUF_INIT(CHECKPOINT_TEXT_MAX);
    bool ok;

    if (!collector_lock(t->col, err))
        return false;
    if (!t->save_fails)
        return file_stage(t->cp_path, block, sizeof(block), err);
    format(t, &t->saved_cursor, t->saved_pos, &text);    /* a block fits, a whole checkpoint may not */
    ok = file_stage(t->cp_path, buf_text(&text), text.len, err);
    buf_free(&text);
    return ok;
}

bool tenant_can_save(struct tenant *t, struct err *err)
{
    if (can_stage(t, err))
        return true;
    cannot_save(t, err);
    return false;
}

bool tenant_has_news(struct tenant *t, uint64_t pos)
{
    const struct pending_cursor *found = t->has_begin ? acks_confirmed(&t->acks, pos) : NULL;

    return found && (t->cp_changed || !cursor_same_saved(&found->cursor, &t->saved_cursor, t->input.overlap) ||
                    (t->event_pos > t->saved_pos && pos > t->saved_pos));
}

/* Will there be news once the reader has everything? If not, the input can rest until something happens to it. */
static bool all_saved(const struct tenant *t)
{
    if (!t->has_begin)      /* nothing can be saved yet; set_cursor() stirs it */
        return true;
    return !t->cp_changed && !t->save_fails && t->event_pos <= t->saved_pos &&
           cursor_same_saved(&t->cursor, &t->saved_cursor, t->input.overlap);
}

void tenant_stir(struct tenant *t)
{
    t->watched = t->unsaved = true;
    collector_stir(t->col, t);
}

void tenant_look(struct tenant *t)
{
    t->unsaved = !all_saved(t);
    status_update(t);
    if (t->watched || t->unsaved)
        collector_stir(t->col, t);
}

static void save_later(struct tenant *t, int64_t wait_ms)
{
    int64_t due_ms = clock_ms() + wait_ms;

    timer_set(t->col->loop, &t->save_timer, due_ms - due_ms % CLOCK_SECOND_MS);
}

void tenant_save_fire(void *ctx, int64_t now_ms UNUSED)
{
    struct tenant *t = ctx;

    collector_stir(t->col, t);
}

bool tenant_save_due(struct tenant *t, uint64_t settled)
{
    struct err err;

    if (t->save_timer.heap_index)
        return false;
    if (!tenant_has_news(t, settled)) {
        t->unsaved = !all_saved(t);
        if (t->unsaved)
            save_later(t, SAVE_LOOK_MS);
        return false;
    }
    if (!tenant_save(t, settled, true, &err)) {
        cannot_save(t, &err);
        save_later(t, SAVE_LOOK_MS);
        return true;
    }
    if (t->save_fails)
        log_event(EVENT_CHECKPOINT, "input=%s the checkpoint can be written again", t->label);
    t->save_fails = false;
    save_later(t, SAVE_EVERY_MS);
    return true;
}
