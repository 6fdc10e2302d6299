#include "base/utf8.h"

#include <string.h>

/* Characters that could change how a line is shown or where it ends, without being seen themselves: controls (C0, DEL
 * and C1, whose U+009B begins a terminal sequence), line and paragraph separators, marks that reverse the direction of
 * the text around them (Unicode Technical Report 36, section 2.10.1), and format characters without a shape. U+200C and
 * U+200D stay: Persian, the languages of India and emoji need them. In ascending order. */
static const struct {
    uint32_t first, last;
} hidden[] = { { 0x00, 0x1F },     { 0x7F, 0x9F },     { 0xAD, 0xAD },     { 0x61C, 0x61C },
               { 0x180E, 0x180E }, { 0x200B, 0x200B }, { 0x200E, 0x200F }, { 0x2028, 0x202E },
               { 0x2060, 0x206F }, { 0xFEFF, 0xFEFF }, { 0xFFF9, 0xFFFB }, { 0xE0000, 0xE007F } };

size_t utf8_decode(const unsigned char *text, size_t len, uint32_t *ret)
{
    static const struct {
        unsigned char least, mask;
        uint32_t smallest;
    } shapes[] = { { 0xC0, 0x1F, 0x80 }, { 0xE0, 0x0F, 0x800 }, { 0xF0, 0x07, 0x10000 } };
    uint32_t point;
    size_t size, i;

    if (!len)
        return 0;
    *ret = text[0];
    if (text[0] < 0x80)
        return 1;
    size = text[0] >= 0xF8 ? 0 : text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : text[0] >= 0xC0 ? 2 : 0;
    if (!size || size > len)
        return 0;
    point = text[0] & shapes[size - 2].mask;
    for (i = 1; i < size; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3F);
    }
    if (point < shapes[size - 2].smallest || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
        return 0;
    *ret = point;
    return size;
}

size_t utf8_length(const unsigned char *text, size_t len)
{
    uint32_t point;

    return utf8_decode(text, len, &point);
}

size_t utf8_hidden(const unsigned char *text, size_t len, uint32_t *ret)
{
    size_t size = utf8_decode(text, len, ret), i;

    for (i = 0; size && i < COUNT_OF(hidden) && *ret >= hidden[i].first; i++)
        if (*ret <= hidden[i].last)
            return size;
    return 0;
}

bool utf8_is_plain(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text), size;
    uint32_t point;

    for (; left; at += size, left -= size) {
        size = utf8_length(at, left);
        if (!size || utf8_hidden(at, left, &point))
            return false;
    }
    return true;
}

void utf8_end_whole(char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t len = strlen(text), at = len;

    while (at && len - at < 3 && (bytes[at - 1] & 0xC0) == 0x80)
        at--;
    if (at && bytes[at - 1] >= 0xC0 && !utf8_length(bytes + at - 1, len - at + 1))
        text[at - 1] = '\0';
}

void utf8_make_line(char *text)
{
    unsigned char *at = (unsigned char *)text, *to;
    size_t left, size;
    uint32_t point;

    utf8_end_whole(text);
    while (*at >= ' ' && *at < 0x7F) /* almost every line is plain to its end */
        at++;
    to = at;
    for (left = strlen((char *)at); left; at += size, left -= size) {
        size = utf8_length(at, left);
        if (size && !utf8_hidden(at, left, &point)) {
            memmove(to, at, size);
            to += size;
            continue;
        }
        *to++ = size ? ' ' : '?';
        size = size ? size : 1;
    }
    *to = '\0';
}
