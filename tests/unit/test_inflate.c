#include "net/inflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/buf.h"
#include "check.h"

#define CONTENT (300 * 1000)
#define SLICE   65536
#define BOMB    (200u * 1024 * 1024)
#define ALERT   1500

/* ISA-L alone, both as the program uses them, zlib alone. */
static const size_t decoders[] = { 0, INFLATE_SMALL, 1 << 30 };
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

/* The same in one stored block: its size is known beforehand. */
static void store(struct buf *to, const char *bytes, size_t len)
{
    uint32_t trailer[2] = { (uint32_t)crc32(0, (const Bytef *)bytes, (uInt)len), (uint32_t)len };
    uint16_t sizes[2] = { (uint16_t)len, (uint16_t)~len };

    buf_add(to, "\x1f\x8b\x08\0\0\0\0\0\0\x03\x01", 11);
    buf_add(to, sizes, sizeof(sizes));
    buf_add(to, bytes, len);
    buf_add(to, trailer, sizeof(trailer));
}

#define STORED 23       /* what store() adds */

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

static void check_whole(const char *content, size_t small)
{
    struct buf packed = BUF_INIT(4 * CONTENT);
    struct inflater *inf = inflater_new(small);
    struct sink sink = { .calls = 0 };

    pack(&packed, content, CONTENT);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        inflater_reset(inf);
        reset(&sink);
        CHECK(!inflater_done(inf), "nothing came yet");
        CHECK(run(inf, &packed, packed.len, steps[i], &sink) == INFLATE_OK, "step %zu", steps[i]);
        CHECK(inflater_done(inf) && is_content(&sink, content, 1), "step %zu: %zu bytes", steps[i], sink.kept.len);
        CHECK(sink.largest <= SLICE, "a slice of %zu", sink.largest);
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

static void check_broken(const char *content, size_t small)
{
    struct buf packed = BUF_INIT(4 * CONTENT);
    struct inflater *inf = inflater_new(small);
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
    CHECK(run(inf, &packed, packed.len, SIZE_MAX, &sink) == INFLATE_BROKEN, "junk behind it");
    inflater_reset(inf);
    CHECK(inflater_run(inf, "<html>no gzip</html>", 20, take, &sink) == INFLATE_BROKEN, "no gzip at all");
    inflater_free(inf);
    buf_free(&sink.kept);
    buf_free(&packed);
}

static void check_stops(const char *content, size_t small)
{
    struct buf packed = BUF_INIT(4 * CONTENT);
    struct inflater *inf = inflater_new(small);
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

static void test_whole_with_isal(void **state UNUSED)
{
    check_whole(sample, decoders[0]);
}

static void test_whole_with_both(void **state UNUSED)
{
    check_whole(sample, decoders[1]);
}

static void test_whole_with_zlib(void **state UNUSED)
{
    check_whole(sample, decoders[2]);
}

static void test_broken_with_isal(void **state UNUSED)
{
    check_broken(sample, decoders[0]);
}

static void test_broken_with_both(void **state UNUSED)
{
    check_broken(sample, decoders[1]);
}

static void test_broken_with_zlib(void **state UNUSED)
{
    check_broken(sample, decoders[2]);
}

static void test_stops_with_isal(void **state UNUSED)
{
    check_stops(sample, decoders[0]);
}

static void test_stops_with_both(void **state UNUSED)
{
    check_stops(sample, decoders[1]);
}

static void test_stops_with_zlib(void **state UNUSED)
{
    check_stops(sample, decoders[2]);
}

/* A small body that becomes a huge one is handed out in slices like any other. */
static void test_bomb(void **state UNUSED)
{
    struct buf packed = BUF_INIT(2 * BOMB);
    char *zeros = calloc(1, BOMB);

    pack(&packed, zeros, BOMB);
    free(zeros);
    for (size_t i = 0; i < COUNT_OF(decoders); i++) {
        struct inflater *inf = inflater_new(decoders[i]);
        struct sink sink = { .calls = 0 };

        CHECK(run(inf, &packed, packed.len, 16384, &sink) == INFLATE_OK && inflater_done(inf), "a bomb");
        CHECK(sink.total == BOMB && sink.largest <= SLICE, "%llu bytes", (unsigned long long)sink.total);
        inflater_free(inf);
    }
    inflater_free(NULL);
    buf_free(&packed);
}

/* Small bodies: what zlib makes of them is what ISA-L makes of them. */

struct verdict {
    enum inflate_result result;
    bool done;
    struct sink sink;
};

static void judge(size_t small, const struct buf *in, size_t len, size_t step, struct verdict *ret)
{
    static struct inflater *kept[COUNT_OF(decoders)];
    struct inflater **inf = &kept[small == decoders[0] ? 0 : small == decoders[1] ? 1 : 2];

    if (!in) {
        inflater_free(*inf);
        *inf = NULL;
        return;
    }
    if (*inf)
        inflater_reset(*inf);
    else
        *inf = inflater_new(small);
    reset(&ret->sink);
    ret->result = run(*inf, in, len, step, &ret->sink);
    ret->done = inflater_done(*inf);
}

#define WHOLE INFLATE_OK
#define CUT   INFLATE_STOPPED       /* more should come */

/* All decoders, in all steps. The bytes before a cut or an error are a beginning of the content, those of a whole
 * stream all of it. */
static enum inflate_result agreed(const struct buf *in, size_t len, const struct buf *content, const char *what)
{
    struct verdict first = { .done = false }, other = { .done = false };
    enum inflate_result result;

    judge(decoders[0], in, len, SIZE_MAX, &first);
    for (size_t i = 0; i < COUNT_OF(decoders) * COUNT_OF(steps); i++) {
        size_t decoder = decoders[i / COUNT_OF(steps)], step = steps[i % COUNT_OF(steps)];
        const struct buf *made = &other.sink.kept;

        judge(decoder, in, len, step, &other);
        CHECK(other.result == first.result && other.done == first.done, "%s, %zu bytes by %zu in steps of %zu: %d %d, "
              "not %d %d", what, len, decoder, step, other.result, other.done, first.result, first.done);
        CHECK(!content || (made->len <= content->len && (!made->len || !memcmp(made->data, content->data, made->len))),
              "%s, %zu bytes by %zu in steps of %zu: other content", what, len, decoder, step);
        CHECK(!content || !other.done || made->len == content->len, "%s: not all of it", what);
    }
    result = first.result == INFLATE_OK && !first.done ? CUT : first.result;
    buf_free(&first.sink.kept);
    buf_free(&other.sink.kept);
    return result;
}

/* Cut off at every byte; with junk behind it, of every length that could pass for a header. */
static void test_small_ends(void **state UNUSED)
{
    const char *alert = sample;
    static const char *const junk[] = { "\0\0\0\0\0\0\0\0\0\0\0\0", "<html></html>", "\x1f\x8b\x08" "broken???" };
    struct buf packed = BUF_INIT(4 * CONTENT), content = BUF_INIT(4 * CONTENT);
    size_t one, cut, i;

    CHECK(agreed(&packed, 0, &content, "empty") == CUT, "nothing is not a stream");
    buf_add(&content, alert, ALERT);
    pack(&packed, alert, ALERT);
    one = packed.len;
    CHECK(one < INFLATE_SMALL / 2, "%zu bytes", one);
    for (cut = 1; cut < one; cut++)
        CHECK(agreed(&packed, cut, &content, "cut") == CUT, "cut at %zu", cut);
    CHECK(agreed(&packed, one, &content, "one") == WHOLE, "one");
    for (i = 0; i < COUNT_OF(junk); i++) {
        buf_add(&packed, junk[i], 12);
        for (cut = one + 1; cut <= packed.len; cut++)
            CHECK(agreed(&packed, cut, NULL, "junk") != WHOLE, "junk %zu up to %zu", i, cut);
        packed.len = one;
    }
    pack(&packed, "", 0);
    CHECK(agreed(&packed, packed.len, &content, "an empty member") == WHOLE, "an empty member behind it");
    buf_add(&content, alert, ALERT / 2);
    pack(&packed, alert, ALERT / 2);
    for (cut = one + 1; cut < packed.len; cut += 3)
        CHECK(agreed(&packed, cut, &content, "two cut") == (cut == one + 20 ? WHOLE : CUT), "two, cut at %zu", cut);
    CHECK(agreed(&packed, packed.len, &content, "two") == WHOLE, "two members");
    buf_free(&packed);
    buf_free(&content);
}

/* Each bit wrong. */
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

/* With all that a header may have, cut everywhere. */
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

/* Around the size from which on ISA-L decodes, whether it is one member's or two members'. */
static void test_limit(void **state UNUSED)
{
    const char *content = sample;
    struct buf packed = BUF_INIT(4 * CONTENT), want = BUF_INIT(4 * CONTENT);
    size_t size, first;

    for (size = INFLATE_SMALL - 3; size <= INFLATE_SMALL + 3; size++) {
        for (first = 0; first <= 1000; first += 500) {
            size_t second = size - STORED - (first ? first + STORED : 0);

            buf_clear(&packed);
            buf_clear(&want);
            if (first)
                store(&packed, content, first);
            store(&packed, content + first, second);
            buf_add(&want, content, first + second);
            CHECK(packed.len == size, "%zu bytes, not %zu", packed.len, size);
            CHECK(agreed(&packed, size, &want, "around the limit") == WHOLE, "%zu bytes", size);
            CHECK(agreed(&packed, size - 1, &want, "cut around it") == CUT, "%zu bytes", size - 1);
            packed.data[size - 6] ^= 1;
            CHECK(agreed(&packed, size, NULL, "broken around it") == INFLATE_BROKEN, "%zu bytes", size);
        }
    }
    buf_free(&packed);
    buf_free(&want);
}

/* The sink says no: in a small body, and in one that ISA-L has begun again. */
static void test_small_stops(void **state UNUSED)
{
    const char *content = sample;
    struct buf packed = BUF_INIT(4 * CONTENT);
    struct verdict got = { .done = false };
    struct inflater *inf = inflater_new(INFLATE_SMALL);

    pack(&packed, content, CONTENT);
    for (size_t stop = 1; stop < 2000; stop += 97) {
        inflater_reset(inf);
        reset(&got.sink);
        got.sink.stop_at = stop;
        got.result = run(inf, &packed, 2 * INFLATE_SMALL, 4, &got.sink);
        CHECK(got.result == (got.sink.calls == stop ? INFLATE_STOPPED : INFLATE_OK), "stop at %zu: %d after %zu", stop,
              got.result, got.sink.calls);
        CHECK(got.sink.kept.len && !memcmp(got.sink.kept.data, content, got.sink.kept.len), "stop at %zu", stop);
    }
    inflater_free(inf);
    buf_free(&got.sink.kept);
    buf_free(&packed);
}

static int set_up(void **state UNUSED)
{
    uint32_t random = 1;

    for (size_t i = 0; i < CONTENT; i++) {
        random = random * 1664525 + 1013904223;
        sample[i] = i & 1 ? 'x' : (char)(random >> 24);
    }
    return 0;
}

static int tear_down(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(decoders); i++)
        judge(decoders[i], NULL, 0, 0, NULL);
    return 0;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_whole_with_isal),
    cmocka_unit_test(test_whole_with_both),
    cmocka_unit_test(test_whole_with_zlib),
    cmocka_unit_test(test_broken_with_isal),
    cmocka_unit_test(test_broken_with_both),
    cmocka_unit_test(test_broken_with_zlib),
    cmocka_unit_test(test_stops_with_isal),
    cmocka_unit_test(test_stops_with_both),
    cmocka_unit_test(test_stops_with_zlib),
    cmocka_unit_test(test_bomb),
    cmocka_unit_test(test_small_ends),
    cmocka_unit_test(test_small_broken),
    cmocka_unit_test(test_header),
    cmocka_unit_test(test_limit),
    cmocka_unit_test(test_small_stops),
};

UNIT(inflate, cases, set_up, tear_down)
