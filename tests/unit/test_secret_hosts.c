/* The note that binds a secret to hosts. */
#include "splunk/secret_hosts.h"

#include "base/mem.h"
#include "base/text.h"
#include "check.h"

#define SHA_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" /* of "a" */
#define SHA_B "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d" /* of "b" */
#define START "TA-defender-mssp hosts "
#define NOTE_A START SHA_A " https://l http://127.0.0.1:1"

static void test_of(void **state UNUSED)
{
    static const struct { const char *note, *value, *want; } rows[] = {
        { NOTE_A, "a", "https://l http://127.0.0.1:1" }, { NOTE_A, "b", NULL }, { NOTE_A, NULL, NULL },
        { NULL, "a", NULL }, { START SHA_B "," SHA_A " https://l", "a", "https://l" },
        { START SHA_B "," SHA_A " https://l", "b", "https://l" }, { START SHA_A, "a", NULL },
        { START SHA_A ",", "a", NULL }, { START SHA_A "," SHA_B, "a", NULL }, { START SHA_A "  https://l", "a",
          " https://l" }, { START, "a", NULL }, { "https://l", "a", NULL }, { START "*" SHA_A " https://l", "a", NULL },
        { START SHA_A ",ca978112 https://l", "a", NULL }, { "", "a", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *got = secret_hosts_of(rows[i].note, rows[i].value);

        CHECK(text_same(got, rows[i].want), "row %zu: %s", i, got ? got : "NULL");
    }
}

static void test_hold(void **state UNUSED)
{
    static const struct { const char *list, *origin; bool is; } rows[] = {
        { "https://a https://b", "https://a", true }, { "https://a https://b", "https://b", true },
        { "https://a https://b", "https://", false }, { "https://a https://b", "https://ab", false },
        { "https://ab", "https://a", false }, { "", "https://a", false }, { NULL, "https://a", false },
        { "  https://a  https://b ", "https://b", true }, { "https://a https://b", "https://a https://b", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(secret_hosts_hold(rows[i].list, rows[i].origin) == rows[i].is, "row %zu", i);
}

/* promise: Secrets: A rotated refresh token may go where the one before it could. */
static void test_note(void **state UNUSED)
{
    static const struct { const char *name, *note, *before, *value, *origins, *want; } rows[] = {
        { "entered with hosts", NULL, NULL, "a", "https://l", START SHA_A " https://l" },
        { "entered without", NULL, NULL, "a", "", NULL },
        { "entered without, in place of another", NOTE_A, NULL, "b", "", NULL },
        { "entered with hosts, in place of another", NOTE_A, NULL, "b", "https://x", START SHA_B " https://x" },
        { "the same value again, with other hosts", NOTE_A, NULL, "a", "https://x https://l",
          START SHA_A " https://x https://l http://127.0.0.1:1" },
        { "the same value again, without", NOTE_A, NULL, "a", "", NOTE_A },
        { "rotated", NOTE_A, "a", "b", NULL, START SHA_A "," SHA_B " https://l http://127.0.0.1:1" },
        { "rotated, bound to nothing", NULL, "a", "b", NULL, NULL },
        { "rotated, and the note is of another secret", NOTE_A, "x", "b", NULL, NULL },
        { "rotated, and another one was stored meanwhile", NOTE_A, "b", "b", "https://x", START SHA_B " https://x" },
        { "rotated, with a host that the note does not have yet", NOTE_A, "a", "b", "https://x",
          START SHA_A "," SHA_B " https://x https://l http://127.0.0.1:1" },
        { "stored again as it is", NOTE_A, "a", "a", NULL, NOTE_A },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *got = secret_hosts_note(rows[i].note, rows[i].before, rows[i].value, rows[i].origins);

        CHECK(text_same(got, rows[i].want), "%s: %s", rows[i].name, got ? got : "NULL");
        mem_freep(&got);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_of),
    cmocka_unit_test(test_hold),
    cmocka_unit_test(test_note),
};

UNIT(secret_hosts, cases, NULL, NULL)
