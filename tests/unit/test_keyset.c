/* What the pages of a query in order prove. The pages hold 50 records of a set of 1,000; times are small numbers. */
#include "state/keyset.h"

#include "check.h"

struct step {
    ticks   lo, cut;
    size_t  before;
    int64_t counted;
};

static struct keyset_page page_of(const struct step *step)
{
    return (struct keyset_page){ .lo = step->lo, .cut = step->cut, .before = step->before, .counted = step->counted,
                                 .count = 50, .skips = 500, .sent_at = step->lo + 1 };
}

static void test_the_next_page(void **state UNUSED)
{
    static const struct { const char *name; int64_t next; bool agrees; } rows[] = {
        { "the rest", 952, true },
        { "one more: it came late, or was left out", 953, false },
        { "one less: it was updated", 951, false },
        { "the service does not count any more", -1, false },
        { "it counts its pages only", 50, false },
    };
    static const struct step first = { 100, 200, 48, 1000 };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct keyset_page page = page_of(&first);
        struct keyset keyset = { .whole = true };

        keyset_add(&keyset, &page);
        CHECK(keyset.from == 100 && keyset.at == 200 && keyset.seen == 48 && keyset.sent_at == 101, "%s: the part", rows[i].name);
        CHECK(keyset_agrees(&keyset, rows[i].next) == rows[i].agrees, "%s", rows[i].name);
        keyset_forget(&keyset);
        CHECK(!keyset.at && !keyset.seen && keyset.whole, "%s: forgotten", rows[i].name);
    }
}

static void test_parts_of_several_pages(void **state UNUSED)
{
    static const struct step steps[] = { { 100, 200, 48, 1000 }, { 200, 300, 49, 953 }, { 300, 400, 49, 904 } };
    struct keyset keyset = { .span = 0 };
    struct keyset_page page = page_of(&steps[0]);
    size_t skip;

    keyset_add(&keyset, &page);
    CHECK(!keyset.check, "the next page may prove it");
    page = page_of(&steps[1]);
    keyset_add(&keyset, &page);
    CHECK(keyset.from == 100 && keyset.at == 300 && keyset.seen == 97 && keyset.sent_at == 101, "it has grown");
    CHECK(keyset.check && !keyset_agrees(&keyset, keyset.rest), "the next page does not prove two");
    skip = 1;
    CHECK(!keyset_skips(&keyset, &skip) && !skip, "a count needs no $skip, which may be refused");
    CHECK(keyset_is_counted(&keyset, 97) && !keyset_is_counted(&keyset, 96) && !keyset_is_counted(&keyset, 98) &&
              !keyset_is_counted(&keyset, -1), "their own count does");
    keyset.proven = 1;
    page = page_of(&steps[2]);
    keyset_add(&keyset, &page);
    CHECK(!keyset.check, "once the order has been proven, a part may be longer");
    keyset_forget(&keyset);
    page = page_of(&(struct step){ 100, 200, 49, -1 });
    keyset_add(&keyset, &page);
    CHECK(!keyset_skips(&keyset, &skip) && !keyset_agrees(&keyset, -1), "a service that does not count proves nothing");
    keyset.check = true;
    CHECK(keyset_skips(&keyset, &skip) && skip == 48, "but it may skip: %zu", skip);
    keyset_forget(&keyset);
    page = page_of(&(struct step){ 100, 200, 49, -1 });
    page.skips = 98;
    keyset_add(&keyset, &page);
    CHECK(keyset.check && keyset.reach > 200 && keyset.reach < 300, "with another page there would be more than can be skipped");
    keyset_extend(&keyset, 250, 30);
    CHECK(keyset.from == 100 && keyset.at == 250 && keyset_is_counted(&keyset, 79), "what came with the count belongs to it");
    keyset_count_alone(&keyset);
    CHECK(keyset.check && keyset.reach == keyset.at, "it is counted alone");
    keyset_count(&keyset, true);
    CHECK(keyset.reach == TICKS_OPEN, "with all that is left");
    keyset_forget(&keyset);
    page = page_of(&(struct step){ 100, 200, 49, 50 });
    keyset_add(&keyset, &page);
    CHECK(keyset.check, "a count that may just be the page's proves nothing");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_the_next_page),
    cmocka_unit_test(test_parts_of_several_pages),
};

UNIT(keyset, cases, NULL, NULL)
