/* Changes of a ledger's file. */
#include "state/ledger_file_private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define CHUNK 8192 /* bytes; the thread that saves has a small stack */

void ledger_job_release(struct ledger_job *job)
{
    mem_freep(&job->path);
    mem_freep(&job->temp);
    buf_free(&job->bytes);
    *job = (struct ledger_job){ .change = LEDGER_UNCHANGED };
}

static bool write_all(int fd, const char *bytes, size_t len, uint64_t offset)
{
    ssize_t done;

    while (len) {
        done = pwrite(fd, bytes, len, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        len -= (size_t)done;
        offset += (uint64_t)done;
    }
    return true;
}

/* Returns true if the file is the ledger that the job is for. */
static bool is_same(int fd, const struct ledger_job *job, const struct stat *st, struct err *err)
{
    if ((uint64_t)st->st_size >= job->size && ledger_file_is(fd, job->id))
        return true;
    errno = ESTALE;
    return ledger_fail(err, "go on with", job->path);
}

/* Appends the bytes after the first `size` ones of an open file. */
static bool append_to(int fd, const struct ledger_job *job, const struct stat *st, bool sync)
{
    off_t size = (off_t)job->size;

    if (job->cuts && st->st_size > size && ftruncate(fd, size))
        return false;
    if (!job->bytes.len)
        return true;
    return write_all(fd, job->bytes.data, job->bytes.len, job->size) && (!sync || !fdatasync(fd));
}

static bool append(struct ledger_job *job, bool sync)
{
    struct stat st;
    int fd = ledger_open_file(job->path, O_RDWR, &st, &job->err), saved, ignored UNUSED;
    bool ok;

    if (fd < 0)
        return false;
    ok = is_same(fd, job, &st, &job->err);
    if (ok && !append_to(fd, job, &st, sync)) {
        ok = ledger_fail(&job->err, "write", job->path);
        saved = errno;
        ignored = ftruncate(fd, (off_t)job->size);
        errno = saved;
    }
    saved = errno;
    close(fd);
    errno = saved;
    job->new_size = job->size + job->bytes.len;
    return ok;
}

/* A file that is written from its beginning to its end, a chunk at a time. */
struct sink {
    int fd;
    uint64_t size; /* written */
    size_t len;
    bool failed;
    char chunk[CHUNK];
};

static void sink_flush(struct sink *sink)
{
    sink->failed = sink->failed || !write_all(sink->fd, sink->chunk, sink->len, sink->size);
    sink->size += sink->len;
    sink->len = 0;
}

static void sink_slot(struct sink *sink, uint64_t slot)
{
    if (sink->len + LEDGER_SLOT > sizeof(sink->chunk))
        sink_flush(sink);
    ledger_slot_to(sink->chunk + sink->len, slot);
    sink->len += LEDGER_SLOT;
}

static void sink_mark(struct sink *sink, const struct ledger_item *mark)
{
    sink_slot(sink, LEDGER_ONES);
    sink_slot(sink, ledger_mark_slot(mark));
}

/* Copies what is to be kept. Returns the bytes that were dropped before, by earlier copies. */
static uint64_t copy_slots(int fd, const struct ledger_job *job, struct sink *sink)
{
    struct ledger_reader reader = { .day = LEDGER_NO_DAY };
    uint32_t day = LEDGER_NO_DAY;
    uint64_t at = job->line_len, dropped = 0;
    char slot[LEDGER_SLOT * 64];
    struct ledger_item item;
    ssize_t got = 1;

    for (; at < job->size && got > 0; at += (uint64_t)got) {
        size_t len = job->size - at < sizeof(slot) ? (size_t)(job->size - at) : sizeof(slot);

        got = ledger_read_some(fd, slot, len, at);
        for (ssize_t i = 0; i + LEDGER_SLOT <= got; i += LEDGER_SLOT) {
            item = ledger_read_slot(&reader, ledger_slot_at(slot + i));
            if (item.kind == LEDGER_DROPPED)
                dropped += item.value;
            if (item.kind == LEDGER_NOTHING || item.kind == LEDGER_DAY || item.kind == LEDGER_DROPPED ||
                item.day < job->keep_from)
                continue;
            if (item.kind != LEDGER_KEY) {
                sink_mark(sink, &item);
                continue;
            }
            if (item.day != day)
                sink_mark(sink, &(struct ledger_item){ LEDGER_DAY, item.day, 0 });
            day = item.day;
            sink_slot(sink, item.value);
        }
    }
    sink->failed = sink->failed || got < 0;
    if (job->last_day != day)
        sink_mark(sink, &(struct ledger_item){ LEDGER_DAY, job->last_day, 0 });
    return dropped;
}

/* Writes the line, a mark that is filled in at the end, what is kept, and the new bytes. */
static bool copy(int from, const struct ledger_job *job, struct sink *sink)
{
    struct ledger_item mark = { LEDGER_DROPPED, 0, 0 };
    char filled[LEDGER_MARK];
    uint64_t before = job->size - job->line_len - LEDGER_MARK, kept;

    if (ledger_read_some(from, sink->chunk, job->line_len, 0) != (ssize_t)job->line_len)
        return false;
    sink->len = job->line_len;
    sink_mark(sink, &mark);
    mark.value = copy_slots(from, job, sink);
    sink_flush(sink);
    kept = sink->size - job->line_len - LEDGER_MARK;
    mark.value += before - (kept < before ? kept : before);
    ledger_slot_to(filled, LEDGER_ONES);
    ledger_slot_to(filled + LEDGER_SLOT, ledger_mark_slot(&mark));
    return !sink->failed && write_all(sink->fd, filled, sizeof(filled), job->line_len) &&
           write_all(sink->fd, job->bytes.data, job->bytes.len, sink->size);
}

/* Writes a synced copy without old days. */
static bool compact(struct ledger_job *job)
{
    struct sink sink = { .fd = -1 };
    struct stat st;
    int from = ledger_open_file(job->path, O_RDONLY, &st, &job->err), saved;
    bool ok;

    if (from < 0)
        return false;
    ok = is_same(from, job, &st, &job->err);
    if (ok) {
        unlink(job->temp);
        sink.fd = open(job->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        ok = sink.fd >= 0 && copy(from, job, &sink) && !fdatasync(sink.fd);
        if (!ok)
            ledger_fail(&job->err, "write", job->temp);
        saved = errno;
        if (sink.fd >= 0)
            close(sink.fd);
        errno = saved;
    }
    saved = errno;
    close(from);
    errno = saved;
    job->new_size = sink.size + job->bytes.len;
    return ok;
}

void ledger_job_write(struct ledger_job *job, bool sync)
{
    bool ok = true;

    if (job->change == LEDGER_UNCHANGED || job->written)
        return;
    job->error = 0;
    if (job->change == LEDGER_COMPACT && !sync) /* a copy that is lost takes with it what a synced checkpoint speaks of */
        job->change = LEDGER_APPEND;
    if (job->change == LEDGER_APPEND) {
        ok = append(job, sync);
    } else if (job->change == LEDGER_COMPACT) {
        ok = compact(job);
        if (!ok) { /* no room for a copy: the file grows on */
            job->change = LEDGER_APPEND;
            ok = append(job, sync);
        }
    } else {
        ok = file_write(job->temp, job->bytes.data, job->bytes.len, sync, &job->err);
        job->new_size = job->bytes.len;
    }
    job->written = ok;
    if (!ok)
        job->error = errno ? errno : EIO;
}

void ledger_job_commit(struct ledger_job *job)
{
    if (job->change == LEDGER_UNCHANGED || job->change == LEDGER_APPEND || job->error || job->committed)
        return;
    job->committed = file_rename(job->temp, job->path, &job->err);
    if (!job->committed) {
        job->error = errno;
        job->written = false;
    }
}
