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
    unlink(path);
    CHECK(!symlink("/tmp/test_lock_elsewhere", path) && !lock_open(dir, &err), "a link is not followed");
    unlink(path);
    CHECK(!mkfifo(path, 0600) && !lock_open(dir, &err) && strstr(err.text, "a named pipe"), "'%s'", err.text);
    unlink(path);
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
    cmocka_unit_test(test_cleaned_folder),
    cmocka_unit_test(test_idle),
    cmocka_unit_test(test_trouble),
};

UNIT(lock, cases, set_up, tear_down)
