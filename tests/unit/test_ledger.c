/* The ledger: what it holds is what splunkd has, whatever happens between an event, the file and the checkpoint. */
#include "state/ledger_private.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "check.h"
#include "state/ledger_again.h"

#define OF    "graph/all"
#define TODAY 20000u /* 2024-10-04 */

static char dir[] = "/tmp/test_ledger_XXXXXX";
static char path[80];

static ticks at(uint32_t day, int64_t second)
{
    return ledger_day_begin(day) + second * TICKS_PER_SECOND;
}

static ticks now(void)
{
    return at(TODAY, 43200);
}

static struct ledger *open_ledger(void)
{
    struct ledger *ledger = ledger_new(OF);

    ledger_place(ledger, path);
    return ledger;
}

static struct ledger *begin_ledger(uint32_t day)
{
    struct ledger *ledger = open_ledger();

    unlink(path);
    ledger_begin(ledger, at(day, 0), true);
    return ledger;
}

/* A save as the store does it. */
static void save_synced(struct ledger *ledger, uint64_t pos, bool checkpoint, bool sync)
{
    struct ledger_job job;

    ledger_prepare(ledger, pos, now());
    ledger_make_job(ledger, false, &job);
    ledger_job_write(&job, sync);
    ledger_job_commit(&job);
    ledger_ended(ledger, &job, checkpoint);
    ledger_job_release(&job);
}

static void save(struct ledger *ledger, uint64_t pos, bool checkpoint)
{
    save_synced(ledger, pos, checkpoint, true);
}

static uint64_t versions_of(struct ledger *ledger, uint32_t day, uint64_t *sum)
{
    uint64_t versions = 999, ignored;
    struct err err = { .text = "" };

    CHECK(ledger_sum(ledger, day, &versions, sum ? sum : &ignored, &err), "%s", err.text);
    return versions;
}

static off_t size_of_file(void)
{
    struct stat st;

    return stat(path, &st) ? -1 : st.st_size;
}

static void test_keys(void **state UNUSED)
{
    static const struct {
        const char *id, *time;
        uint64_t key;
    } rows[] = {
        { "da637551227677560813_-961444813", "2026-11-01T08:35:12.1333333Z", UINT64_C(0xfc38e7ef13367ebd) },
        { "29", "2026-11-01T08:35:12Z", UINT64_C(0xf9858ee4a9adfa45) },
        { "\xC3\xA4&<\"", "2026-11-01T08:35:12.1+00:00", UINT64_C(0xae6165feb327a4fd) },
        { "", "", UINT64_C(0xcbe5cfdf7c2118a9) },
    };
    char large[2000];

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(ledger_key(rows[i].id, strlen(rows[i].id), rows[i].time, strlen(rows[i].time)) == rows[i].key, "%s",
              rows[i].id);
    memset(large, 'x', sizeof(large));
    CHECK(ledger_key(large, sizeof(large), "2026-11-01T08:35:12Z", 20) == UINT64_C(0xb3aebb123e2bf1e4), "a long ID");
}

static void test_slots(void **state UNUSED)
{
    static const struct {
        const char *name;
        uint64_t slots[4];
        enum ledger_kind kind; /* of the last */
        uint32_t day;
    } rows[] = {
        { "a key of no day", { 0, 0, 0, 7 }, LEDGER_NOTHING, 0 },
        { "a key", { 0, UINT64_MAX, UINT64_C(0x0100000500000000), 7 }, LEDGER_KEY, 5 },
        { "zero is no key", { 0, UINT64_MAX, UINT64_C(0x0100000500000000), 0 }, LEDGER_NOTHING, 5 },
        { "half a mark", { 0, 0, 0, UINT64_MAX }, LEDGER_NOTHING, 0 },
        { "a lost day", { 0, 0, UINT64_MAX, UINT64_C(0x0200000500000000) }, LEDGER_LOST, 5 },
        { "what was said", { 0, 0, UINT64_MAX, UINT64_C(0x0300000500000009) }, LEDGER_SAID, 5 },
        { "an unknown kind", { 0, 0, UINT64_MAX, UINT64_C(0x0900000500000009) }, LEDGER_NOTHING, 5 },
        { "a mark of a key", { 0, 0, UINT64_MAX, UINT64_C(0x0700000500000009) }, LEDGER_NOTHING, 5 },
        { "an audit", { 0, 0, UINT64_MAX, UINT64_C(0x0500000501000009) }, LEDGER_AUDITED, 5 },
        { "a day again", { 0, 0, UINT64_MAX, UINT64_C(0x0600000500000000) }, LEDGER_AGAIN, 5 },
        { "a day far ahead", { 0, 0, UINT64_MAX, UINT64_C(0x0101000000000000) }, LEDGER_NOTHING, 65536 },
        { "two marks", { UINT64_MAX, UINT64_C(0x0100000500000000), UINT64_MAX, UINT64_C(0x0200000600000000) },
          LEDGER_LOST, 6 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ledger_reader reader = { .day = LEDGER_NO_DAY };
        struct ledger_item item = { .kind = LEDGER_NOTHING };

        for (size_t n = 0; n < 4; n++)
            item = ledger_read_slot(&reader, rows[i].slots[n]);
        CHECK(item.kind == rows[i].kind && item.day == rows[i].day, "%s: kind %d of %u", rows[i].name, (int)item.kind,
              item.day);
    }
}

static void test_line(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        { "defender_alerts ledger 1 of=graph/all since=2026-11-01T00:00:00.0000000Z whole=yes\n", true },
        { "defender_alerts ledger 1 of=graph/all since=2026-11-01T00:00:00Z whole=no\nxx", true },
        { "", false },
        { "defender_alerts ledger 1 of=graph/all", false },
        { "defender_alerts ledger 2 of=graph/all since=2026-11-01T00:00:00Z whole=no\n", false },
        { "defender_alerts ledger 1 of=graph/all since=yesterday whole=no\n", false },
        { "defender_alerts ledger 1 of=graph/all since=2026-11-01T00:00:00Z whole=no", false },
        { "defender_alerts ledger 1 of=graph/all since=2026-11-01T00:00:00Z whole=yesno\n", false },
        { "defender_alerts ledger 1 of=graph/all id=0123456789abcdef since=2026-11-01T00:00:00Z whole=no\n", true },
        { "defender_alerts ledger 1 of=graph/all id=0123456789abcdeg since=2026-11-01T00:00:00Z whole=no\n", false },
        { "defender_alerts ledger 1 of=graph/all id=0000000000000000 since=2026-11-01T00:00:00Z whole=no\n", false },
        { "defender_alerts ledger 1 of=graph/all id= since=2026-11-01T00:00:00Z whole=no\n", false },
        { "defender_alerts ledger 1 of=graph/all id=0123456789abcdef0 since=2026-11-01T00:00:00Z whole=no\n", false },
        { "defender_alerts ledger 1 of=gr\naph since=2026-11-01T00:00:00Z whole=no\n", false },
        { "defender_alerts ledger 1 of=0123456789012345678901234567890123456789012345678901234567890123456789 "
          "since=2026-11-01T00:00:00Z whole=no\n", false },
    };
    struct ledger_line line;
    struct buf again = BUF_INIT(1000);

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(ledger_parse_line(rows[i].text, strlen(rows[i].text), &line) == rows[i].ok, "'%s'", rows[i].text);
    CHECK(ledger_parse_line(rows[0].text, strlen(rows[0].text), &line) && line.whole && line.len == strlen(rows[0].text),
          "%zu bytes", line.len);
    CHECK_TEXT(line.of, OF);
    ledger_format_line(&line, &again);
    CHECK_TEXT(buf_text(&again), rows[0].text);
    line.id = 0xab;
    buf_clear(&again);
    ledger_format_line(&line, &again);
    CHECK(strstr(buf_text(&again), " of=graph/all id=00000000000000ab since=") &&
              ledger_parse_line(buf_text(&again), again.len, &line) && line.id == 0xab && line.len == again.len,
          "%s", buf_text(&again));
    buf_free(&again);
}

/* A version is in the file when its event is safe, under the day of its update time; twice is once. */
static void test_what_is_safe(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 2);
    uint64_t sum = 0;

    CHECK(ledger_unsaved(ledger) && ledger_end(ledger) == 0, "a file is to be made");
    ledger_add(ledger, UINT64_C(0x100000000), at(TODAY - 1, 86399), 100);
    ledger_add(ledger, UINT64_C(0x200000000), at(TODAY, 0), 200);
    ledger_add(ledger, UINT64_C(0x400000000), at(TODAY - 1, 0), 300);
    ledger_add(ledger, UINT64_C(0x100000000), at(TODAY - 1, 86399), 300);
    save(ledger, 99, true);
    CHECK(!ledger_unsaved(ledger) && versions_of(ledger, TODAY - 1, NULL) == 0, "half an event");
    CHECK(ledger_waits(ledger, TODAY - 1) && !ledger_waits(ledger, TODAY - 2), "they wait");
    save(ledger, 200, true);
    CHECK(versions_of(ledger, TODAY - 1, &sum) == 1 && sum == 1, "%llu", (unsigned long long)sum);
    CHECK(versions_of(ledger, TODAY, &sum) == 1 && sum == 2, "%llu", (unsigned long long)sum);
    save(ledger, 300, true);
    CHECK(versions_of(ledger, TODAY - 1, &sum) == 2 && sum == 5, "%llu", (unsigned long long)sum);
    CHECK(!ledger_waits(ledger, TODAY) && !ledger->waiting.first, "nothing waits");
    CHECK((size_t)ledger_end(ledger) + ledger->line.len + LEDGER_MARK == (size_t)size_of_file(), "the end is known");
    ledger_free(ledger);
}

/* The process is killed after each step of three saves, and another one continues with the checkpoint that is there. It
 * knows no version whose event may not have arrived, and all versions that the checkpoint speaks of. */
static void test_a_kill_at_each_step(void **state UNUSED)
{
    enum { PREPARED, COMPOSED, TORN, WRITTEN, REPLACED, ENDED, STEPS };

    for (int kill = 0; kill < 3 * STEPS; kill++) {
        struct ledger *ledger = begin_ledger(TODAY - 1), *next = open_ledger();
        int64_t stored = -1, end;
        uint64_t stored_versions = 0, sum;
        struct ledger_job job;
        int step = 0;

        ledger_add(ledger, UINT64_C(1) << 32, at(TODAY, 0), 1);
        for (int round = 0; round < 3 && step <= kill; round++) {
            ledger_add(ledger, (uint64_t)(round + 2) << 32, at(TODAY, round), (uint64_t)round + 2); /* not safe yet */
            ledger_prepare(ledger, (uint64_t)round + 1, now());
            if (step++ == kill)
                break;
            end = ledger_end(ledger);
            ledger_make_job(ledger, false, &job);
            if (step++ == kill) {
                ledger_job_release(&job);
                break;
            }
            if (step++ == kill) {
                job.bytes.len -= job.bytes.len ? 3 : 0;
                ledger_job_write(&job, true);
                ledger_job_commit(&job);
                ledger_job_release(&job);
                break;
            }
            ledger_job_write(&job, true);
            ledger_job_commit(&job);
            if (step++ != kill) {
                stored = end;
                stored_versions = (uint64_t)round + 1;
                if (step++ != kill)
                    ledger_ended(ledger, &job, true);
                step++;
            }
            ledger_job_release(&job);
        }
        if (stored >= 0)
            CHECK(ledger_continue(next, stored, ledger_id(ledger), at(TODAY, (int64_t)stored_versions), false), "killed at %d", kill);
        else
            CHECK(!ledger_continue(next, stored, ledger_id(ledger), at(TODAY, 0), false), "a file that no checkpoint speaks of: %d", kill);
        save(next, 0, true);
        CHECK(versions_of(next, TODAY, &sum) == stored_versions &&
                  sum == stored_versions * (stored_versions + 1) / 2,
              "killed at %d: sum %llu of %llu", kill, (unsigned long long)sum, (unsigned long long)stored_versions);
        ledger_add(next, (uint64_t)7 << 32, at(TODAY, 7), 5); /* goes on after what it cut */
        save(next, 5, true);
        CHECK(versions_of(next, TODAY, NULL) == stored_versions + 1, "killed at %d", kill);
        ledger_free(ledger);
        ledger_free(next);
    }
}

static void test_files_that_cannot_be_continued(void **state UNUSED)
{
    static const struct {
        const char *name, *command, *why;
    } rows[] = {
        { "removed", "rm $p", "No such file" },
        { "cut by a byte", "truncate -s -1 $p", "not as its checkpoint says" },
        { "cut to its line", "truncate -s 90 $p", "not a ledger" },
        { "empty", ": > $p", "not a ledger" },
        { "something else", "head -c 5000 /dev/zero > $p", "not a ledger" },
        { "a folder", "rm $p; mkdir -p $p", "cannot" },
        { "a pipe", "rm $p; mkfifo $p", "cannot" },
        { "a link", "mv $p $p.real; ln -s $p.real $p", "cannot" },
        { "another filter", "sed -i s,graph/all,graph/0123, $p", "" },
        { "an older copy", "truncate -s -8 $p", "not as its checkpoint says" },
        { "an end that power took", "truncate -s -8 $p; truncate -s +8 $p", "not as its checkpoint says" },
        { "another input's", "sed -i '1s, id=[0-9a-f]*, id=00000000000000ff,' $p", "swapped or restored" },
        { "one without an ID", "sed -i '1s, id=[0-9a-f]*,,' $p", "swapped or restored" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ledger *ledger = begin_ledger(TODAY - 9), *next = open_ledger();
        char command[500];
        struct err err = { .text = "" };

        ledger_add(ledger, UINT64_C(1) << 32, at(TODAY - 3, 5), 1);
        save(ledger, 1, true);
        snprintf(command, sizeof(command), "p=%s; %s", path, rows[i].command);
        CHECK(system(command) == 0, "%s", command);
        CHECK(!ledger_continue(next, ledger_end(ledger), ledger_id(ledger), at(TODAY - 3, 5), false), "%s is continued", rows[i].name);
        CHECK(ledger_trouble(next, &err) == (rows[i].why[0] != '\0') && strstr(err.text, rows[i].why), "%s: %s",
              rows[i].name, err.text);
        CHECK(!ledger_trouble(next, &err), "%s is said twice", rows[i].name);
        save(next, 1, true);
        CHECK(next->exists == (strcmp(rows[i].name, "a folder") != 0), "%s: a new file", rows[i].name);
        if (next->exists) {
            CHECK(!ledger_covers(next, TODAY - 3) && ledger_covers(next, TODAY - 2), "%s: what is complete",
                  rows[i].name);
            CHECK(versions_of(next, TODAY - 3, NULL) == 0, "%s: what it holds", rows[i].name);
        }
        snprintf(command, sizeof(command), "rm -rf %s %s.real", path, path);
        CHECK(system(command) == 0, "%s", command);
        ledger_free(ledger);
        ledger_free(next);
    }
}

/* The checkpoint was replaced and the ledger was not written: the day is not complete, also after a restart. */
static void test_a_ledger_that_cannot_be_written(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5), *next = open_ledger();
    struct ledger_job job;
    struct err err = { .text = "" };
    bool again;

    ledger_add(ledger, 1, at(TODAY - 3, 0), 1);
    save(ledger, 1, true);
    ledger_add(ledger, 2, at(TODAY - 1, 0), 2);
    for (int i = 0; i < 2; i++) {
        ledger_prepare(ledger, 2, now());
        ledger_make_job(ledger, false, &job);
        job.error = EROFS;
        err_set(&job.err, ERR_RETRY, "read-only");
        ledger_ended(ledger, &job, true);
        ledger_job_release(&job);
        CHECK(ledger_trouble(ledger, &err) == !i, "said once");
    }
    CHECK_TEXT(err.text, "read-only");
    CHECK(!ledger_covers(ledger, TODAY - 1) && ledger_covers(ledger, TODAY - 2) && ledger_covers(ledger, TODAY - 3),
          "one day is unknown");
    save(ledger, 2, true);
    CHECK(ledger_continue(next, ledger_end(ledger), ledger_id(ledger), at(TODAY - 1, 0), false) && ledger_look(next, now(), &err), "%s",
          err.text);
    CHECK(!ledger_covers(next, TODAY - 1) && ledger_covers(next, TODAY - 2), "the file says so");
    CHECK(ledger_unsaid(next, TODAY - 1, &again) && !again, "nothing was said");
    ledger_free(ledger);
    ledger_free(next);
}

/* Killed before the file can say so: the checkpoint speaks of more than is there. */
static void test_a_kill_after_a_failure(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5), *next = open_ledger();
    struct ledger_job job;
    int64_t end;

    save(ledger, 0, true);
    ledger_add(ledger, 2, at(TODAY - 1, 0), 2);
    ledger_prepare(ledger, 2, now());
    end = ledger_end(ledger);
    ledger_make_job(ledger, false, &job);
    job.error = EIO;
    ledger_ended(ledger, &job, true);
    ledger_job_release(&job);
    CHECK(!ledger_continue(next, end, ledger_id(ledger), at(TODAY - 1, 0), false), "it passes for whole");
    ledger_free(ledger);
    ledger_free(next);
}

/* Nothing was written: nothing is lost. */
static void test_neither_is_written(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5);
    struct ledger_job job;
    struct err err;

    save(ledger, 0, true);
    for (uint64_t i = 1; i <= 3; i++) {
        ledger_add(ledger, i << 32, at(TODAY - 1, 0), i);
        ledger_prepare(ledger, i, now());
        ledger_make_job(ledger, false, &job);
        job.error = ENOSPC;
        ledger_ended(ledger, &job, false);
        ledger_job_release(&job);
    }
    CHECK(!ledger_trouble(ledger, &err) && ledger_covers(ledger, TODAY - 1), "no trouble of the ledger");
    save(ledger, 3, true);
    CHECK(versions_of(ledger, TODAY - 1, NULL) == 3, "they waited");
    ledger_free(ledger);
}

/* What a full disk took of a batch is cut. */
static void test_full_disk(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5);
    struct rlimit before, less;
    off_t size;

    ledger_add(ledger, UINT64_C(5) << 32, at(TODAY - 1, 0), 1);
    save(ledger, 1, true);
    size = size_of_file();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    less = (struct rlimit){ (rlim_t)size + 100, before.rlim_max };
    for (uint64_t i = 0; i < 100; i++)
        ledger_add(ledger, (i + 1) << 32, at(TODAY - 1, 0), 2);
    setrlimit(RLIMIT_FSIZE, &less);
    save(ledger, 2, false);
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK(size_of_file() == size, "%lld bytes, not %lld", (long long)size_of_file(), (long long)size);
    save(ledger, 2, true);
    CHECK(versions_of(ledger, TODAY - 1, NULL) == 100, "all of them");
    ledger_free(ledger);
}

static void test_vanishes_while_running(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5);
    struct err err = { .text = "" };

    ledger_add(ledger, 1, at(TODAY - 1, 5), 1);
    save(ledger, 1, true);
    unlink(path);
    save(ledger, 1, true); /* nothing is to be written, and it is noticed */
    CHECK(ledger_trouble(ledger, &err) && strstr(err.text, "No such file") && ledger_unsaved(ledger), "%s", err.text);
    ledger_add(ledger, UINT64_C(2) << 32, at(TODAY, 5), 2);
    save(ledger, 2, true);
    CHECK(ledger_since(ledger) == at(TODAY - 1, 5) + 1 && !ledger_covers(ledger, TODAY - 1) &&
              ledger_covers(ledger, TODAY) && versions_of(ledger, TODAY, NULL) == 1,
          "a new one begins");
    ledger_free(ledger);
}

/* Another input's file is put in the place of the ledger. */
static void test_swapped_while_running(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5), *other = ledger_new(OF);
    struct err err = { .text = "" };
    char name[90];
    uint64_t *keys;
    size_t count;

    snprintf(name, sizeof(name), "%s.other", path);
    ledger_place(other, name);
    ledger_begin(other, at(TODAY - 5, 0), true);
    for (uint64_t i = 1; i <= 20; i++)
        ledger_add(other, i << 32, at(TODAY - 1, 5), i);
    save(other, 20, true);
    ledger_add(ledger, UINT64_C(99) << 32, at(TODAY - 1, 5), 1);
    save(ledger, 1, true);
    CHECK(ledger_look(ledger, now(), &err) && !rename(name, path), "%s", err.text);
    CHECK(!ledger_keys(ledger, TODAY - 1, &keys, &count, &err) && !count, "the other's keys pass for its own");
    ledger_add(ledger, UINT64_C(98) << 32, at(TODAY, 5), 2);
    save(ledger, 2, true);
    CHECK(ledger_trouble(ledger, &err) && strstr(err.text, "go on with") && ledger_unsaved(ledger), "%s", err.text);
    save(ledger, 2, true);
    CHECK(!ledger_covers(ledger, TODAY - 1) && versions_of(ledger, TODAY - 1, NULL) == 0, "a new one begins");
    ledger_free(ledger);
    ledger_free(other);
}

/* Files of versions before the ID go on without one. */
static void test_without_id(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5), *next = open_ledger();
    char command[200];

    ledger->line.id = 0;
    ledger_add(ledger, UINT64_C(1) << 32, at(TODAY - 1, 5), 1);
    save(ledger, 1, true);
    snprintf(command, sizeof(command), "! head -n 1 %s | grep -q ' id='", path);
    CHECK(system(command) == 0, "it has an ID");
    CHECK(ledger_continue(next, ledger_end(ledger), 0, at(TODAY - 1, 5), false), "it is not continued");
    ledger_add(next, UINT64_C(2) << 32, at(TODAY - 1, 5), 1);
    save(next, 1, true);
    CHECK(versions_of(next, TODAY - 1, NULL) == 2 && !ledger_id(next), "it goes on");
    ledger_free(ledger);
    ledger_free(next);
}

/* Another file was begun while a job was on its way: its end says nothing about the new one. */
static void test_begun_meanwhile(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5);
    struct ledger_job job;

    ledger_prepare(ledger, 0, now());
    ledger_make_job(ledger, false, &job);
    ledger_begin(ledger, at(TODAY - 2, 0), false);
    ledger_job_write(&job, true);
    ledger_job_commit(&job);
    ledger_ended(ledger, &job, true);
    ledger_job_release(&job);
    CHECK(ledger_unsaved(ledger), "the first file passes for the second");
    save(ledger, 0, true);
    CHECK(!ledger_unsaved(ledger) && ledger_covers(ledger, TODAY - 2) && !ledger_covers(ledger, TODAY - 3), "the second");
    ledger_free(ledger);
}

/* Nothing was written: a new file is as complete as the one that vanished. */
static void test_vanishes_without_alerts(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5);

    save(ledger, 1, true);
    unlink(path);
    save(ledger, 1, true);
    save(ledger, 1, true);
    CHECK(ledger_since(ledger) == at(TODAY - 5, 0) && ledger_covers(ledger, TODAY - 5) &&
              !ledger_covers(ledger, TODAY - 6),
          "since %lld", (long long)ledger_since(ledger));
    ledger_free(ledger);
}

/* The file is lost. A record that is dated years ahead does not make all days until then unknown; one that is dated some
 * days ahead does, since the new file does not have it. */
static void test_dated_ahead(void **state UNUSED)
{
    static const struct { const char *name; uint32_t ahead, least, most; } rows[] = {
        { "tomorrow", 1, 1, 1 }, { "in eleven days", 11, 11, 11 }, { "in eleven years", 4000, 3, LEDGER_KEPT_DAYS },
        { "out of range", 70000 - TODAY, 3, LEDGER_KEPT_DAYS },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ledger *ledger = begin_ledger(TODAY - 5);

        ledger_add(ledger, 1, at(TODAY + rows[i].ahead, 5), 1);
        ledger_add(ledger, 3, -5, 1);
        save(ledger, 1, true);
        unlink(path);
        save(ledger, 1, true);
        save(ledger, 1, true);
        CHECK(ledger_since(ledger) <= at(TODAY + rows[i].most, 6), "%s: since %lld", rows[i].name,
              (long long)ledger_since(ledger));
        CHECK(!ledger_covers(ledger, TODAY + rows[i].least), "%s: the day may have been written to before", rows[i].name);
        ledger_free(ledger);
    }
}

/* A thread that is stuck in a job may write it late. The save at the end has all of it. */
static void test_given_up(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5);
    struct ledger_job stuck, last;
    uint64_t sum;

    save(ledger, 0, true);
    for (uint64_t i = 1; i <= 4; i++)
        ledger_add(ledger, i << 32, at(TODAY - i % 2, 0), i);
    ledger_prepare(ledger, 2, now());
    ledger_make_job(ledger, false, &stuck);
    ledger_ended(ledger, NULL, false);
    ledger_prepare(ledger, 4, now());
    ledger_make_job(ledger, true, &last);
    ledger_job_write(&last, false);
    ledger_job_write(&stuck, true);
    ledger_ended(ledger, &last, true);
    CHECK(versions_of(ledger, TODAY, &sum) == 2 && sum == 6, "today %llu", (unsigned long long)sum);
    ledger_job_release(&stuck);
    ledger_job_release(&last);
    ledger_free(ledger);
}

/* 35 days of 100 versions each take 14 MB for 500 customers, and what is older goes. */
static void test_days_that_are_kept(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 60), *next = open_ledger();
    struct err err = { .text = "" };
    char temp[90];
    uint64_t pos = 0;
    int64_t end;
    off_t size;

    for (uint32_t day = TODAY - 60; day < TODAY; day++) {
        ledger->today = day;
        for (uint64_t i = 0; i < 100; i++)
            ledger_add(ledger, (day * UINT64_C(1000) + i) << 20, at(day, (int64_t)i), ++pos);
        ledger->batch_day = ledger->day;
        ledger_prepare(ledger, pos, at(day, 86000));
        save(ledger, pos, true);
        ledger_said(ledger, day);
    }
    CHECK(ledger_look(ledger, now(), &err) && ledger->compacts, "%s", err.text);
    end = ledger_end(ledger);
    snprintf(temp, sizeof(temp), "%s.tmp", path);
    mkdir(temp, 0700);
    ledger_add(ledger, UINT64_C(78) << 32, at(TODAY - 1, 5), ++pos);
    save(ledger, pos, true);
    CHECK(versions_of(ledger, TODAY - 1, NULL) == 101 && !ledger_trouble(ledger, &err) && !ledger->compacts,
          "a copy that is not possible");
    rmdir(temp);
    ledger->compacts = true; /* tomorrow */
    size = size_of_file();
    ledger_add(ledger, UINT64_C(79) << 32, at(TODAY - 1, 5), ++pos);
    save_synced(ledger, pos, true, false);
    CHECK(size_of_file() == size + LEDGER_SLOT, "a copy that is not synced, in place of what a synced checkpoint speaks of");
    ledger->compacts = true; /* the day after */
    ledger_add(ledger, UINT64_C(77) << 32, at(TODAY - 1, 5), ++pos);
    save(ledger, pos, true);
    CHECK(size_of_file() * 500 <= 14 * 1024 * 1024 + 500 * 1000, "%lld bytes", (long long)size_of_file());
    CHECK(ledger_end(ledger) >= end + LEDGER_SLOT, "what was dropped counts");
    CHECK(ledger_continue(next, ledger_end(ledger), ledger_id(ledger), at(TODAY - 1, 99), false), "it can be continued");
    for (uint32_t day = TODAY - LEDGER_KEPT_DAYS; day < TODAY; day++)
        CHECK(versions_of(next, day, NULL) == 100u + 3 * (day == TODAY - 1), "day %u", day - TODAY);
    CHECK(ledger_look(next, now(), &err) && !next->compacts, "once");
    CHECK(versions_of(next, TODAY - LEDGER_KEPT_DAYS - 1, NULL) == 0 && !ledger_covers(next, TODAY - 36), "the rest");
    ledger_free(ledger);
    ledger_free(next);
}

static void test_memory(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5);
    const struct waiting_block *block;
    size_t bytes = 0, count = 100000;

    for (size_t i = 0; i < count; i++)
        ledger_add(ledger, i, at(TODAY, 0), i);
    for (block = ledger->waiting.first; block; block = block->next)
        bytes += sizeof(*block) + block->cap * sizeof(block->entries[0]);
    CHECK(bytes <= 16 * count + count / 4 + 4096, "%zu bytes for %zu versions", bytes, count);
    ledger_prepare(ledger, count, now());
    CHECK(!ledger->waiting.first && ledger->batch.len == 8 * count + LEDGER_MARK, "half of it for what is on its way");
    CHECK(sizeof(*ledger) < 1024, "an input at rest: %zu", sizeof(*ledger));
    ledger_free(ledger);
}

static void test_manifest(void **state UNUSED)
{
    struct ledger *ledger = open_ledger(), *next = open_ledger();
    struct err err;
    bool again;

    unlink(path);
    ledger_begin(ledger, at(TODAY - 3, 7000), true);
    ledger_add(ledger, 1, at(TODAY - 2, 0), 1);
    save(ledger, 1, true);
    CHECK(ledger_look(ledger, now(), &err), "%s", err.text);
    CHECK(ledger_covers(ledger, TODAY - 3) && !ledger_covers(ledger, TODAY - 4), "nothing came before it");
    CHECK(ledger_unsaid(ledger, TODAY - 2, &again) && !again, "to be said");
    ledger_said(ledger, TODAY - 2);
    ledger_said(ledger, TODAY - 3);
    CHECK(!ledger_unsaid(ledger, TODAY - 2, &again) && again && !ledger_unsaid(ledger, TODAY - 3, &again), "once");
    save(ledger, 1, true);
    CHECK(ledger_continue(next, ledger_end(ledger), ledger_id(ledger), at(TODAY - 2, 0), false) && ledger_look(next, now(), &err), "%s",
          err.text);
    CHECK(!ledger_unsaid(next, TODAY - 2, &again) && !ledger_unsaid(next, TODAY - 3, &again) &&
              ledger_unsaid(next, TODAY - 1, &again),
          "the file knows what was said");
    CHECK(!ledger_got_more(next), "nothing came");
    ledger_add(next, 2, at(TODAY - 2, 9), 1);
    save(next, 1, true);
    CHECK(ledger_got_more(next) && !ledger_got_more(next) && ledger_unsaid(next, TODAY - 2, &again) && again, "more");
    ledger_free(ledger);
    ledger_free(next);
}

/* APIs without IDs have none. */
static void test_none(void **state UNUSED)
{
    struct ledger_job job;
    struct err err;

    ledger_place(NULL, path);
    ledger_begin(NULL, 0, true);
    ledger_add(NULL, 1, 1, 1);
    ledger_prepare(NULL, 1, now());
    ledger_make_job(NULL, false, &job);
    ledger_ended(NULL, &job, true);
    ledger_forget(NULL);
    ledger_free(NULL);
    CHECK(ledger_continue(NULL, 5, 5, 5, false) && ledger_end(NULL) == -1 && job.change == LEDGER_UNCHANGED &&
              !ledger_trouble(NULL, &err) && !ledger_unsaved(NULL) && !ledger_got_more(NULL),
          "it does nothing");
}

static int set_up(void **state UNUSED)
{
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/c", dir);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    unlink(path);
    rmdir(dir);
    return 0;
}

static struct ledger *continued(struct ledger *ledger)
{
    struct ledger *next = open_ledger();
    struct err err = { .text = "" };

    CHECK(ledger_continue(next, ledger_end(ledger), ledger_id(ledger), at(TODAY - 1, 99), false), "it can be continued");
    ledger_free(ledger);
    CHECK(ledger_look(next, now(), &err), "%s", err.text);
    return next;
}

/* What an audit notes of a day holds across restarts and copies. */
static void test_audits(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 60);
    struct err err = { .text = "" };
    uint64_t *keys;
    size_t count;
    bool again;

    for (uint64_t i = 1; i <= 10; i++) /* what a copy drops */
        ledger_add(ledger, i << 32, at(TODAY - 50, 5), 0);
    ledger_prepare(ledger, 0, at(TODAY - 49, 0));
    for (uint64_t i = 1; i <= 10; i++)
        ledger_add(ledger, i << 32, at(TODAY - 2 + i % 2, 5), i);
    save(ledger, 10, true);
    CHECK(ledger_exists(ledger) && ledger_look(ledger, now(), &err), "%s", err.text);
    ledger_said(ledger, TODAY - 2);
    ledger_audited(ledger, TODAY - 1, 77);
    CHECK(ledger_has_marks(ledger) && ledger_audit_of(ledger, TODAY - 1) == 77 && !ledger_audit_of(ledger, TODAY - 2),
          "the number");
    CHECK(ledger_begin_again(ledger, TODAY - 2) && ledger_begins_again(ledger) && !ledger_is_again(ledger, TODAY - 2),
          "not before the file says so");
    CHECK(versions_of(ledger, TODAY - 2, NULL) == 5, "as before");
    CHECK(!ledger_begin_again(ledger, TODAY - 40) && !ledger_begin_again(ledger, TODAY + 9), "out of range");
    save(ledger, 10, true);
    CHECK(!ledger_begins_again(ledger) && ledger_is_again(ledger, TODAY - 2), "the file says so");
    CHECK(versions_of(ledger, TODAY - 2, NULL) == 0 && versions_of(ledger, TODAY - 1, NULL) == 5, "of that day alone");
    ledger = continued(ledger);
    CHECK(ledger_is_again(ledger, TODAY - 2) && ledger_audit_of(ledger, TODAY - 1) == 77, "after a restart");
    ledger_add(ledger, UINT64_C(3) << 32, at(TODAY - 2, 5), 11);
    save(ledger, 11, true);
    CHECK(ledger_keys(ledger, TODAY - 2, &keys, &count, &err) && count == 1 && keys[0] == UINT64_C(3) << 32,
          "%zu keys after a copy: %s", count, err.text);
    free(keys);
    CHECK(ledger_unsaid(ledger, TODAY - 2, &again) && again, "another manifest is due");
    ledger_audited(ledger, TODAY - 2, 78);
    CHECK(!ledger_is_again(ledger, TODAY - 2), "it is done");
    save(ledger, 11, true);
    ledger = continued(ledger);
    CHECK(!ledger_is_again(ledger, TODAY - 2) && ledger_audit_of(ledger, TODAY - 2) == 78, "after a restart");
    CHECK(versions_of(ledger, TODAY - 2, NULL) == 1, "what was written since counts");
    ledger_free(ledger);
}

/* A request from another process. */
static void test_again(void **state UNUSED)
{
    struct ledger *ledger = begin_ledger(TODAY - 5);
    struct err err = { .text = "" };
    char name[90], taken[90];
    uint32_t day;

    snprintf(name, sizeof(name), "%s.again", path);
    snprintf(taken, sizeof(taken), "%s.taken", path);
    save(ledger, 0, true);
    CHECK(ledger_look(ledger, now(), &err) && !ledger_again_take(ledger), "there is none");
    CHECK(ledger_again_ask(path, TODAY - 1, &err) && ledger_again_ask(path, TODAY - 3, &err), "%s", err.text);
    CHECK(ledger_again_take(ledger) && access(name, F_OK) && !access(taken, F_OK), "it is taken");
    CHECK(ledger_again_ask(path, TODAY - 2, &err) && !access(name, F_OK), "another one meanwhile");
    save(ledger, 0, true);
    CHECK(ledger_is_again(ledger, TODAY - 1) && !ledger_is_again(ledger, TODAY - 2) && ledger_is_again(ledger, TODAY - 3),
          "two days");
    ledger = continued(ledger); /* a kill before it was removed */
    CHECK(ledger_again_take(ledger), "it is taken again");
    ledger_again_done(ledger);
    CHECK(access(taken, F_OK) && ledger_again_take(ledger), "then the other one");
    ledger_again_done(ledger);
    CHECK(!ledger_again_take(ledger), "that was all");
    file_write(name, "rubbish\n1999-01-01\n2026-13-01", 29, false, &err);
    CHECK(!ledger_again_take(ledger) && access(name, F_OK) && access(taken, F_OK), "a file with nothing to do");
    CHECK(ledger_read_day("2024-10-04", 10, &day) && day == TODAY, "%u", day);
    CHECK(!ledger_read_day("2024-10-04T00:00:00", 19, &day) && !ledger_read_day("2024-10-4", 9, &day) &&
          !ledger_read_day("1970-01-01", 10, &day), "no day");
    ledger_free(ledger);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_keys),
    cmocka_unit_test(test_slots),
    cmocka_unit_test(test_line),
    cmocka_unit_test(test_what_is_safe),
    cmocka_unit_test(test_a_kill_at_each_step),
    cmocka_unit_test(test_files_that_cannot_be_continued),
    cmocka_unit_test(test_a_ledger_that_cannot_be_written),
    cmocka_unit_test(test_a_kill_after_a_failure),
    cmocka_unit_test(test_neither_is_written),
    cmocka_unit_test(test_full_disk),
    cmocka_unit_test(test_vanishes_while_running),
    cmocka_unit_test(test_vanishes_without_alerts),
    cmocka_unit_test(test_swapped_while_running),
    cmocka_unit_test(test_without_id),
    cmocka_unit_test(test_begun_meanwhile),
    cmocka_unit_test(test_dated_ahead),
    cmocka_unit_test(test_given_up),
    cmocka_unit_test(test_days_that_are_kept),
    cmocka_unit_test(test_memory),
    cmocka_unit_test(test_manifest),
    cmocka_unit_test(test_none),
    cmocka_unit_test(test_audits),
    cmocka_unit_test(test_again),
};

UNIT(ledger, cases, set_up, tear_down)
