/* Secrets in memory and in pieces. */
#include "splunk/passwords_pieces.h"
#include "splunk/secret_name.h"

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
    struct manifest manifest = manifest_of(value), read;
    struct secret_list entries = { 0 };
    char *text = manifest_text(&manifest), *joined, *name;
    unsigned i;

    CHECK(strlen(text) < STORE_KEEPS_BYTES, "the manifest is too long: %zu", strlen(text));
    CHECK(manifest_parse(text, &read) == MANIFEST_GOOD && memcmp(&read, &manifest, sizeof(manifest)) == 0, "%s", text);
    for (i = 0; i < manifest.count; i++) {
        char *piece = piece_text(value, i);

        name = piece_name("n", &manifest, i);
        CHECK(*piece && strlen(piece) < STORE_KEEPS_BYTES && ((unsigned char)*piece & 0xC0) != 0x80, "piece %u: %s", i, piece);
        secret_list_set(&entries, name, piece);
        free(name);
        free(piece);
    }
    joined = pieces_join(&entries, "n", &manifest);
    CHECK(text_same(joined, value), "joined '%s'", joined ? joined : "nothing");
    mem_free_secret(joined);
    joined = pieces_join(&entries, "m", &manifest);
    CHECK(!joined, "another name's pieces are taken");
    name = piece_name("n", &manifest, manifest.count - 1);
    secret_list_set(&entries, name, "damaged");
    joined = pieces_join(&entries, "n", &manifest);
    CHECK(!joined, "a damaged piece is taken");
    secret_list_remove(&entries, name);
    joined = pieces_join(&entries, "n", &manifest);
    CHECK(!joined, "a missing piece is passed over");
    free(name);
    free(text);
    secret_list_clear(&entries);
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

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GENERATION "0123456789abcdef"
#define START "TA-defender-mssp parts "

static void test_manifests(void **state UNUSED)
{
    static const struct { const char *text; enum manifest_kind kind; } rows[] = {
        { START GENERATION " 2 300 " SHA, MANIFEST_GOOD },
        { START GENERATION " 2 480 " SHA, MANIFEST_GOOD },
        { START GENERATION " 2 481 " SHA, MANIFEST_DAMAGED },          /* more than two pieces hold */
        { START GENERATION " 2 0 " SHA, MANIFEST_DAMAGED },
        { START GENERATION " 2 -300 " SHA, MANIFEST_DAMAGED },
        { START GENERATION " 2 -1 " SHA, MANIFEST_DAMAGED },
        { START GENERATION " -2 300 " SHA, MANIFEST_DAMAGED },
        { START GENERATION " 2 18446744073709551615 " SHA, MANIFEST_DAMAGED },
        { START GENERATION " 2 99999999999999999999999 " SHA, MANIFEST_DAMAGED },
        { START GENERATION " 4294967297 300 " SHA, MANIFEST_DAMAGED },
        { START GENERATION " 0 300 " SHA, MANIFEST_DAMAGED },
        { START GENERATION " 1000 240000 " SHA, MANIFEST_GOOD },
        { START GENERATION " 1001 300 " SHA, MANIFEST_DAMAGED },
        { START GENERATION " 2 300x " SHA, MANIFEST_DAMAGED },
        { START GENERATION "  2 300 " SHA, MANIFEST_DAMAGED },
        { START GENERATION " 2 300 " SHA " ", MANIFEST_DAMAGED },
        { START GENERATION " 2 300 " SHA "0", MANIFEST_DAMAGED },
        { START GENERATION " 2 300 0123", MANIFEST_DAMAGED },
        { START GENERATION " 2 300", MANIFEST_DAMAGED },
        { START "0123 2 300 " SHA, MANIFEST_DAMAGED },
        { START "xyz 2 300 " SHA, MANIFEST_DAMAGED },
        { START, MANIFEST_DAMAGED },
        { "TA-defender-mssp parts", MANIFEST_NONE }, { "", MANIFEST_NONE }, { "0.AX", MANIFEST_NONE }
    };
    struct manifest manifest;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++)
        CHECK(manifest_parse(rows[i].text, &manifest) == rows[i].kind, "'%s'", rows[i].text);
    CHECK(manifest_parse(rows[0].text, &manifest) == MANIFEST_GOOD && manifest.count == 2 && manifest.length == 300 &&
          strcmp(manifest.generation, GENERATION) == 0 && strcmp(manifest.sha256, SHA) == 0, "%u %zu", manifest.count,
          manifest.length);
}

static void test_list(void **state UNUSED)
{
    struct secret_list list = { 0 };
    char name[16];
    int i;

    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "n%d", i * 7919 % 1000);
        secret_list_set(&list, name, name + 1);
    }
    CHECK(list.count == 1000, "%zu", list.count);
    CHECK_TEXT(secret_list_get(&list, "n123"), "123");
    secret_list_set(&list, "n123", "new");
    secret_list_set(&list, "n123", secret_list_get(&list, "n123"));
    CHECK_TEXT(secret_list_get(&list, "n123"), "new");
    for (i = 0; i < 1000; i += 2) {
        snprintf(name, sizeof(name), "n%d", i);
        secret_list_remove(&list, name);
        secret_list_remove(&list, name);
    }
    CHECK(list.count == 500 && !secret_list_get(&list, "n122") && secret_list_get(&list, "n999"), "%zu",
          list.count);
    secret_list_clear(&list);
    CHECK(!secret_list_get(&list, "n999"), "still there");
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
    cmocka_unit_test(test_manifests),
    cmocka_unit_test(test_list),
    cmocka_unit_test(test_names),
};

UNIT(passwords_pieces, cases, NULL, NULL)
