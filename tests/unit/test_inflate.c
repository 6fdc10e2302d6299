#include "net/inflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/buf.h"
#include "check.h"

#define CONTENT (300 * 1000)
#define BOMB    (200u * 1024 * 1024)
#define ALERT   1500

static const size_t steps[] = { 1, 7, 1000, SIZE_MAX };

static char sample[CONTENT];     /* half of it random, so that several slices and blocks are needed */

struct sink {
    struct buf kept;
    size_t     calls, largest;
    uint64_t   total;
    size_t     stop_at;     /* the call that says no; 0: none */
};

static bool take(void *ctx, const char *bytes, size_t len)
{
    struct sink *sink = ctx;

    sink->calls++;
    sink->total += len;
    if (len > sink->largest)
        sink->largest = len;
    if (sink->kept.limit)
        buf_add(&sink->kept, bytes, len);
    return sink->calls != sink->stop_at;
}

static void reset(struct sink *sink)
{
    buf_free(&sink->kept);
    *sink = (struct sink){ .kept = BUF_INIT(4 * CONTENT) };
}

/* Appends the bytes as one gzip member. */
static void pack_headed(struct buf *to, const char *bytes, size_t len, gz_header *head)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len };
    size_t room = len + 1024;

    deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    deflateSetHeader(&z, head);
    z.next_out = (Bytef *)buf_room(to, room);
    z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH);
    to->len += room - z.avail_out;
    deflateEnd(&z);
}

static void pack(struct buf *to, const char *bytes, size_t len)
{
    pack_headed(to, bytes, len, NULL);
}

static enum inflate_result run(struct inflater *inf, const struct buf *in, size_t len, size_t step, struct sink *sink)
{
    enum inflate_result result = INFLATE_OK;
    size_t at, n;

    for (at = 0; at < len && result == INFLATE_OK; at += n) {
        n = step < len - at ? step : len - at;
        result = inflater_run(inf, in->data + at, n, take, sink);
    }
    return result;
}

static bool is_content(const struct sink *sink, const char *content, size_t times)
{
    size_t i;

    if (sink->kept.len != times * CONTENT)
        return false;
    for (i = 0; i < times; i++)
        if (memcmp(sink->kept.data + i * CONTENT, content, CONTENT) != 0)
            return false;
    return true;
}

static void test_whole(void **state UNUSED)
{
    const char *content = sample;
    struct buf packed = BUF_INIT(4 * CONTENT);
    struct inflater *inf = inflater_new();
    struct sink sink = { .calls = 0 };

    pack(&packed, content, CONTENT);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        inflater_reset(inf);
        reset(&sink);
        CHECK(!inflater_done(inf), "nothing came yet");
        CHECK(run(inf, &packed, packed.len, steps[i], &sink) == INFLATE_OK, "step %zu", steps[i]);
        CHECK(inflater_done(inf) && is_content(&sink, content, 1), "step %zu: %zu bytes", steps[i], sink.kept.len);
        CHECK(sink.largest <= INFLATE_SLICE, "a slice of %zu", sink.largest);
    }
    pack(&packed, content, CONTENT);    /* two members, the second right behind the first */
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        inflater_reset(inf);
        reset(&sink);
        CHECK(run(inf, &packed, packed.len, steps[i], &sink) == INFLATE_OK, "two, step %zu", steps[i]);
        CHECK(inflater_done(inf) && is_content(&sink, content, 2), "two, step %zu: %zu", steps[i], sink.kept.len);
    }
    inflater_free(inf);
    buf_free(&sink.kept);
    buf_free(&packed);
}

static void test_broken(void **state UNUSED)
{
    const char *content = sample;
    struct buf packed = BUF_INIT(4 * CONTENT);
    struct inflater *inf = inflater_new();
    struct sink sink = { .calls = 0 };
    size_t cut;

    pack(&packed, content, CONTENT);
    for (cut = 1; cut < packed.len; cut += cut < 40 ? 1 : 977) {
        inflater_reset(inf);
        reset(&sink);
        CHECK(run(inf, &packed, cut, SIZE_MAX, &sink) == INFLATE_OK && !inflater_done(inf), "cut at %zu", cut);
    }
    inflater_reset(inf);
    packed.data[packed.len - 6] ^= 1;   /* the CRC */
    CHECK(run(inf, &packed, packed.len, SIZE_MAX, &sink) == INFLATE_BROKEN && !inflater_done(inf), "a wrong CRC");
    inflater_reset(inf);
    packed.data[packed.len - 6] ^= 1;
    packed.data[packed.len - 2] ^= 1;   /* the length */
    CHECK(run(inf, &packed, packed.len, SIZE_MAX, &sink) == INFLATE_BROKEN, "a wrong length");
    inflater_reset(inf);
    packed.data[packed.len - 2] ^= 1;
    buf_add_text(&packed, "and then something that is no member");
    CHECK(run(inf, &packed, packed.len, SIZE_MAX, &sink) == INFLATE_BROKEN, "junk after it");
    inflater_reset(inf);
    CHECK(inflater_run(inf, "<html>no gzip</html>", 20, take, &sink) == INFLATE_BROKEN, "no gzip at all");
    inflater_free(inf);
    buf_free(&sink.kept);
    buf_free(&packed);
}

static void test_stops(void **state UNUSED)
{
    const char *content = sample;
    struct buf packed = BUF_INIT(4 * CONTENT);
    struct inflater *inf = inflater_new();
    struct sink sink = { .calls = 0 };

    pack(&packed, content, CONTENT);
    reset(&sink);
    sink.stop_at = 2;
    CHECK(run(inf, &packed, packed.len, SIZE_MAX, &sink) == INFLATE_STOPPED && sink.calls == 2, "%zu calls",
          sink.calls);
    inflater_reset(inf);
    reset(&sink);
    CHECK(run(inf, &packed, packed.len, SIZE_MAX, &sink) == INFLATE_OK && is_content(&sink, content, 1),
          "as new after a reset");
    inflater_free(inf);
    buf_free(&sink.kept);
    buf_free(&packed);
}

/* A small body that becomes a huge one comes out in slices like any other. */
static void test_bomb(void **state UNUSED)
{
    struct buf packed = BUF_INIT(2 * BOMB);
    struct inflater *inf = inflater_new();
    struct sink sink = { .calls = 0 };
    char *zeros = calloc(1, BOMB);

    pack(&packed, zeros, BOMB);
    free(zeros);
    CHECK(run(inf, &packed, packed.len, 16384, &sink) == INFLATE_OK && inflater_done(inf), "a bomb");
    CHECK(sink.total == BOMB && sink.largest <= INFLATE_SLICE, "%llu bytes", (unsigned long long)sink.total);
    inflater_free(inf);
    inflater_free(NULL);
    buf_free(&packed);
}

/* The result must not depend on the size of the pieces that the stream arrives in. */

#define WHOLE INFLATE_OK
#define CUT   INFLATE_STOPPED       /* more must follow */

/* Decodes the stream in all steps. The bytes before a cut or an error are the start of the content, those of a whole
 * stream all of it. content may be NULL. */
static enum inflate_result agreed(const struct buf *in, size_t len, const struct buf *content, const char *what)
{
    struct inflater *inf = inflater_new();
    struct sink sink = { .calls = 0 };
    enum inflate_result first = INFLATE_OK, result;
    bool first_done = false, done;

    for (size_t i = COUNT_OF(steps); i-- > 0; ) {
        const struct buf *made = &sink.kept;

        inflater_reset(inf);
        reset(&sink);
        result = run(inf, in, len, steps[i], &sink);
        done = inflater_done(inf);
        if (steps[i] == SIZE_MAX) {
            first = result;
            first_done = done;
        }
        CHECK(result == first && done == first_done, "%s, %zu bytes in steps of %zu: %d %d, not %d %d", what, len,
              steps[i], result, done, first, first_done);
        CHECK(!content || (made->len <= content->len && (!made->len || !memcmp(made->data, content->data, made->len))),
              "%s, %zu bytes in steps of %zu: other content", what, len, steps[i]);
        CHECK(!content || result != INFLATE_OK || !done || made->len == content->len, "%s: not all of it", what);
    }
    inflater_free(inf);
    buf_free(&sink.kept);
    return first == INFLATE_OK && !first_done ? CUT : first;
}

/* Cuts a small stream at every byte, and puts a second member after it. */
static void test_small_ends(void **state UNUSED)
{
    const char *alert = sample;
    struct buf packed = BUF_INIT(4 * CONTENT), content = BUF_INIT(4 * CONTENT);
    size_t one, cut;

    CHECK(agreed(&packed, 0, &content, "empty") == CUT, "nothing is not a stream");
    buf_add(&content, alert, ALERT);
    pack(&packed, alert, ALERT);
    one = packed.len;
    for (cut = 1; cut < one; cut++)
        CHECK(agreed(&packed, cut, &content, "cut") == CUT, "cut at %zu", cut);
    CHECK(agreed(&packed, one, &content, "one") == WHOLE, "one");
    pack(&packed, "", 0);
    CHECK(agreed(&packed, packed.len, &content, "an empty member") == WHOLE, "an empty member after it");
    buf_add(&content, alert, ALERT / 2);
    pack(&packed, alert, ALERT / 2);
    for (cut = one + 1; cut < packed.len; cut += 3)
        CHECK(agreed(&packed, cut, &content, "two cut") == (cut == one + 20 ? WHOLE : CUT), "two, cut at %zu", cut);
    CHECK(agreed(&packed, packed.len, &content, "two") == WHOLE, "two members");
    buf_free(&packed);
    buf_free(&content);
}

/* Zeros after a member are padding, and after padding only zeros may follow. Everything else is no stream, of every
 * length that could be taken for a header. */
static void test_padding(void **state UNUSED)
{
    const char *alert = sample;
    static const char *const junk[] = { "<html></html>", "\x1f\x8b\x08" "broken???", "\0\0\0\0x\0\0\0\0\0\0\0" };
    struct buf packed = BUF_INIT(4 * CONTENT), content = BUF_INIT(4 * CONTENT);
    size_t one, cut, i;

    buf_add(&content, alert, ALERT);
    pack(&packed, alert, ALERT);
    one = packed.len;
    for (i = 0; i < COUNT_OF(junk); i++) {
        buf_add(&packed, junk[i], 12);
        for (cut = one + (i == 2 ? 5 : 1); cut <= packed.len; cut++)
            CHECK(agreed(&packed, cut, NULL, "junk") != WHOLE, "junk %zu up to %zu", i, cut);
        packed.len = one;
    }
    for (i = 0; i < 600; i++) {
        buf_add(&packed, "", 1);
        if (i < 10 || i % 100 == 0)
            CHECK(agreed(&packed, packed.len, &content, "padding") == WHOLE, "%zu zeros", i + 1);
    }
    pack(&packed, alert, ALERT);
    CHECK(agreed(&packed, packed.len, &content, "a member after padding") == INFLATE_BROKEN, "a member after padding");
    buf_clear(&packed);
    for (i = 0; i < 20; i++)
        buf_add(&packed, "", 1);
    CHECK(agreed(&packed, packed.len, NULL, "only zeros") == INFLATE_BROKEN, "padding without a member");
    buf_free(&packed);
    buf_free(&content);
}

/* Flips each bit. */
static void test_small_broken(void **state UNUSED)
{
    const char *alert = sample;
    struct buf packed = BUF_INIT(4 * CONTENT);
    size_t bit, broken = 0;

    pack(&packed, alert, ALERT / 3);
    for (bit = 0; bit < 8 * packed.len; bit++) {
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
        broken += agreed(&packed, packed.len, NULL, "a bit") == INFLATE_BROKEN;
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    CHECK(broken > 7 * packed.len, "%zu of %zu bytes", broken / 8, packed.len);
    for (bit = 8 * (packed.len - 8); bit < 8 * packed.len; bit++) {
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
        CHECK(agreed(&packed, packed.len, NULL, "the trailer") == INFLATE_BROKEN, "bit %zu of the trailer", bit);
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    buf_free(&packed);
}

/* A header with all optional fields, cut everywhere. */
static void test_header(void **state UNUSED)
{
    const char *alert = sample;
    gz_header head = { .name = (Bytef *)(uintptr_t)"alerts.json", .comment = (Bytef *)(uintptr_t)"none", .hcrc = 1,
                       .extra = (Bytef *)(uintptr_t)"extra", .extra_len = 5 };
    struct buf packed = BUF_INIT(4 * CONTENT), content = BUF_INIT(4 * CONTENT);

    buf_add(&content, alert, 100);
    pack_headed(&packed, alert, 100, &head);
    for (size_t cut = 1; cut < packed.len; cut++)
        CHECK(agreed(&packed, cut, &content, "a long header") == CUT, "a long header, cut at %zu", cut);
    CHECK(agreed(&packed, packed.len, &content, "a long header") == WHOLE, "a long header");
    packed.data[5] ^= 1;
    CHECK(agreed(&packed, packed.len, NULL, "a bad header") == INFLATE_BROKEN, "the header's checksum");
    buf_free(&packed);
    buf_free(&content);
}

static int set_up(void **state UNUSED)
{
    uint32_t value = 1;

    for (size_t i = 0; i < CONTENT; i++) {
        value = value * 1664525 + 1013904223;
        sample[i] = i & 1 ? 'x' : (char)(value >> 24);
    }
    return 0;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_whole),
    cmocka_unit_test(test_broken),
    cmocka_unit_test(test_stops),
    cmocka_unit_test(test_bomb),
    cmocka_unit_test(test_small_ends),
    cmocka_unit_test(test_padding),
    cmocka_unit_test(test_small_broken),
    cmocka_unit_test(test_header),
};

UNIT(inflate, cases, set_up, NULL)
