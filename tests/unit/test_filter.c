/* Filters that exclude each other, and those that may not. */
#include "splunk/filter.h"

#include "check.h"

/* promise: Parameters: Two inputs that read the same alerts are reported, unless their filters exclude each other */
static void test_pairs(void **state UNUSED)
{
    static const struct { const char *a, *b; bool exclude; } rows[] = {
        { NULL, NULL, false }, { "", NULL, false }, { "severity eq 'high'", "", false },
        { "severity eq 'high'", "severity eq 'high'", false },
        { "severity eq 'high'", "severity eq 'low'", true },
        { "severity eq 'high'", "Severity EQ 'low'", true },
        { "severity eq 'high'", "severity eq 'High'", false },      /* the service may ignore case */
        { "severity eq 'high'", "status eq 'new'", false },
        { "(severity eq 'high')", " ( ( severity eq 'low' ) ) ", true },
        { "severity eq 'high'", "severity ne 'high'", true },
        { "severity eq 'high'", "severity ne 'low'", false },
        { "severity ne 'high'", "severity ne 'low'", false },
        { "severity eq 'high'", "severity ne 'HIGH'", false },
        { "severity eq 'high'", "severity eq null", true },
        { "a eq true", "a eq false", true }, { "a eq 1", "a eq 1.0", false }, { "a gt 'x'", "a eq 'b'", false },
        { "severity eq 'high' or severity eq 'medium'", "severity eq 'low'", true },
        { "severity eq 'low'", "severity eq 'high' or severity eq 'medium'", true },
        { "severity eq 'high' or severity eq 'low'", "severity eq 'low'", false },
        { "severity eq 'high' or status eq 'new'", "severity eq 'low'", false },
        { "severity eq 'high' and status eq 'new'", "severity eq 'low' and status eq 'new'", true },
        { "severity eq 'high' and status eq 'new'", "status eq 'old'", true },
        { "(severity eq 'high' or severity eq 'medium') and status eq 'new'", "severity eq 'low'", true },
        { "(severity eq 'high' or severity eq 'medium') and x eq 'y'", "severity eq 'low' or x eq 'z'", true },
        { "a eq 'x' or b eq 'y' and c eq 'z'", "a eq 'w' and c eq 'v'", true },     /* `and` binds first */
        { "a eq 'x' or b eq 'y' and c eq 'z'", "a eq 'w'", false },
        { "not (severity eq 'high')", "severity eq 'high'", false },    /* it does, but nothing here reads it */
        { "not severity eq 'high' and a eq 'x'", "a eq 'y'", true },
        { "not severity eq 'high'", "severity eq 'low'", false },
        { "title eq 'a or b'", "title eq 'a'", true }, { "title eq 'it''s'", "title eq 'it''s'", false },
        { "title eq 'it''s (a'", "title eq 'it'", true },
        { "contains(title,'a')", "contains(title,'b')", false },
        { "e/any(x: x eq 'a')", "e/any(x: x eq 'b')", false },
        { "severity in ('high','medium')", "severity eq 'low'", false },
        { "(a eq 'x') and(b eq 'y')", "b eq 'z'", true },
        { "a eq 'x", "a eq 'y'", false }, { "a eq ", "a eq 'y'", false }, { "(((", ")))", false }, { "' ", "''", false },
        { "a eq 'x' b", "a eq 'y'", false }, { "or", "and", false }, { "a or ", " or b", false },
    };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        CHECK(filters_exclude(rows[i].a, rows[i].b) == rows[i].exclude, "%s | %s", rows[i].a, rows[i].b);
        CHECK(filters_exclude(rows[i].b, rows[i].a) == rows[i].exclude, "%s | %s", rows[i].b, rows[i].a);
    }
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_pairs) };

UNIT(filter, cases, NULL, NULL)
