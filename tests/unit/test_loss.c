/* Whether a refused customer was lost. */
#include "collect/loss.h"

#include "check.h"
#include "messages/diagnosis.h"
#include "messages/log_events.h"
#include "microsoft/aad.h"

#define HOUR_MS (INT64_C(3600) * 1000)

static struct err of_code(int code)
{
    char text[64];
    struct err err;

    snprintf(text, sizeof(text), "AADSTS%d: said", code);
    aad_set_error("invalid_client", text, &err);
    return err;
}

/* promise: Trouble: A customer that worked before and left is lost. What never worked is refused. */
static void test_codes(void **state UNUSED)
{
    static const int lost[] = { 500011, 500014, 650052, 650054, 65001, 700016, 7000112, 7000229, 90002 };
    static const int ours[] = { 7000215, 7000222, 7000218, 700027, 70011, 50194, 9001023, 53003, 50105, 700082, 1 };
    struct loss loss = { .worked = true }, never = { .worked = false };

    for (size_t i = 0; i < COUNT_OF(lost); i++) {
        struct err err = of_code(lost[i]);

        CHECK(aad_find(lost[i]), "%d is not in the table", lost[i]);
        CHECK(loss_explains(&loss, &err), "%d", lost[i]);
        CHECK(!loss_explains(&never, &err), "%d, never worked", lost[i]);
    }
    for (size_t i = 0; i < COUNT_OF(ours); i++) {
        struct err err = of_code(ours[i]);

        CHECK(!loss_explains(&loss, &err), "%d", ours[i]);
    }
}

static void test_words(void **state UNUSED)
{
    static const struct { const char *detail; enum diagnosis diagnosis; bool lost; } rows[] = {
        { ": Forbidden 'The tenant has no license.'", DIAGNOSIS_HTTP_403, true },
        { ": 'No valid Licence'", DIAGNOSIS_HTTP_403, true },
        { ": Forbidden 'Account is not provisioned.'", DIAGNOSIS_HTTP_403, true },
        { ": 'Tenant is not onboarded to Defender'", DIAGNOSIS_HTTP_403, true },
        { ": 'Missing application roles. API required roles: A, application roles: .'", DIAGNOSIS_HTTP_403, true },
        { ": 'Auth token does not contain valid permissions or user does not have valid roles'", DIAGNOSIS_HTTP_403, true },
        { "", DIAGNOSIS_HTTP_403, false },
        { ": DisallowedOperation 'not allowed'", DIAGNOSIS_HTTP_403, false },
        { ": 'license'", DIAGNOSIS_POLICY, false },
        { ": 'license'", DIAGNOSIS_HTTP_4XX, false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err err;

        diagnosis_set(&err, ERR_AUTH, rows[i].diagnosis,
                      &(struct diagnosis_facts){ .detail = rows[i].detail, .advice = "SecurityAlert.Read.All" });
        CHECK(loss_fits(&err) == rows[i].lost, "%s: %s", rows[i].detail, err.text);
        err.kind = ERR_RETRY;
        CHECK(!loss_fits(&err), "%s passes", rows[i].detail);
    }
}

/* promise: Trouble: A lost customer is one WARN a day. */
static void test_once_a_day(void **state UNUSED)
{
    static const struct { const char *name; int64_t age_h, first_h; } rows[] = {
        { "said an hour ago", 1, 23 },      { "said a day ago", 24, 0 }, { "said a year ago", 8760, 0 },
        { "said by a clock that was ahead", -5, 24 }, { "said just now", 0, 24 },
    };
    const ticks now = 1000000 * TICKS_PER_SECOND;
    struct loss loss = { .worked = true };

    CHECK(loss_say(&loss, now, HOUR_MS) && loss.lost, "the first time");
    CHECK(!loss_say(&loss, now, 24 * HOUR_MS), "within the day");
    CHECK(loss_say(&loss, now, 25 * HOUR_MS), "after a day");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ticks said = now - rows[i].age_h * 3600 * TICKS_PER_SECOND;
        int64_t h;

        loss = (struct loss){ .worked = true };
        loss_resume(&loss, said, now, 0);
        CHECK(loss.lost, "%s: not lost", rows[i].name);
        for (h = 0; !loss_say(&loss, now, h * HOUR_MS); h++)
            ;
        CHECK(h == rows[i].first_h, "%s: after %lld h", rows[i].name, (long long)h);
    }
    loss_resume(&loss, 0, now, 0);
    CHECK(!loss.lost, "nothing was said");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_codes),
    cmocka_unit_test(test_words),
    cmocka_unit_test(test_once_a_day),
};

UNIT(loss, cases, NULL, NULL)
