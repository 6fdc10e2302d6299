/* Spellings of one tenant, and other tenants. */
#include "collect/same_tenant.h"

#include "check.h"

#define A "0a0a0a0a-1111-2222-3333-444444444444"
#define A_UPPER "0A0A0A0A-1111-2222-3333-444444444444"
#define B "0b0b0b0b-1111-2222-3333-444444444444"

/* promise: Parameters: A changed spelling of the tenant repeats nothing */
static void test_spellings(void **state UNUSED)
{
    static const struct {
        const char *before, *tid;       /* in the checkpoint */
        const char *now;
        enum tenant_match first;        /* without a token */
        const char *token;
        enum tenant_match then;
    } rows[] = {
        { A, NULL, A, TENANT_SAME, A, TENANT_SAME },
        { A, NULL, A_UPPER, TENANT_SAME, A, TENANT_SAME },
        { A_UPPER, NULL, A, TENANT_SAME, "", TENANT_SAME },
        { A, NULL, B, TENANT_OTHER, B, TENANT_OTHER },
        { "a.com", NULL, "a.com", TENANT_SAME, A, TENANT_SAME },
        { "a.com", NULL, "A.COM", TENANT_SAME, A, TENANT_SAME },
        { "a.com", A, "A.com", TENANT_SAME, A_UPPER, TENANT_SAME },
        { "a.com", A, A, TENANT_SAME, A, TENANT_SAME },
        { "a.com", A, A_UPPER, TENANT_SAME, A, TENANT_SAME },
        { "a.com", A, B, TENANT_OTHER, B, TENANT_OTHER },
        { "a.com", NULL, A, TENANT_OTHER, A, TENANT_OTHER },        /* nothing tells which tenant a.com was */
        { "a.com", A, "a.onmicrosoft.com", TENANT_UNDECIDED, A, TENANT_SAME },
        { "a.com", A, "b.com", TENANT_UNDECIDED, B, TENANT_OTHER },
        { "a.com", A, "b.com", TENANT_UNDECIDED, "", TENANT_OTHER },
        { "a.com", NULL, "b.com", TENANT_OTHER, B, TENANT_OTHER },
        { "a.com", A, "a.com", TENANT_SAME, B, TENANT_OTHER },      /* the domain has moved */
        { "a.com", A, "a.com", TENANT_SAME, "", TENANT_SAME },
        { A, NULL, "a.com", TENANT_UNDECIDED, A, TENANT_SAME },
        { A, NULL, "b.com", TENANT_UNDECIDED, B, TENANT_OTHER },
        { A, NULL, "b.com", TENANT_UNDECIDED, "", TENANT_OTHER },
    };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        struct checkpoint checkpoint = { .tenant_id = NULL };
        enum tenant_match first, then;

        checkpoint_name_tenant(&checkpoint, rows[i].before, rows[i].tid);
        first = same_tenant(&checkpoint, rows[i].now, NULL);
        then = same_tenant(&checkpoint, rows[i].now, rows[i].token);
        CHECK(first == rows[i].first, "%s (%s) to %s: %d", rows[i].before, rows[i].tid ? rows[i].tid : "-", rows[i].now,
              first);
        CHECK(then == rows[i].then, "%s (%s) to %s, token %s: %d", rows[i].before, rows[i].tid ? rows[i].tid : "-",
              rows[i].now, rows[i].token, then);
        checkpoint_release(&checkpoint);
    }
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_spellings) };

UNIT(same_tenant, cases, NULL, NULL)
