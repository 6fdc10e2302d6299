/* What size and depth bring: records larger than a slice by far, the limits, and random documents cut at random. */
#include <time.h>

#include "base/digest.h"
#include "base/text.h"
#include "check.h"
#include "transcript.h"

#define MIB (1024u * 1024)

static const struct page_shape shape = { "value", "id", "time" };
static const struct page_shape bare_shape = { NULL, "id", "time" };

static void add_times(struct buf *ret, const char *text, size_t times)
{
    while (times--)
        buf_add_text(ret, text);
}

static struct transcript read_steps(const struct buf *json, size_t step)
{
    return transcript_of(&shape, buf_text(json), json->len, 0, 0, step, NULL);
}

/* {"value":[{"id":"big","a":"xxxx..."},{"id":"small"}]} */
static void add_big(struct buf *json, const char *piece, size_t size)
{
    buf_add_text(json, "{\"value\":[{\"id\":\"big\",\"a\":\"");
    add_times(json, piece, size / strlen(piece));
    buf_add_text(json, "\"},{\"id\":\"small\"}]}");
}

static void test_sizes(void **state UNUSED)
{
    static const struct { const char *piece; size_t size; bool good; } rows[] = {
        { "0123456789abcdef", 15 * MIB, true },
        { "0123456789abcdef", 17 * MIB, false },
        { "0123456789abcdef", 65 * MIB, false },
        { "&", 4 * MIB, false },               /* five times as long behind the escape */
        { "\\n\xC3\xA9\xF0\x9F\x98\x80", 4 * MIB, true },
    };
    static const size_t steps[] = { 16384, (size_t)1 << 30 };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf json = BUF_INIT((size_t)1 << 30);

        add_big(&json, rows[i].piece, rows[i].size);
        for (size_t k = 0; k < COUNT_OF(steps); k++) {
            clock_t began = clock();
            struct transcript t = read_steps(&json, steps[k]);

            CHECK(!t.fault && t.records == (rows[i].good ? 2u : 1u) && t.bads == (rows[i].good ? 0u : 1u),
                  "row %zu, slices of %zu: %zu records, %zu bad, %s", i, steps[k], t.records, t.bads, t.fault);
            CHECK(strstr(buf_text(&t.text), "record small - {\"id\":\"small\"}\nend 2 -\n"), "row %zu: what follows",
                  i);
            CHECK(rows[i].good || strstr(buf_text(&t.text), "bad 0 10 the record is larger than 16 MiB\n"), "row %zu",
                  i);
            /* Work grows with the record, not with its square: otherwise this takes minutes. */
            CHECK(clock() - began < 10 * CLOCKS_PER_SEC, "row %zu, slices of %zu: %ld ms of CPU", i, steps[k],
                  (long)((clock() - began) * 1000 / CLOCKS_PER_SEC));
            transcript_free(&t);
        }
        buf_free(&json);
    }
}

static void test_depth(void **state UNUSED)
{
    static const struct { size_t depth; const char *want; } rows[] = {
        { 510, "end 1 -\n" }, { 511, "bad 0 10 nested deeper than 512 levels\nend 1 -\n" },
        { 100000, "bad 0 10 nested deeper than 512 levels\nend 1 -\n" }
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf json = BUF_INIT(MIB);
        struct transcript t;

        buf_add_text(&json, "{\"value\":[");
        add_times(&json, "[", rows[i].depth);
        add_times(&json, "]", rows[i].depth);
        buf_add_text(&json, "]}");
        t = read_steps(&json, 1000);
        CHECK(strstr(buf_text(&t.text), rows[i].want), "depth %zu gives %.200s", rows[i].depth, buf_text(&t.text));
        transcript_free(&t);
        buf_free(&json);
    }
}

/* Texts of the envelope are looked at up to a limit; longer ones pass unless one is the next link. */
static void test_envelope(void **state UNUSED)
{
    static const struct { const char *before, *piece; size_t times; const char *behind, *want; } rows[] = {
        { "{\"x\":\"", "0123456789", 100000, "\",\"value\":[1]}", "end 1 -\n" },
        { "{\"", "0123456789", 100000, "\":2,\"value\":[1]}", "end 1 -\n" },
        { "{\"x\":\"", "\\u00e9", 100000, "\",\"value\":[1]}", "end 1 -\n" },
        { "{\"value\":[1],\"@odata.nextLink\":\"", "0123456789", 6000, "\"}", "end 1 0123456789" },
        { "{\"value\":[1],\"@odata.nextLink\":\"", "0123456789", 7000, "\"}", "a next link that cannot be read" },
        { "{\"value\":[1],\"@odata.nextLink\":\"", "\xC3\xA9", 50000, "\"}", "a next link that cannot be read" },
        { "{\"", "x", 70000, "value\":[1]}", "has no array" },        /* its tail is no name */
        { "{\"", "x", 65536, "value\":[1]}", "has no array" },
        { "{\"", "x", 65500, "value\":[1]}", "has no array" },
    };
    static const size_t steps[] = { 1, 7, 4096, 16384, MIB };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf json = BUF_INIT(2 * MIB);

        buf_add_text(&json, rows[i].before);
        add_times(&json, rows[i].piece, rows[i].times);
        buf_add_text(&json, rows[i].behind);
        for (size_t k = 0; k < COUNT_OF(steps); k++) {
            struct transcript t = read_steps(&json, steps[k]);

            CHECK(strstr(buf_text(&t.text), rows[i].want), "row %zu, slices of %zu: %.200s", i, steps[k],
                  buf_text(&t.text));
            transcript_free(&t);
        }
        buf_free(&json);
    }
}

/* An output that is full loses records, each with a word, and never hands out a torn one. */
static void test_small_output(void **state UNUSED)
{
    static const char json[] = "{\"value\":[[1,2,3],{\"a<\":\"\xC3\xA9&&&&&\"},\"0123456789\",[[[[]]]]]}";
    size_t limit, step;

    for (limit = 0; limit < 120; limit++) {
        for (step = 1; step < sizeof(json); step += 4) {
            struct transcript t = { .text = BUF_INIT(4096), .bad = BUF_INIT(MIB), .out = BUF_INIT(limit) };
            struct page_handler handler = { transcript_record, transcript_bad, &t, TRANSCRIPT_HEADROOM, NULL };
            struct page *page = page_new(&shape, &handler);
            size_t at;

            for (at = 0; at < strlen(json); at += step)
                transcript_feed(&t, page, json + at, at + step < strlen(json) ? step : strlen(json) - at);
            transcript_end(&t, page);
            CHECK(!t.fault && (t.records == 4 || strstr(buf_text(&t.text), "the record does not fit into the output")),
                  "limit %zu: %s (%s)", limit, buf_text(&t.text), t.fault ? t.fault : "no fault");
            CHECK(!strstr(buf_text(&t.text), " [1,2,3\n") && !strstr(buf_text(&t.text), " [1,2,3]]\n"), "torn");
            transcript_free(&t);
            page_free(page);
        }
    }
}

/* A page with the beginning of a record of that many bytes, in slices. */
static bool feed_open(struct page *page, struct buf *out, size_t size)
{
    static const char start[] = "{\"value\":[{\"id\":\"", piece[] = "0123456789abcdef";
    bool ok = page_feed(page, start, sizeof(start) - 1, out);
    char slice[65536];
    size_t at;

    for (at = 0; at < sizeof(slice); at += 16)
        memcpy(slice + at, piece, 16);
    for (at = 0; ok && at < size; at += sizeof(slice))
        ok = page_feed(page, slice, sizeof(slice), out);
    return ok;
}

/* promise: Trouble: All unfinished records together take at most 32 MiB */
static void test_budget(void **state UNUSED)
{
    struct budget budget = { .limit = 32 * MIB };
    struct transcript t = { .text = BUF_INIT(4096), .bad = BUF_INIT(MIB), .out = BUF_INIT(MIB) };
    struct page_handler handler = { transcript_record, transcript_bad, &t, TRANSCRIPT_HEADROOM, &budget };
    struct page *pages[8], *small = page_new(&shape, &handler);
    struct buf out = BUF_INIT(64 * MIB);
    size_t i, waiting = 0;
    struct err err;

    CHECK(page_feed(small, "{\"value\":[{\"id\":\"sm", 19, &out), "the small one");
    for (i = 0; i < COUNT_OF(pages); i++) {
        pages[i] = page_new(&shape, &handler);
        feed_open(pages[i], &out, 10 * MIB);
        CHECK(budget.used <= budget.limit, "%zu used", budget.used);
    }
    for (i = 0; i < COUNT_OF(pages); i++) {
        waiting += page_gave_up(pages[i]);
        CHECK(!page_gave_up(pages[i]) || (!page_feed(pages[i], "x", 1, &out) && !page_end(pages[i], &err) &&
              err.kind == ERR_RETRY && strstr(err.text, "waits")), "page %zu: %s", i, err.text);
    }
    CHECK(waiting >= 5 && waiting < COUNT_OF(pages), "%zu wait", waiting);
    CHECK(!page_gave_up(small) && page_feed(small, "all\"}]}", 7, &t.out) && page_end(small, &err), "%s", err.text);
    CHECK(strstr(buf_text(&t.text), "record small - {\"id\":\"small\"}\n"), "%s", buf_text(&t.text));
    page_free(small);
    for (i = 0; i < COUNT_OF(pages); i++)
        page_free(pages[i]);
    CHECK(!budget.used && !budget.first, "%zu left", budget.used);
    transcript_free(&t);
    buf_free(&out);
}

/* A record that is too long gives its memory back at once, and costs no other. */
static void test_too_long(void **state UNUSED)
{
    struct budget budget = { .limit = 32 * MIB };
    struct transcript t = { .text = BUF_INIT(4096), .bad = BUF_INIT(MIB), .out = BUF_INIT(MIB) };
    struct page_handler handler = { transcript_record, transcript_bad, &t, TRANSCRIPT_HEADROOM, &budget };
    struct page *page = page_new(&shape, &handler);
    struct err err;

    CHECK(feed_open(page, &t.out, 100 * MIB) && !page_gave_up(page), "it is skipped");
    CHECK(budget.used < MIB, "%zu used", budget.used);
    CHECK(page_feed(page, "\"},{\"id\":\"next\"}]}", 18, &t.out) && page_end(page, &err), "%s", err.text);
    CHECK(strstr(buf_text(&t.text), "bad 0 10 the record is larger than 16 MiB\n"), "%s", buf_text(&t.text));
    CHECK(strstr(buf_text(&t.text), "record next - {\"id\":\"next\"}\n"), "%s", buf_text(&t.text));
    CHECK(strstr(buf_text(&t.bad), " cut {\"id\":\"") && t.bad.len > PAGE_BAD_KEPT && t.bad.len < PAGE_BAD_KEPT + 80,
          "%zu bytes are kept", t.bad.len);
    page_free(page);
    transcript_free(&t);
}

/* What is kept of a record that is too long does not depend on the slices, nor on where it breaks; and it ends with a
 * whole character. */
static void test_kept_of_long_ones(void **state UNUSED)
{
    static const struct { const char *before, *piece, *after; } rows[] = {
        { "{\"id\":\"big\",\"a\":\"", "0123456789abcdef", "\"}" },
        { "{\"id\":\"big\",\"a\":\"", "x&", "\"}" },
        { "{\"id\":\"big\",\"b\":-,\"a\":\"", "yy\xF0\x9F\x98\x80<", "\"} " },
        { "{\"id\":\"big\",\"a\":\"\\q", "\xC3\xA9z", "\"}" },
    };
    static const size_t steps[] = { 65536, 100003, (size_t)1 << 30 };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct transcript t[COUNT_OF(steps)];
        struct buf json = BUF_INIT((size_t)1 << 30);

        buf_add_text(&json, "[");
        buf_add_text(&json, rows[i].before);
        add_times(&json, rows[i].piece, 18 * MIB / strlen(rows[i].piece));
        buf_add_format(&json, "%s,{}]", rows[i].after);
        for (size_t k = 0; k < COUNT_OF(steps); k++) {
            t[k] = transcript_of(&bare_shape, buf_text(&json), json.len, 0, 0, steps[k], NULL);
            CHECK(t[k].bads == 1 && t[k].records == 1 && strstr(buf_text(&t[k].text), "larger than 16 MiB\n"), "row %zu", i);
            CHECK(t[k].bad.len == t[0].bad.len && !memcmp(t[k].bad.data, t[0].bad.data, t[0].bad.len),
                  "row %zu: slices of %zu", i, steps[k]);
            CHECK(text_starts(buf_text(&t[k].bad), "big - ") && t[k].bad.len > PAGE_BAD_KEPT - 5 &&
                  !strstr(buf_text(&t[k].bad) + t[k].bad.len - 6, "&a"), "row %zu: %zu bytes", i, t[k].bad.len);
        }
        for (size_t k = 0; k < COUNT_OF(steps); k++)
            transcript_free(&t[k]);
        buf_free(&json);
    }
}

/* Random documents, whose compact form the generator knows. */

struct generator {
    struct buf json, want;      /* with white space, and as it should come out */
};

static void add_both(struct generator *g, const char *raw, const char *xml)
{
    static const char *const blanks[] = { "", "", " ", "\n", "\t \r\n" };

    buf_add_text(&g->json, blanks[random_below(COUNT_OF(blanks))]);
    buf_add_text(&g->json, raw);
    buf_add_text(&g->want, xml);
}

static void add_string(struct generator *g)
{
    static const struct { const char *raw, *xml; } pieces[] = {
        { "a", "a" }, { " ", " " }, { "<", "&lt;" }, { "&", "&amp;" }, { ">", "&gt;" }, { "\\\"", "\\\"" },
        { "\\\\", "\\\\" },
        { "\\u12aF", "\\u12aF" }, { "{[,:]}", "{[,:]}" }, { "\xC3\xA9", "\xC3\xA9" },
        { "\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80" },
        { "\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD" }, { "\xFF", "\xEF\xBF\xBD" },
        { "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef" },
    };
    uint32_t left = random_below(12);

    add_both(g, "\"", "\"");
    for (; left; left--) {
        uint32_t i = random_below(COUNT_OF(pieces));

        buf_add_text(&g->json, pieces[i].raw);
        buf_add_text(&g->want, pieces[i].xml);
    }
    buf_add_text(&g->json, "\"");
    buf_add_text(&g->want, "\"");
}

static void add_value(struct generator *g, int depth)
{
    static const char *const scalars[] = { "0", "-0.5e-3", "12345678901234567890", "true", "false", "null", "1E+2" };
    uint32_t kind = random_below(depth > 4 ? 2 : 4), left = random_below(5), i;

    if (kind == 0) {
        const char *scalar = scalars[random_below(COUNT_OF(scalars))];

        add_both(g, scalar, scalar);
        return;
    }
    if (kind == 1) {
        add_string(g);
        return;
    }
    add_both(g, kind == 2 ? "[" : "{", kind == 2 ? "[" : "{");
    for (i = 0; i < left; i++) {
        if (i)
            add_both(g, ",", ",");
        if (kind == 3) {
            add_string(g);
            add_both(g, ":", ":");
        }
        add_value(g, depth + 1);
    }
    add_both(g, kind == 2 ? "]" : "}", kind == 2 ? "]" : "}");
}

static char *expected;      /* what the next record should be: rows of want, each ended by a line */

static void look(const char *data, size_t len)
{
    CHECK(!strncmp(expected, data, len) && expected[len] == '\n', "'%.*s' came, due was '%.300s'", (int)len, data,
          expected);
    expected = strchr(expected, '\n') + 1;
}

static void test_random(void **state UNUSED)
{
    int round, i;

    for (round = 0; round < 3000; round++) {
        struct generator g = { BUF_INIT(MIB), BUF_INIT(MIB) };
        uint32_t records = random_below(6);
        struct transcript t;

        buf_add_text(&g.json, "{\"value\":[");
        for (i = 0; i < (int)records; i++) {
            if (i)
                buf_add_text(&g.json, ",");
            add_value(&g, 0);
            buf_add_text(&g.want, "\n");
        }
        buf_add_text(&g.json, "]}");
        expected = g.want.data;
        t = transcript_of(&shape, g.json.data, g.json.len, random_below((uint32_t)g.json.len),
                          random_below((uint32_t)g.json.len),
                          random_below(3) ? random_below(40) : 0, look);
        CHECK(!t.fault && t.records == records && !t.bads && strstr(buf_text(&t.text), "end "), "'%s' gives '%s'",
              buf_text(&g.json), buf_text(&t.text));
        transcript_free(&t);
        buf_free(&g.json);
        buf_free(&g.want);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_sizes),
    cmocka_unit_test(test_depth),
    cmocka_unit_test(test_envelope),
    cmocka_unit_test(test_small_output),
    cmocka_unit_test(test_budget),
    cmocka_unit_test(test_too_long),
    cmocka_unit_test(test_kept_of_long_ones),
    cmocka_unit_test(test_random),
};

UNIT(page_large, cases, NULL, NULL)
