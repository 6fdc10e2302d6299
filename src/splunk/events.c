#include "splunk/events.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define BUFFER_MAX     (512u * 1024 * 1024) /* never reached in practice: OUTBOX_HIGH stops the downloads */
#define BUFFER_KEPT    (4u * 1024 * 1024)   /* a larger buffer, grown for a huge record, is freed */
#define PIPE_WISH      (256 * 1024)         /* fewer, larger reads for splunkd; the kernel may refuse */
#define READER_LOOK_MS 5
#define NOTES          (OUTBOX_SETTLED_S + 2)
#define USUAL_TIME     18 /* "1793522112.1333333" */

struct note {
    int64_t at_ms;
    uint64_t taken;
};

struct outbox {
    int fd;
    bool is_pipe;
    bool closed;
    struct buf buf;
    size_t sent;              /* bytes of buf that are written */
    uint64_t written;         /* all bytes written so far */
    bool torn;                /* the last of them is inside an event */
    struct note notes[NOTES]; /* a ring, oldest overwritten */
    size_t note_count;
};

struct outbox *outbox_new(int fd)
{
    struct outbox *box = mem_alloc(sizeof(*box));
    struct stat st;
    int flags;

    box->fd = fd;
    box->buf = BUF_MAPPED(BUFFER_MAX);
    if (!fstat(fd, &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))) {
        box->is_pipe = S_ISFIFO(st.st_mode);
        flags = fcntl(fd, F_GETFL);
        if (flags >= 0)
            fcntl(fd, F_SETFL, flags | O_NONBLOCK);
        if (box->is_pipe)
            fcntl(fd, F_SETPIPE_SZ, PIPE_WISH);
    }
    buf_add_text(&box->buf, "<stream>\n");
    return box;
}

void outbox_free(struct outbox *box)
{
    if (!box)
        return;
    buf_free(&box->buf);
    free(box);
}

struct buf *outbox_buffer(struct outbox *box)
{
    return &box->buf;
}

size_t outbox_pending(const struct outbox *box)
{
    return box->buf.len - box->sent;
}

bool outbox_has_room(const struct outbox *box)
{
    return outbox_pending(box) < OUTBOX_HIGH;
}

uint64_t outbox_end(const struct outbox *box)
{
    return box->written + outbox_pending(box);
}

static void drop_sent(struct outbox *box)
{
    if (box->sent == box->buf.len) {
        if (box->buf.cap > BUFFER_KEPT)
            buf_free(&box->buf);
        else
            buf_clear(&box->buf);
        box->sent = 0;
    } else if (box->sent > OUTBOX_HIGH) {
        buf_cut_front(&box->buf, box->sent);
        box->sent = 0;
    }
}

enum outbox_state outbox_flush(struct outbox *box)
{
    ssize_t done;

    while (!box->closed && outbox_pending(box)) {
        done = write(box->fd, box->buf.data + box->sent, outbox_pending(box));
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            drop_sent(box);
            return OUTBOX_BLOCKED;
        }
        if (done <= 0) {
            box->closed = true;
            break;
        }
        box->sent += (size_t)done;
        box->torn = box->buf.data[box->sent - 1] != '\n';
        box->written += (uint64_t)done;
    }
    if (box->closed)
        return OUTBOX_CLOSED;
    drop_sent(box);
    return OUTBOX_EMPTY;
}

bool outbox_reader_gone(const struct outbox *box)
{
    struct pollfd pfd = { .fd = box->fd };

    return box->closed || (poll(&pfd, 1, 0) > 0 && (pfd.revents & (POLLERR | POLLHUP | POLLNVAL)));
}

uint64_t outbox_taken(const struct outbox *box)
{
    int unread = 0;

    if (!box->is_pipe || ioctl(box->fd, FIONREAD, &unread) || unread < 0)
        return box->written;
    return (uint64_t)unread < box->written ? box->written - (uint64_t)unread : 0;
}

void outbox_note(struct outbox *box, int64_t now_ms)
{
    if (box->note_count && now_ms / 1000 == box->notes[(box->note_count - 1) % NOTES].at_ms / 1000)
        return;
    box->notes[box->note_count++ % NOTES] = (struct note){ now_ms, outbox_taken(box) };
}

uint64_t outbox_settled(const struct outbox *box, int64_t now_ms)
{
    uint64_t settled = 0;
    size_t i, count = box->note_count < NOTES ? box->note_count : NOTES;

    for (i = 0; i < count; i++)
        if (box->notes[i].at_ms <= now_ms - OUTBOX_SETTLED_S * 1000 && box->notes[i].taken > settled)
            settled = box->notes[i].taken;
    return settled;
}

/* Waits for a reader that is only a moment late: what it has not taken comes again after the next start. */
static void wait_for_reader(const struct outbox *box, int64_t until_ms)
{
    while (outbox_taken(box) < box->written && !outbox_reader_gone(box) && clock_ms() < until_ms)
        poll(NULL, 0, READER_LOOK_MS);
}

/* Writes the rest of the event that is partly in the pipe, and nothing after it. */
static void complete_torn(struct outbox *box, int64_t until_ms)
{
    struct pollfd pfd = { .fd = box->fd, .events = POLLOUT };
    char *event_end = memchr(box->buf.data + box->sent, '\n', outbox_pending(box));

    if (event_end)
        box->buf.len = (size_t)(event_end - box->buf.data) + 1;
    while (outbox_flush(box) == OUTBOX_BLOCKED && clock_ms() < until_ms)
        poll(&pfd, 1, 20);
}

static void write_stream_end(struct outbox *box, int64_t until_ms)
{
    if (outbox_flush(box) == OUTBOX_BLOCKED && box->torn)
        complete_torn(box, until_ms);
    if (outbox_pending(box) || box->closed)
        return;
    buf_add_text(&box->buf, "</stream>\n");
    outbox_flush(box);
}

void outbox_break_off(struct outbox *box, int wait_ms)
{
    int64_t until_ms = clock_ms() + wait_ms;

    if (box->torn && outbox_pending(box))
        complete_torn(box, until_ms);
    wait_for_reader(box, until_ms);
}

void outbox_close(struct outbox *box, int wait_ms)
{
    int64_t until_ms = clock_ms() + wait_ms;

    write_stream_end(box, until_ms);
    wait_for_reader(box, until_ms);
}

/* Event frames. */

struct event_frame {
    char *before_time; /* <event stanza="..." unbroken="1"> */
    char *after_time;  /* <sourcetype>...</sourcetype><data> */
    size_t before_len, after_len;
};

#define TIME_OPEN   "<time>"
#define TIME_CLOSE  "</time>"
#define EVENT_CLOSE "</data><done/></event>\n"

struct event_frame *event_frame_new(const char *stanza, const char *sourcetype)
{
    struct event_frame *frame = mem_alloc(sizeof(*frame));
    struct buf before = BUF_INIT(1 << 20), after = BUF_INIT(1 << 20);

    buf_add_text(&before, "<event stanza=\"");
    buf_add_xml(&before, stanza);
    buf_add_text(&before, "\" unbroken=\"1\">");
    if (sourcetype) {
        buf_add_text(&after, "<sourcetype>");
        buf_add_xml(&after, sourcetype);
        buf_add_text(&after, "</sourcetype>");
    }
    buf_add_text(&after, "<data>");
    frame->before_len = before.len;
    frame->after_len = after.len;
    frame->before_time = buf_take(&before);
    frame->after_time = buf_take(&after);
    return frame;
}

void event_frame_free(struct event_frame *frame)
{
    if (!frame)
        return;
    free(frame->before_time);
    free(frame->after_time);
    free(frame);
}

size_t event_frame_headroom(const struct event_frame *frame)
{
    return frame->before_len + strlen(TIME_OPEN TIME_CLOSE) + USUAL_TIME + frame->after_len;
}

static char *append_bytes(char *to, const char *bytes, size_t len)
{
    memcpy(to, bytes, len);
    return to + len;
}

void event_finish(const struct event_frame *frame, struct buf *out, size_t start, bool has_time, ticks time)
{
    char text[TICKS_TEXT_MAX], *to;
    size_t time_len = has_time ? ticks_epoch_text(time, text) : 0, headroom = event_frame_headroom(frame), head_len;

    head_len = frame->before_len + (has_time ? strlen(TIME_OPEN TIME_CLOSE) + time_len : 0) + frame->after_len;
    if (head_len != headroom) { /* no time, or one outside the years 2001 to 2286 */
        size_t data_len = out->len - start;

        if (!buf_room(out, head_len))
            return;
        memmove(out->data + start - headroom + head_len, out->data + start, data_len);
        start = start - headroom + head_len;
        out->len = start + data_len;
    }
    to = append_bytes(out->data + start - head_len, frame->before_time, frame->before_len);
    if (has_time) {
        to = append_bytes(to, TIME_OPEN, strlen(TIME_OPEN));
        to = append_bytes(to, text, time_len);
        to = append_bytes(to, TIME_CLOSE, strlen(TIME_CLOSE));
    }
    append_bytes(to, frame->after_time, frame->after_len);
    buf_add(out, EVENT_CLOSE, strlen(EVENT_CLOSE));
}
