/* Secrets in memory and in pieces. */
#include "splunk/splunkd_private.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "check.h"

#define E_ACUTE "\xC3\xA9"

static char *repeated(const char *text, size_t times)
{
    struct buf buf = BUF_INIT(1 << 20);

    while (times--)
        buf_add_text(&buf, text);
    return buf_take(&buf);
}

/* In the store as pieces, and back. */
static void check_round(const char *value)
{
    struct manifest note = manifest_of(value), read;
    struct secrets entries = { 0 };
    char *text = manifest_text(&note), *joined, *name;
    unsigned i;

    CHECK(strlen(text) < CUT_LENGTH, "the note itself is too long: %zu", strlen(text));
    CHECK(manifest_read(text, &read) && memcmp(&read, &note, sizeof(note)) == 0, "%s", text);
    for (i = 0; i < note.count; i++) {
        char *part = part_of(value, i);

        name = part_name("n", &note, i);
        CHECK(*part && strlen(part) < CUT_LENGTH && ((unsigned char)*part & 0xC0) != 0x80, "piece %u: %s", i, part);
        secrets_set(&entries, name, part);
        free(name);
        free(part);
    }
    joined = parts_join(&entries, "n", &note);
    CHECK(text_same(joined, value), "joined '%s'", joined ? joined : "nothing");
    mem_free_secret(joined);
    joined = parts_join(&entries, "m", &note);
    CHECK(!joined, "another name's pieces are taken");
    name = part_name("n", &note, note.count - 1);
    secrets_set(&entries, name, "damaged");
    joined = parts_join(&entries, "n", &note);
    CHECK(!joined, "a damaged piece is taken");
    secrets_remove(&entries, name);
    joined = parts_join(&entries, "n", &note);
    CHECK(!joined, "a missing piece is passed over");
    free(name);
    free(text);
    secrets_clear(&entries);
}

static void test_rounds(void **state UNUSED)
{
    static const struct { const char *unit; size_t times; } rows[] = {
        { "a", 1 }, { "a", 240 }, { "a", 241 }, { "a", 480 }, { "a", 3000 }, { E_ACUTE, 120 }, { E_ACUTE, 121 },
        { "x" E_ACUTE, 500 }, { "\xE6\x97\xA5", 333 }, { "\xF0\x9F\x98\x80", 444 }, { " ", 300 }
    };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        char *value = repeated(rows[i].unit, rows[i].times);

        check_round(value);
        free(value);
    }
}

/* Secrets that are no note. */
static void test_notes(void **state UNUSED)
{
#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    static const struct { const char *text; bool is_note; } rows[] = {
        { "TA-defender-mssp parts 0123456789abcdef 2 300 " SHA, true },
        { "TA-defender-mssp parts 0123456789abcdef 2 300 " SHA " ", false },
        { "TA-defender-mssp parts 0123456789abcdef 0 300 " SHA, false },
        { "TA-defender-mssp parts 0123456789abcdef 1001 300 " SHA, false },
        { "TA-defender-mssp parts xyz 2 300 " SHA, false },
        { "TA-defender-mssp parts", false }, { "", false }, { "0.AX", false }
    };
    struct manifest note;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++)
        CHECK(manifest_read(rows[i].text, &note) == rows[i].is_note, "'%s'", rows[i].text);
}

static void test_list(void **state UNUSED)
{
    struct secrets secrets = { 0 };
    char name[16];
    int i;

    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "n%d", i * 7919 % 1000);
        secrets_set(&secrets, name, name + 1);
    }
    CHECK(secrets.count == 1000, "%zu", secrets.count);
    CHECK_TEXT(secrets_get(&secrets, "n123"), "123");
    secrets_set(&secrets, "n123", "new");
    secrets_set(&secrets, "n123", secrets_get(&secrets, "n123"));
    CHECK_TEXT(secrets_get(&secrets, "n123"), "new");
    for (i = 0; i < 1000; i += 2) {
        snprintf(name, sizeof(name), "n%d", i);
        secrets_remove(&secrets, name);
        secrets_remove(&secrets, name);
    }
    CHECK(secrets.count == 500 && !secrets_get(&secrets, "n122") && secrets_get(&secrets, "n999"), "%zu",
          secrets.count);
    secrets_clear(&secrets);
    CHECK(!secrets_get(&secrets, "n999"), "still there");
}

static void test_names(void **state UNUSED)
{
    CLEANUP(mem_freep) char *client = secret_name_client("c-1");
    CLEANUP(mem_freep) char *refresh = secret_name_refresh("t.example", "c-1");
    CLEANUP(mem_freep) char *proxy = secret_name_proxy("Contoso: 1");

    CHECK_TEXT(client, "client_secret.c-1");
    CHECK_TEXT(refresh, "refresh_token.t.example.c-1");
    CHECK_TEXT(proxy, "proxy_password.Contoso%3A%201");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_rounds),
    cmocka_unit_test(test_notes),
    cmocka_unit_test(test_list),
    cmocka_unit_test(test_names),
};

UNIT(splunkd_secrets, cases, NULL, NULL)
