/* The stream over a pipe whose reader takes as little as it likes. */
#include "splunk/events.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"

#define OPEN "<stream>\n"

struct ends {
    int fd[2];
    struct outbox *box;
    struct buf got;
};

static struct ends ends_new(void)
{
    struct ends e = { .got = BUF_INIT(64 << 20) };

    if (pipe(e.fd))
        exit(1);
    fcntl(e.fd[0], F_SETFL, O_NONBLOCK);
    e.box = outbox_new(e.fd[1]);
    return e;
}

static void ends_free(struct ends *e)
{
    outbox_free(e->box);
    close(e->fd[1]);
    if (e->fd[0] >= 0)
        close(e->fd[0]);
    buf_free(&e->got);
}

static size_t read_some(struct ends *e, size_t most)
{
    char bytes[65536];
    ssize_t n = read(e->fd[0], bytes, most < sizeof(bytes) ? most : sizeof(bytes));

    if (n > 0)
        buf_add(&e->got, bytes, (size_t)n);
    return n > 0 ? (size_t)n : 0;
}

static void add_event(struct outbox *box, size_t number, size_t size)
{
    buf_add_format(outbox_buffer(box), "<event>%zu:", number);
    while (size--)
        buf_add_char(outbox_buffer(box), 'x');
    buf_add_text(outbox_buffer(box), "</event>\n");
}

static void test_partial_writes(void **state UNUSED)
{
    struct ends e = ends_new();
    uint64_t end = 0;
    size_t i;

    for (i = 0; i < 400; i++) {
        add_event(e.box, i, i * 37 % 9000);
        CHECK(outbox_end(e.box) > end, "the end moves on");
        end = outbox_end(e.box);
        outbox_flush(e.box);
        CHECK(outbox_end(e.box) == end, "writing moves no position");
        read_some(&e, 1 + i * 7 % 5000);
        CHECK(outbox_taken(e.box) == e.got.len, "taken %llu, read %zu", (unsigned long long)outbox_taken(e.box),
              e.got.len);
    }
    while (outbox_flush(e.box) == OUTBOX_BLOCKED || outbox_taken(e.box) < end)
        read_some(&e, 65536);
    CHECK(e.got.len == end && !strncmp(e.got.data, OPEN, strlen(OPEN)), "%zu of %llu bytes", e.got.len,
          (unsigned long long)end);
    for (i = 0, end = strlen(OPEN); i < 400; i++) {
        char want[32];

        snprintf(want, sizeof(want), "<event>%zu:", i);
        CHECK(!strncmp(e.got.data + end, want, strlen(want)), "event %zu is not where it should be", i);
        end = (uint64_t)(strchr(e.got.data + end, '\n') + 1 - e.got.data);
    }
    outbox_close(e.box, 0);
    while (read_some(&e, 65536))
        ;
    CHECK_TEXT(e.got.data + end, "</stream>\n");
    ends_free(&e);
}

static void test_room(void **state UNUSED)
{
    struct ends e = ends_new();

    outbox_flush(e.box);
    CHECK(outbox_has_room(e.box) && outbox_pending(e.box) == 0, "an empty one has room");
    add_event(e.box, 0, OUTBOX_HIGH);
    CHECK(!outbox_has_room(e.box), "a full one has none");
    while (outbox_flush(e.box) == OUTBOX_BLOCKED)
        read_some(&e, 65536);
    CHECK(outbox_has_room(e.box), "written out, it has room again");
    ends_free(&e);
}

/* Closing while the pipe is full: the reader sees the event in it to its end, and nothing half. */
static void check_close_torn(size_t before, size_t size)
{
    struct ends e = ends_new();
    int64_t began;
    pid_t child;
    int status;

    add_event(e.box, 1, before);
    add_event(e.box, 2, size);
    add_event(e.box, 3, size);
    while (outbox_taken(e.box) < before)        /* the reader takes the first one, and stops inside of the second */
        if (outbox_flush(e.box) == OUTBOX_BLOCKED)
            read_some(&e, 65536);
    CHECK(outbox_flush(e.box) == OUTBOX_BLOCKED, "the pipe is too large for this test");
    child = fork();
    if (!child) {       /* the reader, slow at first */
        usleep(50000);
        close(e.fd[1]);
        fcntl(e.fd[0], F_SETFL, 0);
        while (read_some(&e, 65536))
            ;
        _exit(e.got.len && e.got.data[e.got.len - 1] == '\n' ? 0 : 1);
    }
    began = clock_ms();
    outbox_close(e.box, 5000);
    close(e.fd[1]);
    CHECK(clock_ms() - began < 4000, "it took %lld ms", (long long)(clock_ms() - began));
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "%zu and %zu: the last event is torn", before, size);
    e.fd[1] = dup(1);
    ends_free(&e);
}

static void test_close_inside_an_event(void **state UNUSED)
{
    check_close_torn(0, 3 << 20);
    check_close_torn(100, 3 << 20);
}

/* At one of these sizes the buffer has just dropped what is written. */
static void test_close_after_the_buffer_dropped_bytes(void **state UNUSED)
{
    for (size_t size = 600000; size < 1200000; size += 50000)
        check_close_torn(size, 3 << 20);
}

/* A reader that is a moment behind takes everything before the end, and one that has gone is not waited for. */
static void test_close_waits_for_reader(void **state UNUSED)
{
    struct ends e = ends_new();
    int64_t began;
    pid_t child;

    add_event(e.box, 1, 1000);
    outbox_flush(e.box);
    child = fork();
    if (!child) {
        close(e.fd[1]);
        usleep(50000);
        fcntl(e.fd[0], F_SETFL, 0);
        read_some(&e, 65536);
        _exit(0);
    }
    began = clock_ms();
    outbox_close(e.box, 3000);
    CHECK(outbox_taken(e.box) == outbox_end(e.box) && clock_ms() - began < 2000, "%llu of %llu taken in %lld ms",
          (unsigned long long)outbox_taken(e.box), (unsigned long long)outbox_end(e.box),
          (long long)(clock_ms() - began));
    waitpid(child, NULL, 0);
    ends_free(&e);
    e = ends_new();
    add_event(e.box, 1, 1000);
    outbox_flush(e.box);
    close(e.fd[0]);
    e.fd[0] = -1;
    began = clock_ms();
    outbox_close(e.box, 3000);
    CHECK(clock_ms() - began < 2000, "%lld ms for nobody", (long long)(clock_ms() - began));
    ends_free(&e);
}

static void test_close_gives_up(void **state UNUSED)
{
    struct ends e = ends_new();
    int64_t began = clock_ms();

    add_event(e.box, 1, 4 << 20);
    outbox_close(e.box, 200);
    CHECK(clock_ms() - began >= 150 && clock_ms() - began < 3000, "%lld ms", (long long)(clock_ms() - began));
    ends_free(&e);
}

static void test_reader_gone(void **state UNUSED)
{
    struct ends e = ends_new();

    CHECK(outbox_flush(e.box) == OUTBOX_EMPTY && !outbox_reader_gone(e.box), "there is a reader");
    close(e.fd[0]);
    e.fd[0] = -1;
    CHECK(outbox_reader_gone(e.box), "seen without a write");
    add_event(e.box, 1, 10);
    CHECK(outbox_flush(e.box) == OUTBOX_CLOSED && outbox_reader_gone(e.box), "seen by a write");
    CHECK(outbox_flush(e.box) == OUTBOX_CLOSED, "and for good");
    outbox_close(e.box, 100);
    ends_free(&e);
}

/* promise: Events: After a kill no event is lost. Those of the last minute come again. */
static void test_settled(void **state UNUSED)
{
    struct ends e = ends_new();
    uint64_t ends[400];
    int64_t s;

    for (s = 0; s < 400; s++) {
        add_event(e.box, (size_t)s, 20);
        outbox_flush(e.box);
        if (s < 200)        /* then the reader stops */
            read_some(&e, 65536);
        ends[s] = outbox_end(e.box);
        outbox_note(e.box, s * 1000);
        outbox_note(e.box, s * 1000 + 400);     /* too soon after the last to count */
        if (s < OUTBOX_SETTLED_S)
            CHECK(outbox_settled(e.box, s * 1000) == 0, "second %lld: nothing is so old", (long long)s);
        else
            CHECK(outbox_settled(e.box, s * 1000) == ends[s - OUTBOX_SETTLED_S < 199 ? s - OUTBOX_SETTLED_S : 199],
                  "second %lld: %llu", (long long)s, (unsigned long long)outbox_settled(e.box, s * 1000));
    }
    ends_free(&e);
}

/* promise: Events: An event is one line. Its time is the update time with its digits. */
static void test_frames(void **state UNUSED)
{
    static const struct { const char *time, *want; } rows[] = {
        { "2026-11-01T08:35:12.1333333Z", "<time>1793522112.1333333</time>" },
        { "2026-11-01T08:35:12Z", "<time>1793522112" },
        { "1970-01-01", "<time>0" }, { "1969-12-31T23:59:59.5Z", "<time>-0.5" }, { "0001-01-01", "<time>-62135596800" },
        { "2286-11-20T17:46:40Z", "<time>10000000000" },
        { "9999-12-31T23:59:59.9999999Z", "<time>253402300799.9999999</time>" },
        { NULL, "unbroken=\"1\"><sourcetype>a&amp;b</sourcetype><data>" },
    };
    struct event_frame *frame = event_frame_new("defender_alerts://<\"x\">", "a&b");
    struct event_frame *bare = event_frame_new("s", NULL);
    struct buf out = BUF_INIT(1 << 20);
    size_t headroom = event_frame_headroom(frame), i;
    ticks time = 0;

    for (i = 0; i < COUNT_OF(rows); i++) {
        size_t from = out.len;

        buf_room(&out, headroom);
        out.len += headroom;
        buf_add_text(&out, "{\"n\":1}");
        if (rows[i].time && !ticks_parse(rows[i].time, strlen(rows[i].time), &time))
            exit(1);
        event_finish(frame, &out, from + headroom, rows[i].time != NULL, time);
        CHECK(strstr(out.data + from, rows[i].want), "row %zu: %s", i, out.data + from);
        CHECK(!strncmp(out.data + from, "<event stanza=\"defender_alerts://&lt;&quot;x&quot;&gt;\" unbroken=\"1\">",
                       60), "row %zu", i);
        CHECK(strstr(out.data + from, "<sourcetype>a&amp;b</sourcetype><data>{\"n\":1}</data><done/></event>\n"),
              "row %zu: %s", i, out.data + from);
        CHECK(out.len == from + strlen(out.data + from) && out.data[out.len - 1] == '\n', "row %zu: length", i);
        CHECK(from == 0 || out.data[from - 1] == '\n', "row %zu: what was before is gone", i);
    }
    headroom = event_frame_headroom(bare);
    buf_clear(&out);
    out.len = headroom;
    buf_add_text(&out, "1");
    event_finish(bare, &out, headroom, false, 0);
    CHECK_TEXT(out.data, "<event stanza=\"s\" unbroken=\"1\"><data>1</data><done/></event>\n");
    buf_free(&out);
    event_frame_free(frame);
    event_frame_free(bare);
    event_frame_free(NULL);
}

static int set_up(void **state UNUSED)
{
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_partial_writes),
    cmocka_unit_test(test_room),
    cmocka_unit_test(test_close_inside_an_event),
    cmocka_unit_test(test_close_after_the_buffer_dropped_bytes),
    cmocka_unit_test(test_close_waits_for_reader),
    cmocka_unit_test(test_close_gives_up),
    cmocka_unit_test(test_reader_gone),
    cmocka_unit_test(test_settled),
    cmocka_unit_test(test_frames),
};

UNIT(events, cases, set_up, NULL)
