#include "splunk/utf16.h"

#include <string.h>

static void add_point(struct buf *ret, uint32_t point)
{
    unsigned char out[4];
    size_t len, i;

    len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (i = len - 1; i > 0; i--, point >>= 6)
        out[i] = (unsigned char)(0x80 | (point & 0x3F));
    out[0] = (unsigned char)(len == 1 ? point : (0xF00 >> len & 0xFF) | point);
    buf_add(ret, out, len);
}

static bool add_unit(struct utf16 *utf16, uint32_t unit, struct buf *ret, struct err *err)
{
    bool low = unit >= 0xDC00 && unit < 0xE000;

    if (!unit || low != (utf16->high != 0))
        return err_set(err, ERR_INPUT, "the XML on stdin is no valid UTF-16 (unit 0x%04X out of place)", unit);
    if (unit >= 0xD800 && unit < 0xDC00) {
        utf16->high = unit;
        return true;
    }
    add_point(ret, low ? 0x10000 + ((utf16->high - 0xD800) << 10) + (unit - 0xDC00) : unit);
    utf16->high = 0;
    return true;
}

/* Takes bytes until they tell the encoding, and drops a BOM. */
static void detect_encoding(struct utf16 *utf16, const char **bytes, size_t *len)
{
    static const struct {
        unsigned char bytes[3];
        size_t count, dropped;
        enum encoding encoding;
    } starts[] = { { { 0xEF, 0xBB, 0xBF }, 3, 3, ENCODING_UTF8 },
                   { { 0xFF, 0xFE }, 2, 2, ENCODING_UTF16LE },
                   { { 0xFE, 0xFF }, 2, 2, ENCODING_UTF16BE },
                   { { '<', 0 }, 2, 0, ENCODING_UTF16LE },
                   { { 0, '<' }, 2, 0, ENCODING_UTF16BE } };
    size_t i;

    while (utf16->encoding == ENCODING_UNKNOWN && *len) {
        bool may_be = false;

        utf16->held[utf16->held_count++] = (unsigned char)*(*bytes)++;
        --*len;
        for (i = 0; i < COUNT_OF(starts); i++) {
            size_t known = utf16->held_count < starts[i].count ? utf16->held_count : starts[i].count;

            if (memcmp(utf16->held, starts[i].bytes, known) != 0)
                continue;
            may_be = true;
            if (known == starts[i].count) {
                utf16->encoding = starts[i].encoding;
                utf16->held_count -= starts[i].dropped;
                return;
            }
        }
        if (!may_be)
            utf16->encoding = ENCODING_UTF8;
    }
}

static bool decode_units(struct utf16 *utf16, const unsigned char *bytes, size_t len, struct buf *ret, struct err *err)
{
    bool little = utf16->encoding == ENCODING_UTF16LE;
    const unsigned char *held = utf16->held;
    size_t i;

    for (i = 0; i < len; i++) {
        utf16->held[utf16->held_count++] = bytes[i];
        if (utf16->held_count < 2)
            continue;
        utf16->held_count = 0;
        if (!add_unit(utf16, little ? held[0] | (uint32_t)held[1] << 8 : held[1] | (uint32_t)held[0] << 8, ret, err))
            return false;
    }
    return true;
}

bool utf16_feed(struct utf16 *utf16, const char *bytes, size_t len, struct buf *ret, struct err *err)
{
    unsigned char first[sizeof(utf16->held)];
    size_t first_count;

    if (utf16->encoding == ENCODING_UNKNOWN) {
        detect_encoding(utf16, &bytes, &len);
        if (utf16->encoding == ENCODING_UNKNOWN)
            return true;
        first_count = utf16->held_count;
        memcpy(first, utf16->held, first_count);
        utf16->held_count = 0;
        if (utf16->encoding == ENCODING_UTF8)
            buf_add(ret, first, first_count);
        else if (!decode_units(utf16, first, first_count, ret, err))
            return false;
    }
    if (utf16->encoding == ENCODING_UTF8) {
        buf_add(ret, bytes, len);
        return true;
    }
    return decode_units(utf16, (const unsigned char *)bytes, len, ret, err);
}
