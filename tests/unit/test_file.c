#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "check.h"

#define READ_AT_MOST 1000000

static char folder[] = "/tmp/test_file.XXXXXX";

static char *in_folder(const char *name)
{
    return mem_format("%s/%s", folder, name);
}

static int mode_of(const char *path)
{
    struct stat st;

    return stat(path, &st) ? -1 : (int)(st.st_mode & 07777);
}

static void check_content(const char *path, const char *want, size_t len)
{
    CLEANUP(buf_free) struct buf got = BUF_INIT(1 << 20);
    struct err err = { .text = "" };

    CHECK(file_read(path, &got, &err) && got.len == len && memcmp(buf_text(&got), want, len) == 0, "%zu bytes, %s",
          got.len, err.text);
    CHECK(got.data && !got.data[got.len], "no zero behind the bytes");
}

static void test_replace(void **state UNUSED)
{
    CLEANUP(mem_freep) char *path = in_folder("one.json"), *temp = in_folder("one.json.tmp"),
                             *trial = in_folder("one.json.try");
    struct err err;

    CHECK(file_replace(path, "first", 5, true, &err), "%s", err.text);
    check_content(path, "first", 5);
    CHECK(mode_of(path) == 0600, "mode %o", mode_of(path));
    CHECK(file_replace(path, "a\0b", 3, false, &err), "%s", err.text);
    check_content(path, "a\0b", 3);
    CHECK(file_replace(path, "", 0, false, &err), "%s", err.text);
    check_content(path, "", 0);
    CHECK(access(temp, F_OK), "the temporary file is left behind");

    CHECK(file_try(path, "rest of a longer text", 21, &err), "%s", err.text);
    CHECK(access(trial, F_OK), "the trial is left");
    check_content(path, "", 0);

    /* What a crash left is replaced, and its mode does not get through. */
    CHECK(file_write(temp, "rest of a longer text", 21, false, &err), "%s", err.text);
    chmod(temp, 0666);
    CHECK(file_replace(path, "new", 3, true, &err), "%s", err.text);
    check_content(path, "new", 3);
    CHECK(mode_of(path) == 0600, "mode %o", mode_of(path));
    unlink(path);
}

/* What is not synced may be empty after a loss of power: the last one that was is kept. */
static void test_rename_kept(void **state UNUSED)
{
    static const struct { const char *content; bool sync; const char *kept; } steps[] = {
        { "a", true, NULL }, { "b", false, "a" }, { "c", false, "a" }, { "d", true, NULL }, { "e", false, "d" },
    };
    CLEANUP(mem_freep) char *path = in_folder("kept.json"), *temp = in_folder("kept.json.tmp"),
                             *kept = in_folder("kept.json.before"), *aside = in_folder("kept.json.bad");
    struct err err;

    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        CHECK(file_write(temp, steps[i].content, 1, steps[i].sync, &err) &&
              file_rename_kept(temp, path, steps[i].sync, &err), "%zu: %s", i, err.text);
        check_content(path, steps[i].content, 1);
        if (steps[i].kept)
            check_content(kept, steps[i].kept, 1);
        CHECK(file_has_kept(path) == !!steps[i].kept && !access(kept, F_OK) == !!steps[i].kept, "%zu: kept", i);
    }
    for (size_t i = 0; i < 2; i++) { /* the second time nothing is kept, and what was put aside before is replaced */
        CHECK(file_put_aside(path, aside), "%zu: %s", i, strerror(errno));
        check_content(aside, i ? "d" : "e", 1);
        CHECK(access(kept, F_OK), "%zu: it is there twice", i);
        if (!i)
            check_content(path, "d", 1);
    }
    CHECK(access(path, F_OK) && !file_put_aside(path, aside), "there was nothing to put aside");
}

/* A failed save leaves the old content alone. */
static void test_replace_fails(void **state UNUSED)
{
    CLEANUP(mem_freep) char *path = in_folder("one"), *other = in_folder("two"), *temp = in_folder("two.tmp");
    CLEANUP(mem_freep) char *trial = in_folder("one.try"), *left = in_folder("one.tmp"), *away = in_folder("none/two");
    struct err err;

    CHECK(file_replace(path, "old", 3, true, &err), "%s", err.text);
    CHECK(!symlink(path, temp), "no link");
    CHECK(file_replace(other, "new", 3, true, &err), "%s", err.text);
    check_content(path, "old", 3);
    mkdir(temp, 0700);
    CHECK(!file_replace(other, "new", 3, true, &err) && strstr(err.text, "two.tmp"), "%s", err.text);
    rmdir(temp);
    unlink(other);
    mkdir(trial, 0700);
    CHECK(!file_try(path, "new", 3, &err) && err.kind == ERR_RETRY, "%s", err.text);
    check_content(path, "old", 3);
    rmdir(trial);
    CHECK(!file_replace(away, "new", 3, true, &err) && strstr(err.text, "No such file"), "%s", err.text);
    unlink(path);
    mkdir(path, 0700);
    CHECK(!file_replace(path, "new", 3, true, &err) && strstr(err.text, "cannot replace"), "%s", err.text);
    rmdir(path);
    unlink(left);
}

/* A file that exists stays, and so does what a link names. */
static void test_create(void **state UNUSED)
{
    CLEANUP(mem_freep) char *path = in_folder("created"), *link = in_folder("link"), *away = in_folder("none/two");
    struct err err;

    CHECK(file_create(path, "one", 3, &err), "%s", err.text);
    check_content(path, "one", 3);
    CHECK(mode_of(path) == 0600, "mode %o", mode_of(path));
    CHECK(!file_create(path, "two", 3, &err) && errno == EEXIST, "%s", err.text);
    check_content(path, "one", 3);
    unlink(path);
    CHECK(!symlink(path, link), "no link");
    CHECK(!file_create(link, "two", 3, &err) && errno == EEXIST && access(path, F_OK), "%s", err.text);
    unlink(link);
    CHECK(!file_create(away, "two", 3, &err) && errno == ENOENT, "%s", err.text);
}

static void test_full_disk(void **state UNUSED)
{
    struct err err;
    CLEANUP(mem_freep) char *path = in_folder("full");
    CLEANUP(mem_freep) char *temp = in_folder("full.tmp");
    struct rlimit before, none = { 0 };

    /* A limit of no bytes stands in for a full disk. */
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    none.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_FSIZE, &none);
    CHECK(!file_replace(path, "new", 3, false, &err) && strstr(err.text, "cannot write"), "%s", err.text);
    CHECK(!file_try(path, "new", 3, &err) && strstr(err.text, "cannot write"), "%s", err.text);
    CHECK(!file_create(path, "new", 3, &err) && strstr(err.text, "cannot write"), "%s", err.text);
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK(access(path, F_OK), "a file came of it");
    unlink(temp);
}

static void test_read(void **state UNUSED)
{
    CLEANUP(mem_freep) char *path = in_folder("three"), *none = in_folder("none");
    struct err err;
    size_t limit;

    CHECK(file_replace(path, "0123456789", 10, false, &err), "%s", err.text);
    for (limit = 8; limit < 13; limit++) {
        CLEANUP(buf_free) struct buf got = BUF_INIT(limit);
        bool fits = file_read(path, &got, &err);

        CHECK(fits == (limit >= 10), "limit %zu", limit);
        CHECK(fits || (err.kind == ERR_INPUT && strstr(err.text, "is larger than")), "limit %zu: %s", limit, err.text);
    }
    CLEANUP(buf_free) struct buf got = BUF_INIT(100);

    buf_add_text(&got, "before ");
    CHECK(file_read(path, &got, &err), "%s", err.text);
    CHECK_TEXT(buf_text(&got), "before 0123456789");
    errno = 0;
    CHECK(!file_read(none, &got, &err) && errno == ENOENT, "%d, %s", errno, err.text);
    CHECK_TEXT(buf_text(&got), "before 0123456789");
    unlink(path);
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    CHECK(!bind(fd, (struct sockaddr *)&address, sizeof(address)), "no socket");
    close(fd);
}

/* promise: Trouble: A named pipe, a device or a folder in place of a file holds up no other customer and no end */
static void test_irregular(void **state UNUSED)
{
    CLEANUP(mem_freep) char *pipe_path = in_folder("pipe"), *socket_path = in_folder("socket"),
                            *link_path = in_folder("link"), *dangling = in_folder("dangling");
    const struct { const char *path, *want; } rows[] = {
        { pipe_path, "it is a named pipe, not a file" },
        { link_path, "it is a named pipe, not a file" },
        { socket_path, "it is a socket, not a file" },
        { folder, "it is a folder, not a file" },
        { "/dev/zero", "it is a device, not a file" },
        { "/dev/null", "it is a device, not a file" },
        { "/dev/tty", "it is a device, not a file" },
        { dangling, "No such file" },
        { "/nonexistent/file", "No such file" },
    };
    struct err err;
    size_t i;

    CHECK(!mkfifo(pipe_path, 0600) && !symlink("pipe", link_path) && !symlink("none", dangling), "made");
    make_socket(socket_path);
    alarm(20); /* a read that waits ends the runner */
    for (i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_free) struct buf got = BUF_INIT(100);

        errno = 0;
        CHECK(!file_read(rows[i].path, &got, &err) && strstr(err.text, rows[i].want) && strstr(err.text, rows[i].path),
              "read %s: %s", rows[i].path, err.text);
        CHECK(err.kind == ERR_RETRY && (errno == ENOENT) == !strncmp(rows[i].want, "No", 2), "%s", rows[i].path);
        CHECK(!file_read_passed(rows[i].path, &got, &err) && strstr(err.text, rows[i].want), "%s", err.text);
        CHECK(!file_usable(rows[i].path, 100, &err) && strstr(err.text, rows[i].want), "use %s: %s", rows[i].path,
              err.text);
    }
    alarm(0);
    unlink(pipe_path);
    unlink(socket_path);
    unlink(link_path);
    unlink(dangling);
}

static void test_usable(void **state UNUSED)
{
    CLEANUP(mem_freep) char *path = in_folder("ca.pem"), *link_path = in_folder("link");
    struct err err;

    CHECK(file_replace(path, "", 0, false, &err) && !symlink("ca.pem", link_path), "%s", err.text);
    CHECK(!file_usable(path, 10, &err) && strstr(err.text, "is empty"), "%s", err.text);
    CHECK(file_replace(path, "0123456789", 10, false, &err), "%s", err.text);
    CHECK(file_usable(path, 10, &err) && file_usable(link_path, 10, &err), "%s", err.text);
    CHECK(!file_usable(path, 9, &err) && strstr(err.text, "is larger than 9 bytes"), "%s", err.text);
    chmod(path, 0);
    CHECK(file_usable(path, 10, &err) == !geteuid(), "root alone may read it: %s", err.text);
    CHECK(!geteuid() || strstr(err.text, "Permission denied"), "%s", err.text);
    unlink(path);
    unlink(link_path);
}

/* A file of a terabyte without blocks is refused before it is read. */
static void test_too_large(void **state UNUSED)
{
    CLEANUP(mem_freep) char *path = in_folder("sparse");
    CLEANUP(buf_free) struct buf got = BUF_INIT((size_t)1 << 30);
    struct err err;

    CHECK(file_replace(path, "", 0, false, &err) && !truncate(path, (off_t)1 << 40), "%s", err.text);
    CHECK(!file_read(path, &got, &err) && err.kind == ERR_INPUT && strstr(err.text, "is larger than"), "%s", err.text);
    CHECK(!got.len && got.cap < READ_AT_MOST, "%zu bytes were taken", got.cap);
    unlink(path);
}

static void test_passed(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf got = BUF_INIT(10);
    CLEANUP(mem_freep) char *path = NULL, *wrong = mem_text("/dev/fd/9999");
    struct err err = { .text = "" };
    int ends[2];

    CHECK(!pipe(ends) && write(ends[1], "0123456789", 10) == 10, "no pipe");
    close(ends[1]);
    path = mem_format("/dev/fd/%d", ends[0]);
    CHECK(file_read_passed(path, &got, &err), "%s", err.text);
    CHECK_TEXT(buf_text(&got), "0123456789");
    close(ends[0]);
    CHECK(!file_read_passed(wrong, &got, &err) && strstr(err.text, wrong), "%s", err.text);
}

static void test_large(void **state UNUSED)
{
    CLEANUP(mem_freep) char *path = in_folder("large"), *bytes = mem_alloc(500000);
    struct err err;

    for (size_t i = 0; i < 500000; i++)
        bytes[i] = (char)(i * 31 >> 3);
    CHECK(file_replace(path, bytes, 500000, true, &err), "%s", err.text);
    check_content(path, bytes, 500000);
    unlink(path);
}

static void test_folder(void **state UNUSED)
{
    CLEANUP(mem_freep) char *a = in_folder("a"), *ab = in_folder("a/b"), *abc = in_folder("a/b/c/");
    CLEANUP(mem_freep) char *file = in_folder("plain"), *below = in_folder("plain/x");
    struct err err;

    CHECK(file_make_folder(abc, &err) && file_make_folder(abc, &err), "%s", err.text);
    CHECK(mode_of(a) == 0700 && mode_of(ab) == 0700 && mode_of(abc) == 0700, "modes");
    CHECK(file_make_folder(folder, &err) && file_make_folder("/", &err), "%s", err.text);
    CHECK(!file_make_folder("", &err), "an empty path is a folder");
    CHECK(file_replace(file, "x", 1, false, &err), "%s", err.text);
    CHECK(!file_make_folder(file, &err) && strstr(err.text, "plain"), "%s", err.text);
    CHECK(!file_make_folder(below, &err) && strstr(err.text, "plain"), "%s", err.text);
    rmdir(abc);
    rmdir(ab);
    rmdir(a);
    unlink(file);
}

static int set_up(void **state UNUSED)
{
    return !mkdtemp(folder);
}

/* Each case has removed its files. */
static int tear_down(void **state UNUSED)
{
    CHECK(!rmdir(folder), "%s is not empty", folder);
    return 0;
}

static void test_shared(void **state UNUSED)
{
    static const struct { int mode; bool shared; } rows[] = {
        { 0600, false }, { 0400, false }, { 0640, false }, { 0660, false }, { 0644, true }, { 0604, true },
        { 0602, true }, { 0601, false }, { 0666, true }
    };
    CLEANUP(mem_freep) char *path = in_folder("shared");
    struct err err;

    CHECK(file_write(path, "x", 1, false, &err), "%s", err.text);
    CHECK(!chown(path, (uid_t)-1, getegid()), "chown");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(!chmod(path, (mode_t)rows[i].mode), "chmod");
        CHECK(file_is_shared(path) == rows[i].shared, "%o", (unsigned)rows[i].mode);
    }
    if (!chown(path, (uid_t)-1, getegid() + 1)) { /* only root may */
        CHECK(!chmod(path, 0640) && file_is_shared(path), "another group may read");
        CHECK(!chmod(path, 0600) && !file_is_shared(path), "another group may not");
    }
    unlink(path);
    CHECK(!file_is_shared(path) && !file_is_shared(folder), "no file");
}

static void test_rewrite(void **state UNUSED)
{
    CLEANUP(mem_freep) char *path = in_folder("rewritten"), *link = in_folder("link"), *none = in_folder("no/such");
    struct err err = { .text = "" };
    struct stat before, after;

    CHECK(file_write(path, "old", 3, false, &err) && !chmod(path, 0640) && !symlink("rewritten", link), "%s", err.text);
    if (!getuid())
        CHECK(!chown(path, 1234, 2345), "chown");
    CHECK(!stat(path, &before), "stat");
    CHECK(file_rewrite(link, "new text", 8, &err), "%s", err.text);
    check_content(path, "new text", 8);
    CHECK(!lstat(link, &after) && S_ISLNK(after.st_mode), "the link was replaced");
    CHECK(!stat(path, &after) && after.st_mode == before.st_mode && after.st_uid == before.st_uid &&
          after.st_gid == before.st_gid && after.st_ino != before.st_ino, "another mode or owner, or not in one step");
    CHECK(!file_rewrite(none, "x", 1, &err) && strstr(err.text, "no/such"), "%s", err.text);
    unlink(link);
    unlink(path);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_shared),
    cmocka_unit_test(test_rewrite),
    cmocka_unit_test(test_replace),
    cmocka_unit_test(test_replace_fails),
    cmocka_unit_test(test_rename_kept),
    cmocka_unit_test(test_create),
    cmocka_unit_test(test_full_disk),
    cmocka_unit_test(test_read),
    cmocka_unit_test(test_irregular),
    cmocka_unit_test(test_usable),
    cmocka_unit_test(test_too_large),
    cmocka_unit_test(test_passed),
    cmocka_unit_test(test_large),
    cmocka_unit_test(test_folder),
};

UNIT(file, cases, set_up, tear_down)
