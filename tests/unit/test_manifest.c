/* When the manifest of a day is said. Days are counted back from today, by this host's clock. */
#include "collect/manifest.h"

#include <sys/stat.h>

#include "capture.h"
#include "collect/saver.h"
#include "scene.h"

#define NOW INT64_C(1000000000)

struct fixture {
    struct scene      scene;
    struct manifest   manifest;
    char              dir[40], path[60];
    uint64_t          pos;
};

static uint32_t today(struct fixture *f)
{
    return ledger_day_of(feed_service_now(&f->scene.feed));
}

/* Writes versions of a day, and saves them as the store does. */
static void write_versions(struct fixture *f, uint32_t day, int count)
{
    struct ledger *ledger = f->scene.feed.ledger;
    struct ledger_job job;

    while (count--) {
        f->pos++;
        ledger_add(ledger, f->pos << 32, ledger_day_begin(day) + 1, f->pos);
    }
    ledger_prepare(ledger, f->pos, feed_service_now(&f->scene.feed));
    ledger_make_job(ledger, false, &job);
    ledger_job_write(&job, false);
    ledger_job_commit(&job);
    ledger_ended(ledger, &job, true);
    ledger_job_release(&job);
    manifest_saved(&f->manifest, NOW);
}

/* Lets the timer fire; returns what is logged. */
static char *fire(struct fixture *f, int64_t now_ms)
{
    struct capture capture = capture_begin();

    timer_cancel(f->scene.env.loop, &f->manifest.timer);
    f->manifest.timer.fire(f->manifest.timer.ctx, now_ms);
    return capture_end(capture);
}

/* Checks the days and versions that are said, such as "-4:0 -3:3", days counted from today. */
static void check_said(struct fixture *f, int64_t now_ms, const char *want, const char *name)
{
    static const char key[] = "INFO event=manifest input=c tenant=tenant api=graph day=";
    CLEANUP(buf_free) struct buf days = BUF_INIT(1000);
    const char *said = fire(f, now_ms);
    unsigned versions;
    char *end;
    ticks day;

    for (; (said = strstr(said, key)); said = end) {
        CHECK(ticks_parse(said + strlen(key), 10, &day), "%s", said);
        end = strstr(said, "versions=") + strlen("versions=");
        for (versions = 0; *end >= '0' && *end <= '9'; end++)
            versions = versions * 10 + (unsigned)(*end - '0');
        buf_add_format(&days, "%s%d:%u", days.len ? " " : "", (int)ledger_day_of(day) - (int)today(f), versions);
    }
    CHECK(strcmp(buf_text(&days), want) == 0, "%s: '%s', not '%s'", name, buf_text(&days), want);
}

/* The time of day decides whether yesterday is settled; tests are about the days before it. */
static void before_yesterday(struct fixture *f)
{
    f->scene.feed.progress.looked = ledger_day_begin(today(f) - 1) + INT64_C(40000) * TICKS_PER_SECOND;
}

static void test_days(void **state)
{
    struct fixture *f = *state;
    struct saver saver;
    uint32_t day = today(f);

    write_versions(f, day - 3, 2);
    write_versions(f, day - 3, 1);
    before_yesterday(f);
    check_said(f, NOW, "-4:0 -3:3 -2:0", "all that are settled");
    CHECK(ledger_has_marks(f->scene.feed.ledger), "what was said is to be saved");
    saver_init(&saver, &f->scene.feed, NULL);
    saver_starts_from(&saver, &f->scene.feed.progress.cursor);
    saver.saved_version = f->scene.feed.progress.quarantine.version;
    CHECK(!saver_has_news(&saver, 0) && saver_last_durability(&saver, 0) == STORE_SYNCED, "and synced at the end");
    write_versions(f, day - 3, 0);
    CHECK(saver_last_durability(&saver, 0) == STORE_WRITTEN, "nothing is left to be synced");
    check_said(f, NOW, "", "once");
    f->scene.feed.progress.looked = feed_service_now(&f->scene.feed);
    fire(f, NOW);
    CHECK(f->manifest.timer.due_ms > NOW && f->manifest.timer.due_ms < NOW + INT64_C(90000) * 1000, "tomorrow: %lld",
          (long long)(f->manifest.timer.due_ms - NOW));
}

/* Each step corrects one thing that kept the first day from being settled. */
static void test_not_before_it_is_settled(void **state)
{
    struct fixture *f = *state;
    struct progress *progress = &f->scene.feed.progress;
    uint32_t day = today(f) - 4;
    ticks settled = ledger_day_begin(day + 1) + (900 + 1800) * TICKS_PER_SECOND;

    progress->looked = settled - 1;
    check_said(f, NOW, "", "no poll has read past it");
    CHECK(f->manifest.timer.due_ms == NOW + 60000, "soon again");
    progress->looked = settled;
    progress->cursor.backfill.active = true;
    progress->cursor.backfill.next = ledger_day_begin(day + 1) - 1;
    progress->cursor.backfill.end = ledger_day_begin(day + 3);
    check_said(f, NOW, "", "the backfill has not read past it");
    progress->cursor.backfill.next = ledger_day_begin(day + 1);
    ledger_add(f->scene.feed.ledger, 1, ledger_day_begin(day) + 5, f->pos + 1);
    check_said(f, NOW, "", "an event of it is not safe");
    write_versions(f, day, 1);
    check_said(f, NOW, "-4:2", "all is there");
    before_yesterday(f);
    check_said(f, NOW, "", "the backfill has not read the others");
    progress->cursor.backfill.active = false;
    f->scene.feed.open = false;
    check_said(f, NOW, "", "the input waits");
    f->scene.feed.open = true;
    check_said(f, NOW, "-3:0 -2:0", "the backfill is done");
}

static void test_again_hourly(void **state)
{
    struct fixture *f = *state;
    uint32_t day = today(f) - 3;

    before_yesterday(f);
    check_said(f, NOW, "-4:0 -3:0 -2:0", "all");
    timer_cancel(f->scene.env.loop, &f->manifest.timer);
    write_versions(f, day, 1);
    CHECK(f->manifest.timer.due_ms == NOW + 2000, "soon");
    check_said(f, NOW + 2000, "-3:1", "it got more");
    write_versions(f, day, 1);
    check_said(f, NOW + 60000, "", "within the hour");
    check_said(f, NOW + 2000 + 3600000, "-3:2", "after an hour");
    write_versions(f, today(f), 1);
    check_said(f, NOW + 9000000, "", "today is not over");
}

/* promise: Completeness: A new input says nothing of the days before its first one that had no alerts */
static void test_a_new_input(void **state)
{
    struct fixture *f = *state;
    struct feed *feed = &f->scene.feed;
    uint32_t day = today(f);

    ledger_free(feed->ledger);
    unlink(f->path);
    feed->ledger = ledger_new("graph/all");
    ledger_place(feed->ledger, f->path);
    ledger_begin(feed->ledger, ledger_day_begin(day - 30), true);
    feed->progress.cursor.backfill.active = true;
    feed->progress.cursor.backfill.next = ledger_day_begin(day - 30);
    feed->progress.cursor.backfill.end = ledger_day_begin(day - 1);
    before_yesterday(f);
    write_versions(f, day, 1);
    check_said(f, NOW, "", "the backfill has read nothing");
    CHECK(f->manifest.timer.due_ms == NOW + 60000, "soon again");
    write_versions(f, day - 20, 2);
    feed->progress.cursor.backfill.active = false;
    check_said(f, NOW + 60000, "-20:2 -5:0 -4:0 -3:0 -2:0", "one day that has alerts, and the last ones");
    write_versions(f, day - 19, 1);
    check_said(f, NOW + 120000, "-19:1", "a day that was empty");
    feed->input = &f->scene.input;
    f->scene.input.audit = 7;
    check_said(f, NOW + 180000, "-9:0 -8:0 -7:0 -6:0", "as many as are audited");
}

static int open_fixture(void **state)
{
    static struct fixture f;

    f = (struct fixture){ .pos = 0 };
    snprintf(f.dir, sizeof(f.dir), "/tmp/test_manifest_XXXXXX");
    if (!mkdtemp(f.dir))
        return -1;
    snprintf(f.path, sizeof(f.path), "%s/c", f.dir);
    scene_open(&f.scene, &api_graph);
    f.scene.env.loop = loop_new();
    f.scene.feed.ledger = ledger_new("graph/all");
    ledger_place(f.scene.feed.ledger, f.path);
    ledger_begin(f.scene.feed.ledger, ledger_day_begin(today(&f) - 4), true);
    f.scene.feed.progress.looked = feed_service_now(&f.scene.feed);
    manifest_init(&f.manifest, &f.scene.feed);
    manifest_start(&f.manifest, NOW);
    write_versions(&f, today(&f), 1);
    *state = &f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;

    manifest_release(&f->manifest);
    ledger_free(f->scene.feed.ledger);
    loop_free(f->scene.env.loop);
    scene_close(&f->scene);
    unlink(f->path);
    rmdir(f->dir);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

static const struct CMUnitTest cases[] = {
    CASE(test_days),
    CASE(test_not_before_it_is_settled),
    CASE(test_again_hourly),
    CASE(test_a_new_input),
};

UNIT(manifest, cases, NULL, NULL)
