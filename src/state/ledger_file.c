#include "state/ledger_file_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define CHUNK 8192 /* bytes; the thread that saves has a small stack */
#define TITLE "defender_alerts ledger 1 of="
#define ID    " id="
#define SINCE " since="
#define WHOLE " whole="

/* Slots. */

void ledger_put_slot(struct buf *ret, uint64_t slot)
{
    char bytes[LEDGER_SLOT];

    ledger_slot_to(bytes, slot);
    buf_add(ret, bytes, sizeof(bytes));
}

uint64_t ledger_mark_slot(const struct ledger_item *mark)
{
    uint64_t kind = (uint64_t)mark->kind << LEDGER_DROP_BITS;

    if (mark->kind == LEDGER_DROPPED)
        return kind | (mark->value & ((UINT64_C(1) << LEDGER_DROP_BITS) - 1));
    return kind | (uint64_t)(mark->day & 0xFFFFFFu) << 32 | (mark->value & UINT32_MAX);
}

void ledger_put_mark(struct buf *ret, enum ledger_kind kind, uint32_t day, uint64_t value)
{
    ledger_put_slot(ret, LEDGER_ONES);
    ledger_put_slot(ret, ledger_mark_slot(&(struct ledger_item){ kind, day, value }));
}

static struct ledger_item read_mark(struct ledger_reader *reader, uint64_t slot)
{
    struct ledger_item item = { (enum ledger_kind)(slot >> LEDGER_DROP_BITS), (uint32_t)(slot >> 32) & 0xFFFFFFu,
                                slot & UINT32_MAX };

    reader->in_mark = false;
    if (slot >> LEDGER_DROP_BITS >= LEDGER_KEY)
        item.kind = LEDGER_NOTHING;
    if (item.kind == LEDGER_DROPPED) {
        item.day = 0;
        item.value = slot & ((UINT64_C(1) << LEDGER_DROP_BITS) - 1);
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
    reader->in_mark = slot == LEDGER_ONES;
    return (struct ledger_item){ slot == LEDGER_ONES || !slot || reader->day == LEDGER_NO_DAY ? LEDGER_NOTHING
                                                                                              : LEDGER_KEY,
                                 reader->day, slot };
}

/* The line. */

void ledger_format_line(const struct ledger_line *line, struct buf *ret)
{
    char since[TICKS_TEXT_MAX];

    ticks_text(line->since, since);
    buf_add_format(ret, TITLE "%s", line->of);
    if (line->id)
        buf_add_format(ret, ID "%016llx", (unsigned long long)line->id);
    buf_add_format(ret, SINCE "%s" WHOLE "%s\n", since, line->whole ? "yes" : "no");
}

bool ledger_read_id(const char *text, size_t len, uint64_t *ret)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t id = 0;
    size_t i;

    for (i = 0; i < len && text[i] && strchr(digits, text[i]); i++)
        id = id << 4 | (uint64_t)(strchr(digits, text[i]) - digits);
    *ret = id;
    return i == len && len == LEDGER_ID_LEN && id;
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

/* Reads what comes before SINCE: what the ledger is of, and its ID. */
static bool read_name(const char *text, size_t len, struct ledger_line *ret)
{
    size_t of_len = strcspn(text, " ");

    of_len = of_len < len ? of_len : len;
    if (of_len >= sizeof(ret->of) || memchr(text, '\n', len))
        return false;
    memcpy(ret->of, text, of_len);
    if (of_len == len)
        return true;
    return len == of_len + strlen(ID) + LEDGER_ID_LEN && text_starts(text + of_len, ID) &&
           ledger_read_id(text + of_len + strlen(ID), LEDGER_ID_LEN, &ret->id);
}

bool ledger_parse_line(const char *bytes, size_t len, struct ledger_line *ret)
{
    char text[LEDGER_LINE_MAX + 1];
    const char *at = text, *of = text + strlen(TITLE), *since;
    size_t name_len, since_len;

    len = len < LEDGER_LINE_MAX ? len : LEDGER_LINE_MAX;
    memcpy(text, bytes, len);
    text[len] = '\0';
    *ret = (struct ledger_line){ .since = 0 };
    if (!text_starts(text, TITLE))
        return false;
    at = of;
    if ((name_len = part_until(&at, SINCE)) == SIZE_MAX || !read_name(of, name_len, ret))
        return false;
    since = at;
    if ((since_len = part_until(&at, WHOLE)) == SIZE_MAX || !ticks_parse(since, since_len, &ret->since))
        return false;
    ret->whole = text_starts(at, "yes\n");
    ret->len = (size_t)(at - text) + (ret->whole ? strlen("yes\n") : strlen("no\n"));
    return ret->whole || text_starts(at, "no\n");
}

/* Reading. */

bool ledger_fail(struct err *err, const char *what, const char *path)
{
    int saved = errno;

    err_set(err, ERR_RETRY, "cannot %s '%s': %s", what, path, strerror(saved));
    errno = saved;
    return false;
}

int ledger_open_file(const char *path, int flags, struct stat *st, struct err *err)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        ledger_fail(err, "open", path);
        return -1;
    }
    if (!fstat(fd, st) && S_ISREG(st->st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    ledger_fail(err, "use", path);
    return -1;
}

ssize_t ledger_read_some(int fd, char *to, size_t len, uint64_t offset)
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

bool ledger_file_is(int fd, uint64_t id)
{
    char bytes[LEDGER_LINE_MAX];
    struct ledger_line line;
    ssize_t got = ledger_read_some(fd, bytes, sizeof(bytes), 0);

    return got >= 0 && ledger_parse_line(bytes, (size_t)got, &line) && line.id == id;
}

bool ledger_has_slot(const char *path, uint64_t end)
{
    char bytes[LEDGER_SLOT];
    struct err ignored;
    struct stat st;
    int fd = ledger_open_file(path, O_RDONLY, &st, &ignored);
    bool ret;

    if (fd < 0)
        return false;
    ret = ledger_read_some(fd, bytes, sizeof(bytes), end - LEDGER_SLOT) == LEDGER_SLOT && ledger_slot_at(bytes);
    close(fd);
    return ret;
}

bool ledger_read_head(const char *path, struct ledger_head *ret, struct err *err)
{
    char bytes[LEDGER_LINE_MAX + LEDGER_MARK];
    struct ledger_reader reader = { .day = LEDGER_NO_DAY };
    struct ledger_item mark;
    struct stat st;
    int fd = ledger_open_file(path, O_RDONLY, &st, err);
    ssize_t got;

    if (fd < 0)
        return false;
    got = ledger_read_some(fd, bytes, sizeof(bytes), 0);
    if (got < 0)
        ledger_fail(err, "read", path);
    close(fd);
    if (got < 0)
        return false;
    if (!ledger_parse_line(bytes, (size_t)got, &ret->line) || (size_t)got < ret->line.len + LEDGER_MARK)
        return err_set(err, ERR_INPUT, "'%s' is not a ledger of this version", path);
    ledger_read_slot(&reader, ledger_slot_at(bytes + ret->line.len));
    mark = ledger_read_slot(&reader, ledger_slot_at(bytes + ret->line.len + LEDGER_SLOT));
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
        item = ledger_read_slot(reader, ledger_slot_at(bytes + at));
        if (item.kind != LEDGER_NOTHING)
            fn(ctx, &item);
    }
}

bool ledger_walk(const char *path, const struct ledger_line *line, uint64_t size,
                 void (*fn)(void *ctx, const struct ledger_item *item), void *ctx, struct err *err)
{
    struct ledger_reader reader = { .day = LEDGER_NO_DAY };
    char chunk[CHUNK];
    uint64_t at = line->len;
    struct stat st;
    int fd = ledger_open_file(path, O_RDONLY, &st, err);
    ssize_t got = 0;

    if (fd < 0)
        return false;
    if (!ledger_file_is(fd, line->id)) {
        errno = ESTALE;
        got = -1;
    }
    for (; got >= 0 && at < size; at += CHUNK) {
        got = ledger_read_some(fd, chunk, size - at < CHUNK ? (size_t)(size - at) : CHUNK, at);
        if (got > 0)
            walk_chunk(&reader, chunk, (size_t)got, fn, ctx);
    }
    if (got < 0)
        ledger_fail(err, "read", path);
    close(fd);
    return got >= 0;
}
