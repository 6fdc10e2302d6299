#include "net/inflate.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

#ifdef HAVE_ISAL
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#endif

#define SLICE 65536

static char slice[SLICE];   /* one thread, and nobody keeps it past the call */

struct inflater {
    z_stream zlib;
    bool     done;          /* nothing of a member is missing */
    uint64_t handed;        /* decoded bytes that the sink has had */
    uint64_t repeated;      /* how many of them are still to come a second time */
#ifdef HAVE_ISAL
    struct inflate_state *isal;         /* NULL until a body needs it */
    struct isal_gzip_header header;     /* as far as ISA-L has read it */
    bool       large;       /* this body is ISA-L's */
    struct buf kept;        /* the body so far, while it is zlib's */
    uint32_t   crc, length; /* of what zlib has made of the member */
    gz_header  head;        /* of the member, as far as zlib has read it */
#endif
};

/* What a decoder is still to read. */
struct input {
    const char *at;
    size_t      left;
};

/* zlib. */

static void *zlib_alloc(void *opaque UNUSED, unsigned count, unsigned size)
{
    return mem_grow(NULL, count, size);     /* so that a lack of memory is not taken for a broken body */
}

static void zlib_free(void *opaque UNUSED, void *memory)
{
    free(memory);
}

#ifdef HAVE_ISAL

/* zlib's CRC takes a fifth of its time, ISA-L's next to none: zlib is told to check nothing, the trailer is compared
 * here. It stands before `end`, for zlib reads from inf->kept, where the whole body is. A header with a checksum of its
 * own, which no server sends, is left to ISA-L. */
static bool zlib_checks(struct inflater *inf, const char *end, size_t made, bool done)
{
    uint32_t trailer[2];

    if (inf->head.hcrc)
        return false;
    inf->crc = crc32_gzip_refl(inf->crc, (const unsigned char *)slice, made);
    inf->length += (uint32_t)made;
    if (!done)
        return true;
    memcpy(trailer, end - sizeof(trailer), sizeof(trailer));
    return le32toh(trailer[0]) == inf->crc && le32toh(trailer[1]) == inf->length;
}

#endif

/* Decodes into the slice. False: broken. */
static bool zlib_step(struct inflater *inf, struct input *in, size_t *made)
{
    z_stream *z = &inf->zlib;
    bool done;
    int code;

    z->next_in = (Bytef *)(uintptr_t)in->at;
    z->avail_in = (uInt)in->left;
    z->next_out = (Bytef *)slice;
    z->avail_out = SLICE;
    code = inflate(z, Z_FINISH);        /* what ends in this step needs no window of 32 KB; for others it is a hint */
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return false;
    in->at = (const char *)z->next_in;
    in->left = z->avail_in;
    *made = SLICE - z->avail_out;
    done = code == Z_STREAM_END;
#ifdef HAVE_ISAL
    if (!zlib_checks(inf, in->at, *made, done))
        return false;
#endif
    inf->done = done;
    return true;
}

static void zlib_start(struct inflater *inf)
{
    inflateReset(&inf->zlib);
#ifdef HAVE_ISAL
    inflateValidate(&inf->zlib, 0);
    inf->head = (gz_header){ .hcrc = 0 };
    inflateGetHeader(&inf->zlib, &inf->head);
    inf->crc = inf->length = 0;
#endif
}

/* ISA-L. */

#ifdef HAVE_ISAL

/* The header is read by a call of its own: isal_inflate() forgets the header's flags when a slice cuts the file name or
 * another part of it that not all headers have. */
static int isal_decode(struct inflater *inf)
{
    struct inflate_state *s = inf->isal;
    int code = s->wrapper_flag ? ISAL_DECOMP_OK : isal_read_gzip_header(s, &inf->header);

    return code == ISAL_END_INPUT ? ISAL_DECOMP_OK : code == ISAL_DECOMP_OK ? isal_inflate(s) : code;
}

static bool isal_step(struct inflater *inf, struct input *in, size_t *made)
{
    struct inflate_state *s = inf->isal;

    s->next_in = (uint8_t *)(uintptr_t)in->at;
    s->avail_in = (uint32_t)in->left;
    s->next_out = (uint8_t *)slice;
    s->avail_out = SLICE;
    if (isal_decode(inf) != ISAL_DECOMP_OK)
        return false;
    in->at = (const char *)s->next_in;
    in->left = s->avail_in;
    *made = SLICE - s->avail_out;
    inf->done = s->block_state == ISAL_BLOCK_FINISH;
    return true;
}

static void isal_start(struct inflater *inf)
{
    isal_inflate_init(inf->isal);
    inf->isal->crc_flag = ISAL_GZIP;
    isal_gzip_header_init(&inf->header);
}

#endif

/* Either of them. */

static void start_member(struct inflater *inf)
{
    inf->done = false;
#ifdef HAVE_ISAL
    if (inf->large) {
        isal_start(inf);
        return;
    }
#endif
    zlib_start(inf);
}

static bool step(struct inflater *inf, struct input *in, size_t *made)
{
#ifdef HAVE_ISAL
    if (inf->large)
        return isal_step(inf, in, made);
#endif
    return zlib_step(inf, in, made);
}

static bool hand_out(struct inflater *inf, size_t made, inflate_fn *out, void *ctx)
{
    size_t old = made < inf->repeated ? made : (size_t)inf->repeated;

    inf->repeated -= old;
    inf->handed += made - old;
    return made == old || out(ctx, slice + old, made - old);
}

static enum inflate_result decode(struct inflater *inf, const char *bytes, size_t len, inflate_fn *out, void *ctx)
{
    struct input in = { bytes, len };
    size_t made;

    for (;;) {
        if (inf->done && in.left)       /* another member: gzip files may be concatenated */
            start_member(inf);
        if (inf->done)
            return INFLATE_OK;
        if (!step(inf, &in, &made))
            return INFLATE_BROKEN;
        if (!hand_out(inf, made, out, ctx))
            return INFLATE_STOPPED;
        if (!inf->done && !in.left && made < SLICE)
            return INFLATE_OK;
    }
}

#ifdef HAVE_ISAL

/* From the first byte on with ISA-L, as far as the body was zlib's. */
static enum inflate_result start_over(struct inflater *inf, inflate_fn *out, void *ctx)
{
    if (!inf->isal)
        inf->isal = mem_grow(NULL, 1, sizeof(*inf->isal));
    inf->large = true;
    inf->repeated = inf->handed;
    start_member(inf);
    return inf->kept.len ? decode(inf, inf->kept.data, inf->kept.len, out, ctx) : INFLATE_OK;
}

enum inflate_result inflater_run(struct inflater *inf, const char *bytes, size_t len, inflate_fn *out, void *ctx)
{
    size_t before = inf->kept.len;
    enum inflate_result result;

    if (inf->large)
        return decode(inf, bytes, len, out, ctx);
    if (buf_add(&inf->kept, bytes, len)) {
        result = decode(inf, inf->kept.data + before, len, out, ctx);
        /* zlib minds bits of the header that ISA-L does not: whatever the size, ISA-L has the last word. */
        return result == INFLATE_BROKEN ? start_over(inf, out, ctx) : result;
    }
    result = start_over(inf, out, ctx);
    return result == INFLATE_OK ? decode(inf, bytes, len, out, ctx) : result;
}

#else

enum inflate_result inflater_run(struct inflater *inf, const char *bytes, size_t len, inflate_fn *out, void *ctx)
{
    return decode(inf, bytes, len, out, ctx);
}

#endif

bool inflater_done(const struct inflater *inf)
{
    return inf->done;
}

struct inflater *inflater_new(size_t small UNUSED)
{
    struct inflater *inf = mem_alloc(sizeof(*inf));

    inf->zlib.zalloc = zlib_alloc;
    inf->zlib.zfree = zlib_free;
    if (inflateInit2(&inf->zlib, 16 + MAX_WBITS) != Z_OK)
        log_die("zlib cannot be initialised");
#ifdef HAVE_ISAL
    inf->kept = BUF_INIT(small);
#endif
    inflater_reset(inf);
    return inf;
}

void inflater_reset(struct inflater *inf)
{
    inf->handed = inf->repeated = 0;
#ifdef HAVE_ISAL
    inf->large = false;
    buf_clear(&inf->kept);
#endif
    start_member(inf);
}

void inflater_free(struct inflater *inf)
{
    if (!inf)
        return;
    inflateEnd(&inf->zlib);
#ifdef HAVE_ISAL
    free(inf->isal);
    buf_free(&inf->kept);
#endif
    free(inf);
}
