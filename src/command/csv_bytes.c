#include "command/csv_bytes.h"

#include <string.h>

#include "base/utf8.h"
#include "splunk/utf16.h"

static const struct {
    const char *bytes;
    size_t len;
} boms[] = { [CSV_UTF8] = { "", 0 },
             [CSV_UTF8_BOM] = { "\xEF\xBB\xBF", 3 },
             [CSV_UTF16LE] = { "\xFF\xFE", 2 },
             [CSV_UTF16BE] = { "\xFE\xFF", 2 } };

static bool begins_with(const char *bytes, size_t len, const char *start, size_t start_len)
{
    return len >= start_len && !memcmp(bytes, start, start_len);
}

/* Refuses files of other kinds by their first bytes. */
static bool check_kind(const char *bytes, size_t len, struct err *err)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *is;
    } kinds[] = { { "PK\3\4", 4, "an Excel workbook (.xlsx) or another zip archive" },
                  { "PK\5\6", 4, "an empty zip archive" },
                  { "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8, "an Excel workbook (.xls)" },
                  { "\x1F\x8B", 2, "compressed with gzip" } };
    size_t i;

    for (i = 0; i < COUNT_OF(kinds); i++)
        if (begins_with(bytes, len, kinds[i].bytes, kinds[i].len))
            return err_set(err, ERR_INPUT, "the file is %s and no CSV text; " CSV_SAVE_AS, kinds[i].is);
    return true;
}

static enum csv_encoding encoding_of(const char *bytes, size_t len)
{
    enum csv_encoding encoding;

    for (encoding = CSV_UTF16BE; encoding > CSV_UTF8; encoding--)
        if (begins_with(bytes, len, boms[encoding].bytes, boms[encoding].len))
            break;
    return encoding;
}

/* Returns the number of the line in which the bytes end. */
static size_t line_after(const char *bytes, size_t len)
{
    const char *end = bytes + len, *at;
    size_t line = 1;

    for (at = bytes; at && at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++)
        line++;
    return line;
}

static bool decode_utf16(enum encoding encoding, const char *bytes, size_t len, struct buf *ret, struct err *err)
{
    struct utf16 utf16 = { .encoding = encoding };
    size_t before = ret->len;

    if (utf16_feed(&utf16, bytes, len, ret, err) && !utf16.held_count && !utf16.high)
        return true;
    return err_set(err, ERR_INPUT,
                   "line %zu: the file begins as UTF-16, but here it is not; it may be damaged; " CSV_SAVE_AS,
                   line_after(buf_text(ret) + before, ret->len - before));
}

bool csv_bytes_decode(const char *bytes, size_t len, enum csv_encoding *encoding, struct buf *ret, struct err *err)
{
    const char *zero;

    *encoding = CSV_UTF8;
    if (!len)
        return true;
    if (!check_kind(bytes, len, err))
        return false;
    *encoding = encoding_of(bytes, len);
    bytes += boms[*encoding].len;
    len -= boms[*encoding].len;
    if (*encoding == CSV_UTF16LE)
        return decode_utf16(ENCODING_UTF16LE, bytes, len, ret, err);
    if (*encoding == CSV_UTF16BE)
        return decode_utf16(ENCODING_UTF16BE, bytes, len, ret, err);
    zero = len ? memchr(bytes, '\0', len) : NULL;
    if (zero)
        return err_set(err, ERR_INPUT, "line %zu: the file has zero bytes, so it is no text in UTF-8; " CSV_SAVE_AS,
                       line_after(bytes, (size_t)(zero - bytes)));
    buf_add(ret, bytes, len);
    return true;
}

static void add_unit(struct buf *ret, bool little, uint32_t unit)
{
    char low = (char)(unit & 0xFF), high = (char)(unit >> 8);

    buf_add_char(ret, little ? low : high);
    buf_add_char(ret, little ? high : low);
}

void csv_bytes_encode(enum csv_encoding encoding, const struct buf *text, struct buf *ret)
{
    const unsigned char *at = (const unsigned char *)buf_text(text), *end = at + text->len;
    bool little = encoding == CSV_UTF16LE;
    uint32_t point;
    size_t size;

    buf_add(ret, boms[encoding].bytes, boms[encoding].len);
    if (encoding == CSV_UTF8 || encoding == CSV_UTF8_BOM) {
        buf_add(ret, at, text->len);
        return;
    }
    while (at < end && (size = utf8_decode(at, (size_t)(end - at), &point))) {
        at += size;
        if (point < 0x10000) {
            add_unit(ret, little, point);
        } else {
            add_unit(ret, little, 0xD800 + ((point - 0x10000) >> 10));
            add_unit(ret, little, 0xDC00 + ((point - 0x10000) & 0x3FF));
        }
    }
}
