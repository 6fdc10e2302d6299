/* The thread that replaces files. */
#include "state/file_writer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "check.h"

static char dir[] = "/tmp/test_file_writer_XXXXXX";
static char path[64], temp[64], last[64];

static struct buf text_of(char c, size_t len)
{
    struct buf text = BUF_INIT(len);

    memset(buf_room(&text, len), c, len);
    text.len = len;
    return text;
}

static void check_file(char c, size_t len)
{
    struct buf got = BUF_INIT(1 << 26);
    struct err err;

    CHECK(file_read(path, &got, &err), "%s", err.text);
    CHECK(got.len == len && (!len || (got.data[0] == c && got.data[len - 1] == c)), "%zu bytes of '%c'", got.len,
          got.len ? got.data[0] : '-');
    buf_free(&got);
}

/* Starts to write that many bytes and returns what came of it. */
static int write_file(struct file_writer *writer, char c, size_t len, struct err *err)
{
    struct buf text = text_of(c, len);
    int error = -1;

    file_writer_start(writer, path, &text, true, NULL);
    CHECK(!text.data && !text.len, "the text is taken over");
    CHECK(file_writer_wait(writer, clock_ms() + 20000), "it ends");
    CHECK(file_writer_ended(writer, &error, err), "it says so");
    return error;
}

static void test_jobs(void **state UNUSED)
{
    struct file_writer *writer = file_writer_new();
    struct pollfd pfd = { .fd = file_writer_fd(writer), .events = POLLIN };
    struct err err;
    int error;

    CHECK(file_writer_idle(writer) && !file_writer_ended(writer, &error, &err), "nothing to do");
    CHECK(write_file(writer, 'a', 10, &err) == 0, "%s", err.text);
    CHECK(poll(&pfd, 1, 0) == 1 && !file_writer_idle(writer), "the loop is told");
    file_writer_take(writer);
    CHECK(poll(&pfd, 1, 0) == 0 && file_writer_idle(writer), "once");
    check_file('a', 10);
    CHECK(write_file(writer, 'b', 20 << 20, &err) == 0, "%s", err.text);
    file_writer_take(writer);
    check_file('b', 20 << 20);
    file_writer_free(writer);
}

static void test_failure_and_again(void **state UNUSED)
{
    struct file_writer *writer = file_writer_new();
    struct err err;
    int error = 0;

    unlink(path);
    rmdir(dir);
    CHECK(write_file(writer, 'c', 10, &err) == ENOENT && strstr(err.text, "cannot create"), "%s", err.text);
    mkdir(dir, 0700);
    file_writer_again(writer);
    CHECK(file_writer_wait(writer, clock_ms() + 20000) && file_writer_ended(writer, &error, &err) && !error, "%s",
          err.text);
    file_writer_take(writer);
    check_file('c', 10);
    file_writer_free(writer);
}

/* A job that was given up replaces nothing, whenever that happens. */
static void test_give_up(void **state UNUSED)
{
    struct file_writer *writer = file_writer_new();
    struct buf text = BUF_INIT(1);
    struct err err;
    int64_t until_ms = clock_ms() + 20000;
    bool ended = false;
    int i, error;

    CHECK(write_file(writer, 'd', 10, &err) == 0, "%s", err.text);
    file_writer_take(writer);
    for (i = 0; i < 50; i++) {
        text = text_of('e', 4 << 20);
        file_writer_start(writer, path, &text, false, NULL);
        file_writer_give_up(writer);
        CHECK(file_write(last, "ffff", 4, false, &err) && file_rename(last, path, &err), "%s", err.text);
        while (!file_writer_idle(writer) && clock_ms() < until_ms)
            ended = file_writer_ended(writer, &error, &err) || ended;
        check_file('f', 4);
    }
    CHECK(!ended && file_writer_idle(writer), "nobody waits for it");
    text = text_of('g', 4 << 20);
    file_writer_start(writer, path, &text, false, NULL);
    file_writer_free(writer);       /* in flight */
}

static int set_up(void **state UNUSED)
{
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/file", dir);
    snprintf(temp, sizeof(temp), "%s/file.tmp", dir);
    snprintf(last, sizeof(last), "%s/file.last", dir);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    unlink(path);
    unlink(temp);
    rmdir(dir);
    return 0;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_jobs),
    cmocka_unit_test(test_failure_and_again),
    cmocka_unit_test(test_give_up),
};

UNIT(file_writer, cases, set_up, tear_down)
