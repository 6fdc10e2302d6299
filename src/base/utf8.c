#include "base/utf8.h"

#include <string.h>

size_t utf8_length(const unsigned char *text, size_t len)
{
    static const struct {
        unsigned char least, mask;
        uint32_t smallest;
    } shapes[] = { { 0xC0, 0x1F, 0x80 }, { 0xE0, 0x0F, 0x800 }, { 0xF0, 0x07, 0x10000 } };
    uint32_t point;
    size_t size, i;

    if (!len)
        return 0;
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
    return size;
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
    utf8_end_whole(text);
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
}
