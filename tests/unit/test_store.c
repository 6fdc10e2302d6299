/* What every store must do (state/store.h), whatever it keeps the progress in. A new implementation adds a row. */
#include "state/store.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "check.h"
#include "state/store_file.h"

/* How to make trouble for an implementation. place: a folder that is empty before each case. */
struct kind {
    const char *name;
    struct store *(*open)(const char *place, const struct store_watcher *watcher);
    void (*lose)(const char *place, const char *name);      /* takes away what is stored under the name */
    void (*damage)(const char *place, const char *name);    /* it cannot be read any more */
};

static void file_lose(const char *place, const char *name)
{
    CLEANUP(mem_freep) char *path = store_file_path(place, name);

    CHECK(!unlink(path), "cannot remove %s", path);
}

static void file_damage(const char *place, const char *name)
{
    CLEANUP(mem_freep) char *path = store_file_path(place, name);

    unlink(path);
    CHECK(!mkdir(path, 0700), "cannot make %s", path);
}

static const struct kind kinds[] = {
    { "files", store_file_new, file_lose, file_damage },
};

static const struct kind *kind;
static char place[64];
static struct store *store;
static int asked, opened;
static int64_t opened_idle_ms;

/* An owner that writes down what it is told: "NAME:answer" in one common text. */
struct owner {
    struct claim claim;
    const char  *text;          /* to be saved */
    bool         again;         /* asks the next question from inside of an answer */
    struct err   err;
    char         loaded[64];
};

static char  told[1000];
static bool  inside;            /* of a call that must not answer */

static void tell(const struct owner *owner, const char *answer)
{
    size_t len = strlen(told);

    CHECK(!inside, "%s: the answer '%s' comes from inside of the call", owner->claim.name, answer);
    snprintf(told + len, sizeof(told) - len, "%s%s:%s", len ? " " : "", owner->claim.name, answer);
}

static void claimed(void *ctx)
{
    struct owner *owner = ctx;

    tell(owner, "claimed");
    if (owner->again)
        store_load(&owner->claim);
}

static void busy(void *ctx, const struct err *err)
{
    struct owner *owner = ctx;

    owner->err = *err;
    tell(owner, "busy");
}

static void loaded(void *ctx, enum store_found found, const struct buf *text, const struct err *err)
{
    struct owner *owner = ctx;

    if (found == STORE_FAILED)
        owner->err = *err;
    snprintf(owner->loaded, sizeof(owner->loaded), "%s", found == STORE_FOUND ? text->data : "");
    tell(owner, found == STORE_FOUND ? "found" : found == STORE_NONE ? "none" : "failed");
    if (owner->again)
        store_save(&owner->claim, STORE_WRITTEN);
}

static void compose(void *ctx, struct buf *text)
{
    struct owner *owner = ctx;

    tell(owner, "compose");
    CHECK(!text->len, "the text is not empty before");
    buf_add_text(text, owner->text ? owner->text : "nothing");
}

static void saved(void *ctx, bool ok, const struct err *err)
{
    struct owner *owner = ctx;

    CHECK(ok == !err, "an error with success, or none without");
    if (err)
        owner->err = *err;
    tell(owner, ok ? "saved" : "not saved");
}

static void vanished(void *ctx)
{
    bool was_inside = inside;

    inside = false;             /* a notice, no answer */
    tell(ctx, "vanished");
    inside = was_inside;
}

static void lost(void *ctx)
{
    tell(ctx, "lost");
}

static const struct claim_owner callbacks = { claimed, busy, loaded, compose, saved, vanished, lost };

static void was_asked(void *ctx UNUSED)
{
    asked++;
}

static void was_opened(void *ctx UNUSED, int64_t idle_ms)
{
    opened++;
    opened_idle_ms = idle_ms;
}

static const struct store_watcher watcher = { .asked = was_asked, .opened = was_opened };

static struct owner owner_of(const char *name)
{
    return (struct owner){ .claim = { .store = store, .name = name, .owner = &callbacks } };
}

/* The claim knows where it lives only now. */
static void settle(struct owner *owner)
{
    owner->claim.ctx = owner;
}

static void pump(void)
{
    struct pollfd pfd = { .fd = store_fd(store), .events = POLLIN };
    int rounds = 0;

    do {        /* the result of a save comes from another thread */
        while (store_pump(store, 1000))
            CHECK(++rounds < 100, "the questions do not end");
    } while (poll(&pfd, 1, 100) > 0);
}

#define ASK(call)                                                                                                      \
    do {                                                                                                               \
        inside = true;                                                                                                 \
        call;                                                                                                          \
        inside = false;                                                                                                \
    } while (0)

/* Pumps until that was told: the thread that saves may take longer than pump() waits. */
static void pump_until(const char *end)
{
    int tries;

    for (tries = 0; tries < 50 && !strstr(told, end); tries++)
        pump();
}

/* What was told since the last time. */
static void expect(const char *want)
{
    pump_until(want);
    CHECK(strcmp(told, want) == 0, "%s: told '%s', not '%s'", kind->name, told, want);
    *told = '\0';
}

static void claim(struct owner *owner)
{
    settle(owner);
    store_claim(&owner->claim);
    pump();
    CHECK(owner->claim.held, "%s: %s is not held", kind->name, owner->claim.name);
    *told = '\0';
}

static void save(struct owner *owner, const char *text)
{
    owner->text = text;
    store_save(&owner->claim, STORE_SYNCED);
    pump_until("saved");
    CHECK(strstr(told, ":saved"), "%s: told '%s'", kind->name, told);
    *told = '\0';
}

/* Runs a case with each implementation. */
static void with_each(void (*test)(void))
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        CLEANUP(mem_freep) char *command = NULL;

        kind = &kinds[i];
        snprintf(place, sizeof(place), "/tmp/test_store_XXXXXX");
        if (!mkdtemp(place))
            abort();
        *told = '\0';
        asked = opened = 0;
        store = kind->open(place, &watcher);
        test();
        store_free(store);
        store = NULL;
        command = mem_format("rm -rf '%s'", place);
        CHECK(system(command) == 0, "cannot remove %s", place);
    }
}

/* Another process: does it get the name? Returns 'y', 'n' (busy, for a while) or something else. */
static int another_process_gets(const char *name)
{
    pid_t pid = fork();
    int status = 0;

    if (!pid) {
        struct owner other;

        store = kind->open(place, NULL);
        other = owner_of(name);
        settle(&other);
        store_claim(&other.claim);
        pump();
        if (other.claim.held)
            _exit('y');
        _exit(other.err.kind == ERR_RETRY && other.err.wait_ms > 0 && *other.err.text ? 'n' : '?');
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

/* Claims. */

/* promise: Checkpoints: A second process waits. It never runs beside the first. */
static void claims(void)
{
    struct owner one = owner_of("one"), two = owner_of("two");

    settle(&one);
    settle(&two);
    ASK(store_claim(&one.claim));
    CHECK(asked == 1 && store_asked(&one.claim) && !one.claim.held, "it waits for the pump");
    pump();
    expect("one:claimed");
    CHECK(one.claim.held && !store_asked(&one.claim), "it is held");
    CHECK(opened == 1 && opened_idle_ms == -1, "the watcher is told, %lld ms", (long long)opened_idle_ms);
    CHECK(another_process_gets("one") == 'n', "a second process gets it, too");
    CHECK(another_process_gets("two") == 'y', "a second process does not get another name");
    claim(&two);
    CHECK(opened == 1, "opened %d times", opened);
    CHECK(another_process_gets("two") == 'n', "a second process gets it, too");
    store_release(&two.claim);
    CHECK(!two.claim.held && one.claim.held, "only one is released");
    CHECK(another_process_gets("two") == 'y', "a name that was given back is not free");
    CHECK(another_process_gets("one") == 'n', "a second process gets the other one");
    claim(&two);
    store_release(&one.claim);
    store_release(&two.claim);
}

static void test_claims(void **state UNUSED)
{
    with_each(claims);
}

/* The same name twice in one process. */
static void a_name_that_is_held_here(void)
{
    struct owner one = owner_of("one"), again = owner_of("one");

    claim(&one);
    settle(&again);
    store_claim(&again.claim);
    pump();
    expect("one:busy");
    CHECK(!again.claim.held && again.err.kind == ERR_RETRY && again.err.wait_ms > 0, "%s", again.err.text);
    store_release(&again.claim);
    CHECK(another_process_gets("one") == 'n', "it is given away by the one that never had it");
    store_release(&one.claim);
    claim(&again);
    store_release(&again.claim);
}

static void test_a_name_that_is_held_here(void **state UNUSED)
{
    with_each(a_name_that_is_held_here);
}

static void the_end_gives_names_back(void)
{
    struct owner one = owner_of("one");

    claim(&one);
    store_release(&one.claim);
    store_free(store);
    CHECK(another_process_gets("one") == 'y', "a name of a store that is closed is not free");
    store = kind->open(place, &watcher);
    one = owner_of("one");
    claim(&one);
    CHECK(opened == 2 && opened_idle_ms >= 0 && opened_idle_ms < 60000, "somebody was here %lld ms ago",
          (long long)opened_idle_ms);
    store_release(&one.claim);
}

static void test_the_end_gives_names_back(void **state UNUSED)
{
    with_each(the_end_gives_names_back);
}

static void release_in_any_state(void)
{
    struct owner never = owner_of("never"), waiting = owner_of("waiting"), held = owner_of("held");
    struct claim without_store = { .store = NULL };

    store_release(&without_store);
    settle(&never);
    store_release(&never.claim);
    settle(&waiting);
    store_claim(&waiting.claim);
    store_release(&waiting.claim);
    pump();
    expect("");
    CHECK(another_process_gets("waiting") == 'y', "a claim that was never answered keeps others out");
    claim(&held);
    store_save(&held.claim, STORE_SYNCED);
    store_release(&held.claim);
    store_release(&held.claim);
    pump();
    store_look(store);
    expect("");
    claim(&held);
    store_release(&held.claim);
}

static void test_release_in_any_state(void **state UNUSED)
{
    with_each(release_in_any_state);
}

/* Load and save. */

static void load_and_save(void)
{
    struct owner one = owner_of("one"), other = owner_of("o/t h\xC3\xA9r..");

    claim(&one);
    claim(&other);
    ASK(store_load(&one.claim));
    pump();
    expect("one:none");
    CHECK(!one.claim.stored, "nothing is stored");
    one.text = "first";
    ASK(store_save(&one.claim, STORE_SYNCED));
    pump();
    expect("one:compose one:saved");
    CHECK(one.claim.stored, "it is stored");
    save(&one, "second");
    save(&other, "");
    store_load(&one.claim);
    store_load(&other.claim);
    pump();
    expect("one:found o/t h\xC3\xA9r..:found");
    CHECK_TEXT(one.loaded, "second");
    CHECK_TEXT(other.loaded, "");
    store_release(&one.claim);
    store_release(&other.claim);
    store_free(store);
    store = kind->open(place, NULL);
    one = owner_of("one");
    claim(&one);
    store_load(&one.claim);
    pump();
    CHECK_TEXT(one.loaded, "second");
    store_release(&one.claim);
}

static void test_load_and_save(void **state UNUSED)
{
    with_each(load_and_save);
}

static void what_cannot_be_read(void)
{
    struct owner one = owner_of("one");

    claim(&one);
    save(&one, "text");
    kind->damage(place, "one");
    store_load(&one.claim);
    pump();
    expect("one:failed");
    CHECK(one.err.kind == ERR_RETRY && one.err.wait_ms > 0 && *one.err.text, "kind %d: %s", one.err.kind, one.err.text);
    store_save(&one.claim, STORE_WRITTEN);
    pump();
    expect("one:compose one:not saved");
    store_release(&one.claim);
}

static void test_what_cannot_be_read(void **state UNUSED)
{
    with_each(what_cannot_be_read);
}

static void whether_it_could_be_saved(void)
{
    static const char block[4096] = "x";
    struct owner one = owner_of("one");
    struct err err = { .text = "" };

    claim(&one);
    CHECK(store_writable(&one.claim, block, sizeof(block), &err), "%s", err.text);
    store_load(&one.claim);
    pump();
    expect("one:none");
    save(&one, "kept");
    CHECK(store_writable(&one.claim, block, sizeof(block), &err), "%s", err.text);
    store_load(&one.claim);
    pump();
    CHECK_TEXT(one.loaded, "kept");
    *told = '\0';
    store_release(&one.claim);
}

static void test_whether_it_could_be_saved(void **state UNUSED)
{
    with_each(whether_it_could_be_saved);
}

/* promise: Checkpoints: An unreadable or unknown checkpoint is kept as .bad. It replaces an older one there. */
static void set_aside(void)
{
    struct owner one = owner_of("one");
    struct err err = { .text = "it has version 7" };

    claim(&one);
    save(&one, "unusable");
    CHECK(store_set_aside(&one.claim, &err), "%s", err.text);
    CHECK(strstr(err.text, "it has version 7"), "the reason is lost: %s", err.text);
    CHECK(!one.claim.stored, "it still counts as stored");
    store_load(&one.claim);
    pump();
    expect("one:none");
    save(&one, "unusable again");
    CHECK(store_set_aside(&one.claim, &err), "an older one is in the way");
    CHECK(!store_set_aside(&one.claim, &err), "nothing was put aside, and that is a success");
    store_release(&one.claim);
}

static void test_set_aside(void **state UNUSED)
{
    with_each(set_aside);
}

/* A checkpoint that somebody deletes is written again. */
static void what_vanishes(void)
{
    struct owner one = owner_of("one"), two = owner_of("two"), none = owner_of("none");

    claim(&one);
    claim(&two);
    claim(&none);
    save(&one, "1");
    save(&two, "2");
    for (int i = 0; i < 3; i++)
        store_look(store);
    expect("");
    kind->lose(place, "two");
    for (int i = 0; i < 2; i++)
        store_look(store);
    CHECK(strstr(told, "two:vanished") && !strstr(told, "one:") && !strstr(told, "none:"), "told '%s'", told);
    *told = '\0';
    save(&two, "2");
    for (int i = 0; i < 3; i++)
        store_look(store);
    expect("");
    store_release(&two.claim);
    kind->lose(place, "two");
    for (int i = 0; i < 2; i++)
        store_look(store);
    expect("");
    store_release(&one.claim);
    store_release(&none.claim);
}

static void test_what_vanishes(void **state UNUSED)
{
    with_each(what_vanishes);
}

/* Questions. */

static void order(void)
{
    struct owner owners[4] = { owner_of("a"), owner_of("b"), owner_of("c"), owner_of("d") };

    for (size_t i = 0; i < 4; i++)
        claim(&owners[i]);
    for (size_t i = 4; i-- > 0; )
        ASK(store_load(&owners[i].claim));
    CHECK(store_pump(store, 0), "one question at least, and three are left");
    expect("d:none");
    pump();
    expect("c:none b:none a:none");
    CHECK(!store_pump(store, 0), "nothing is left");
    for (size_t i = 0; i < 4; i++)
        store_release(&owners[i].claim);
}

static void test_order(void **state UNUSED)
{
    with_each(order);
}

static void cancel(void)
{
    static const struct { const char *canceled, *told; } rows[] = {
        { "", "a:none b:none c:none" }, { "a", "b:none c:none" }, { "b", "a:none c:none" }, { "c", "a:none b:none" },
        { "ab", "c:none" }, { "cb", "a:none" }, { "abc", "" },
    };
    struct owner owners[3] = { owner_of("a"), owner_of("b"), owner_of("c") };

    for (size_t i = 0; i < 3; i++)
        claim(&owners[i]);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t k = 0; k < 3; k++)
            store_load(&owners[k].claim);
        for (const char *at = rows[i].canceled; *at; at++) {
            store_cancel(&owners[*at - 'a'].claim);
            store_cancel(&owners[*at - 'a'].claim);
            CHECK(!store_asked(&owners[*at - 'a'].claim), "%s: it still waits", rows[i].canceled);
        }
        pump();
        expect(rows[i].told);
        store_load(&owners[0].claim);       /* the queue is whole */
        store_load(&owners[1].claim);
        pump();
        expect("a:none b:none");
    }
    for (size_t i = 0; i < 3; i++)
        store_release(&owners[i].claim);
}

static void test_cancel(void **state UNUSED)
{
    with_each(cancel);
}

/* The text is asked for when its turn has come, so that what happened meanwhile is in it. */
static void composed_in_turn(void)
{
    struct owner one = owner_of("one");

    claim(&one);
    one.text = "early";
    ASK(store_save(&one.claim, STORE_WRITTEN));
    one.text = "late";
    pump();
    expect("one:compose one:saved");
    store_load(&one.claim);
    pump();
    CHECK_TEXT(one.loaded, "late");
    store_release(&one.claim);
}

static void test_composed_in_turn(void **state UNUSED)
{
    with_each(composed_in_turn);
}

static void from_inside_of_an_answer(void)
{
    struct owner one = owner_of("one");

    one.again = true;
    settle(&one);
    store_claim(&one.claim);
    pump();
    expect("one:claimed one:none one:compose one:saved");
    store_release(&one.claim);
}

static void test_questions_from_inside_of_an_answer(void **state UNUSED)
{
    with_each(from_inside_of_an_answer);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_claims),
    cmocka_unit_test(test_a_name_that_is_held_here),
    cmocka_unit_test(test_the_end_gives_names_back),
    cmocka_unit_test(test_release_in_any_state),
    cmocka_unit_test(test_load_and_save),
    cmocka_unit_test(test_what_cannot_be_read),
    cmocka_unit_test(test_whether_it_could_be_saved),
    cmocka_unit_test(test_set_aside),
    cmocka_unit_test(test_what_vanishes),
    cmocka_unit_test(test_order),
    cmocka_unit_test(test_cancel),
    cmocka_unit_test(test_composed_in_turn),
    cmocka_unit_test(test_questions_from_inside_of_an_answer),
};

UNIT(store, cases, NULL, NULL)
