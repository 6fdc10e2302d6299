#include "collect/harvest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "check.h"
#include "collect/collector.h"

#define FROM "2026-11-01T00:00:00Z"
#define DAY  "2026-11-01T"

static char dir[] = "/tmp/test_harvest_XXXXXX";

/* A tenant that is just enough for records to be written. */
struct scene {
    struct collector col;
    struct tenant    t;
    int              fds[2];
};

static void scene_open(struct scene *scene)
{
    struct tenant *t = &scene->t;

    *scene = (struct scene){ .col.checkpoint_dir = mem_text(dir) };
    if (pipe(scene->fds))
        abort();
    scene->col.outbox = outbox_new(scene->fds[1]);
    t->col = &scene->col;
    t->api = &api_graph;
    t->label = mem_text("c");
    t->frame = event_frame_new("defender_alerts://c", NULL);
    t->dedup = dedup_new();
    t->cp_path = checkpoint_path(dir, "c");
    t->cp.tenant_id = mem_text("tenant");
    t->cp.api = mem_text("graph");
}

static void scene_close(struct scene *scene)
{
    outbox_free(scene->col.outbox);
    lock_close(scene->col.lock);
    event_frame_free(scene->t.frame);
    dedup_free(scene->t.dedup);
    checkpoint_release(&scene->t.cp);
    free(scene->t.cp_path);
    free(scene->t.label);
    free(scene->col.checkpoint_dir);
    close(scene->fds[0]);
    close(scene->fds[1]);
}

static struct worker worker_of(struct scene *scene)
{
    struct worker worker = { .tenant = &scene->t, .page_harvest = { .oldest = TICKS_OPEN, .newest = INT64_MIN } };

    CHECK(ticks_parse(FROM, strlen(FROM), &worker.window.lo), "time");
    worker.window.hi = TICKS_OPEN;
    return worker;
}

/* Reads an answer with these records; returns how many events it brought. */
static int read_answer(struct scene *scene, struct worker *worker, const char *records)
{
    struct buf *out = outbox_buffer(scene->col.outbox);
    CLEANUP(mem_freep) char *text = mem_format("{\"value\":[%s]}", records);
    const char *at;
    int events = 0;

    worker->handler = (struct page_handler){ .record = harvest_record, .bad = harvest_bad, .ctx = worker,
                                           .headroom = event_frame_headroom(scene->t.frame) };
    worker->page = page_new(&scene->t.api->shape, &worker->handler);
    buf_clear(out);
    page_feed(worker->page, text, strlen(text), out);
    page_free(worker->page);
    for (at = buf_text(out); (at = strstr(at, "</event>")); at++)
        events++;
    return events;
}

#define RECORD(id, time) "{\"id\":\"" id "\",\"lastUpdateDateTime\":\"" DAY time "\"}"

/* promise: Events: An alert is known by its id and its update time. */
static void test_new_and_known(void **state)
{
    struct scene *scene = *state;
    struct worker worker = worker_of(scene);

    CHECK(read_answer(scene, &worker, RECORD("a", "01:00:00Z") "," RECORD("b", "02:00:00Z")) == 2, "two new ones");
    CHECK(strstr(buf_text(outbox_buffer(scene->col.outbox)), "<time>1793494800."), "with their times");
    CHECK(worker.page_harvest.count == 2, "what the answer held");
    CHECK(worker.page_harvest.newest - worker.page_harvest.oldest == 3600 * TICKS_PER_SECOND, "and from when to when");
    CHECK(read_answer(scene, &worker, RECORD("a", "01:00:00Z") "," RECORD("b", "02:00:00Z")) == 0, "known now");
    CHECK(read_answer(scene, &worker, RECORD("a", "01:00:00.0000001Z")) == 1, "another version of it");
    CHECK(read_answer(scene, &worker, RECORD("c", "03:00:00Z") "," RECORD("c", "03:00:00Z")) == 1, "twice in one answer");
    CHECK(scene->t.tally.new_events == 4 && scene->t.tally.repeats == 3, "%llu new, %llu repeats",
          (unsigned long long)scene->t.tally.new_events, (unsigned long long)scene->t.tally.repeats);
    CHECK(scene->t.event_pos <= outbox_end(scene->col.outbox), "the position of the last event");
}

/* Older than the span: read before, or from before the input began. */
static void test_below_the_window(void **state)
{
    struct scene *scene = *state;
    struct worker worker = worker_of(scene);

    CHECK(read_answer(scene, &worker, "{\"id\":\"old\",\"lastUpdateDateTime\":\"2026-10-31T23:59:59.9999999Z\"}") == 0,
          "older");
    CHECK(read_answer(scene, &worker, RECORD("edge", "00:00:00Z")) == 1, "exactly at its beginning");
    CHECK(worker.page_harvest.count == 2, "both count as held by the answer");
}

/* promise: Events: A record without id or time is written with a WARN. It has no <time>. */
/* promise: Events: Broken UTF-8 becomes U+FFFD with a WARN. */
static void test_odd(void **state)
{
    struct scene *scene = *state;
    static const char *const records[] = {
        "{\"id\":\"no time\"}", "{\"lastUpdateDateTime\":\"" DAY "05:00:00Z\"}", "{}", "{\"id\":\"\",\"x\":1}",
        "{\"id\":\"t\",\"lastUpdateDateTime\":\"yesterday\"}",
    };
    struct worker worker = worker_of(scene);

    for (size_t i = 0; i < COUNT_OF(records); i++) {
        CHECK(read_answer(scene, &worker, records[i]) == 1, "%s is written", records[i]);
        CHECK(worker.malformed == i + 1, "%s counts as odd", records[i]);
        CHECK(read_answer(scene, &worker, records[i]) == 0, "%s is known by its content", records[i]);
    }
    CHECK(read_answer(scene, &worker, "{\"id\":\"\xff\",\"lastUpdateDateTime\":\"" DAY "06:00:00Z\"}") == 1 &&
          worker.replaced == 1,
          "replaced characters are counted");
}

/* promise: Events: A record that is not JSON gives an ERROR with its place. All others arrive. */
static void test_bad(void **state)
{
    struct scene *scene = *state;
    struct worker worker = worker_of(scene);
    uint64_t before = scene->t.tally.bad_records;

    CHECK(read_answer(scene, &worker, "{\"id\":nonsense}," RECORD("behind", "07:00:00Z")) == 1,
          "what is behind it comes");
    CHECK(worker.bad == 1 && scene->t.tally.bad_records == before, "asked for again before it is given up");
    worker.bad = 0;
    worker.bad_tries = WORKER_BAD_TRIES;
    read_answer(scene, &worker, "{\"id\":nonsense}");
    CHECK(scene->t.tally.bad_records == before + 1, "given up, once");
}

/* While the checkpoint cannot be written nothing goes out, and nothing is taken for known. */
/* promise: Checkpoints: While a checkpoint cannot be written, events are held back. None is lost. */
static void test_held_back(void **state)
{
    struct scene *scene = *state;
    struct worker worker = worker_of(scene);
    CLEANUP(mem_freep) char *away = mem_format("%s.away", dir);
    uint64_t repeats = scene->t.tally.repeats;
    int file;

    CHECK(!rename(dir, away), "rename");
    file = open(dir, O_WRONLY | O_CREAT, 0600);
    close(file);
    CHECK(read_answer(scene, &worker, RECORD("held", "08:00:00Z")) == 0, "held back");
    CHECK(worker.held_back && *worker.held_why && !worker.fresh, "and why: '%s'", worker.held_why);
    CHECK(scene->t.tally.repeats == repeats, "it is no repeat");
    unlink(dir);
    CHECK(!rename(away, dir), "rename back");
    worker = worker_of(scene);
    CHECK(read_answer(scene, &worker, RECORD("held", "08:00:00Z")) == 1, "it comes when it can be remembered");
}

static int open_scene(void **state)
{
    static struct scene scene;

    scene_open(&scene);
    *state = &scene;
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static int set_up(void **state UNUSED)
{
    return !mkdtemp(dir);
}

static int tear_down(void **state UNUSED)
{
    CLEANUP(mem_freep) char *command = mem_format("rm -r %s", dir);

    return system(command);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test_setup_teardown(test_new_and_known, open_scene, close_scene),
    cmocka_unit_test_setup_teardown(test_below_the_window, open_scene, close_scene),
    cmocka_unit_test_setup_teardown(test_odd, open_scene, close_scene),
    cmocka_unit_test_setup_teardown(test_bad, open_scene, close_scene),
    cmocka_unit_test_setup_teardown(test_held_back, open_scene, close_scene),
};

UNIT(harvest, cases, set_up, tear_down)
