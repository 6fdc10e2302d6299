/* `consent`: the links in each format, how often a customer is tried, and the table of --watch. */
#include "command/consent_show.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "command/consent_watch.h"
#include "command/csv.h"
#include "microsoft/aad.h"
#include "microsoft/signin.h"

#define APP  "01234567-89ab-cdef-0123-456789abcdef"
#define FILE_TEXT                                                                                                      \
    "name,tenant_id,client_id,api,cloud,redirect_uri\n"                                                                \
    "contoso,contoso.onmicrosoft.com," APP ",graph,,\n"                                                                \
    "contoso two,contoso.onmicrosoft.com," APP ",endpoint,,\n"                                                         \
    "fabrikam,fabrikam.onmicrosoft.us," APP ",incidents,gcc_high,https://www.example.com/thanks?x=1&y=2\n"             \
    "=bad,no tenant," APP ",graph,,\n"                                                                                 \
    "\"a name that is far too long for the column of the table, 東京\",late.example.com," APP ",siem,dod,\n"

static struct import_rows rows;
static struct customers customers;

static void read_file(const char *redirect_uri)
{
    char path[] = "/tmp/unit-consent-XXXXXX";
    struct err err = { .text = "" };
    int fd = mkstemp(path);

    rows = (struct import_rows){ 0 };
    CHECK(write(fd, FILE_TEXT, strlen(FILE_TEXT)) == (ssize_t)strlen(FILE_TEXT), "%s", path);
    close(fd);
    CHECK(import_rows_read(&rows, path, NULL, &err), "%s", err.text);
    unlink(path);
    customers_of(&rows, redirect_uri, &customers);
}

static void forget_file(void)
{
    customers_release(&customers);
    import_rows_release(&rows);
}

/* promise: Calls: `consent` prints each customer's consent link for the right cloud */
static void test_links(void **state UNUSED)
{
    static const char com[] = "https://login.microsoftonline.com/contoso.onmicrosoft.com/adminconsent?client_id=" APP
                              "&redirect_uri=";
    static const char us[] = "https://login.microsoftonline.us/fabrikam.onmicrosoft.us/adminconsent?client_id=" APP
                             "&redirect_uri=https%3A%2F%2Fwww.example.com%2Fthanks%3Fx%3D1%26y%3D2";
    static const struct { const char *ours, *encoded; } pages[] = {
        { NULL, "https%3A%2F%2FSiemMsspConnector" }, { "https://ours.example/", "https%3A%2F%2Fours.example%2F" } };
    size_t i;

    for (i = 0; i < COUNT_OF(pages); i++) {
        CLEANUP(mem_freep) char *want = mem_format("%s%s", com, pages[i].encoded);

        read_file(pages[i].ours);
        CHECK(customers.count == 5, "%zu", customers.count);
        CHECK_TEXT(customers.list[0].link, want);
        CHECK_TEXT(customers.list[1].link, want);
        CHECK_TEXT(customers.list[2].link, us);
        CHECK(!customers.list[3].link && customers.list[3].state == CUSTOMER_REFUSED, "a bad row");
        forget_file();
    }
}

static void test_text_and_csv(void **state UNUSED)
{
    struct buf text = BUF_INIT(100000);
    struct csv csv = { 0 };
    struct err err = { .text = "" };

    read_file(NULL);
    customers_write(&customers, CONSENT_TEXT, false, &text);
    CHECK(strstr(buf_text(&text), "contoso (contoso.onmicrosoft.com)\n  https://login.microsoftonline.com/contoso"), "%s",
          buf_text(&text));
    CHECK(!strstr(buf_text(&text), "bad"), "%s", buf_text(&text));
    buf_clear(&text);
    customers_write(&customers, CONSENT_CSV, false, &text);
    CHECK(csv_parse(buf_text(&text), text.len, &csv, &err), "%s", err.text);
    CHECK(csv.count == 5 && csv.rows[0].count == 7, "%zu rows", csv.count);
    CHECK_TEXT(csv.rows[3].cells[3], "gcc_high");
    CHECK_TEXT(csv.rows[3].cells[5], "SecurityIncident.Read.All");
    CHECK_TEXT(csv.rows[3].cells[6], customers.list[2].link);
    CHECK_TEXT(csv.rows[4].cells[5], "");   /* the exporter's tokens have no permission */
    csv_free(&csv);
    buf_clear(&text);
    csv = (struct csv){ 0 };
    customers.list[0].state = CUSTOMER_DONE;
    rows.list[0].action = ACTION_CREATE;
    customers_write(&customers, CONSENT_CSV, true, &text);
    CHECK(csv_parse(buf_text(&text), text.len, &csv, &err) && csv.count == 6, "%s", err.text);
    CHECK_TEXT(csv.rows[0].cells[7], "state");
    CHECK_TEXT(csv.rows[1].cells[7], "created");
    CHECK_TEXT(csv.rows[2].cells[7], "waiting");
    CHECK_TEXT(csv.rows[4].cells[0], "'=bad");
    CHECK(strstr(csv.rows[4].cells[8], "tenant_id is 'no tenant'"), "%s", csv.rows[4].cells[8]);
    csv_free(&csv);
    buf_free(&text);
    forget_file();
}

static void test_json(void **state UNUSED)
{
    struct buf text = BUF_INIT(100000);
    cJSON *root;
    const cJSON *list;

    read_file(NULL);
    customers_write(&customers, CONSENT_JSON, false, &text);
    root = json_parse(text.data, text.len);
    list = json_member(root, "customers");
    CHECK(cJSON_GetArraySize(list) == 5, "%s", buf_text(&text));
    CHECK_TEXT(json_text(cJSON_GetArrayItem(list, 2), "link"), customers.list[2].link);
    CHECK(!json_text(cJSON_GetArrayItem(list, 3), "link"), "%s", buf_text(&text));
    CHECK_TEXT(json_text(cJSON_GetArrayItem(list, 3), "state"), "refused");
    cJSON_Delete(root);
    buf_free(&text);
    forget_file();
}

/* promise: Calls: `consent --mail` writes one text for each tenant and app, ready to send */
static void test_mail(void **state UNUSED)
{
    struct buf text = BUF_INIT(100000);
    const char *at, *line, *end;
    size_t mails = 0;

    read_file(NULL);
    customers_write(&customers, CONSENT_MAIL, false, &text);
    for (at = buf_text(&text); (at = strstr(at, "Subject: ")); at++)
        mails++;
    CHECK(mails == 3, "%zu mails", mails);
    at = strstr(buf_text(&text), "    SecurityAlert.Read.All\n    Alert.Read.All\n");
    CHECK(at, "both permissions of the tenant: %s", buf_text(&text));
    for (line = buf_text(&text); *line; line = end + 1) {
        end = strchr(line, '\n');
        CHECK(end - line <= 80 || text_starts(line, "https://") || text_starts(line, "Subject"), "%.*s",
              (int)(end - line), line);
    }
    CHECK(strstr(buf_text(&text), "may then read, and change nothing:"), "%s", buf_text(&text));
    CHECK(!strstr(buf_text(&text), "ReadWrite"), "%s", buf_text(&text));
    rows.list[1].input.allow_update = ALLOW_UPDATE_YES;
    buf_clear(&text);
    customers_write(&customers, CONSENT_MAIL, false, &text);
    at = strstr(buf_text(&text), "may then read:");
    CHECK(at && strstr(at, "SecurityAlert.ReadWrite.All") < strstr(at, "Subject: "), "%s", buf_text(&text));
    CHECK(strstr(strstr(at, "Subject: "), "change nothing"), "the other tenants: %s", buf_text(&text));
    buf_free(&text);
    forget_file();
}

/* promise: Trouble: `consent --watch` tries a customer at most once a minute, and all together twice a second */
static void test_pauses(void **state UNUSED)
{
    static const struct { int tries; size_t count; int64_t asked_ms, want_ms; } list[] = {
        { 1, 1, 0, 60000 }, { 10, 1, 0, 60000 }, { 11, 1, 0, 120000 }, { 12, 1, 0, 240000 }, { 14, 1, 0, 900000 },
        { 1000000, 1, 0, 900000 }, { 1, 120, 0, 60000 }, { 1, 500, 0, 250000 }, { 1, 1, 5000, 60000 },
        { 1, 1, 3600000, 3600000 } };
    size_t i;

    for (i = 0; i < COUNT_OF(list); i++) {
        int64_t least = consent_pause_ms(list[i].tries, list[i].count, list[i].asked_ms, 0);
        int64_t most = consent_pause_ms(list[i].tries, list[i].count, list[i].asked_ms, UINT32_MAX);

        CHECK(least == list[i].want_ms, "row %zu: %lld", i, (long long)least);
        CHECK(most == list[i].want_ms * 5 / 4, "row %zu: %lld", i, (long long)most);
    }
}

static void test_missing(void **state UNUSED)
{
    static const struct { const char *text; bool missing; } list[] = {
        { "AADSTS7000229: x", true }, { "AADSTS700016: x", true }, { "AADSTS65001: x", true },
        { "AADSTS500011: x", true }, { "AADSTS7000215: x", false }, { "AADSTS700213: x", false },
        { "AADSTS90033: x", false }, { "AADSTS53003: x", true } };
    size_t i;

    for (i = 0; i < COUNT_OF(list); i++) {
        struct err err;

        aad_set_error("invalid_client", list[i].text, &err);
        CHECK(consent_is_missing(&err) == list[i].missing, "%s", list[i].text);
    }
    CHECK(!consent_is_missing(&(struct err){ .kind = ERR_RETRY, .text = "AADSTS7000229: x" }), "a failure that passes");
}

/* Returns the table; caller frees. */
static char *table(size_t width, size_t height, bool colors, size_t *ret_lines)
{
    char *lines = NULL;
    size_t len;
    FILE *to = open_memstream(&lines, &len);
    struct wrap wrap = { .to = to, .width = width, .colors = colors };

    *ret_lines = consent_show_table(&customers, 1000, height, &wrap);
    fclose(to);
    return lines;
}

/* promise: Calls: `consent --watch` shows a table that fits the terminal */
static void test_table(void **state UNUSED)
{
    static const struct { size_t width, height, lines; } sizes[] = { { 80, 24, 6 }, { 40, 24, 6 }, { 200, 24, 6 },
                                                                     { 80, 7, 5 }, { 80, 5, 3 }, { 80, 1, 3 } };
    size_t i, lines;

    read_file(NULL);
    customers.list[0].state = CUSTOMER_DONE;
    rows.list[0].action = ACTION_CREATE;
    customers.list[1].due_ms = 91000;
    snprintf(customers.list[1].why, sizeof(customers.list[1].why), "AADSTS7000229: the app has no service principal "
             "in the tenant\n. The customer's administrator: grant admin consent");
    customers.list[2].state = CUSTOMER_IN_TROUBLE;
    for (i = 0; i < 2 * COUNT_OF(sizes); i++) {
        size_t at = i / 2, count = 0;
        CLEANUP(mem_freep) char *text = table(sizes[at].width, sizes[at].height, i % 2 == 0, &lines);
        bool colored = strstr(text, "\033[") != NULL;
        char *line, *rest = text;

        while ((line = strsep(&rest, "\n")) && rest) {
            count++;
            CHECK(i % 2 == 0 || wrap_columns(line) < sizes[at].width, "size %zu: '%s' has %zu columns", at, line,
                  wrap_columns(line));
        }
        CHECK(count == lines && lines == sizes[at].lines, "size %zu: %zu lines, %zu said", at, count, lines);
        CHECK(colored == (i % 2 == 0), "colors");
    }
    {
        CLEANUP(mem_freep) char *text = table(80, 24, false, &lines);

        CHECK(text_starts(text, "[########............] 1 of 5 done, 1 refused. Ctrl-C ends\n=bad "), "%s", text);
        CHECK(strstr(text, "refused           tenant_id is 'no tenant', "), "%s", text);
        CHECK(strstr(text, "\nfabrikam                  trouble"), "%s", text);
        CHECK(strstr(text, "\ncontoso two               waiting    1:30   AADSTS7000229: the app has no ser..\n"), "%s", text);
    }
    forget_file();
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_links),
    cmocka_unit_test(test_text_and_csv),
    cmocka_unit_test(test_json),
    cmocka_unit_test(test_mail),
    cmocka_unit_test(test_pauses),
    cmocka_unit_test(test_missing),
    cmocka_unit_test(test_table),
};

UNIT(consent, cases, NULL, NULL)
