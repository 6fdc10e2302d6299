#include "state/ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define MARK      UINT64_MAX
#define CHUNK     8192 /* bytes; the thread that saves has a small stack */
#define TITLE     "defender_alerts ledger 1 of="
#define SINCE     " since="
#define WHOLE     " whole="
#define DROP_BITS 56

/* Slots. */

static uint64_t slot_at(const char *bytes)
{
    uint64_t ret = 0;

    for (int i = 7; i >= 0; i--)
        ret = ret << 8 | (unsigned char)bytes[i];
    return ret;
}

static void slot_to(char *bytes, uint64_t slot)
{
    for (int i = 0; i < 8; i++, slot >>= 8)
        bytes[i] = (char)slot;
}

void ledger_put_slot(struct buf *ret, uint64_t slot)
{
    char bytes[LEDGER_SLOT];

    slot_to(bytes, slot);
    buf_add(ret, bytes, sizeof(bytes));
}

uint64_t ledger_mark_slot(const struct ledger_item *mark)
{
    uint64_t kind = (uint64_t)mark->kind << DROP_BITS;

    if (mark->kind == LEDGER_DROPPED)
        return kind | (mark->value & ((UINT64_C(1) << DROP_BITS) - 1));
    return kind | (uint64_t)(mark->day & 0xFFFFFFu) << 32 | (mark->value & UINT32_MAX);
}

void ledger_put_mark(struct buf *ret, enum ledger_kind kind, uint32_t day, uint64_t value)
{
    ledger_put_slot(ret, MARK);
    ledger_put_slot(ret, ledger_mark_slot(&(struct ledger_item){ kind, day, value }));
}

static struct ledger_item read_mark(struct ledger_reader *reader, uint64_t slot)
{
    struct ledger_item item = { (enum ledger_kind)(slot >> DROP_BITS), (uint32_t)(slot >> 32) & 0xFFFFFFu,
                                slot & UINT32_MAX };

    reader->in_mark = false;
    if (slot >> DROP_BITS >= LEDGER_KEY)
        item.kind = LEDGER_NOTHING;
    if (item.kind == LEDGER_DROPPED) {
        item.day = 0;
        item.value = slot & ((UINT64_C(1) << DROP_BITS) - 1);
    } else if (item.day > LEDGER_DAY_MOST) {
        item.kind = LEDGER_NOTHING;
    }
    if (item.kind == LEDGER_DAY)
        reader->day = item.day;
    return item;
}

struct ledger_item ledger_read_slot(struct ledger_reader *reader, uint64_t slot)
{
    if (reader->in_mark)
        return read_mark(reader, slot);
    reader->in_mark = slot == MARK;
    return (struct ledger_item){ slot == MARK || !slot || reader->day == LEDGER_NO_DAY ? LEDGER_NOTHING : LEDGER_KEY,
                                 reader->day, slot };
}

/* The line. */

void ledger_format_line(const struct ledger_line *line, struct buf *ret)
{
    char since[TICKS_TEXT_MAX];

    ticks_text(line->since, since);
    buf_add_format(ret, TITLE "%s" SINCE "%s" WHOLE "%s\n", line->of, since, line->whole ? "yes" : "no");
}

/* Returns the length of the text before `mark`, and moves *at after the mark; SIZE_MAX: there is none. */
static size_t part_until(const char **at, const char *mark)
{
    const char *from = *at, *found = strstr(from, mark);

    if (!found)
        return SIZE_MAX;
    *at = found + strlen(mark);
    return (size_t)(found - from);
}

bool ledger_parse_line(const char *bytes, size_t len, struct ledger_line *ret)
{
    char text[LEDGER_LINE_MAX + 1];
    const char *at = text, *of = text + strlen(TITLE), *since;
    size_t of_len, since_len;

    len = len < LEDGER_LINE_MAX ? len : LEDGER_LINE_MAX;
    memcpy(text, bytes, len);
    text[len] = '\0';
    *ret = (struct ledger_line){ .since = 0 };
    if (!text_starts(text, TITLE))
        return false;
    at = of;
    if ((of_len = part_until(&at, SINCE)) >= sizeof(ret->of) || memchr(of, '\n', of_len))
        return false;
    since = at;
    if ((since_len = part_until(&at, WHOLE)) == SIZE_MAX || !ticks_parse(since, since_len, &ret->since))
        return false;
    memcpy(ret->of, of, of_len);
    ret->whole = text_starts(at, "yes\n");
    ret->len = (size_t)(at - text) + (ret->whole ? strlen("yes\n") : strlen("no\n"));
    return ret->whole || text_starts(at, "no\n");
}

/* Reading. */

static bool fail(struct err *err, const char *what, const char *path)
{
    int saved = errno;

    err_set(err, ERR_RETRY, "cannot %s '%s': %s", what, path, strerror(saved));
    errno = saved;
    return false;
}

/* Opens the file, which must be one: whatever else has its name could make the process wait. -1 with err. */
static int open_file(const char *path, int flags, struct stat *st, struct err *err)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        fail(err, "open", path);
        return -1;
    }
    if (!fstat(fd, st) && S_ISREG(st->st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    fail(err, "use", path);
    return -1;
}

/* Reads len bytes unless the file ends before. Returns how many; -1 with errno. */
static ssize_t read_some(int fd, char *to, size_t len, uint64_t offset)
{
    size_t done = 0;
    ssize_t got;

    while (done < len) {
        got = pread(fd, to + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (!got)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

bool ledger_read_head(const char *path, struct ledger_head *ret, struct err *err)
{
    char bytes[LEDGER_LINE_MAX + LEDGER_MARK];
    struct ledger_reader reader = { .day = LEDGER_NO_DAY };
    struct ledger_item mark;
    struct stat st;
    int fd = open_file(path, O_RDONLY, &st, err);
    ssize_t got;

    if (fd < 0)
        return false;
    got = read_some(fd, bytes, sizeof(bytes), 0);
    if (got < 0)
        fail(err, "read", path);
    close(fd);
    if (got < 0)
        return false;
    if (!ledger_parse_line(bytes, (size_t)got, &ret->line) || (size_t)got < ret->line.len + LEDGER_MARK)
        return err_set(err, ERR_INPUT, "'%s' is not a ledger of this version", path);
    ledger_read_slot(&reader, slot_at(bytes + ret->line.len));
    mark = ledger_read_slot(&reader, slot_at(bytes + ret->line.len + LEDGER_SLOT));
    if (mark.kind != LEDGER_DROPPED)
        return err_set(err, ERR_INPUT, "'%s' is damaged at its beginning", path);
    ret->dropped = mark.value;
    ret->size = (uint64_t)st.st_size;
    return true;
}

static void walk_chunk(struct ledger_reader *reader, const char *bytes, size_t len,
                       void (*fn)(void *ctx, const struct ledger_item *item), void *ctx)
{
    struct ledger_item item;
    size_t at;

    for (at = 0; at + LEDGER_SLOT <= len; at += LEDGER_SLOT) {
        item = ledger_read_slot(reader, slot_at(bytes + at));
        if (item.kind != LEDGER_NOTHING)
            fn(ctx, &item);
    }
}

bool ledger_walk(const char *path, size_t line_len, uint64_t size,
                 void (*fn)(void *ctx, const struct ledger_item *item), void *ctx, struct err *err)
{
    struct ledger_reader reader = { .day = LEDGER_NO_DAY };
    char chunk[CHUNK];
    uint64_t at = line_len;
    struct stat st;
    int fd = open_file(path, O_RDONLY, &st, err);
    ssize_t got = 0;

    if (fd < 0)
        return false;
    for (; at < size; at += CHUNK) {
        got = read_some(fd, chunk, size - at < CHUNK ? (size_t)(size - at) : CHUNK, at);
        if (got < 0)
            break;
        walk_chunk(&reader, chunk, (size_t)got, fn, ctx);
    }
    if (got < 0)
        fail(err, "read", path);
    close(fd);
    return got >= 0;
}

/* Writing. */

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

static bool has_size(const struct ledger_job *job, const struct stat *st, struct err *err)
{
    if ((uint64_t)st->st_size >= job->size)
        return true;
    errno = ESTALE;
    return fail(err, "go on with", job->path);
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
    int fd = open_file(job->path, O_WRONLY, &st, &job->err), saved, ignored UNUSED;
    bool ok;

    if (fd < 0)
        return false;
    ok = has_size(job, &st, &job->err);
    if (ok && !append_to(fd, job, &st, sync)) {
        ok = fail(&job->err, "write", job->path);
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
    slot_to(sink->chunk + sink->len, slot);
    sink->len += LEDGER_SLOT;
}

static void sink_mark(struct sink *sink, const struct ledger_item *mark)
{
    sink_slot(sink, MARK);
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

        got = read_some(fd, slot, len, at);
        for (ssize_t i = 0; i + LEDGER_SLOT <= got; i += LEDGER_SLOT) {
            item = ledger_read_slot(&reader, slot_at(slot + i));
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

    if (read_some(from, sink->chunk, job->line_len, 0) != (ssize_t)job->line_len)
        return false;
    sink->len = job->line_len;
    sink_mark(sink, &mark);
    mark.value = copy_slots(from, job, sink);
    sink_flush(sink);
    kept = sink->size - job->line_len - LEDGER_MARK;
    mark.value += before - (kept < before ? kept : before);
    slot_to(filled, MARK);
    slot_to(filled + LEDGER_SLOT, ledger_mark_slot(&mark));
    return !sink->failed && write_all(sink->fd, filled, sizeof(filled), job->line_len) &&
           write_all(sink->fd, job->bytes.data, job->bytes.len, sink->size);
}

static bool compact(struct ledger_job *job, bool sync)
{
    struct sink sink = { .fd = -1 };
    struct stat st;
    int from = open_file(job->path, O_RDONLY, &st, &job->err), saved;
    bool ok;

    if (from < 0)
        return false;
    ok = has_size(job, &st, &job->err);
    if (ok) {
        unlink(job->temp);
        sink.fd = open(job->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        ok = sink.fd >= 0 && copy(from, job, &sink) && (!sync || !fdatasync(sink.fd));
        if (!ok)
            fail(&job->err, "write", job->temp);
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
    if (job->change == LEDGER_APPEND) {
        ok = append(job, sync);
    } else if (job->change == LEDGER_COMPACT) {
        ok = compact(job, sync);
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
