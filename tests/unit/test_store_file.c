/* What is special to a store of files. What every store must do is in test_store.c. */
#include "state/store_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "settle.h"

struct fixture {
    char          top[40], folder[64];      /* the folder is inside of top, and not there at first */
    struct store *store;
    struct claim  claim;
    struct err    err;
    int           claimed, busy, vanished, found;
    bool          ok, full;
};

static void claimed(void *ctx)
{
    ((struct fixture *)ctx)->claimed++;
}

static void busy(void *ctx, const struct err *err)
{
    struct fixture *f = ctx;

    f->busy++;
    f->err = *err;
}

static void loaded(void *ctx, enum store_found found, const struct buf *text UNUSED, const struct err *err)
{
    struct fixture *f = ctx;

    f->found = (int)found;
    if (found == STORE_FAILED)
        f->err = *err;
}

static void compose(void *ctx, struct buf *text)
{
    buf_add_text(text, "text");
    text->full = ((struct fixture *)ctx)->full;     /* as after more than its limit */
}

static void saved(void *ctx, bool ok, const struct err *err)
{
    struct fixture *f = ctx;

    f->ok = ok;
    if (!ok)
        f->err = *err;
}

static void vanished(void *ctx)
{
    ((struct fixture *)ctx)->vanished++;
}

static void lost(void *ctx UNUSED)
{
}

static const struct claim_owner owner = { claimed, busy, loaded, compose, saved, vanished, lost };

static void pump(struct fixture *f)
{
    settle(f->store, &f->claim);
}

static bool claim(struct fixture *f)
{
    store_claim(&f->claim);
    pump(f);
    return f->claim.held;
}

static bool save(struct fixture *f, enum store_durability durability)
{
    f->ok = false;
    store_save(&f->claim, durability);
    pump(f);
    return f->ok;
}

static int load(struct fixture *f)
{
    store_load(&f->claim);
    pump(f);
    return f->found;
}

static char *path_of(const struct fixture *f, const char *suffix)
{
    CLEANUP(mem_freep) char *path = store_file_path(f->folder, "in put");

    return mem_format("%s%s", path, suffix);
}

/* Does another process get the input? */
static bool another_gets(const struct fixture *f)
{
    pid_t pid = fork();
    int status = 0;

    if (!pid) {
        struct fixture other = { .store = store_file_new(f->folder, NULL) };

        other.claim = (struct claim){ .store = other.store, .name = "in put", .owner = &owner, .ctx = &other };
        _exit(claim(&other) ? 1 : 2);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static void remove_folder(const struct fixture *f)
{
    CLEANUP(mem_freep) char *command = mem_format("rm -rf '%s'", f->folder);

    CHECK(system(command) == 0, "cannot remove %s", f->folder);
}

static void test_names(void **state UNUSED)
{
    static const struct { const char *name, *path; } rows[] = {
        { "plain", "/f/plain.json" }, { "../a b/\xC3\xA9", "/f/%2E%2E%2Fa%20b%2F%C3%A9.json" }, { "", "/f/.json" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(mem_freep) char *path = store_file_path("/f", rows[i].name);

        CHECK_TEXT(path, rows[i].path);
    }
}

static void test_only_we_may_read_it(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_freep) char *path = path_of(f, "");
    CLEANUP(mem_freep) char *temp = path_of(f, ".tmp");
    mode_t mask = umask(0);
    struct stat st;

    CHECK(claim(f) && save(f, STORE_SYNCED), "%s", f->err.text);
    CHECK(!stat(path, &st) && (st.st_mode & 0777) == 0600, "mode %o", st.st_mode & 0777);
    CHECK(!chmod(path, 0666) && save(f, STORE_WRITTEN), "%s", f->err.text);
    CHECK(!stat(path, &st) && (st.st_mode & 0777) == 0600, "mode %o after another save", st.st_mode & 0777);
    close(open(temp, O_WRONLY | O_CREAT, 0666));        /* as a crash may leave it */
    CHECK(save(f, STORE_WRITTEN) && !stat(path, &st) && (st.st_mode & 0777) == 0600, "mode %o", st.st_mode & 0777);
    CHECK(access(temp, F_OK), "%s is left", temp);
    umask(mask);
}

static void test_the_folder_is_made(void **state)
{
    struct fixture *f = *state;

    CHECK(access(f->folder, F_OK), "it is there before");
    CHECK(claim(f), "%s", f->err.text);
    CHECK(!access(f->folder, F_OK), "it is not made");
}

/* Nothing is opened before the first claim, and a folder that cannot be used is tried again. */
static void test_a_folder_that_cannot_be_used(void **state)
{
    struct fixture *f = *state;
    int file = open(f->folder, O_WRONLY | O_CREAT, 0600);

    close(file);
    store_look(f->store);
    CHECK(!claim(f) && f->busy == 1, "a file is in its place");
    CHECK(f->err.wait_ms >= 1000 && strstr(f->err.text, "events are held back"), "%s", f->err.text);
    unlink(f->folder);
    CHECK(claim(f), "%s", f->err.text);
}

static void test_bad(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_freep) char *path = path_of(f, "");
    CLEANUP(mem_freep) char *bad = path_of(f, ".bad");
    struct buf text = BUF_INIT(100);
    struct err err = { .text = "it has version 7" };

    CHECK(claim(f) && file_replace(path, "old", 3, false, &err) && file_replace(bad, "older", 5, false, &err), "files");
    CHECK(store_set_aside(&f->claim, &err), "%s", err.text);
    CHECK(strstr(err.text, path) && strstr(err.text, "version 7"), "%s", err.text);
    CHECK(access(path, F_OK) && file_read(bad, &text, &err), "%s", err.text);
    CHECK_TEXT(buf_text(&text), "old");
    buf_free(&text);
}

/* What may not be on the disk yet is known as that at the next start, until it is saved again. */
static void test_unsynced(void **state)
{
    static const struct { enum store_durability durability; bool unsynced; } steps[] = {
        { STORE_SYNCED, false }, { STORE_WRITTEN, true }, { STORE_WRITTEN, true }, { STORE_SYNCED, false },
    };
    struct fixture *f = *state;

    CHECK(claim(f), "%s", f->err.text);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        CHECK(save(f, steps[i].durability) && f->claim.unsynced == steps[i].unsynced, "%zu: %s", i, f->err.text);
        f->claim.unsynced = !steps[i].unsynced;
        CHECK(load(f) == STORE_FOUND && f->claim.unsynced == steps[i].unsynced, "%zu: %s", i, f->err.text);
    }
}

/* A file that could not be read back is not written, and one that is too large is not read. */
static void test_too_large(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_freep) char *path = path_of(f, "");
    struct buf text = BUF_INIT(100);
    struct err err;

    CHECK(claim(f) && save(f, STORE_WRITTEN), "%s", f->err.text);
    f->full = true;
    CHECK(!save(f, STORE_WRITTEN) && f->err.kind == ERR_INPUT && strstr(f->err.text, "larger than"), "%s", f->err.text);
    CHECK(file_read(path, &text, &err), "%s", err.text);
    CHECK_TEXT(buf_text(&text), "text");
    buf_free(&text);
    CHECK(!truncate(path, (off_t)STORE_FILE_MAX + 1) && load(f) == STORE_FAILED && f->err.kind == ERR_INPUT, "%s",
          f->err.text);
}

/* Somebody removes the folder: it is made again, the claims hold in the new lock file, and all is saved again. */
static void test_the_folder_is_removed(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_freep) char *path = path_of(f, "");

    CHECK(claim(f) && save(f, STORE_SYNCED), "%s", f->err.text);
    store_look(f->store);
    store_look(f->store);
    remove_folder(f);
    store_look(f->store);
    CHECK(f->vanished >= 1, "nobody is told");
    CHECK(!another_gets(f), "another process gets the input");
    CHECK(save(f, STORE_SYNCED) && !access(path, F_OK), "%s", f->err.text);
    f->vanished = 0;
    for (int i = 0; i < 3; i++)
        store_look(f->store);
    CHECK(!f->vanished, "told %d times more", f->vanished);
}

/* The same without a look in between. */
static void test_a_save_makes_the_folder_again(void **state)
{
    struct fixture *f = *state;
    struct err err;

    CHECK(claim(f) && save(f, STORE_SYNCED), "%s", f->err.text);
    remove_folder(f);
    CHECK(save(f, STORE_SYNCED), "%s", f->err.text);
    store_look(f->store);
    CHECK(!another_gets(f), "another process gets the input");
    remove_folder(f);
    CHECK(store_writable(&f->claim, "x", 1, &err), "%s", err.text);
    CHECK(!another_gets(f), "another process gets the input after a trial");
}

/* Somebody deletes only the lock file: locks on the old one keep nobody out any more. */
static void test_the_lock_file_is_replaced(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_freep) char *lock = mem_format("%s/defender_alerts.lock", f->folder);

    CHECK(claim(f), "%s", f->err.text);
    CHECK(!unlink(lock), "no lock file");
    store_look(f->store);
    CHECK(!access(lock, F_OK) && !another_gets(f), "another process gets the input");
    store_release(&f->claim);
    CHECK(another_gets(f), "nobody gets it after it was given back");
}

/* The folder cannot be made again: that is said with every try, and it works once it can. */
static void test_not_writable(void **state)
{
    struct fixture *f = *state;
    struct err err = { .text = "" };
    int file;

    CHECK(claim(f), "%s", f->err.text);
    remove_folder(f);
    file = open(f->folder, O_WRONLY | O_CREAT, 0600);
    close(file);
    CHECK(!store_writable(&f->claim, "x", 1, &err) && err.kind == ERR_RETRY && *err.text, "%s", err.text);
    CHECK(!save(f, STORE_WRITTEN) && f->err.kind == ERR_RETRY, "%s", f->err.text);
    unlink(f->folder);
    CHECK(store_writable(&f->claim, "x", 1, &err) && save(f, STORE_WRITTEN), "%s", err.text);
}

/* Nothing but checkpoints and one lock file is in the folder. */
static void test_nothing_is_left(void **state)
{
    struct fixture *f = *state;
    struct err err;
    struct dirent *entry;
    DIR *dir;
    int files = 0;

    CHECK(claim(f) && store_writable(&f->claim, "trial", 5, &err) && save(f, STORE_SYNCED), "%s", f->err.text);
    dir = opendir(f->folder);
    while ((entry = readdir(dir)))
        if (*entry->d_name != '.' && ++files)
            CHECK(!strcmp(entry->d_name, "in%20put.json") || !strcmp(entry->d_name, "defender_alerts.lock"), "%s",
                  entry->d_name);
    closedir(dir);
    CHECK(files == 2, "%d files", files);
}

static int open_fixture(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .top = "/tmp/test_store_file_XXXXXX" };
    if (!mkdtemp(fixture.top))
        return -1;
    snprintf(fixture.folder, sizeof(fixture.folder), "%s/checkpoints", fixture.top);
    fixture.store = store_file_new(fixture.folder, NULL);
    fixture.claim = (struct claim){ .store = fixture.store, .name = "in put", .owner = &owner, .ctx = &fixture };
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    CLEANUP(mem_freep) char *command = mem_format("rm -rf '%s'", f->top);

    store_release(&f->claim);
    store_free(f->store);
    return system(command);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_names),
    CASE(test_only_we_may_read_it),
    CASE(test_the_folder_is_made),
    CASE(test_a_folder_that_cannot_be_used),
    CASE(test_bad),
    CASE(test_unsynced),
    CASE(test_too_large),
    CASE(test_the_folder_is_removed),
    CASE(test_a_save_makes_the_folder_again),
    CASE(test_the_lock_file_is_replaced),
    CASE(test_not_writable),
    CASE(test_nothing_is_left),
};

UNIT(store_file, cases, NULL, NULL)
