/* Gzip streams: the result does not depend on the pieces that the stream arrives in, and plain zlib, without streaming,
 * agrees on content and acceptance. For a stream that is both broken and incomplete, one decoder may report the one and
 * another the other. The first byte of the input is the size of the pieces; bit 7 compresses the rest first, so that the
 * fuzzer reaches valid streams, and bit 6 then flips one bit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "fuzz.h"
#include "net/inflate.h"

#define MOST (4u * 1024 * 1024)

static bool keep(void *ctx, const char *bytes, size_t len)
{
    need(len > 0 && len <= 65536, "slices are of 1 to 65536 bytes");
    return buf_add(ctx, bytes, len);
}

static enum inflate_result ours(const uint8_t *data, size_t size, size_t step, struct buf *out, bool *done)
{
    static struct inflater *inf;        /* used again and again, as http_answer.c does */
    enum inflate_result result = INFLATE_OK;
    size_t at = 0, n;

    if (inf)
        inflater_reset(inf);
    else
        inf = inflater_new();
    buf_clear(out);
    for (; at < size && result == INFLATE_OK; at += n) {
        char *slice;

        n = step && step < size - at ? step : size - at;
        slice = malloc(n);
        if (!slice)
            abort();
        memcpy(slice, data + at, n);
        result = inflater_run(inf, slice, n, keep, out);
        free(slice);
    }
    *done = result == INFLATE_OK && inflater_done(inf);
    return result;
}

static bool only_zeros(const uint8_t *at, size_t left)
{
    while (left && !at[left - 1])
        left--;
    return !left;
}

/* Decodes with plain zlib. Returns 1: whole, 0: incomplete, -1: broken, -2: cannot be compared: too long, or header flags
 * that RFC 1952 reserves, which zlib refuses and ISA-L ignores. */
static int theirs(const uint8_t *data, size_t size, struct buf *out)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size };
    int code = Z_OK;

    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        abort();
    buf_clear(out);
    for (;;) {
        size_t room = MOST - out->len < 65536 ? MOST - out->len : 65536;

        if (!room)
            break;
        z.next_out = (Bytef *)buf_room(out, room);
        z.avail_out = (uInt)room;
        code = inflate(&z, Z_NO_FLUSH);
        out->len += room - z.avail_out;
        if (code == Z_STREAM_END && only_zeros(z.next_in, z.avail_in))
            break;
        if (code == Z_STREAM_END)
            inflateReset(&z);
        else if (code != Z_OK || (!z.avail_in && z.avail_out))
            break;
    }
    inflateEnd(&z);
    if (out->len >= MOST || (z.msg && strstr(z.msg, "header flags")))
        return -2;
    return code == Z_STREAM_END ? 1 : code == Z_OK || code == Z_BUF_ERROR ? 0 : -1;
}

static uint8_t *packed(const uint8_t *data, size_t *size, int level)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)*size };
    size_t room = *size + 1024;
    uint8_t *ret = malloc(room);

    if (!ret || deflateInit2(&z, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_out = ret;
    z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    *size = room - z.avail_out;
    deflateEnd(&z);
    return ret;
}

static bool begins_alike(const struct buf *a, const struct buf *b)
{
    size_t len = a->len < b->len ? a->len : b->len;

    return !len || !memcmp(a->data, b->data, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buf whole = { .limit = MOST }, cut = { .limit = MOST }, zlib = { .limit = MOST };
    uint8_t *made = NULL, first = size ? data[0] : 0;
    enum inflate_result one, two;
    bool one_done, two_done;
    int judge;

    if (size < 2)
        return 0;
    data++;
    size--;
    if (first & 0x80) {
        size_t where = data[0];

        made = packed(data, &size, first % 10);
        if (first & 0x40)
            made[where * size / 256] ^= (uint8_t)(1u << (first & 7));
        data = made;
    }
    one = ours(data, size, 0, &whole, &one_done);
    two = ours(data, size, 1 + (first & 0x3f), &cut, &two_done);
    judge = theirs(data, size, &zlib);
    if (judge != -2) {
        need(one == two && one_done == two_done, "the result does not depend on the pieces");
        if (one == INFLATE_OK)
            need(whole.len == cut.len && begins_alike(&whole, &cut), "nor does the content");
        need(one_done == (judge == 1), "zlib agrees on what is whole");
        if (judge == 1)
            need(whole.len == zlib.len && begins_alike(&whole, &zlib), "and on the content");
    }
    free(made);
    return 0;
}
