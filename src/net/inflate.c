#include "net/inflate.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define SLICE 65536

static char slice[SLICE];   /* one thread, and nobody keeps it past the call */

#ifdef HAVE_ISAL

#include <isa-l/igzip_lib.h>

struct inflater {
    struct inflate_state state;
    bool done;
};

static void start_member(struct inflater *inf)
{
    isal_inflate_init(&inf->state);
    inf->state.crc_flag = ISAL_GZIP;
    inf->done = false;
}

struct inflater *inflater_new(void)
{
    struct inflater *inf = mem_grow(NULL, 1, sizeof(*inf));

    inflater_reset(inf);
    return inf;
}

void inflater_reset(struct inflater *inf)
{
    start_member(inf);
}

void inflater_free(struct inflater *inf)
{
    free(inf);
}

bool inflater_done(const struct inflater *inf)
{
    return inf->done;
}

enum inflate_result inflater_run(struct inflater *inf, const char *bytes, size_t len, inflate_fn *out, void *ctx)
{
    size_t made;

    inf->state.next_in = (uint8_t *)(uintptr_t)bytes;
    inf->state.avail_in = (uint32_t)len;
    for (;;) {
        if (inf->done && inf->state.avail_in) {     /* another member: gzip files may be concatenated */
            uint8_t *next = inf->state.next_in;
            uint32_t left = inf->state.avail_in;

            start_member(inf);
            inf->state.next_in = next;
            inf->state.avail_in = left;
        }
        if (inf->done)
            return INFLATE_OK;
        inf->state.next_out = (uint8_t *)slice;
        inf->state.avail_out = SLICE;
        if (isal_inflate(&inf->state) != ISAL_DECOMP_OK)
            return INFLATE_BROKEN;
        made = SLICE - inf->state.avail_out;
        inf->done = inf->state.block_state == ISAL_BLOCK_FINISH;
        if (made && !out(ctx, slice, made))
            return INFLATE_STOPPED;
        if (!inf->done && !inf->state.avail_in && inf->state.avail_out)
            return INFLATE_OK;
    }
}

#else

#include <zlib.h>

struct inflater {
    z_stream stream;
    bool     done;
};

struct inflater *inflater_new(void)
{
    struct inflater *inf = mem_alloc(sizeof(*inf));

    if (inflateInit2(&inf->stream, 16 + MAX_WBITS) != Z_OK)
        log_die("zlib cannot be initialised");
    return inf;
}

void inflater_reset(struct inflater *inf)
{
    inflateReset(&inf->stream);
    inf->done = false;
}

void inflater_free(struct inflater *inf)
{
    if (!inf)
        return;
    inflateEnd(&inf->stream);
    free(inf);
}

bool inflater_done(const struct inflater *inf)
{
    return inf->done;
}

enum inflate_result inflater_run(struct inflater *inf, const char *bytes, size_t len, inflate_fn *out, void *ctx)
{
    size_t made;
    int code;

    inf->stream.next_in = (Bytef *)(uintptr_t)bytes;
    inf->stream.avail_in = (uInt)len;
    for (;;) {
        if (inf->done && inf->stream.avail_in) {    /* another member: gzip files may be concatenated */
            inflateReset(&inf->stream);
            inf->done = false;
        }
        if (inf->done)
            return INFLATE_OK;
        inf->stream.next_out = (Bytef *)slice;
        inf->stream.avail_out = SLICE;
        code = inflate(&inf->stream, Z_NO_FLUSH);
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            return INFLATE_BROKEN;
        made = SLICE - inf->stream.avail_out;
        inf->done = code == Z_STREAM_END;
        if (made && !out(ctx, slice, made))
            return INFLATE_STOPPED;
        if (!inf->done && !inf->stream.avail_in && inf->stream.avail_out)
            return INFLATE_OK;
    }
}

#endif
