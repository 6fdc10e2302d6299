/* share.own.json: what this forwarder was reading. */
#include "share/own_record.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "check.h"

#define SINCE_A "0123456789abcdef"
#define SINCE_B "fedcba9876543210"

static char folder[] = "/tmp/own_record.XXXXXX";

static char *path(void)
{
    static char text[64];

    snprintf(text, sizeof(text), "%s/" SHARE_OWN_FILE, folder);
    return text;
}

static int set_up(void **state UNUSED)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
    unlink(path());
    return rmdir(folder);
}

static void test_round_trip(void **state UNUSED)
{
    struct share_own_record own = { .count = 0 }, got;
    struct stat stat_buf;
    struct err err = { .text = "" };

    CHECK(share_own_record_load(folder, "g", "hf1", &got, &err) && !got.count, "no file is no fault: %s", err.text);
    share_own_record_set(&own, "con\"toso", SINCE_A, 1);
    share_own_record_set(&own, "b", SINCE_A, 2);
    share_own_record_set(&own, "c", SINCE_A, 3);
    share_own_record_set(&own, "b", SINCE_B, 999999999999);
    CHECK(share_own_record_remove(&own, "c") && !share_own_record_remove(&own, "c"), "%zu", own.count);
    CHECK(share_own_record_save(folder, "g", "hf1", &own, &err), "%s", err.text);
    CHECK(!stat(path(), &stat_buf) && (stat_buf.st_mode & 0777) == 0600, "mode %o", (unsigned)stat_buf.st_mode);
    CHECK(share_own_record_load(folder, "g", "hf1", &got, &err) && got.count == 2, "%s", err.text);
    CHECK(share_own_record_find(&got, "con\"toso") && !share_own_record_find(&got, "c"), "the inputs differ");
    CHECK_TEXT(share_own_record_find(&got, "b")->since, SINCE_B);
    CHECK(share_own_record_find(&got, "b")->number == 999999999999, "the number differs");
    share_own_record_free(&got);
    share_own_record_free(&own);
    CHECK(share_own_record_save(folder, "g", "hf1", &own, &err), "%s", err.text);
    CHECK(share_own_record_load(folder, "g", "hf1", &got, &err) && !got.count, "%s", err.text);
    CHECK(!share_own_record_save("/nowhere", "g", "hf1", &own, &err), "it was saved nowhere");
}

#define START "{\"version\": 1, \"group\": \"g\", \"forwarder\": \"hf1\", \"inputs\": "
#define GOOD  "\"a\": [\"" SINCE_A "\", 1]"

static const struct bad {
    const char *text, *says;
} bad[] = {
    { "", "not a JSON object" },
    { "[]", "not a JSON object" },
    { START "{" GOOD "}", "not a JSON object" },
    { "{\"inputs\": {}}", "not of version 1" },
    { "{\"version\": 2, \"group\": \"g\", \"forwarder\": \"hf1\", \"inputs\": {}}", "not of version 1" },
    { "{\"version\": 1, \"group\": \"x\", \"forwarder\": \"hf1\", \"inputs\": {}}", "another share_group" },
    { "{\"version\": 1, \"group\": \"g\", \"forwarder\": \"hf2\", \"inputs\": {}}", "another forwarder" },
    { "{\"version\": 1, \"group\": \"g\", \"forwarder\": \"hf1\"}", "no 'inputs'" },
    { START "[]}", "no 'inputs'" },
    { START "{" GOOD ", \"b\": 1}}", "not [since, number]" },
    { START "{" GOOD ", \"b\": [\"0123\", 1]}}", "not [since, number]" },
    { START "{" GOOD ", \"b\": [\"0123456789ABCDEF\", 1]}}", "not [since, number]" },
    { START "{" GOOD ", \"b\": [\"" SINCE_B "\"]}}", "not [since, number]" },
    { START "{" GOOD ", \"b\": [\"" SINCE_B "\", -1]}}", "not [since, number]" },
    { START "{" GOOD ", \"b\": [\"" SINCE_B "\", 1e300]}}", "not [since, number]" },
    { START "{" GOOD ", \"b\": [\"" SINCE_B "\", \"1\"]}}", "not [since, number]" },
};

static void test_bad(void **state UNUSED)
{
    struct share_own_record got;
    struct err err = { .text = "" };
    size_t i;

    for (i = 0; i < COUNT_OF(bad); i++) {
        CHECK(file_replace(path(), bad[i].text, strlen(bad[i].text), false, &err), "%s", err.text);
        CHECK(!share_own_record_load(folder, "g", "hf1", &got, &err) && !got.count, "row %zu was taken", i);
        CHECK(strstr(err.text, bad[i].says) && strstr(err.text, SHARE_OWN_FILE), "row %zu: %s", i, err.text);
    }
    unlink(path());
    CHECK(!mkdir(path(), 0700), "no folder");
    CHECK(!share_own_record_load(folder, "g", "hf1", &got, &err) && !got.count, "a folder was taken");
    CHECK(!rmdir(path()), "the folder stays");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_round_trip),
    cmocka_unit_test(test_bad),
};

UNIT(own_record, cases, set_up, tear_down)
