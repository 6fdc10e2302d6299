#include "state/store_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/file_writer.h"
#include "state/lock.h"

#define BUSY_RETRY_MS 250 /* the other process is usually about to end */
#define DISK_RETRY_MS 10000

struct store_file {
    struct store store;
    char *folder;
    struct lock_file *lock; /* NULL: not opened yet */
    struct stat seen;       /* the folder when it was last looked at */
    bool settled;           /* it has been looked at again since it changed */
    struct file_writer *writer;
    bool again; /* the save in flight is a second try */
};

static struct store_file *file_store(struct store *store)
{
    return (struct store_file *)store; /* its first member */
}

char *store_file_path(const char *folder, const char *input_name)
{
    struct buf path = BUF_INIT(1 << 20);

    buf_add_text(&path, folder);
    buf_add_char(&path, '/');
    buf_add_file_name(&path, input_name);
    buf_add_text(&path, ".json");
    return buf_take(&path);
}

static char *claim_path(const struct claim *claim)
{
    return store_file_path(file_store(claim->store)->folder, claim->name);
}

/* The ledgers. */

char *store_file_ledger_path(const char *folder, const char *input_name)
{
    struct buf path = BUF_INIT(1 << 20);

    buf_add_format(&path, "%s/" LEDGER_FOLDER "/", folder);
    buf_add_file_name(&path, input_name);
    return buf_take(&path);
}

static void place_ledger(const struct claim *claim)
{
    CLEANUP(mem_freep) char *path = store_file_ledger_path(file_store(claim->store)->folder, claim->name);

    ledger_place(claim->ledger, path);
}

/* Returns what a save has to do in the ledger. The folder is made when it is needed first; if that fails, the job says
 * why. */
static struct ledger_job ledger_change(const struct claim *claim, bool directly)
{
    CLEANUP(mem_freep) char *folder = NULL;
    struct ledger_job job;
    struct err ignored;

    ledger_make_job(claim->ledger, directly, &job);
    if (job.change == LEDGER_CREATE) {
        folder = mem_format("%s/" LEDGER_FOLDER, file_store(claim->store)->folder);
        file_make_folder(folder, &ignored);
    }
    return job;
}

/* The lock file. */

static bool open_lock(struct store_file *files, struct err *err)
{
    if (!file_make_folder(files->folder, err))
        return false;
    files->lock = lock_open(files->folder, err);
    if (!files->lock)
        return false;
    if (files->store.watcher.opened)
        files->store.watcher.opened(files->store.watcher.ctx, lock_idle_ms(files->lock));
    lock_touch(files->lock);
    return true;
}

/* Takes the claims of a folder that was cleaned in its new lock file before the old one is let go. What the inputs know
 * is in memory alone now. A claim that another process has in the new file is lost. */
static bool replace_lock(struct store_file *files, struct err *err)
{
    struct lock_file *lock;
    struct claim *claim, *next;
    struct err ignored;

    if (!file_make_folder(files->folder, err) || !(lock = lock_open(files->folder, err)))
        return false;
    for (claim = files->store.claims; claim; claim = next) {
        next = claim->next;
        if (lock_input(lock, claim->name, &ignored))
            claim->owner->vanished(claim->ctx);
        else
            store_lose(claim);
    }
    lock_close(files->lock);
    files->lock = lock;
    return true;
}

static bool have_lock(struct store_file *files, struct err *err)
{
    if (!files->lock)
        return open_lock(files, err);
    return lock_is_current(files->lock) || replace_lock(files, err);
}

static bool file_holds(struct claim *claim)
{
    struct err ignored;

    have_lock(file_store(claim->store), &ignored);
    return claim->held;
}

static bool file_claim(struct store *store, struct claim *claim, struct err *err)
{
    struct store_file *files = file_store(store);

    if (!have_lock(files, err)) {
        err_prefix(err, "the checkpoint folder cannot be used, events are held back");
        err->wait_ms = DISK_RETRY_MS;
        return false;
    }
    if (lock_input(files->lock, claim->name, err)) {
        place_ledger(claim);
        return true;
    }
    err->wait_ms = BUSY_RETRY_MS;
    return false;
}

static void file_release(struct claim *claim)
{
    lock_release_input(file_store(claim->store)->lock, claim->name);
}

bool store_file_claim_host(struct store *store, struct err *err)
{
    struct store_file *files = file_store(store);

    return have_lock(files, err) && lock_host(files->lock, err);
}

/* The files. */

static enum store_found file_load(struct claim *claim, struct buf *text, struct err *err)
{
    CLEANUP(mem_freep) char *path = claim_path(claim);

    claim->unsynced = false;
    if (file_read(path, text, err)) {
        claim->unsynced = file_has_kept(path);
        return STORE_FOUND;
    }
    if (err->kind == ERR_INPUT)
        return STORE_FAILED;
    if (errno == ENOENT)
        return STORE_NONE;
    err->wait_ms = DISK_RETRY_MS;
    return STORE_FAILED;
}

static bool save_ready(struct store *store)
{
    return file_writer_idle(file_store(store)->writer);
}

static void save_begin(struct claim *claim, struct buf *text, enum store_durability durability)
{
    CLEANUP(mem_freep) char *path = claim_path(claim);
    struct ledger_job job = ledger_change(claim, false);
    struct store_file *files = file_store(claim->store);

    files->again = false;
    file_writer_start(files->writer, path, text, durability == STORE_SYNCED, &job);
}

/* The folder of the ledgers may be in the way of nothing but a ledger. */
static bool make_folders(struct store_file *files, struct err *err)
{
    CLEANUP(mem_freep) char *ledgers = mem_format("%s/" LEDGER_FOLDER, files->folder);

    return file_make_folder(files->folder, err) && (file_make_folder(ledgers, err) || true);
}

/* A folder that vanished is made again; anything else is for an administrator to correct. */
static bool save_ended(struct store *store, bool *ok, struct err *err)
{
    struct store_file *files = file_store(store);
    struct err ignored;
    int error;

    if (!file_writer_ended(files->writer, &error, err))
        return false;
    if (error == ENOENT && !files->again && make_folders(files, &ignored)) {
        files->again = true;
        file_writer_again(files->writer);
        return false;
    }
    file_writer_take(files->writer);
    *ok = !error;
    if (store->saving)
        ledger_ended(store->saving->ledger, file_writer_ledger(files->writer), *ok);
    return true;
}

static bool save_wait(struct store *store, int64_t until_ms)
{
    return file_writer_wait(file_store(store)->writer, until_ms);
}

static void save_give_up(struct store *store)
{
    file_writer_give_up(file_store(store)->writer);
    if (store->saving)
        ledger_ended(store->saving->ledger, NULL, false);
}

static int file_fd(const struct store *store)
{
    return file_writer_fd(((const struct store_file *)store)->writer);
}

/* Saves without the thread, which may be stuck in an earlier text of the same file: under another temporary name. */
static bool save_text(struct claim *claim, const struct buf *text, bool sync, struct err *err)
{
    CLEANUP(mem_freep) char *path = claim_path(claim);
    CLEANUP(mem_freep) char *temp = mem_format("%s.last", path);

    if (text->full) /* a file that could not be read back */
        return err_set(err, ERR_INPUT, "the checkpoint '%s' would be larger than %u bytes", path, STORE_FILE_MAX);
    if (file_write(temp, text->data, text->len, sync, err) && file_rename_kept(temp, path, sync, err))
        return true;
    return file_make_folder(file_store(claim->store)->folder, err) &&
           file_write(temp, text->data, text->len, sync, err) && file_rename_kept(temp, path, sync, err);
}

static bool file_save(struct claim *claim, const struct buf *text, enum store_durability durability, struct err *err)
{
    struct ledger_job job = ledger_change(claim, true);
    bool sync = durability == STORE_SYNCED, ok;

    ledger_job_write(&job, sync);
    ledger_job_commit(&job);
    ok = save_text(claim, text, sync, err);
    ledger_ended(claim->ledger, &job, ok);
    ledger_job_release(&job);
    return ok;
}

static bool file_writable(struct claim *claim, const char *bytes, size_t len, struct err *err)
{
    CLEANUP(mem_freep) char *path = claim_path(claim);

    return have_lock(file_store(claim->store), err) && file_try(path, bytes, len, err);
}

static bool file_set_aside(struct claim *claim, struct err *err)
{
    CLEANUP(mem_freep) char *path = claim_path(claim);
    CLEANUP(mem_freep) char *bad = mem_format("%s.bad", path);

    err_prefix(err, "checkpoint '%s' cannot be used", path);
    claim->stored = false;
    return file_put_aside(path, bad);
}

/* Looking at the folder. */

/* Returns true if nothing has come into the folder or left it. A removal within one tick of the file system's clock
 * leaves the time as it is, so one more look follows each change. */
static bool folder_is_quiet(struct store_file *files)
{
    const struct stat *seen = &files->seen;
    struct stat now;
    bool same;

    if (stat(files->folder, &now))
        now = (struct stat){ .st_ino = 0 };
    same = now.st_ino && now.st_ino == seen->st_ino && now.st_dev == seen->st_dev &&
           now.st_mtim.tv_sec == seen->st_mtim.tv_sec && now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec;
    if (same && files->settled)
        return true;
    files->settled = same;
    files->seen = now;
    return false;
}

static void look_at_claim(struct claim *claim)
{
    CLEANUP(mem_freep) char *path = claim->stored ? claim_path(claim) : NULL;

    if (path && access(path, F_OK) && errno == ENOENT)
        claim->owner->vanished(claim->ctx);
}

/* A folder that cannot be used is reported by the first save that fails. */
static void file_look(struct store *store)
{
    struct store_file *files = file_store(store);
    struct claim *claim;
    struct err ignored;

    if (!files->lock)
        return;
    lock_touch(files->lock);
    have_lock(files, &ignored);
    if (folder_is_quiet(files))
        return;
    for (claim = store->claims; claim; claim = claim->next)
        look_at_claim(claim);
}

static void file_free(struct store *store)
{
    struct store_file *files = file_store(store);

    file_writer_free(files->writer);
    lock_close(files->lock);
    free(files->folder);
    free(files);
}

struct store *store_file_new(const char *folder, const struct store_watcher *watcher)
{
    static const struct store_ops ops = { .claim = file_claim,
                                          .release = file_release,
                                          .load = file_load,
                                          .holds = file_holds,
                                          .save = file_save,
                                          .save_ready = save_ready,
                                          .save_begin = save_begin,
                                          .save_ended = save_ended,
                                          .save_wait = save_wait,
                                          .save_give_up = save_give_up,
                                          .fd = file_fd,
                                          .writable = file_writable,
                                          .set_aside = file_set_aside,
                                          .look = file_look,
                                          .free = file_free,
                                          .text_most = STORE_FILE_MAX };
    struct store_file *files = mem_alloc(sizeof(*files));

    store_init(&files->store, &ops, watcher);
    files->folder = mem_text(folder);
    files->writer = file_writer_new();
    return &files->store;
}
