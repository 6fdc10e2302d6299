/* What check finds on this host. */
#include "command/check_host.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define MB INT64_C(1000000)

/* promise: Calls: `check` looks at checkpoint folder, owner, disk space, password store and clock */
static void test_disk(void **state UNUSED)
{
    static const struct {
        int64_t bytes;
        bool files;
        enum host_level level;
        const char *said;
    } rows[] = {
        { 0, true, HOST_BAD, "0 MB free" },
        { 10 * MB - 1, true, HOST_BAD, "9 MB free" },
        { 10 * MB, true, HOST_NOTE, "10 MB free" },
        { 5000 * MB - 1, true, HOST_NOTE, "minFreeSpace" },
        { 5000 * MB, true, HOST_FINE, "5000 MB free" },
        { 12345 * MB, true, HOST_FINE, "12 GB free" },
        { 12345 * MB, false, HOST_BAD, "inodes" },
    };
    struct host_finding found;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        host_judge_disk(rows[i].bytes, rows[i].files, &found);
        CHECK(found.level == rows[i].level && strstr(found.err.text, rows[i].said), "%zu: %d %s", i, found.level,
              found.err.text);
        CHECK((found.level == HOST_BAD) == (found.err.advice != NULL), "%zu", i);
    }
    host_look_at_disk("/no/such/folder", &found); /* its disk is that of the root folder */
    CHECK(strstr(found.err.text, " free"), "%s", found.err.text);
}

static void test_clock(void **state UNUSED)
{
    static const struct {
        int64_t offset_ms;
        enum host_level level;
        const char *text;
    } rows[] = {
        { 0, HOST_FINE, "right" },
        { -1900, HOST_FINE, "right" },
        { 30000, HOST_FINE, "30 s behind Microsoft's" },
        { -60000, HOST_FINE, "60 s ahead of Microsoft's" },
        { 61000, HOST_NOTE, "61 s behind Microsoft's, which is more than a minute; set it right (NTP)" },
        { -600000, HOST_NOTE, "600 s ahead of Microsoft's, which is more than a minute; set it right (NTP)" },
    };
    struct host_finding found;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        host_judge_clock(rows[i].offset_ms, &found);
        CHECK(found.level == rows[i].level, "%zu: %d", i, found.level);
        CHECK_TEXT(found.err.text, rows[i].text);
    }
}

static void expect(const char *folder, enum host_level level, const char *said)
{
    struct host_finding found;

    host_look_at_folder(folder, &found);
    CHECK(found.level == level && strstr(found.err.text, said), "'%s': %d, %s", said, found.level, found.err.text);
}

static void make_file(const char *path, mode_t mode)
{
    int fd = open(path, O_CREAT | O_WRONLY, mode);

    CHECK(fd >= 0, "%s", path);
    close(fd);
}

/* promise: Calls: `check` looks at checkpoint folder, owner, disk space, password store and clock */
static void test_folder(void **state UNUSED)
{
    char folder[] = "/tmp/check-host-XXXXXX", path[64], below[80];

    CHECK(mkdtemp(folder) != NULL, "mkdtemp");
    unsetenv("SPLUNK_HOME");
    expect(folder, HOST_FINE, "which belongs to ");
    snprintf(below, sizeof(below), "%s/not/there/", folder);
    expect(below, HOST_FINE, "does not exist yet");
    snprintf(path, sizeof(path), "%s/a.json", folder);
    make_file(path, 0600);
    expect(folder, HOST_FINE, "which belongs to ");
    expect(path, HOST_BAD, "is no folder");
    snprintf(below, sizeof(below), "%s/x", path);
    expect(below, HOST_BAD, "cannot be used");
    if (geteuid() == 0) {
        CHECK(!chown(path, 12345, 0), "chown");
        expect(folder, HOST_NOTE, "'a.json' (user 12345)");
        CHECK(!unlink(path), "unlink");
        setenv("SPLUNK_HOME", folder, 1);
        expect(folder, HOST_FINE, "which belongs to root");
        CHECK(!chown(folder, 12345, 0), "chown");
        snprintf(below, sizeof(below), "%s/sub", folder);
        CHECK(!mkdir(below, 0700), "mkdir");
        expect(below, HOST_NOTE, "belongs to root, but $SPLUNK_HOME does not");
        rmdir(below);
        unsetenv("SPLUNK_HOME");
    } else {
        CHECK(!chmod(path, 0), "chmod");
        expect(folder, HOST_BAD, "cannot be read, such as 'a.json'");
        unlink(path);
        expect("/nothing/there", HOST_BAD, "cannot be made in '/'");
        CHECK(!chmod(folder, 0500), "chmod");
        expect(folder, HOST_BAD, "cannot write to '");
    }
    rmdir(folder);
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_disk), cmocka_unit_test(test_clock),
                                           cmocka_unit_test(test_folder) };

UNIT(check_host, cases, NULL, NULL)
