/* Values in quotes, and what a line keeps of them when it is cut. */
#include "base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log_queue.h"
#include "base/utf8.h"
#include "messages/log_events.h"
#include "capture.h"
#include "check.h"

/* promise: Log lines: Text of a service forges no field of a log line */
static void test_quoted(void **state UNUSED)
{
    static const struct { const char *name, *text, *want; } rows[] = {
        { "nothing", "", "\"\"" },
        { "plain", "HTTP 403: no", "\"HTTP 403: no\"" },
        { "an end of the value", "x\" event=status input=victim state=ok why=\"", "\"x' event=status input=victim state=ok why='\"" },
        { "a backslash at the end", "x\\", "\"x\\\\\"" },
        { "an escaped quote", "x\\\" state=ok", "\"x\\\\' state=ok\"" },
        { "two backslashes", "\\\\", "\"\\\\\\\\\"" },
        { "line ends", "a\r\nERROR event=forged", "\"a  ERROR event=forged\"" },
        { "separators", "a\xE2\x80\xA8" "b\xC2\x85" "c", "\"a b c\"" },
        { "no UTF-8", "a\xFF\"", "\"a?'\"" },
    };
    char ret[LOG_QUOTED_MAX];

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(!strcmp(log_quoted(rows[i].text, ret), rows[i].want), "%s: %s", rows[i].name, ret);
}

/* However long a text is, its value ends with a quote that no backslash escapes. */
static void test_long_values(void **state UNUSED)
{
    static const char *const units[] = { "x", "\\", "\"", "\xC3\xA4", "\xF0\x9F\x98\x80", "a\\" };
    char text[4000], ret[LOG_QUOTED_MAX];
    size_t i, len, slashes;

    for (i = 0; i < COUNT_OF(units); i++) {
        for (len = 0; len + strlen(units[i]) < sizeof(text); len += strlen(units[i]))
            memcpy(text + len, units[i], strlen(units[i]));
        text[len] = '\0';
        len = strlen(log_quoted(text, ret));
        for (slashes = 0; ret[len - 2 - slashes] == '\\'; slashes++)
            ;
        CHECK(len > 600 && len < LOG_QUOTED_MAX && ret[len - 1] == '"' && slashes % 2 == 0 && utf8_is_plain(ret),
              "unit %zu: %zu bytes, ends in %s", i, len, ret + len - 5);
        CHECK(strchr(ret + 1, '"') == ret + len - 1, "unit %zu: a quote inside", i);
    }
}

/* What log_line() writes. */
static const char *written(const char *text)
{
    struct capture capture = capture_begin();

    log_line(LOG_WARN, text, 0);
    return capture_end(capture);
}

/* A value that the end of the line cuts off is closed: what follows it in splunkd.log is not a part of it. */
static void test_cut_lines(void **state UNUSED)
{
    static const char *const fills[] = { "x", "\\\\", "\xC3\xA4", "x\\\\" };
    char text[3000];
    const char *line;
    size_t i, shift, at, len, slashes;

    CHECK_TEXT(written("a \"b\" c"), "WARN a \"b\" c\n");
    CHECK_TEXT(written("a \xE2\x80\xAE\x1b c"), "WARN a    c\n");
    for (i = 0; i < COUNT_OF(fills); i++) {
        for (shift = 0; shift < 4; shift++) {
            at = (size_t)snprintf(text, sizeof(text), "%.*swhy=\"", (int)shift, "....");
            for (; at + 5 < sizeof(text); at += strlen(fills[i]))
                memcpy(text + at, fills[i], strlen(fills[i]));
            text[at] = '\0';
            line = written(text);
            len = strlen(line);
            for (slashes = 0; line[len - 3 - slashes] == '\\'; slashes++)
                ;
            CHECK(len <= LOG_LINE_MAX + 1 && len > LOG_LINE_MAX - 8 && !strcmp(line + len - 2, "\"\n") && slashes % 2 == 0,
                  "fill %zu, shift %zu: %zu bytes, %s", i, shift, len, line + len - 6);
        }
    }
}

/* A pipe that is full takes no more lines. */
struct full_pipe {
    int ends[2];
    size_t filled;
};

static struct full_pipe full_pipe(void)
{
    struct full_pipe ret = { .filled = 0 };
    ssize_t done;

    if (pipe2(ret.ends, O_NONBLOCK))
        abort();
    while ((done = write(ret.ends[1], "................", 16)) > 0)
        ret.filled += (size_t)done;
    return ret;
}

/* Returns all that comes out of the pipe while the queue is emptied, without what filled it. Caller frees. */
static char *drained(const struct full_pipe *full)
{
    size_t size = 2 * LOG_WAITING_MOST, len = 0;
    char *text = malloc(size);
    bool flushed;
    ssize_t done;

    do {
        flushed = log_queue_flush(full->ends[1]);
        while ((done = read(full->ends[0], text + len, size - 1 - len)) > 0)
            len += (size_t)done;
    } while (!flushed);
    text[len] = '\0';
    memmove(text, text + full->filled, len - full->filled + 1);
    close(full->ends[0]);
    close(full->ends[1]);
    return text;
}

static bool put(const struct full_pipe *full, const char *line, const char *same)
{
    return log_queue_put(full->ends[1], line, strlen(line), strlen(same));
}

/* promise: Log lines: Lines wait in memory until stderr is read, and an out-of-date status gives way to the next */
static void test_waiting_lines(void **state UNUSED)
{
    struct full_pipe full = full_pipe();
    char *text;

    put(&full, "s input=a 1\n", "s input=a ");
    put(&full, "s input=ab 1\n", "s input=ab ");
    put(&full, "e input=a 1\n", "");
    put(&full, "e input=a 1\n", "");
    put(&full, "s input=a 2\n", "s input=a ");
    put(&full, "s input=a 3\n", "s input=a ");
    put(&full, "last\n", "");
    text = drained(&full);
    CHECK_TEXT(text, "s input=ab 1\ne input=a 1\ne input=a 1\ns input=a 3\nlast\n");
    free(text);
}

/* promise: Log lines: Lines that wait have a bound, and those that are lost are counted in the log */
static void test_bound(void **state UNUSED)
{
    struct full_pipe full = full_pipe();
    char line[1025], *text;
    size_t kept = 0;

    memset(line, 'x', 1023);
    memcpy(line + 1023, "\n", 2);
    while (put(&full, line, "") && kept < LOG_WAITING_MOST)
        kept++;
    CHECK(kept == LOG_WAITING_MOST / 1024, "%zu lines", kept);
    CHECK(!log_queue_has_room(LOG_LINE_MAX), "there is no room");
    CHECK(!put(&full, line, ""), "one more");
    text = drained(&full);
    CHECK(strlen(text) == LOG_WAITING_MOST && log_queue_has_room(LOG_LINE_MAX), "%zu bytes", strlen(text));
    free(text);
}

/* promise: Log lines: Lines that wait have a bound, and those that are lost are counted in the log */
static void test_lost(void **state UNUSED)
{
    struct full_pipe full = full_pipe();
    int real = dup(STDERR_FILENO);
    const char *found;
    char *text, *last;
    size_t i;

    dup2(full.ends[1], STDERR_FILENO);
    for (i = 0; i < 2 * LOG_WAITING_MOST / 60; i++)
        log_event(EVENT_WAITING, "input=a number=%zu xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", i);
    text = drained(&full);
    dup2(real, STDERR_FILENO);
    full = full_pipe();
    dup2(full.ends[1], STDERR_FILENO);
    log_event(EVENT_STATUS, "input=\"a b\" state=ok one");
    log_event(EVENT_STATUS, "input=\"a c\" state=ok two");
    log_event(EVENT_STATUS, "input=\"a b\" state=ok three");
    last = drained(&full);
    dup2(real, STDERR_FILENO);
    close(real);
    found = strstr(last, "WARN event=log_lost lines=");
    CHECK(!strstr(text, "log_lost") && found == last && strstr(found, ". Our administrator: "), "%.200s", last);
    CHECK(!strstr(last, "one") && strstr(last, "two") && strstr(last, "three"), "%.500s", last);
    free(text);
    free(last);
}

/* A reader that is gone for good: nothing waits for it. */
static void test_closed(void **state UNUSED)
{
    struct full_pipe full = full_pipe();
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);

    CHECK(put(&full, "waits\n", ""), "it waits");
    close(full.ends[0]);
    CHECK(log_queue_flush(full.ends[1]) && !put(&full, "lost\n", ""), "the queue is empty");
    close(full.ends[1]);
    signal(SIGPIPE, before);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_quoted),
    cmocka_unit_test(test_long_values),
    cmocka_unit_test(test_cut_lines),
    cmocka_unit_test(test_waiting_lines),
    cmocka_unit_test(test_bound),
    cmocka_unit_test(test_lost),
    cmocka_unit_test(test_closed),
};

UNIT(log, cases, NULL, NULL)
