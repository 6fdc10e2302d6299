#include "state/lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "check.h"

static char dir[] = "/tmp/test_lock_XXXXXX";
static char path[64];

/* Does another process get this input? */
static bool another_gets(const char *name)
{
    pid_t pid = fork();
    int status = 0;

    if (!pid) {
        struct err err;
        struct lock_file *lock = lock_open(dir, &err);

        _exit(lock && lock_input(lock, name, &err) ? 0 : err.kind == ERR_RETRY &&
              strstr(err.text, "still works") ? 1 : 2);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) < 2, "it says that one still works on '%s'", name);
    return status == 0;
}

/* promise: Checkpoints: A second process waits. It never runs beside the first. */
static void test_one_process_an_input(void **state UNUSED)
{
    struct err err;
    struct lock_file *lock = lock_open(dir, &err);
    struct stat st;

    CHECK(lock && lock_is_current(lock), "opened");
    CHECK(!stat(path, &st) && (st.st_mode & 0777) == 0600, "mode %o", st.st_mode & 0777);
    CHECK(lock_input(lock, "one", &err) && lock_input(lock, "", &err), "free");
    CHECK(lock_input(lock, "one", &err), "again by the same process");
    CHECK(!another_gets("one") && !another_gets(""), "kept out");
    CHECK(another_gets("two"), "other inputs are free");
    lock_release_input(lock, "one");
    CHECK(another_gets("one") && !another_gets(""), "one is free when released, the other is kept");
    CHECK(lock_input(lock, "one", &err), "and may be taken again");
    lock_close(lock_open(dir, &err));
    CHECK(!another_gets("one"), "another descriptor of the file was closed");
    lock_close(lock);
    CHECK(another_gets("one"), "free when closed");
    lock_close(NULL);
}

/* promise: Sharing: One process of a host takes part */
static void test_one_process_a_host(void **state UNUSED)
{
    struct err err;
    struct lock_file *lock = lock_open(dir, &err), *other = lock_open(dir, &err);

    CHECK(lock_host(lock, &err) && lock_host(lock, &err), "the first one has it, and may ask again");
    CHECK(!lock_host(other, &err) && err.kind == ERR_RETRY, "the second one has not");
    CHECK(strstr(err.text, "another process of this host") != NULL, "%s", err.text);
    CHECK(lock_input(other, "one", &err), "inputs are free");
    lock_close(lock);
    CHECK(lock_host(other, &err), "free when the first one has ended");
    lock_close(other);
}

static void test_cleaned_folder(void **state UNUSED)
{
    struct err err;
    struct lock_file *lock = lock_open(dir, &err), *anew;

    CHECK(lock_input(lock, "one", &err), "free");
    unlink(path);
    CHECK(!lock_is_current(lock), "the file is gone");
    anew = lock_open(dir, &err);
    CHECK(!lock_is_current(lock) && lock_is_current(anew), "another one has its name");
    lock_close(lock);
    lock_close(anew);
}

/* When was somebody at work here before? */
static void test_idle(void **state UNUSED)
{
    struct timespec long_ago[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
    struct err err;
    struct lock_file *lock;

    unlink(path);
    lock = lock_open(dir, &err);
    CHECK(lock_idle_ms(lock) == -1, "a new file: %lld ms", (long long)lock_idle_ms(lock));
    lock_close(lock);
    CHECK(!utimensat(AT_FDCWD, path, long_ago, 0), "the time is set");
    lock = lock_open(dir, &err);
    CHECK(lock_idle_ms(lock) > 86400000, "a file of old: %lld ms", (long long)lock_idle_ms(lock));
    lock_touch(lock);
    lock_close(lock);
    lock = lock_open(dir, &err);
    CHECK(lock_idle_ms(lock) >= 0 && lock_idle_ms(lock) < 5000, "just touched: %lld ms", (long long)lock_idle_ms(lock));
    lock_close(lock);
    unlink(path);
}

static void test_trouble(void **state UNUSED)
{
    struct err err;

    CHECK(!lock_open("/nonexistent/folder", &err) && err.kind == ERR_RETRY && strstr(err.text, "/nonexistent/folder"),
          "'%s'", err.text);
}

static bool is_regular(const char *name)
{
    struct stat st;

    return !lstat(name, &st) && S_ISREG(st.st_mode);
}

/* What is not a regular file gives way to one: it would keep every input from being read. */
static void test_irregular(void **state UNUSED)
{
    char elsewhere[80], inside[80];
    struct err err;
    int kind;

    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
    snprintf(inside, sizeof(inside), "%s/inside", path);
    for (kind = 0; kind < 3; kind++) {
        struct lock_file *lock;

        unlink(path);
        CHECK(!(kind == 0 ? mkfifo(path, 0600) : kind == 1 ? symlink(elsewhere, path) : mkdir(path, 0700)), "made");
        lock = lock_open(dir, &err);
        CHECK(lock && is_regular(path) && lock_is_current(lock) && lock_idle_ms(lock) == -1, "kind %d", kind);
        CHECK(lock_input(lock, "one", &err) && !another_gets("one"), "kind %d", kind);
        lock_close(lock);
    }
    CHECK(access(elsewhere, F_OK), "the link was followed");
    unlink(path);
    CHECK(!mkdir(path, 0700) && !mkdir(inside, 0700), "made");
    CHECK(!lock_open(dir, &err) && err.kind == ERR_RETRY && strstr(err.text, "it is not a regular file"), "'%s'",
          err.text);
    rmdir(inside);
    rmdir(path);
}

static int set_up(void **state UNUSED)
{
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/defender_alerts.lock", dir);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    unlink(path);
    return rmdir(dir);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_one_process_an_input),
    cmocka_unit_test(test_one_process_a_host),
    cmocka_unit_test(test_cleaned_folder),
    cmocka_unit_test(test_idle),
    cmocka_unit_test(test_trouble),
    cmocka_unit_test(test_irregular),
};

UNIT(lock, cases, set_up, tear_down)
