#include "collect/pages.h"

#include "check.h"

#define BASE "https://api.example"

/* The records of a page are letters; the service's links are paths. written: letters that became events. */
struct fixture {
    struct pages pages;
    struct err   err;
    bool         written[128];
    bool         has_skip;
    size_t       top, cap;
    bool         open;
};

/* What records.c counts while a page arrives. */
static struct page_taken read_page(struct fixture *f, const char *records, const char *link)
{
    struct page_taken taken = { .url = BASE "/1?x", .link = link, .base_url = BASE, .top = f->top, .cap = f->cap,
                                .open = f->open, .has_skip = f->has_skip, .stats = page_stats_none() };

    pages_begin(&f->pages);
    for (; *records; records++) {
        struct hash128 key = dedup_key(records, 1, 0);

        taken.stats.count++;
        taken.stats.oldest = ticks_min(taken.stats.oldest, *records);
        taken.stats.newest = ticks_max(taken.stats.newest, *records);
        f->pages.kept++;
        f->pages.sum += key.low ^ key.high * 3;
        if (f->pages.seen)
            dedup_add(f->pages.seen, (struct dedup_entry){ .key = key });
        f->pages.fresh += !f->written[(unsigned char)*records];
        f->written[(unsigned char)*records] = true;
    }
    return taken;
}

/* A page as worker_answer.c takes it when windows cannot be split. */
static enum pages_next page(struct fixture *f, const char *records, const char *link)
{
    struct page_taken taken = read_page(f, records, link);
    enum pages_next next = pages_take(&f->pages, &taken, &f->err);

    return next == PAGES_OVERFULL ? pages_follow(&f->pages, &taken, &f->err) : next;
}

static void test_one_response(void **state)
{
    static const struct { const char *name, *records, *link; size_t top; enum pages_next want; } rows[] = {
        { "fewer than asked for", "ab", NULL, 3, PAGES_COMPLETE },
        { "nothing", "", NULL, 3, PAGES_COMPLETE },
        { "as many as asked for", "abc", NULL, 3, PAGES_OVERFULL },
        { "as many, and a link", "abc", BASE "/2", 3, PAGES_OVERFULL },
        { "fewer, and a link", "a", BASE "/2", 3, PAGES_MORE },
        { "an empty link", "a", "", 3, PAGES_COMPLETE },
        { "none, and a link", "", BASE "/2", 3, PAGES_MORE },
        { "the service's own choice, without a link", "abcdefgh", NULL, 0, PAGES_COMPLETE },
        { "the service's own choice, with a link", "abc", BASE "/2", 0, PAGES_MORE },
        { "a link that leads to another host", "a", "https://evil.example/2", 3, PAGES_OVERFULL },
        { "... on an empty page", "", "https://evil.example/2", 3, PAGES_FAILED },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct page_taken taken;

        f->top = rows[i].top;
        taken = read_page(f, rows[i].records, rows[i].link);
        CHECK(pages_take(&f->pages, &taken, &f->err) == rows[i].want, "%s", rows[i].name);
        CHECK(f->pages.chained == (rows[i].want == PAGES_MORE) && f->pages.stats.count == strlen(rows[i].records), "%s: %zu records", rows[i].name,
              f->pages.stats.count);
        pages_forget(&f->pages);
    }
}

/* Takes pages, given as "records>records>...": one after another, a link between two. Returns what the last one gave. */
static enum pages_next take_pages(struct fixture *f, const char *pages)
{
    enum pages_next next = PAGES_FAILED;
    char records[32], link[64];

    for (;;) {
        size_t len = strcspn(pages, ">");
        bool more = pages[len] == '>';
        struct page_taken taken;

        snprintf(records, sizeof(records), "%.*s", (int)len, pages);
        snprintf(link, sizeof(link), BASE "/%zu", f->pages.count + 2);
        taken = read_page(f, records, more ? link : NULL);
        next = pages_take(&f->pages, &taken, &f->err);
        if (!more || next != PAGES_MORE || !pages[len + 1])
            return next;
        pages += len + 1;
    }
}

/* promise: Trouble: The link of a page that is not full is followed. If nothing more comes, the response was complete. */
static void test_short_pages(void **state)
{
    static const struct { const char *name; bool open; size_t cap; const char *pages[3]; enum pages_next want; } rows[] = {
        { "an empty page follows", true, 0, { "ab>" ">", "" }, PAGES_COMPLETE },
        { "some of them", true, 0, { "ab>>>" ">", "" }, PAGES_COMPLETE },
        { "an empty page is first", true, 0, { ">ab" }, PAGES_COMPLETE },
        { "empty pages only", true, 0, { ">>", "" }, PAGES_COMPLETE },
        { "more follows", true, 0, { "ab>c" }, PAGES_OVERFULL },
        { "more follows after an empty page", true, 0, { "ab>>c" }, PAGES_OVERFULL },
        { "the service ends its pages there", true, 2, { "ab>" }, PAGES_OVERFULL },
        { "it ends them later", true, 3, { "ab>" }, PAGES_MORE },
        { "bounded, once", false, 0, { "ab>>", "" }, PAGES_MORE },
        { "bounded, and the same again", false, 0, { "ab>", "", "ab>" }, PAGES_COMPLETE },
        { "bounded, changed", false, 0, { "ab>", "", "ac>" }, PAGES_MORE },
        { "bounded, empty pages only", false, 0, { ">", "" }, PAGES_COMPLETE },
        { "bounded, more follows", false, 0, { "ab>c" }, PAGES_OVERFULL },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum pages_next next = PAGES_MORE;

        f->open = rows[i].open;
        f->cap = rows[i].cap;
        f->top = 10;
        for (size_t j = 0; j < COUNT_OF(rows[i].pages) && rows[i].pages[j]; j++) {
            CHECK(next == PAGES_MORE, "%s: it ends early", rows[i].name);
            next = take_pages(f, rows[i].pages[j]);
        }
        CHECK(next == rows[i].want, "%s: %d", rows[i].name, next);
        pages_forget(&f->pages);
    }
}

/* In a bounded window an update takes a record away, and the next one moves up into the page that was read before: the
 * page after it looks empty. The first page, requested again, shows it. */
static void test_a_record_moves_up(void **state)
{
    struct fixture *f = *state;

    f->top = 10;
    CHECK(take_pages(f, "abc>") == PAGES_MORE && take_pages(f, "") == PAGES_MORE, "b went, d moved up");
    CHECK(!f->pages.link, "the first page again");
    CHECK(take_pages(f, "acd>") == PAGES_MORE && f->written['d'], "it has changed");
    CHECK(take_pages(f, "") == PAGES_MORE, "not sure yet");
    CHECK(take_pages(f, "acd>") == PAGES_COMPLETE, "now it is");
    CHECK(f->pages.stats.count == 3, "%zu records", f->pages.stats.count);
}

static void test_a_bounded_set_that_never_rests(void **state)
{
    struct fixture *f = *state;
    enum pages_next next = PAGES_MORE;
    int passes = 0;

    f->top = 10;
    while (next == PAGES_MORE && passes++ < 50) {
        char records[3] = { (char)('A' + passes), '>', 0 };

        take_pages(f, records);
        next = take_pages(f, "");
    }
    CHECK(next == PAGES_FAILED && passes == 25, "%d passes", passes);
}

static void test_relative_links(void **state)
{
    static const struct { const char *link, *want; } rows[] = {
        { "/2?y", BASE "/2?y" }, { "?y", BASE "/1?y" }, { "2?y", BASE "/2?y" }, { "//api.example/2", BASE "/2" },
        { "//evil.example/2", NULL }, { "//api.example@evil.example/2", NULL }, { "javascript:2", NULL },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum pages_next next = page(f, "ab", rows[i].link);

        if (rows[i].want)
            CHECK_TEXT(f->pages.link, rows[i].want);
        else
            CHECK(next == PAGES_FAILED && strstr(f->err.text, "not followed"), "%s: %s", rows[i].link, f->err.text);
        pages_forget(&f->pages);
    }
}

/* promise: Events: Each version comes once, whatever the order, the pages and the ties. */
static void test_two_passes_must_agree(void **state)
{
    struct fixture *f = *state;

    CHECK(page(f, "abc", BASE "/2") == PAGES_MORE, "there is another page");
    CHECK_TEXT(f->pages.link, BASE "/2");
    CHECK(page(f, "de", NULL) == PAGES_MORE && !f->pages.link, "the first pass is not enough");
    CHECK(page(f, "abc", BASE "/2") == PAGES_MORE, "the second pass");
    CHECK(page(f, "de", NULL) == PAGES_COMPLETE, "agrees with the first");
    CHECK(f->pages.stats.count == 5 && f->pages.stats.oldest == 'a' && f->pages.stats.newest == 'e', "%zu records",
          f->pages.stats.count);
}

static void test_passes_that_do_not_agree(void **state)
{
    static const struct { const char *name, *second_pass; } rows[] = {
        { "something new came", "dex" }, { "something went", "d" }, { "something was exchanged", "dx" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        memset(f->written, 0, sizeof(f->written));
        page(f, "abc", BASE "/2");
        page(f, "de", NULL);
        page(f, "abc", BASE "/2");
        CHECK(page(f, rows[i].second_pass, NULL) == PAGES_MORE, "%s: one more pass", rows[i].name);
        page(f, "abc", BASE "/2");
        CHECK(page(f, rows[i].second_pass, NULL) == PAGES_COMPLETE, "%s: now they agree", rows[i].name);
        pages_forget(&f->pages);
    }
}

/* A service that shuffles shows one record twice and hides another: equal counts are no proof. */
static void test_a_service_that_shuffles(void **state)
{
    struct fixture *f = *state;

    page(f, "abc", BASE "/2");
    page(f, "cd", NULL);                    /* e was hidden */
    page(f, "abc", BASE "/2");
    CHECK(page(f, "cd", NULL) == PAGES_MORE, "five records, but only four different ones");
    page(f, "abc", BASE "/2");
    CHECK(page(f, "de", NULL) == PAGES_MORE, "the hidden one appears: it is new");
    page(f, "abc", BASE "/2");
    CHECK(page(f, "de", NULL) == PAGES_COMPLETE, "now all five have been seen");
}

/* Records that are equal to the last byte cannot be told apart; a few quiet passes are enough then. */
static void test_records_that_are_equal(void **state)
{
    struct fixture *f = *state;
    int passes = 0;
    enum pages_next next;

    do {
        page(f, "aab", BASE "/2");
        next = page(f, "bc", NULL);
    } while (next == PAGES_MORE && ++passes < 50);
    CHECK(next == PAGES_COMPLETE && passes == 5, "%d passes", passes);
}

static void test_a_set_that_never_rests(void **state)
{
    struct fixture *f = *state;
    enum pages_next next;
    int passes = 0;

    do {
        char fresh[2] = { (char)('A' + passes), 0 };

        page(f, "abc", BASE "/2");
        next = page(f, fresh, NULL);
    } while (next == PAGES_MORE && ++passes < 50);
    CHECK(next == PAGES_FAILED && passes == 24, "%d passes", passes);
    CHECK(f->err.kind == ERR_RETRY && strstr(f->err.text, "change faster"), "%s", f->err.text);
}

static void test_as_many_as_asked_for(void **state)
{
    struct fixture *f = *state;

    f->top = 3;
    CHECK(page(f, "abc", NULL) == PAGES_LARGER, "it is taken for all");
    pages_restart(&f->pages);
    f->top = 6;
    CHECK(page(f, "abcd", NULL) == PAGES_COMPLETE, "a larger page that is not full is all");
}

static void test_skipping(void **state)
{
    struct fixture *f = *state;

    f->top = 3;
    f->has_skip = true;
    CHECK(page(f, "abc", NULL) == PAGES_MORE && f->pages.skip == 3, "skip %zu", f->pages.skip);
    CHECK(page(f, "def", NULL) == PAGES_MORE && f->pages.skip == 6, "skip %zu", f->pages.skip);
    CHECK(page(f, "g", NULL) == PAGES_MORE && f->pages.skip == 0, "a second pass from the beginning: %zu",
          f->pages.skip);
    page(f, "abc", NULL);
    page(f, "def", NULL);
    CHECK(page(f, "g", NULL) == PAGES_COMPLETE, "it agrees");
}

static void test_links_that_are_not_followed(void **state)
{
    static const struct { const char *name, *first, *second, *why; } rows[] = {
        { "another host", "https://evil.example/2", NULL, "another host ('evil.example')" },
        { "the same host without TLS", "http://api.example/2", NULL, "another host" },
        { "another port", "https://api.example:444/2", NULL, "another host" },
        { "a user that looks like the host", "https://api.example@evil.example/2", NULL, "'evil.example'" },
        { "the same link again", BASE "/2", BASE "/2", "again and again" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum pages_next next = page(f, "abc", rows[i].first);

        if (rows[i].second) {
            CHECK(next == PAGES_MORE, "%s: the first one is good", rows[i].name);
            next = page(f, "def", rows[i].second);
        }
        CHECK(next == PAGES_FAILED && strstr(f->err.text, rows[i].why), "%s: %s", rows[i].name, f->err.text);
        pages_forget(&f->pages);
    }
}

/* Pages under new links that lead nowhere. Empty ones may go on for longer. */
static void test_chains_that_lead_nowhere(void **state)
{
    static const struct { const char *name, *records; int most; } rows[] = {
        { "the same page", "abc", 3 }, { "empty pages", "", 101 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int pages = 0;
        char link[64];

        do
            snprintf(link, sizeof(link), BASE "/%d", pages);
        while (page(f, rows[i].records, link) == PAGES_MORE && ++pages < 1000);
        CHECK(pages == rows[i].most - 1 && strstr(f->err.text, "the same page"), "%s: %d pages, %s", rows[i].name,
              pages, f->err.text);
        pages_forget(&f->pages);
    }
}

/* A service that ignores the filter gives the same page for each smaller window, so its pages are read. */
static void test_an_ignored_filter(void **state)
{
    static const struct { size_t outside, count; bool unfiltered; } rows[] = {
        { 20, 20, true }, { 11, 20, true }, { 10, 20, false }, { 11, 22, false }, { 10, 12, false }, { 0, 20, false },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct page_taken taken = { .url = BASE, .link = BASE "/2", .base_url = BASE, .top = 10, .outside = rows[i].outside,
                                    .stats = { rows[i].count, 1, 2 } };
        enum pages_next next;

        pages_begin(&f->pages);
        next = pages_take(&f->pages, &taken, &f->err);
        CHECK(next == (rows[i].unfiltered ? PAGES_UNFILTERED : PAGES_OVERFULL), "row %zu: %d", i, next);
        pages_forget(&f->pages);
    }
}

/* The window was widened: its pages are read from the first one on. */
static void test_a_restart(void **state)
{
    struct fixture *f = *state;

    page(f, "abc", BASE "/2");
    pages_restart(&f->pages);
    CHECK(f->pages.chained && !f->pages.link && !f->pages.count, "the window stays, its first page is next");
    CHECK(page(f, "abcdef", BASE "/2") == PAGES_MORE && page(f, "g", NULL) == PAGES_MORE, "a pass");
    page(f, "abcdef", BASE "/2");
    CHECK(page(f, "g", NULL) == PAGES_COMPLETE, "and another one that agrees");
}

static int open_fixture(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .top = 3 };
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    pages_forget(&((struct fixture *)*state)->pages);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

static const struct CMUnitTest cases[] = {
    CASE(test_one_response),
    CASE(test_short_pages),
    CASE(test_a_record_moves_up),
    CASE(test_a_bounded_set_that_never_rests),
    CASE(test_relative_links),
    CASE(test_two_passes_must_agree),
    CASE(test_passes_that_do_not_agree),
    CASE(test_a_service_that_shuffles),
    CASE(test_records_that_are_equal),
    CASE(test_a_set_that_never_rests),
    CASE(test_as_many_as_asked_for),
    CASE(test_skipping),
    CASE(test_links_that_are_not_followed),
    CASE(test_chains_that_lead_nowhere),
    CASE(test_an_ignored_filter),
    CASE(test_a_restart),
};

UNIT(pages, cases, NULL, NULL)
