#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"

#define WORD_MAX 30 /* the shortest secrets, Entra's client secrets, have 34 characters */

static bool alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Adds the text with every byte except letters, digits and those in kept as %XX. */
static void add_percent(struct buf *buf, const char *text, const char *kept)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (alnum(c) || strchr(kept, c))
            buf_add_char(buf, *text);
        else
            buf_add(buf, (char[]){ '%', digits[c >> 4], digits[c & 15] }, 3);
    }
}

void buf_add_url(struct buf *buf, const char *text)
{
    add_percent(buf, text, "-._~");
}

void buf_add_foreign(struct buf *buf, const char *text, size_t max_len)
{
    size_t len, start = buf->len;

    while (*(text += strspn(text, " \t\r\n"))) {
        len = strcspn(text, " \t\r\n");
        if (buf->len - start + (len <= WORD_MAX ? len : 3) + 1 > max_len)
            break;
        if (buf->len > start)
            buf_add_char(buf, ' ');
        if (len <= WORD_MAX)
            buf_add(buf, text, len);
        else
            buf_add_text(buf, "...");
        text += len;
    }
}

void buf_add_file_name(struct buf *buf, const char *text)
{
    add_percent(buf, text, "_-");
}

void buf_add_form(struct buf *buf, const char *name, const char *value)
{
    char last = buf->len ? buf->data[buf->len - 1] : '&';

    if (last != '&' && last != '?')
        buf_add_char(buf, '&');
    buf_add_text(buf, name);
    buf_add_char(buf, '=');
    buf_add_url(buf, value);
}

static bool xml_can_carry(const unsigned char *text, size_t size)
{
    if (size == 1)
        return text[0] >= 0x20 || text[0] == '\t' || text[0] == '\n' || text[0] == '\r';
    return !(size == 3 && text[0] == 0xEF && text[1] == 0xBF && text[2] >= 0xBE); /* U+FFFE, U+FFFF */
}

static const char *xml_entity(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&apos;";
    default: return NULL;
    }
}

/* Returns the number of bytes at the start that need no escape. */
static size_t xml_plain(const unsigned char *at, size_t left)
{
    size_t i;

    for (i = 0; i < left && at[i] >= ' ' && at[i] < 0x7F && !xml_entity((char)at[i]); i++)
        ;
    return i;
}

void buf_add_xml(struct buf *buf, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text), size;
    const char *entity;

    for (; left; at += size ? size : 1, left -= size ? size : 1) {
        size = xml_plain(at, left);
        if (size) {
            buf_add(buf, at, size);
            continue;
        }
        size = utf8_length(at, left);
        if (!size || !xml_can_carry(at, size))
            buf_add_text(buf, UTF8_REPLACEMENT);
        else if (size == 1 && (entity = xml_entity((char)*at)))
            buf_add_text(buf, entity);
        else
            buf_add(buf, at, size);
    }
}

static void add_json_char(struct buf *buf, unsigned char c)
{
    switch (c) {
    case '"': buf_add_text(buf, "\\\""); break;
    case '\\': buf_add_text(buf, "\\\\"); break;
    case '\n': buf_add_text(buf, "\\n"); break;
    case '\r': buf_add_text(buf, "\\r"); break;
    case '\t': buf_add_text(buf, "\\t"); break;
    default: buf_add_char(buf, (char)c);
    }
}

/* Adds \uXXXX, or two of them for a character above U+FFFF (RFC 8259 section 7). */
static void add_json_escape(struct buf *buf, uint32_t point)
{
    if (point == '\n' || point == '\r' || point == '\t') {
        add_json_char(buf, (unsigned char)point);
        return;
    }
    if (point > 0xFFFF) {
        point -= 0x10000;
        buf_add_format(buf, "\\u%04x", (unsigned)(0xD800 + (point >> 10)));
        point = 0xDC00 + (point & 0x3FF);
    }
    buf_add_format(buf, "\\u%04x", (unsigned)point);
}

/* Returns how many characters at the beginning are the same in JSON. */
static size_t plain_length(const unsigned char *at)
{
    size_t len = 0;

    while (at[len] >= ' ' && at[len] < 0x7F && at[len] != '"' && at[len] != '\\')
        len++;
    return len;
}

void buf_add_json(struct buf *buf, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text), size;
    uint32_t point;

    buf_add_char(buf, '"');
    for (; left; at += size ? size : 1, left -= size ? size : 1) {
        size = plain_length(at); /* almost every text is plain to its end */
        if (size) {
            buf_add(buf, at, size);
            continue;
        }
        size = utf8_length(at, left);
        if (!size)
            buf_add_text(buf, UTF8_REPLACEMENT);
        else if (utf8_hidden(at, left, &point))
            add_json_escape(buf, point);
        else if (size == 1)
            add_json_char(buf, *at);
        else
            buf_add(buf, at, size);
    }
    buf_add_char(buf, '"');
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool text_url_decode(const char *text, size_t len, bool plus_is_blank, char **ret)
{
    char *out = mem_alloc(len + 1);
    size_t i, n = 0;
    int high, low;

    for (i = 0; i < len; i++) {
        if (text[i] != '%') {
            out[n++] = plus_is_blank && text[i] == '+' ? ' ' : text[i];
            continue;
        }
        high = i + 2 < len ? hex_value(text[i + 1]) : -1;
        low = i + 2 < len ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            free(out);
            return false;
        }
        out[n++] = (char)(high << 4 | low);
        i += 2;
    }
    out[n] = '\0';
    *ret = out;
    return true;
}

bool text_number(const char *text, size_t len, int64_t least, int64_t most, int64_t *ret)
{
    int64_t value = 0;
    size_t i;

    for (i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || value > (INT64_MAX - (text[i] - '0')) / 10)
            return false;
        value = value * 10 + (text[i] - '0');
    }
    if (!len || value < least || value > most)
        return false;
    *ret = value;
    return true;
}

bool text_int64(const char *text, int64_t least, int64_t most, int64_t *ret)
{
    return text && text_number(text, strlen(text), least, most, ret);
}

bool text_hex64(const char *text, uint64_t *ret)
{
    uint64_t value = 0;
    int i, digit;

    for (i = 0; i < 16; i++) {
        digit = text[i] >= 'A' && text[i] <= 'F' ? -1 : hex_value(text[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (unsigned)digit;
    }
    *ret = value;
    return true;
}

bool text_empty(const char *text)
{
    return !text || !*text;
}

bool text_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_same_nocase(const char *a, const char *b)
{
    return a && b ? strcasecmp(a, b) == 0 : a == b;
}

bool text_starts(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

char *text_trimmed(const char *text)
{
    size_t len;

    text += strspn(text, " \t\r\n");
    len = strlen(text);
    while (len && strchr(" \t\r\n", text[len - 1]))
        len--;
    return mem_text_n(text, len);
}

bool text_is_guid(const char *text)
{
    int i;

    if (!text || strlen(text) != 36)
        return false;
    for (i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : hex_value(text[i]) < 0)
            return false;
    }
    return true;
}
