/* What inputs are told while forwarders share them: a real agreement over a store in memory, and a clock that is set. */
#include "share/share_private.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "fake_kvstore.h"

#define MOST    240 /* inputs */
#define OTHERS  "{\"version\":1,\"tenant_id\":\"t\",\"api\":\"graph\",\"begin\":\"2026-11-01T00:00:00Z\","             \
                "\"newest\":\"2026-11-01T08:00:00Z\",\"floor\":\"2026-11-01T08:00:00Z\",\"written\":[]}"
#define S       *1000

/* The clock: the real one unless a test sets it. */
static int64_t now_ms;

int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_ms(void)
{
    return now_ms ? now_ms : __real_clock_ms();
}

/* An input, and what it was told. */
struct told {
    struct share_lease lease;
    char name[16];
    struct buf words; /* one letter each: Granted, Elsewhere, Paused, Resumed, Taken, Save again */
    struct buf text;  /* of the last grant; empty: none */
};

struct scene {
    struct fake_kvstore store;
    struct loop *loop;
    struct share *share;
    struct told inputs[MOST];
    size_t count;
    bool other_lives; /* hf2 sends heartbeats */
    int beat;
    int64_t beat_ms;
    bool stuck;
};

static char folder[] = "/tmp/share_leases.XXXXXX";

static void granted(void *ctx, const struct buf *text)
{
    struct told *told = ctx;

    buf_add_char(&told->words, 'G');
    buf_clear(&told->text);
    if (text)
        buf_add(&told->text, text->data, text->len);
}

static void elsewhere(void *ctx)
{
    buf_add_char(&((struct told *)ctx)->words, 'E');
}

static void paused(void *ctx)
{
    buf_add_char(&((struct told *)ctx)->words, 'P');
}

static void resumed(void *ctx)
{
    buf_add_char(&((struct told *)ctx)->words, 'R');
}

static void taken(void *ctx)
{
    buf_add_char(&((struct told *)ctx)->words, 'T');
}

static void resave(void *ctx)
{
    buf_add_char(&((struct told *)ctx)->words, 'S');
}

static const struct share_lease_owner owner = { granted, elsewhere, paused, resumed, taken, resave };

static bool claims(void *ctx UNUSED, struct err *err UNUSED)
{
    return true;
}

static bool is_stuck(void *ctx)
{
    return ((struct scene *)ctx)->stuck;
}

/* The other forwarder. */

static void put(struct scene *scene, const char *key, const char *kind, int64_t number, const char *id, const char *text)
{
    cJSON *record = cJSON_CreateObject();

    cJSON_AddStringToObject(record, "_key", key);
    cJSON_AddStringToObject(record, "group", "g");
    cJSON_AddStringToObject(record, "kind", kind);
    cJSON_AddNumberToObject(record, "number", (double)number);
    cJSON_AddStringToObject(record, "id", id);
    cJSON_AddStringToObject(record, "text", text);
    cJSON_AddStringToObject(record, "input", "in00"); /* of those that have one */
    cJSON_DeleteItemFromObjectCaseSensitive(scene->store.records, key);
    cJSON_AddItemToObject(scene->store.records, key, record);
}

static void beats(struct scene *scene)
{
    CLEANUP(mem_freep)
    char *text = mem_format("{\"start\":\"2222222222222222\",\"beat\":%d,\"well\":true,\"inputs\":0,\"format\":1}",
                            ++scene->beat);

    put(scene, "g.member.hf2", "member", scene->beat, "2222222222222222", text);
    scene->beat_ms = now_ms;
}

/* Makes a table that gives the first inputs to a forwarder, and the others to hf1 as before. */
static void give_first(struct scene *scene, const char *to, size_t count)
{
    struct share_summary summary;
    struct share_body body = { .entries = NULL };
    struct share_entry entries[MOST];
    struct buf text = BUF_INIT(1 << 16);
    char id[SHARE_ID_MAX], key[64];
    size_t i;

    share_core_summary(scene->share->core, now_ms, &summary);
    share_id((uint64_t)summary.table + 1000, id);
    for (i = 0; i < scene->count; i++) {
        struct share_entry *entry = &entries[i];

        *entry = (struct share_entry){ .input = scene->inputs[i].name, .owner = (char *)(i < count ? to : "hf1") };
        snprintf(entry->since, sizeof(entry->since), "%s",
                 i < count ? id : share_core_since(scene->share->core, scene->inputs[i].lease.number, &entry->number));
        if (i < count)
            entry->number = summary.table + 1;
    }
    body = (struct share_body){ .entries = entries, .count = scene->count };
    share_body_format(&body, &text);
    snprintf(key, sizeof(key), "g.body.%s", id);
    put(scene, key, "body", summary.table + 1, id, buf_text(&text));
    buf_clear(&text);
    buf_add_format(&text, "{\"id\":\"%s\",\"after\":\"\",\"by\":\"hf2\",\"members\":2,\"format\":1}", id);
    snprintf(key, sizeof(key), "g.table.%012lld", (long long)summary.table + 1);
    put(scene, key, "table", summary.table + 1, id, buf_text(&text));
    buf_free(&text);
}

/* Lets time pass: requests are answered at once, timers fire when they are due. */
static void pass(struct scene *scene, int64_t ms)
{
    int64_t until_ms = now_ms + ms;

    for (;;) {
        if (fake_kvstore_answer())
            continue;
        if (scene->other_lives && now_ms - scene->beat_ms >= SHARE_ROUND_MS)
            beats(scene);
        if (fake_kvstore_due_ms() > until_ms)
            break;
        if (fake_kvstore_due_ms() > now_ms)
            now_ms = fake_kvstore_due_ms();
        fake_kvstore_fire();
    }
    now_ms = until_ms;
}

/* A process starts, and begins with rounds. */
static void start(struct scene *scene)
{
    size_t i;

    scene->loop = loop_new();
    scene->share = share_new(&(struct share_spec){ .loop = scene->loop,
                                                   .urls = "https://one:8089",
                                                   .group = "g",
                                                   .forwarder = "hf1",
                                                   .checkpoint_folder = folder,
                                                   .claim_host = claims,
                                                   .is_stuck = is_stuck,
                                                   .ctx = scene });
    for (i = 0; i < scene->count; i++) {
        struct told *told = &scene->inputs[i];

        *told = (struct told){ .words = BUF_INIT(100), .text = BUF_INIT(1 << 16) };
        snprintf(told->name, sizeof(told->name), "in%02zu", i);
        told->lease = (struct share_lease){ .input = told->name, .owner = &owner, .ctx = told };
        share_add(scene->share, &told->lease);
    }
    share_has_token(scene->share, "a.b.c");
}

static void stop(struct scene *scene)
{
    size_t i;

    share_ends(scene->share);
    while (share_is_busy(scene->share) && fake_kvstore_answer())
        ;
    share_free(scene->share);
    loop_free(scene->loop);
    for (i = 0; i < scene->count; i++) {
        buf_free(&scene->inputs[i].words);
        buf_free(&scene->inputs[i].text);
    }
}

static void begin(struct scene *scene, size_t count)
{
    *scene = (struct scene){ .count = count };
    now_ms = INT64_C(1000000) S;
    fake_kvstore_begin(&scene->store);
    start(scene);
}

static void end(struct scene *scene)
{
    CLEANUP(mem_freep) char *own = mem_format("%s/" SHARE_OWN_FILE, folder);

    stop(scene);
    fake_kvstore_end(&scene->store);
    unlink(own);
    now_ms = 0;
}

static const char *words(struct scene *scene)
{
    return buf_text(&scene->inputs[0].words);
}

static struct share_lease *first(struct scene *scene)
{
    return &scene->inputs[0].lease;
}

/* Begins with inputs that are read. */
static void begin_reading(struct scene *scene, size_t count)
{
    begin(scene, count);
    pass(scene, 30 S);
    CHECK_TEXT(words(scene), "G");
}

static void compose_for(struct share_lease *lease)
{
    struct buf text = BUF_INIT(1 << 16);

    buf_add_text(&text, OTHERS);
    share_lease_composed(lease, &text);
    buf_free(&text);
}

static void compose(struct scene *scene)
{
    compose_for(first(scene));
}

/* What an input is told from its first turn on. */
static void test_first_turn(void **state UNUSED)
{
    struct scene scene;
    struct share_own_record own;
    struct err err;

    begin(&scene, 1);
    pass(&scene, 15 S);
    CHECK(!*words(&scene) && !share_lease_may_read(first(&scene)), "it is told '%s' too early", words(&scene));
    CHECK_TEXT(share_lease_word(first(&scene)), "waiting");
    pass(&scene, 10 S);
    CHECK_TEXT(words(&scene), "G");
    CHECK(!scene.inputs[0].text.len && !first(&scene)->others, "nobody has read it before");
    CHECK(share_lease_may_read(first(&scene)), "it may not read");
    CHECK_TEXT(share_lease_word(first(&scene)), "reading");
    CHECK_TEXT(share_lease_reader(first(&scene)), "hf1");
    CHECK(share_own_record_load(folder, "g", "hf1", &own, &err) && share_own_record_find(&own, "in00"), "%s", err.text);
    share_own_record_free(&own);
    compose(&scene);
    CHECK(!fake_kvstore_count(&scene.store, "place"), "it goes with the next round");
    pass(&scene, 6 S);
    CHECK(fake_kvstore_count(&scene.store, "place") == 1, "%zu", fake_kvstore_count(&scene.store, "place"));
    end(&scene);
}

/* How long a process stood still, and what its input is told and may do as soon as it looks, and after some rounds. */
static const struct late {
    const char *name;
    int64_t ms;
    bool asks;  /* something of the input was to be written first */
    bool given; /* another forwarder has it by now */
    bool may;
    const char *told, *later;
} lates[] = {
    { "within the trust", 9 S, true, false, true, "G", "G" },
    { "beyond it", 16 S, false, false, false, "GP", "GPR" },
    { "asked first", 16 S, true, false, false, "GP", "GPR" },
    { "a minute", 65 S, true, false, false, "GP", "GPR" },
    { "a day", 86400 S, true, false, false, "GP", "GPR" },
    { "it was given away meanwhile", 65 S, true, true, false, "GP", "GPT" },
};

/* promise: Sharing: A process that stood still for longer than it may trust its table asks for nothing and writes nothing */
static void test_late(void **state UNUSED)
{
    struct scene scene;
    size_t i;

    for (i = 0; i < COUNT_OF(lates); i++) {
        const struct late *row = &lates[i];

        begin_reading(&scene, 1);
        compose(&scene);
        pass(&scene, 6 S);
        now_ms += row->ms;
        if (row->given) {
            beats(&scene);
            give_first(&scene, "hf2", 1);
            scene.other_lives = true;
        }
        if (row->asks)
            CHECK(share_lease_may_read(first(&scene)) == row->may, "%s: asked first", row->name);
        share_look(scene.share, now_ms);
        CHECK(share_lease_may_read(first(&scene)) == row->may, "%s: asked after the look", row->name);
        CHECK(text_same(words(&scene), row->told), "%s: '%s'", row->name, words(&scene));
        pass(&scene, 12 S);
        CHECK(text_same(words(&scene), row->later), "%s: later '%s'", row->name, words(&scene));
        CHECK(share_lease_may_read(first(&scene)) == !row->given, "%s: later", row->name);
        end(&scene);
    }
}

/* A round that is good just after something was refused does not hide that: the input begins again. */
static void test_lapsed(void **state UNUSED)
{
    struct scene scene;

    begin_reading(&scene, 1);
    now_ms += 16 S;
    CHECK(!share_lease_may_read(first(&scene)), "it may read");
    while (fake_kvstore_due_ms() != scene.share->round_timer.due_ms && fake_kvstore_due_ms() <= now_ms)
        timer_cancel(scene.loop, &scene.share->tell_timer);
    fake_kvstore_fire(); /* the round, before the inputs are told */
    while (fake_kvstore_answer())
        ;
    pass(&scene, 1 S);
    CHECK_TEXT(words(&scene), "GPR");
    CHECK(share_lease_may_read(first(&scene)), "it may not read");
    end(&scene);
}

/* What comes first when the loop wakes up late: an event that waits to be written. */
struct writer {
    struct scene *scene;
    struct watch watch;
    int calls, wrote;
    bool told; /* when it came: the input knew already */
};

static void ready(void *ctx, short revents UNUSED)
{
    struct writer *writer = ctx;

    if (writer->calls++)
        writer->told = text_same(words(writer->scene), "GP");
    writer->wrote += share_lease_may_read(first(writer->scene));
    if (writer->calls == 1)
        now_ms += 80 S; /* the process stands still; without timers, the loop wants to wait for 60 s */
    else
        loop_stop(writer->scene->loop);
}

static void late(void *ctx, int64_t at_ms)
{
    share_look(ctx, at_ms);
}

/* promise: Sharing: A loop that wakes up late looks who may read before it does anything else */
static void test_late_loop(void **state UNUSED)
{
    struct writer writer = { .watch = { .events = POLLIN, .ready = ready, .ctx = &writer } };
    struct scene scene;
    int fds[2];

    begin_reading(&scene, 1);
    CHECK(!pipe(fds) && write(fds[1], "x", 1) == 1, "no pipe");
    writer.scene = &scene;
    writer.watch.fd = fds[0];
    loop_tell_late(scene.loop, late, scene.share);
    watch_add(scene.loop, &writer.watch);
    loop_run(scene.loop);
    CHECK(writer.calls == 2 && writer.wrote == 1, "%d calls, %d written", writer.calls, writer.wrote);
    CHECK(writer.told, "something else came before the look");
    watch_remove(scene.loop, &writer.watch);
    close(fds[0]);
    close(fds[1]);
    end(&scene);
}

/* An input goes to another forwarder, which dies, and comes back with what that one had read. */
static void test_away_and_back(void **state UNUSED)
{
    struct scene scene;
    struct share_own_record own;
    struct err err;

    begin_reading(&scene, 2);
    scene.other_lives = true;
    give_first(&scene, "hf2", 1);
    pass(&scene, 6 S);
    CHECK_TEXT(words(&scene), "GT");
    CHECK_TEXT(buf_text(&scene.inputs[1].words), "G");
    CHECK(!share_lease_may_read(first(&scene)) && *first(&scene)->since, "it may still save under its own since");
    compose(&scene);
    share_lease_let_go(first(&scene));
    pass(&scene, 1 S);
    CHECK(fake_kvstore_count(&scene.store, "place") == 1 && !*first(&scene)->since, "the last checkpoint is not saved");
    CHECK(share_own_record_load(folder, "g", "hf1", &own, &err) && own.count == 1, "a restart would go on with it");
    share_own_record_free(&own);
    CHECK_TEXT(share_lease_word(first(&scene)), "elsewhere");
    scene.other_lives = false;
    pass(&scene, 40 S);
    CHECK_TEXT(words(&scene), "GT");
    pass(&scene, 25 S);
    CHECK_TEXT(words(&scene), "GTG");
    CHECK(first(&scene)->others && strstr(buf_text(&scene.inputs[0].text), "T08:00:00"), "'%s'",
          buf_text(&scene.inputs[0].text));
    CHECK(!share_own_record_find(&scene.share->own, "in00"), "its file is not written yet");
    share_lease_saved(first(&scene));
    CHECK(share_own_record_find(&scene.share->own, "in00"), "its file is written");
    end(&scene);
}

/* What inputs know that are let go one after the other goes with one call, after the last of them. */
static void test_let_go_together(void **state UNUSED)
{
    struct scene scene;
    size_t i, count = 30;
    int saves;

    begin_reading(&scene, 40);
    scene.other_lives = true;
    give_first(&scene, "hf2", count);
    pass(&scene, 6 S);
    saves = scene.store.saves;
    for (i = 0; i < count; i++, pass(&scene, 20)) {
        CHECK(!fake_kvstore_count(&scene.store, "place"), "%zu: %zu", i, fake_kvstore_count(&scene.store, "place"));
        compose_for(&scene.inputs[i].lease);
        share_lease_let_go(&scene.inputs[i].lease);
    }
    CHECK(fake_kvstore_count(&scene.store, "place") == count, "%zu", fake_kvstore_count(&scene.store, "place"));
    CHECK(scene.store.saves == saves + 1, "%d calls", scene.store.saves - saves);
    end(&scene);
}

/* Checkpoints of a busy forwarder go with each second round: 40 calls a minute are promised, and rounds are 24. */
static void test_sends(void **state UNUSED)
{
    struct scene scene;
    int calls, i;

    begin_reading(&scene, 3);
    calls = scene.store.calls;
    for (i = 0; i < 60; i++, pass(&scene, 1 S))
        compose_for(&scene.inputs[i % 3].lease);
    CHECK(scene.store.calls - calls >= 24 + 5 && scene.store.calls - calls <= 26 + 6, "%d", scene.store.calls - calls);
    CHECK(fake_kvstore_count(&scene.store, "place") == 3, "%zu", fake_kvstore_count(&scene.store, "place"));
    end(&scene);
}

/* The store answers rounds, but not what is asked of checkpoints. */
static const struct load {
    const char *name;
    int times; /* that it fails */
    const char *place; /* text of a record that is there; NULL: none */
    int64_t ms;        /* until it is granted: 20 s since the table was inserted, then 5 s for each failure */
    bool text, others;
} loads[] = {
    { "at once", 0, NULL, 25 S, false, false },
    { "once not", 1, OTHERS, 30 S, true, true },
    { "for 50 s", 11, OTHERS, 80 S, true, true },
    { "never: it goes on with what it has", 1000, OTHERS, 80 S, false, true },
    { "a record that cannot be used", 0, "{}", 25 S, false, false },
};

static void test_load(void **state UNUSED)
{
    struct scene scene;
    size_t i;

    for (i = 0; i < COUNT_OF(loads); i++) {
        const struct load *row = &loads[i];

        begin(&scene, 1);
        if (row->place)
            put(&scene, "g.place.1111111111111111.in00", "place", 1, "1111111111111111", row->place);
        scene.store.at = row->times ? "https://one:8089" : NULL;
        scene.store.method = "batch_find";
        scene.store.times = row->times;
        scene.store.status = 503;
        pass(&scene, row->ms - 15 S);
        CHECK(!*words(&scene), "%s: '%s' too early", row->name, words(&scene));
        pass(&scene, 15 S);
        CHECK(text_same(words(&scene), "G"), "%s: '%s'", row->name, words(&scene));
        CHECK((scene.inputs[0].text.len > 0) == row->text && first(&scene)->others == row->others, "%s: '%s'", row->name,
              buf_text(&scene.inputs[0].text));
        end(&scene);
    }
}

/* A process that starts again goes on with its own file, without a wait; if there is none, with what the store has. */
static void test_restart(void **state UNUSED)
{
    struct scene scene;
    bool lacks;

    begin_reading(&scene, 1);
    compose(&scene);
    pass(&scene, 6 S);
    stop(&scene);
    now_ms += 2 S;
    start(&scene);
    pass(&scene, 2 S);
    CHECK_TEXT(words(&scene), "G");
    CHECK(!scene.inputs[0].text.len && !first(&scene)->others, "it was asked for");
    lacks = share_lease_lacks_file(first(&scene));
    CHECK(lacks && !share_lease_may_read(first(&scene)), "it goes on without a file");
    CHECK(!share_lease_lacks_file(first(&scene)), "said twice");
    pass(&scene, 1 S);
    CHECK_TEXT(words(&scene), "GG");
    CHECK(scene.inputs[0].text.len && first(&scene)->others, "the store has it");
    end(&scene);
}

static void lose_places(struct scene *scene)
{
    cJSON *record = scene->store.records->child, *next;

    for (; record; record = next) {
        next = record->next;
        if (text_same(json_text(record, "kind"), "place"))
            cJSON_Delete(cJSON_DetachItemViaPointer(scene->store.records, record));
    }
}

/* The store loses checkpoints that nothing changes any more. */
static void test_lost(void **state UNUSED)
{
    struct scene scene;

    begin_reading(&scene, 2);
    compose(&scene);
    pass(&scene, 6 S);
    pass(&scene, 600 S);
    CHECK_TEXT(words(&scene), "G"); /* it is there */
    CHECK(strlen(buf_text(&scene.inputs[1].words)) > 3, "the other one never was: '%s'",
          buf_text(&scene.inputs[1].words));
    lose_places(&scene);
    pass(&scene, 126 S);
    CHECK_TEXT(words(&scene), "GS");
    compose(&scene);
    pass(&scene, 300 S);
    CHECK_TEXT(words(&scene), "GS");
    CHECK(fake_kvstore_count(&scene.store, "place") == 1, "it is not saved again");
    scene.store.at = "https://one:8089/servicesNS/nobody/TA-defender-mssp/storage/collections/data/defender_alerts_pl";
    pass(&scene, 300 S);
    CHECK_TEXT(words(&scene), "GS"); /* a store that does not answer has lost nothing */
    end(&scene);
}

static size_t count_granted(const struct scene *scene)
{
    size_t i, count = 0;

    for (i = 0; i < scene->count; i++)
        count += scene->inputs[i].words.len > 0;
    return count;
}

/* Many inputs begin in portions. */
static void test_portions(void **state UNUSED)
{
    static const size_t counts[] = { 100, 200, 240, 240 };
    struct scene scene;
    size_t i;

    begin(&scene, 240);
    while (!count_granted(&scene) && now_ms < INT64_C(1000060) S)
        pass(&scene, 50);
    for (i = 0; i < COUNT_OF(counts); i++, pass(&scene, 3 S))
        CHECK(count_granted(&scene) == counts[i], "%zu: %zu", i, count_granted(&scene));
    end(&scene);
}

/* Whether a forwarder is of use, by what its inputs say: 'f' fails, 'w' works, '?' not known. */
static const struct well {
    const char *reach;
    bool was, stuck, is;
} wells[] = {
    { "ff", true, false, true },    { "fff", true, false, false },  { "ffw", true, false, true },
    { "ff?", true, false, true },   { "fff", false, false, false }, { "f??", false, false, false },
    { "ffw", false, false, true },  { "???", false, false, true },  { "www", true, true, false },
    { "?", true, true, false },
};

static void test_well(void **state UNUSED)
{
    struct scene scene;
    size_t i, k;

    for (i = 0; i < COUNT_OF(wells); i++) {
        begin_reading(&scene, strlen(wells[i].reach));
        for (k = 0; wells[i].reach[k]; k++)
            if (wells[i].reach[k] != '?')
                share_lease_unreachable(&scene.inputs[k].lease, wells[i].reach[k] == 'f');
        scene.stuck = wells[i].stuck;
        scene.share->well = wells[i].was;
        CHECK(share_is_well(scene.share, now_ms) == wells[i].is, "row %zu", i);
        end(&scene);
    }
}

/* promise: Sharing: A forwarder whose disk takes no checkpoints for two minutes counts as of no use, until it takes one */
static void test_full_disk(void **state UNUSED)
{
    struct scene scene;

    begin_reading(&scene, 2);
    share_lease_unsaved(first(&scene));
    pass(&scene, 110 S);
    share_lease_unsaved(first(&scene));
    CHECK(scene.share->well, "not for two minutes yet");
    share_lease_saved(&scene.inputs[1].lease);
    share_lease_unsaved(first(&scene));
    pass(&scene, 110 S);
    CHECK(scene.share->well, "another input's was saved meanwhile");
    buf_clear(&scene.inputs[1].words);
    pass(&scene, 16 S);
    CHECK(!scene.share->well, "it counts as well");
    CHECK(strstr(fake_kvstore_text(&scene.store, "g.member.hf1", "text"), "\"well\":false"), "nobody is told");
    CHECK(strchr(buf_text(&scene.inputs[1].words), 'S') != NULL, "an input that is idle would never show it");
    pass(&scene, 300 S);
    CHECK(!scene.share->well, "nothing was saved");
    share_lease_saved(&scene.inputs[1].lease);
    pass(&scene, 6 S);
    CHECK(scene.share->well, "one was saved");
    end(&scene);
}

static int set_up(void **state UNUSED)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
    return rmdir(folder);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_first_turn),    cmocka_unit_test(test_late),
    cmocka_unit_test(test_lapsed),        cmocka_unit_test(test_late_loop),
    cmocka_unit_test(test_load),          cmocka_unit_test(test_restart),
    cmocka_unit_test(test_away_and_back), cmocka_unit_test(test_let_go_together), cmocka_unit_test(test_sends),
    cmocka_unit_test(test_portions),      cmocka_unit_test(test_well),
    cmocka_unit_test(test_full_disk), cmocka_unit_test(test_lost),
};

UNIT(share_leases, cases, set_up, tear_down)
