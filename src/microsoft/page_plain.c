/* The text of a JSON string without its escapes. */
#include "microsoft/page_private.h"

#include <string.h>

#define SURROGATE(code, first) (((code)&0xFC00u) == (first))

/* Returns the value of four hex digits. */
static unsigned hex4(const char *digits)
{
    unsigned ret = 0;

    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)digits[i] | 0x20u; /* leaves the digits as they are */

        ret = ret << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return ret;
}

static void put_ascii(struct buf *ret, char c, bool xml)
{
    if (xml && c == '&')
        buf_add_text(ret, "&amp;");
    else if (xml && c == '<')
        buf_add_text(ret, "&lt;");
    else if (xml && c == '>')
        buf_add_text(ret, "&gt;");
    else
        buf_add_char(ret, c);
}

/* Appends a character as UTF-8. Half of a surrogate pair gets three bytes too, so that texts which differ in it stay
 * different. */
static void put_code(struct buf *ret, unsigned code, bool xml)
{
    char bytes[4];
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (code < 0x80) {
        put_ascii(ret, (char)code, xml);
        return;
    }
    if (xml && (code == 0xFFFE || code == 0xFFFF)) /* as page_text.c does with the bytes of these two */
        code = 0xFFFD;
    for (size_t i = size - 1; i; i--, code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3F));
    bytes[0] = (char)((0xF00u >> size & 0xF0u) | code);
    buf_add(ret, bytes, size);
}

/* Appends the character of the escape at `at`. Returns its length in the text. */
static size_t put_escape(struct buf *ret, const char *at, size_t left, bool xml)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    const char *name = strchr(names, at[1]);
    unsigned code, low;

    if (at[1] != 'u') {
        put_ascii(ret, name ? values[name - names] : at[1], xml);
        return 2;
    }
    code = hex4(at + 2);
    low = left >= 12 && at[6] == '\\' && at[7] == 'u' ? hex4(at + 8) : 0;
    if (SURROGATE(code, 0xD800u) && SURROGATE(low, 0xDC00u)) {
        put_code(ret, 0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF), xml);
        return 12;
    }
    put_code(ret, code, xml);
    return 6;
}

void page_plain(const char *text, size_t len, bool xml, struct buf *ret)
{
    const char *end = text + len, *escape;

    while ((escape = memchr(text, '\\', (size_t)(end - text)))) {
        buf_add(ret, text, (size_t)(escape - text));
        text = escape + put_escape(ret, escape, (size_t)(end - escape), xml);
    }
    buf_add(ret, text, (size_t)(end - text));
}
