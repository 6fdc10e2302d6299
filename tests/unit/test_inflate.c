#include "net/inflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/buf.h"
#include "check.h"

#define CONTENT (300 * 1000)
#define SLICE   65536
#define BOMB    (200u * 1024 * 1024)

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
static void pack(struct buf *to, const char *bytes, size_t len)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len };
    size_t room = len + 1024;

    deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    z.next_out = (Bytef *)buf_room(to, room);
    z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH);
    to->len += room - z.avail_out;
    deflateEnd(&z);
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

static void test_whole(const char *content)
{
    static const size_t steps[] = { 1, 7, 1000, SIZE_MAX };
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

static void test_broken(const char *content)
{
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
    CHECK(run(inf, &packed, packed.len, SIZE_MAX, &sink) == INFLATE_BROKEN, "junk behind it");
    inflater_reset(inf);
    CHECK(inflater_run(inf, "<html>no gzip</html>", 20, take, &sink) == INFLATE_BROKEN, "no gzip at all");
    inflater_free(inf);
    buf_free(&sink.kept);
    buf_free(&packed);
}

static void test_stops(const char *content)
{
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

/* A small body that becomes a huge one is handed out in slices like any other. */
static void test_bomb(void)
{
    struct buf packed = BUF_INIT(2 * BOMB);
    struct inflater *inf = inflater_new();
    struct sink sink = { .calls = 0 };
    char *zeros = calloc(1, BOMB);

    pack(&packed, zeros, BOMB);
    free(zeros);
    CHECK(run(inf, &packed, packed.len, 16384, &sink) == INFLATE_OK && inflater_done(inf), "a bomb");
    CHECK(sink.total == BOMB && sink.largest <= SLICE, "%llu bytes", (unsigned long long)sink.total);
    inflater_free(inf);
    inflater_free(NULL);
    buf_free(&packed);
}

int main(void)
{
    char *content = malloc(CONTENT);
    uint32_t state = 1;

    for (size_t i = 0; i < CONTENT; i++) {      /* half of it random, so that several slices and blocks are needed */
        state = state * 1664525 + 1013904223;
        content[i] = i & 1 ? 'x' : (char)(state >> 24);
    }
    test_whole(content);
    test_broken(content);
    test_stops(content);
    test_bomb();
    free(content);
    return check_summary();
}
