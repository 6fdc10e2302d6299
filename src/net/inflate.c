#include "net/inflate.h"

#include <stdlib.h>

#include "base/die.h"
#include "base/mem.h"

#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#else
#include <zlib.h>
#endif

static char slice[INFLATE_SLICE]; /* only the loop's thread decodes, and no sink keeps it past the call */

/* The bytes that are still to be decoded. */
struct input {
    const char *at;
    size_t left;
};

enum step { STEP_BROKEN, STEP_MORE, STEP_END }; /* STEP_END: the member is whole */

#ifdef HAVE_ISAL

struct decoder {
    struct inflate_state state;
    struct isal_gzip_header header;
};

static void decoder_init(struct decoder *decoder UNUSED)
{
}

static void decoder_end(struct decoder *decoder UNUSED)
{
}

static void decoder_start(struct decoder *decoder)
{
    isal_inflate_init(&decoder->state);
    decoder->state.crc_flag = ISAL_GZIP;
    isal_gzip_header_init(&decoder->header);
}

/* Reads the header with a call of its own: isal_inflate() forgets the header's flags if the input ends inside one of
 * the optional fields, such as the file name. */
static int decode(struct decoder *decoder)
{
    struct inflate_state *s = &decoder->state;
    int code = s->wrapper_flag ? ISAL_DECOMP_OK : isal_read_gzip_header(s, &decoder->header);

    return code == ISAL_END_INPUT ? ISAL_DECOMP_OK : code == ISAL_DECOMP_OK ? isal_inflate(s) : code;
}

#if defined(__x86_64__)
__attribute__((target("avx"))) static void zero_upper_halves(void)
{
    __builtin_ia32_vzeroupper();
}

/* ISA-L's AVX code leaves the upper halves of the vector registers in use, and then the processor slows down all SSE
 * code that follows, such as the page reader's: 7 % of a backfill's CPU time. */
static void clear_vectors(void)
{
    if (__builtin_cpu_supports("avx"))
        zero_upper_halves();
}
#else
static void clear_vectors(void)
{
}
#endif

static enum step decoder_step(struct decoder *decoder, struct input *in, size_t *made)
{
    struct inflate_state *s = &decoder->state;
    int code;

    s->next_in = (uint8_t *)(uintptr_t)in->at;
    s->avail_in = (uint32_t)in->left;
    s->next_out = (uint8_t *)slice;
    s->avail_out = INFLATE_SLICE;
    code = decode(decoder);
    clear_vectors();
    if (code != ISAL_DECOMP_OK)
        return STEP_BROKEN;
    in->at = (const char *)s->next_in;
    in->left = s->avail_in;
    *made = INFLATE_SLICE - s->avail_out;
    return s->block_state == ISAL_BLOCK_FINISH ? STEP_END : STEP_MORE;
}

#else

struct decoder {
    z_stream zlib;
};

/* Out of memory must not look like a broken stream. */
static void *zlib_alloc(void *opaque UNUSED, unsigned count, unsigned size)
{
    return mem_grow(NULL, count, size);
}

static void zlib_free(void *opaque UNUSED, void *memory)
{
    free(memory);
}

static void decoder_init(struct decoder *decoder)
{
    decoder->zlib.zalloc = zlib_alloc;
    decoder->zlib.zfree = zlib_free;
    if (inflateInit2(&decoder->zlib, 16 + MAX_WBITS) != Z_OK)
        die("zlib cannot be initialized");
}

static void decoder_end(struct decoder *decoder)
{
    inflateEnd(&decoder->zlib);
}

static void decoder_start(struct decoder *decoder)
{
    inflateReset(&decoder->zlib);
}

static enum step decoder_step(struct decoder *decoder, struct input *in, size_t *made)
{
    z_stream *z = &decoder->zlib;
    int code;

    z->next_in = (Bytef *)(uintptr_t)in->at;
    z->avail_in = (uInt)in->left;
    z->next_out = (Bytef *)slice;
    z->avail_out = INFLATE_SLICE;
    code = inflate(z, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return STEP_BROKEN;
    in->at = (const char *)z->next_in;
    in->left = z->avail_in;
    *made = INFLATE_SLICE - z->avail_out;
    return code == Z_STREAM_END ? STEP_END : STEP_MORE;
}

#endif

struct inflater {
    enum {
        MEMBER,  /* inside a member, or before the first */
        BETWEEN, /* after a whole member: another one, padding or the end may follow */
        PADDING  /* in the zero bytes after the last member */
    } state;
    struct decoder decoder;
};

/* Skips padding. Returns false if something other than padding or another member follows. */
static bool after_member(struct inflater *inf, struct input *in)
{
    for (; in->left && !*in->at; in->at++, in->left--)
        inf->state = PADDING;
    if (!in->left)
        return true;
    if (inf->state == PADDING)
        return false;
    decoder_start(&inf->decoder);
    inf->state = MEMBER;
    return true;
}

enum inflate_result inflater_run(struct inflater *inf, const char *bytes, size_t len, inflate_fn *out, void *ctx)
{
    struct input in = { bytes, len };
    enum step step;
    size_t made;

    for (;;) {
        if (inf->state != MEMBER && !after_member(inf, &in))
            return INFLATE_BROKEN;
        if (inf->state != MEMBER)
            return INFLATE_OK;
        step = decoder_step(&inf->decoder, &in, &made);
        if (step == STEP_BROKEN)
            return INFLATE_BROKEN;
        if (step == STEP_END)
            inf->state = BETWEEN;
        if (made && !out(ctx, slice, made))
            return INFLATE_STOPPED;
        if (step == STEP_MORE && !in.left && made < INFLATE_SLICE)
            return INFLATE_OK;
    }
}

bool inflater_done(const struct inflater *inf)
{
    return inf->state != MEMBER;
}

struct inflater *inflater_new(void)
{
    struct inflater *inf = mem_alloc(sizeof(*inf));

    decoder_init(&inf->decoder);
    inflater_reset(inf);
    return inf;
}

void inflater_reset(struct inflater *inf)
{
    decoder_start(&inf->decoder);
    inf->state = MEMBER;
}

void inflater_free(struct inflater *inf)
{
    if (!inf)
        return;
    decoder_end(&inf->decoder);
    free(inf);
}
