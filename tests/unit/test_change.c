#include "check.h"

#include "base/buf.h"
#include "base/json.h"
#include "microsoft/change.h"

static const struct row {
    struct change_words words;
    bool ok;
    const char *want; /* the URL, and the body; or what err says */
} rows[] = {
    { { .id = "da1_-2", .status = "new" }, true, "B/v1.0/security/alerts_v2/da1_-2 {\"status\":\"new\"}" },
    { { .id = "12", .status = "Active" }, true, "B/v1.0/security/incidents/12 {\"status\":\"active\"}" },
    { { .kind = "Alert", .id = "12", .status = "IN progress" },
      true, "B/v1.0/security/alerts_v2/12 {\"status\":\"inProgress\"}" },
    { { .id = "a", .classification = "informational_expected-activity" },
      true, "B/v1.0/security/alerts_v2/a {\"classification\":\"informationalExpectedActivity\"}" },
    { { .id = "a", .determination = " phishing ", .assigned_to = "x\"y" },
      true, "B/v1.0/security/alerts_v2/a {\"assignedTo\":\"x\\\"y\",\"determination\":\"phishing\"}" },
    { { .id = "a:b~c", .comment = "c" }, true, "B/v1.0/security/alerts_v2/a%3Ab~c {}" },
    { { .id = "1", .status = "new" }, false, "status is 'new'; it should be one of active, inProgress, resolved" },
    { { .id = "1", .status = "redirected" }, false, "one of active" },
    { { .id = "a", .status = "newer" }, false, "one of new" },
    { { .id = "a", .status = "ne" }, false, "one of new" },
    { { .id = "a", .determination = "-" }, false, "determination is '-'" },
    { { .id = "a", .classification = "true" }, false, "classification is 'true'" },
    { { .id = "", .status = "new" }, false, "id is empty" },
    { { .status = "new" }, false, "id is empty" },
    { { .id = "a/b", .status = "new" }, false, "id is 'a/b'" },
    { { .id = "a?b", .status = "new" }, false, "id is 'a?b'" },
    { { .id = "a b", .status = "new" }, false, "id is 'a b'" },
    { { .id = "a\n", .status = "new" }, false, "an ID has at most" },
    { { .kind = "incident", .id = "a", .status = "active" }, false, "digits only" },
    { { .kind = "x", .id = "a", .status = "new" }, false, "kind is 'x'" },
    { { .id = "a", .status = "", .comment = "" }, false, "nothing to change" },
};

static void test_words(void **state UNUSED)
{
    struct change change;
    struct err err;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        struct buf text = BUF_INIT(4096);
        bool ok = change_read(&rows[i].words, &change, &err);

        CHECK(ok == rows[i].ok, "row %zu: %s", i, ok ? "accepted" : err.text);
        if (ok) {
            change_url(&change, "B", false, &text);
            buf_add_char(&text, ' ');
            change_body(&change, false, &text);
            CHECK_TEXT(buf_text(&text), rows[i].want);
        } else {
            CHECK(err.kind == ERR_INPUT && strstr(err.text, rows[i].want), "row %zu: %s", i, err.text);
        }
        change_release(&change);
        buf_free(&text);
    }
}

static void test_lengths(void **state UNUSED)
{
    static char text[20002];
    const struct { struct change_words words; bool ok; } tries[] = { { { .id = "a", .comment = text + 10001 }, true },
                                                                     { { .id = "a", .comment = text + 10000 }, false },
                                                                     { { .id = text + 20001 - 256, .status = "new" }, true },
                                                                     { { .id = text + 20001 - 257, .status = "new" }, false },
                                                                     { { .id = "a", .assigned_to = text + 1 }, false } };
    struct change change;
    struct err err;
    size_t i;

    memset(text, 'x', sizeof(text) - 1);
    for (i = 0; i < COUNT_OF(tries); i++) {
        CHECK(change_read(&tries[i].words, &change, &err) == tries[i].ok, "try %zu", i);
        change_release(&change);
    }
}

static void test_comment(void **state UNUSED)
{
    struct buf text = BUF_INIT(4096);
    struct change change;
    struct err err;

    CHECK(change_read(&(struct change_words){ .id = "7", .comment = "a\n\"\xC3\xBC\"" }, &change, &err), "%s", err.text);
    change_url(&change, "https://h", true, &text);
    CHECK_TEXT(buf_text(&text), "https://h/v1.0/security/incidents/7/comments");
    buf_clear(&text);
    change_body(&change, true, &text);
    {
        CLEANUP(json_freep) cJSON *tree = json_parse(buf_text(&text), text.len);

        CHECK_TEXT(json_text(tree, "comment"), "a\n\"\xC3\xBC\"");
        CHECK_TEXT(json_text(tree, "@odata.type"), "microsoft.graph.security.alertComment");
    }
    CHECK_TEXT(change_permission(change.kind), "SecurityIncident.ReadWrite.All");
    change_release(&change);
    buf_free(&text);
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_words), cmocka_unit_test(test_lengths),
                                           cmocka_unit_test(test_comment) };

UNIT(change, cases, NULL, NULL)
