/* The tables of log events and diagnoses: the form of their rows, and the lines and sentences that are made of them. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "base/log.h"
#include "base/text.h"
#include "messages/diagnosis.h"
#include "messages/log_events.h"
#include "capture.h"
#include "check.h"

static bool is_clause(const char *text)
{
    return text && *text && text[strlen(text) - 1] != '.' && !strchr(text, '\n');
}

/* If someone has to act, there is something to do. */
static bool fits(const struct remedy *remedy)
{
    return remedy->responsible == ACT_NOBODY || !text_starts(remedy->advice, "nothing:");
}

static void test_rows(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < EVENT_COUNT; i++) {
        const struct event_entry *row = &event_table[i];

        CHECK(row->word && strspn(row->word, "abcdefghijklmnopqrstuvwxyz_") == strlen(row->word), "event %zu", i);
        CHECK(is_clause(row->cause) && is_clause(row->remedy.advice) && fits(&row->remedy), "event %zu", i);
        CHECK(!(row->flags & EVENT_ADVISED) || row->remedy.responsible != ACT_NOBODY, "event %zu advises nobody", i);
    }
    for (i = 0; i < DIAGNOSIS_COUNT; i++) {
        const struct diagnosis_entry *row = &diagnosis_table[i];

        CHECK(is_clause(row->text) && is_clause(row->cause) && is_clause(row->remedy.advice) && fits(&row->remedy),
              "diagnosis %zu", i);
    }
}

/* What one call writes on stderr. */
static char *written(enum event event, const char *text)
{
    struct capture capture = capture_begin();

    log_event(event, "input=a %s", text);
    return capture_end(capture);
}

static void test_lines(void **state UNUSED)
{
    static char large[5000];
    const char *line;
    struct err err;
    size_t len, i;

    CHECK_TEXT(written(EVENT_RECOVERED, "answers\nagain"), "INFO event=recovered input=a answers again\n");
    CHECK_TEXT(written(EVENT_CERTIFICATE_ENDS, "ends"),
               "WARN event=certificate_ends input=a ends. Our administrator: make a new one, upload it to the app "
               "registration, then replace the file\n");
    memset(large, 'x', sizeof(large) - 1);
    line = written(EVENT_BAD_INPUT, large);
    CHECK(strlen(line) <= 2001 && line[strlen(line) - 1] == '\n', "%zu bytes", strlen(line));
    for (i = 0; i < 2; i++) {       /* the cut falls into a character with one of the two */
        for (len = 0; len + 2 < sizeof(large); len += 2)
            memcpy(large + len, "\xc3\xa4", 2);
        line = written(EVENT_BAD_INPUT, large + i);
        len = strlen(line);
        CHECK(len > 1990 && !memcmp(line + len - 3, "\xc3\xa4\n", 3), "the line ends in half a character");
        err_set(&err, ERR_INPUT, "%s", large + i);
        len = strlen(err.text);
        CHECK(len > 1000 && !memcmp(err.text + len - 2, "\xc3\xa4", 2), "the message ends in half a character");
    }
    log_set_level(LOG_ERROR);
    CHECK_TEXT(written(EVENT_STATUS, "state=ok"), "");
    log_set_level(LOG_INFO);
}

/* die() is below the table: it has the level and the word in its own code. */
static void test_die(void **state UNUSED)
{
    static char line[4096];
    const struct event_entry *row = &event_table[EVENT_FATAL];
    char want[128];
    int ends[2], status;
    ssize_t len;
    pid_t pid;

    if (pipe(ends) || (pid = fork()) < 0)
        abort();
    if (!pid) {
        dup2(ends[1], STDERR_FILENO);
        die("no %s left", "paper");
    }
    waitpid(pid, &status, 0);
    close(ends[1]);
    len = read(ends[0], line, sizeof(line) - 1);
    close(ends[0]);
    line[len > 0 ? len : 0] = '\0';
    snprintf(want, sizeof(want), "%s event=%s no paper left\n", log_level_text(row->level), row->word);
    CHECK_TEXT(line, want);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %d", status);
}

/* promise: Log lines: The last line of a process that cannot continue comes after those that wait for stderr */
static void test_die_is_last(void **state UNUSED)
{
    static char text[1 << 18];
    char *found;
    int ends[2];
    size_t len = 0;
    ssize_t got;
    pid_t pid;

    if (pipe(ends) || (pid = fork()) < 0)
        abort();
    if (!pid) {
        dup2(ends[1], STDERR_FILENO);
        log_init();
        while (write(STDERR_FILENO, "................", 16) > 0)
            ;
        log_event(EVENT_WAITING, "input=a one that waits");
        die("no %s left", "paper");
    }
    close(ends[1]);
    usleep(50000); /* meanwhile the pipe is full */
    while ((got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)got;
    close(ends[0]);
    waitpid(pid, NULL, 0);
    text[len] = '\0';
    found = strstr(text, "WARN ");
    CHECK(found && strstr(found, "one that waits") && strstr(found, "\nERROR event=fatal no paper left\n"), "%.200s",
          found ? found : "nothing");
}

static void test_sentences(void **state UNUSED)
{
    static const struct {
        enum diagnosis diagnosis;
        struct diagnosis_facts facts;
        const char *want;
    } rows[] = {
        { DIAGNOSIS_NO_NAME, { "x.example", ": no such name", NULL },
          "the name x.example cannot be looked up: no such name. Our administrator: correct the DNS of this host, or "
          "set proxy: then the proxy looks the name up" },
        { DIAGNOSIS_HTTP_403, { NULL, ": Forbidden", "A.Read" },
          "HTTP 403: Forbidden. The customer's administrator: grant admin consent to the permission A.Read, and "
          "check that the tenant has Defender and has not removed the app" },
        { DIAGNOSIS_HTTP_429, { NULL, NULL, NULL }, "HTTP 429" },
        { DIAGNOSIS_HTTP_5XX, { "502", NULL, NULL }, "HTTP 502" },
        { DIAGNOSIS_WEB_PAGE, { NULL, " (HTTP 200)", NULL },
          "a web page came in place of the service's answer (HTTP 200). Our administrator: exempt the host on the "
          "proxy or gateway that sent it" }
    };
    struct err err;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        CHECK(!diagnosis_set(&err, ERR_RETRY, rows[i].diagnosis, &rows[i].facts), "row %zu", i);
        CHECK_TEXT(err.text, rows[i].want);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_rows),
    cmocka_unit_test(test_lines),
    cmocka_unit_test(test_die),
    cmocka_unit_test(test_die_is_last),
    cmocka_unit_test(test_sentences),
};

UNIT(messages, cases, NULL, NULL)
