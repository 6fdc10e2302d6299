/* Runs the unit tests: build/sanitize/tests/unit [-l] [-v] [-j N] [-x FOLDER] [MODULE or MODULE.CASE]... [-- ARGS]
 *
 *   -l          lists the cases
 *   -v          shows what modules write, also when they pass
 *   -j N        N modules at a time (default 2)
 *   -x FOLDER   writes JUnit files there: unit_MODULE.xml, and unit_MODULE-process.xml for one that crashed or leaked
 *   -- ARGS     for the cases that take any (cursor, week)
 *
 * Names are patterns of the shell. A module is a test file. It runs in a process of its own, so that one that crashes,
 * hangs or leaks fails alone. A run without names also compares the number of cases with expected.h. The last line is
 * "N passed, N failed", in cases. */
#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "expected.h"

#define UNITS_MAX    200
#define MESSAGES_MAX 20         /* of a case */
#define TIMEOUT_S    300        /* of a module */

/* What a module's process tells, in memory that it shares with the runner. */
struct report {
    const char *module;
    size_t   selected, ran, passed, skipped;
    uint64_t checks;
    char     at[128];           /* the case that runs */
    bool     finished;
    /* the runner's own */
    pid_t    pid;
    FILE    *output;
    double   began;
};

/* One case: cmocka calls the functions below with this as the state, and they call the test file's. */
struct slot {
    const struct CMUnitTest *test;
    void *state;
};

uint64_t check_count;
char **unit_args;

static const struct unit *units[UNITS_MAX];
static size_t unit_count;

static struct report *reports, *mine;
static const char *xml_folder;
static bool verbose;
static char **patterns;
static size_t pattern_count;

static size_t failures;         /* of the case that runs */
static const char *fail_file, *skip_why;
static int fail_line;
static char messages[MESSAGES_MAX * 3000];
static uint64_t count_before;

static const int crashes[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS };
static struct sigaction crash_actions[COUNT_OF(crashes)];

void unit_add(const struct unit *unit)
{
    if (unit_count == UNITS_MAX)
        abort();
    units[unit_count++] = unit;
}

/* What XML cannot hold becomes '?'. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\n') || (unsigned char)*text > 0x7E ||
            (*text == ']' && text[1] == ']'))
            *text = '?';
}

void check_failed(const char *file, int line, const char *condition, const char *format, ...)
{
    char what[2000], text[3000];
    va_list args;
    size_t len;

    if (!failures++) {
        fail_file = file;
        fail_line = line;
    }
    if (failures > MESSAGES_MAX)
        return;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    snprintf(text, sizeof(text), "%s:%d: %.800s: %s\n", file, line, condition, what);
    make_printable(text);
    fputs(text, stderr);
    len = strlen(messages);
    snprintf(messages + len, sizeof(messages) - len, "%s", text);
}

void check_skip(const char *why)
{
    skip_why = why;
}

static void begin(const char *at)
{
    failures = 0;
    *messages = '\0';
    skip_why = NULL;
    count_before = check_count;
    snprintf(mine->at, sizeof(mine->at), "%s", at);
}

/* cmocka catches signals of crashes; here the sanitizer shall have them, which shows the place. */
static void leave_crashes_alone(void)
{
    for (size_t i = 0; i < COUNT_OF(crashes); i++)
        sigaction(crashes[i], &crash_actions[i], NULL);
}

static int set_up_case(void **state)
{
    struct slot *slot = *state;

    begin(slot->test->name);
    return slot->test->setup_func ? slot->test->setup_func(&slot->state) : 0;
}

static int tear_down_case(void **state)
{
    struct slot *slot = *state;
    size_t before = failures;
    int rc = slot->test->teardown_func ? slot->test->teardown_func(&slot->state) : 0;

    return rc || failures > before;
}

static void run_case(void **state)
{
    struct slot *slot = *state;

    leave_crashes_alone();
    mine->ran++;
    slot->test->test_func(&slot->state);
    mine->checks += check_count - count_before;
    if (!failures && skip_why) {
        mine->skipped++;
        fprintf(stderr, "%s is skipped: %s\n", slot->test->name, skip_why);
        skip();
    }
    if (!failures && check_count == count_before)
        check_failed(mine->module, 0, slot->test->name, "it checks nothing");
    if (failures > MESSAGES_MAX)
        fprintf(stderr, "and %zu more\n", failures - MESSAGES_MAX);
    if (failures && xml_folder)     /* this is how a text of ours gets into cmocka's file */
        _assert_true(0, messages, fail_file, fail_line);
    if (failures)
        _fail(fail_file, fail_line);
    mine->passed++;
}

/* Does a pattern select this case of the module, or this module? */
static bool pattern_selects(const char *pattern, const struct unit *unit, const char *test)
{
    char whole[256];

    snprintf(whole, sizeof(whole), "%s.%s", unit->name, test);
    return !fnmatch(pattern, unit->name, 0) || !fnmatch(pattern, whole, 0);
}

static bool is_selected(const struct unit *unit, const char *test)
{
    for (size_t i = 0; i < pattern_count; i++)
        if (pattern_selects(patterns[i], unit, test))
            return true;
    return !pattern_count;
}

static size_t count_selected(const struct unit *unit)
{
    size_t count = 0;

    for (size_t i = 0; i < unit->count; i++)
        count += is_selected(unit, unit->cases[i].name);
    return count;
}

static void xml_path(const struct unit *unit, const char *suffix, char *ret, size_t size)
{
    snprintf(ret, size, "%s/unit_%s%s.xml", xml_folder, unit->name, suffix);
}

/* In the process of the module: its set-up and tear-down, each of which fails by a CHECK() or by what it returns. */
static bool runs_around(CMFixtureFunction function, const char *name)
{
    void *state = NULL;

    begin("");
    if (function && (function(&state) || failures)) {
        fprintf(stderr, "the %s of all cases failed\n", name);
        return false;
    }
    return true;
}

static int run_unit(const struct unit *unit)
{
    struct CMUnitTest *tests = calloc(unit->count, sizeof(*tests));
    struct slot *slots = calloc(unit->count, sizeof(*slots));
    size_t count = 0;
    int failed;

    for (size_t i = 0; i < unit->count; i++) {
        if (!is_selected(unit, unit->cases[i].name))
            continue;
        slots[count] = (struct slot){ &unit->cases[i], unit->cases[i].initial_state };
        tests[count] = (struct CMUnitTest){ unit->cases[i].name, run_case, set_up_case, tear_down_case, &slots[count] };
        count++;
    }
    for (size_t i = 0; i < COUNT_OF(crashes); i++)
        sigaction(crashes[i], NULL, &crash_actions[i]);
    if (!runs_around(unit->set_up, "set-up"))
        return 1;
    failed = _cmocka_run_group_tests(unit->name, tests, count, NULL, NULL);
    mine->finished = true;
    if (!runs_around(unit->tear_down, "tear-down"))
        failed = 1;
    free(tests);
    free(slots);
    return failed != 0;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void start(const struct unit *unit, struct report *report)
{
    char path[512];
    pid_t pid;

    *report = (struct report){ .module = unit->name, .selected = count_selected(unit), .output = tmpfile(), .began = seconds() };
    if (xml_folder) {
        xml_path(unit, "-process", path, sizeof(path));
        unlink(path);
        xml_path(unit, "", path, sizeof(path));
        unlink(path);
        setenv("CMOCKA_XML_FILE", path, 1);
    }
    fflush(NULL);
    if (!report->output || (pid = fork()) < 0) {
        perror("unit");
        exit(1);
    }
    if (pid) {
        report->pid = pid;
        return;
    }
    mine = report;
    dup2(fileno(report->output), STDOUT_FILENO);
    dup2(fileno(report->output), STDERR_FILENO);
    fclose(report->output);
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(TIMEOUT_S);
    cmocka_set_message_output(xml_folder ? CM_OUTPUT_XML : CM_OUTPUT_STDOUT);
    exit(run_unit(unit));       /* and the sanitizer looks for leaks */
}

static void show_output(FILE *output)
{
    char bytes[4096];
    size_t n;

    rewind(output);
    while ((n = fread(bytes, 1, sizeof(bytes), output)))
        fwrite(bytes, 1, n, stdout);
}

/* What cmocka's file cannot say, or would have said if the module had not ended before. */
static void write_xml(const struct unit *unit, const struct report *report, const char *why)
{
    char path[512];
    FILE *file;

    xml_path(unit, "-process", path, sizeof(path));
    file = fopen(path, "w");
    if (!file)
        return;
    fprintf(file, "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<testsuites>\n"
            "  <testsuite name=\"%s\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">\n"
            "    <testcase name=\"%s\"><error message=\"%s\" /></testcase>\n  </testsuite>\n</testsuites>\n",
            unit->name, *report->at ? report->at : "around_all_cases", why);
    fclose(file);
}

/* Says what became of a module; returns how many of its cases count as failed. */
static size_t finish(const struct unit *unit, struct report *report, int status)
{
    size_t failed = report->selected - report->passed - report->skipped;
    char why[300] = "";

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(why, sizeof(why), "it took more than %d s", TIMEOUT_S);
    else if (WIFSIGNALED(status))
        snprintf(why, sizeof(why), "%s", strsignal(WTERMSIG(status)));
    else if (!report->finished)
        snprintf(why, sizeof(why), "it ended early with exit status %d", WEXITSTATUS(status));
    else if (WEXITSTATUS(status) && !failed)
        snprintf(why, sizeof(why), "exit status %d after the last case: a leak or the tear-down", WEXITSTATUS(status));
    if (*why && !failed)
        failed = 1;
    if (failed || verbose)
        show_output(report->output);
    if (*why) {
        printf("%s: %s%s%s\n", unit->name, why, *report->at ? ", last in " : "", report->at);
        if (xml_folder)
            write_xml(unit, report, why);
    }
    printf("%-18s %4zu passed %3zu failed %9llu assertions %6.2f s\n", unit->name, report->passed, failed,
           (unsigned long long)report->checks, seconds() - report->began);
    fflush(stdout);
    fclose(report->output);
    return failed;
}

/* All modules with a selected case, `jobs` at a time; returns how many cases failed. */
static size_t run_all(int jobs)
{
    size_t next = 0, failed = 0, i;
    int running = 0, status;
    pid_t pid;

    while (next < unit_count || running) {
        for (; running < jobs && next < unit_count; next++) {
            if (!count_selected(units[next]))
                continue;
            start(units[next], &reports[next]);
            running++;
        }
        if (!running)
            break;
        do
            pid = waitpid(-1, &status, 0);
        while (pid < 0 && errno == EINTR);
        if (pid < 0)
            abort();
        for (i = 0; i < unit_count && reports[i].pid != pid; i++)
            ;
        if (i == unit_count)
            continue;
        running--;
        failed += finish(units[i], &reports[i], status);
    }
    return failed;
}

static const struct unit *unit_called(const char *name)
{
    for (size_t i = 0; i < unit_count; i++)
        if (!strcmp(units[i]->name, name))
            return units[i];
    return NULL;
}

/* Are all modules and cases there that expected.h knows? Each difference counts as a failure. */
static size_t compare_with_expected(void)
{
    size_t differences = 0, i, k;

    for (i = 0; i < COUNT_OF(expected); i++) {
        if (unit_called(expected[i].module))
            continue;
        differences++;
        printf("%s: no such module. If it is gone for good, take its line out of tests/unit/expected.h.\n",
               expected[i].module);
    }
    for (i = 0; i < unit_count; i++) {
        for (k = 0; k < COUNT_OF(expected) && strcmp(expected[k].module, units[i]->name); k++)
            ;
        if (k < COUNT_OF(expected) && expected[k].cases == units[i]->count &&
            (reports[i].ran == units[i]->count || !reports[i].finished))
            continue;
        differences++;
        printf("%s: %zu cases in its list, %zu ran, %zu expected. If this is meant, change tests/unit/expected.h.\n",
               units[i]->name, units[i]->count, reports[i].ran, k < COUNT_OF(expected) ? expected[k].cases : 0);
    }
    return differences;
}

static void list(void)
{
    for (size_t i = 0; i < unit_count; i++)
        for (size_t k = 0; k < units[i]->count; k++)
            if (is_selected(units[i], units[i]->cases[k].name))
                printf("%s.%s\n", units[i]->name, units[i]->cases[k].name);
}

/* A name that selects nothing is a mistake. */
static bool patterns_are_good(void)
{
    for (size_t p = 0; p < pattern_count; p++) {
        size_t found = 0;

        for (size_t i = 0; i < unit_count; i++)
            for (size_t k = 0; k < units[i]->count; k++)
                found += pattern_selects(patterns[p], units[i], units[i]->cases[k].name);
        if (!found) {
            fprintf(stderr, "unit: no case is called '%s'; -l lists them\n", patterns[p]);
            return false;
        }
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct unit *const *)a)->name, (*(const struct unit *const *)b)->name);
}

static int usage(void)
{
    fprintf(stderr, "usage: unit [-l] [-v] [-j N] [-x FOLDER] [MODULE or MODULE.CASE]... [-- ARGS]\n");
    return 2;
}

int main(int argc, char **argv)
{
    size_t passed = 0, failed, skipped = 0;
    unsigned long long checks = 0;
    bool only_list = false;
    int option, jobs = 2, last;

    for (last = 1; last < argc && strcmp(argv[last], "--") != 0; last++)
        ;
    unit_args = last < argc ? argv + last + 1 : argv + argc;
    while ((option = getopt(last, argv, "lvj:x:")) != -1) {
        switch (option) {
        case 'l': only_list = true; break;
        case 'v': verbose = true; break;
        case 'j': jobs = (int)strtol(optarg, NULL, 10); break;
        case 'x': xml_folder = optarg; break;
        default:  return usage();
        }
    }
    patterns = argv + optind;
    pattern_count = (size_t)(last - optind);
    qsort(units, unit_count, sizeof(units[0]), by_name);
    if (jobs < 1 || !patterns_are_good())
        return usage();
    if (only_list) {
        list();
        return 0;
    }
    if (xml_folder && mkdir(xml_folder, 0777) && errno != EEXIST) {
        perror(xml_folder);
        return 1;
    }
    reports = mmap(NULL, UNITS_MAX * sizeof(*reports), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (reports == MAP_FAILED) {
        perror("unit");
        return 1;
    }
    failed = run_all(jobs);
    if (!pattern_count)
        failed += compare_with_expected();
    for (size_t i = 0; i < unit_count; i++) {
        passed += reports[i].passed;
        skipped += reports[i].skipped;
        checks += reports[i].checks;
    }
    printf("%llu assertions\n%zu passed, %zu failed", checks, passed, failed);
    if (skipped)
        printf(", %zu skipped", skipped);
    printf("\n");
    return failed || !passed;
}
