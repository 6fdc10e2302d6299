/* Strings: names and values. */
#include "microsoft/page_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */
#define SCALAR_STEP 4096           /* bytes of a string of the envelope that are copied at a time */
#define NEXT_LINK   "@odata.nextLink"
#define COUNT_NAME  "@odata.count"
#define ERROR_NAME  "error" /* OData 4; "odata.error" in version 3 */

void page_text_begin(struct page *p, bool key)
{
    p->token.key = key;
    if (!p->record.open) {
        buf_clear(&p->scalar);
        p->scalar_long = false;
    }
    page_put(p, '"');
    p->token.start = copy_to(p)->len;
    p->at++;
    p->state = ST_STRING;
}

static bool token_is(const struct page *p, const struct buf *text, const char *name)
{
    size_t len = text->len - p->token.start;

    return name && !(text == &p->scalar && p->scalar_long) && strlen(name) == len &&
           !memcmp(text->data + p->token.start, name, len);
}

/* Looks at the name of a member of the envelope. A name may be written with escapes, too: an overlooked link or error
 * would make a part pass for the whole. */
static void envelope_name(struct page *p)
{
    CLEANUP(buf_free) struct buf plain = BUF_INIT(p->scalar.limit);
    const char *name, *text;

    page_plain(buf_text(&p->scalar), p->scalar_long ? 0 : p->scalar.len, false, &plain);
    name = text = buf_text(&plain);
    name += *name == '@';
    name += text_starts(name, "odata.") ? strlen("odata.") : 0;
    p->next.link = text_same(text, NEXT_LINK);
    p->next.count = text_same(text, COUNT_NAME);
    p->next.error = text_same_nocase(name, ERROR_NAME);
    p->next.records = token_is(p, &p->scalar, p->shape->array);
}

static void key_end(struct page *p)
{
    const struct buf *text = copy_to(p);

    if (p->record.open && p->depth == p->record_depth + 1) {
        p->next.id = !p->record.has_id && token_is(p, text, p->shape->id);
        p->next.time = !p->record.has_time && token_is(p, text, p->shape->time);
    } else if (!p->record.open && p->depth == 1) {
        envelope_name(p);
    }
}

/* Returns the text of a JSON string without its escapes; NULL if it is malformed. Caller frees. */
static char *decoded(const char *text, size_t len)
{
    CLEANUP(mem_freep) char *quoted = mem_format("\"%.*s\"", (int)len, text);
    CLEANUP(json_freep) cJSON *string = json_parse(quoted, strlen(quoted));

    return mem_text(cJSON_GetStringValue(string));
}

/* Keeps the next link. One that cannot be read breaks the page: without it the answer would pass for the whole
 * window. */
static void take_link(struct page *p)
{
    char *link = p->scalar_long ? NULL : decoded(buf_text(&p->scalar), p->scalar.len);

    if (!link) {
        page_bad(p, "a next link that cannot be read");
        return;
    }
    free(p->found.link);
    p->found.link = link;
}

/* Parses the update time. .NET may write the '+' of an offset as an escape. */
static bool take_time(const char *text, size_t len, ticks *ret)
{
    CLEANUP(mem_freep) char *plain = NULL;

    if (!memchr(text, '\\', len))
        return ticks_parse(text, len, ret);
    plain = len < PAGE_TIME_MAX ? decoded(text, len) : NULL;
    return plain && ticks_parse(plain, strlen(plain), ret);
}

void page_scalar_end(struct page *p)
{
    struct buf *text = copy_to(p);

    if (p->next.id) {
        p->record.has_id = true;
        p->record.id_start = p->token.start - p->record.start;
        p->record.id_len = text->len - p->token.start;
    } else if (p->next.time) {
        p->record.time_start = p->token.start - p->record.start;
        p->record.time_len = text->len - p->token.start;
        p->record.has_time = take_time(text->data + p->token.start, p->record.time_len, &p->record.time);
    } else if (p->next.link) {
        take_link(p);
    }
    p->next.id = p->next.time = p->next.link = false;
}

/* Keeps a text of the envelope's error: its code, its message. */
static void take_error(struct page *p)
{
    if (p->found.error.len)
        buf_add_text(&p->found.error, " ");
    if (!p->scalar_long)
        page_plain(buf_text(&p->scalar), p->scalar.len, false, &p->found.error);
}

static void string_end(struct page *p)
{
    p->at++;
    if (p->token.key) {
        key_end(p);
        page_put(p, '"');
        p->state = ST_COLON;
        return;
    }
    if (p->next.id || p->next.time || p->next.link)
        page_scalar_end(p);
    if (p->state == ST_BROKEN)
        return;
    if (p->next.error && !p->record.open)
        take_error(p);
    page_put(p, '"');
    p->next.records = false;
    value_end(p);
}

static void put_special(struct page *p, unsigned char c)
{
    switch (c) {
    case '&': buf_add(p->out, "&amp;", 5); break;
    case '<': buf_add(p->out, "&lt;", 4); break;
    default: buf_add(p->out, "&gt;", 4); break;
    }
}

static void put_character(struct page *p, const unsigned char *bytes, size_t size)
{
    bool xml_forbids = size == 3 && bytes[0] == 0xEF && bytes[1] == 0xBF && bytes[2] >= 0xBE; /* U+FFFE, U+FFFF */

    if (!size || (p->record.open && xml_forbids)) { /* in the envelope too: dropped bytes must not make a name */
        p->record.replaced = true;
        buf_add(copy_to(p), REPLACEMENT, 3);
    } else {
        buf_add(copy_to(p), bytes, size);
    }
}

static size_t utf8_wanted(unsigned char first)
{
    return first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
}

/* Returns true if the last bytes of the slice may be the beginning of a character. */
static bool cut_character(const unsigned char *at, size_t left)
{
    size_t i;

    if (*at < 0xC2 || *at > 0xF4 || left >= utf8_wanted(*at))
        return false;
    for (i = 1; i < left; i++)
        if ((at[i] & 0xC0) != 0x80)
            return false;
    return true;
}

/* Copies a character of 0x80 or more. One that the slice cuts is kept until the next slice. */
static void multibyte(struct page *p)
{
    size_t left = (size_t)(p->end - p->at), size = utf8_length(p->at, left);

    if (!size && cut_character(p->at, left)) {
        p->token.utf8_len = left;
        memcpy(p->token.utf8, p->at, left);
        p->at = p->end;
        p->state = ST_UTF8;
        return;
    }
    put_character(p, p->at, size);
    p->at += size ? size : 1;
}

/* Completes a cut character. If it is malformed, its bytes are replaced and the last one is read again. */
void page_text_cut_character(struct page *p)
{
    size_t size, lost;

    p->token.utf8[p->token.utf8_len++] = *p->at++;
    size = utf8_length(p->token.utf8, p->token.utf8_len);
    if (!size && p->token.utf8_len < utf8_wanted(p->token.utf8[0]) &&
        (p->token.utf8[p->token.utf8_len - 1] & 0xC0) == 0x80)
        return;
    p->state = ST_STRING;
    if (size) {
        put_character(p, p->token.utf8, size);
        return;
    }
    /* The last byte is at p->at[-1] and is read again. The ones before it are malformed. */
    p->at--;
    for (lost = p->token.utf8_len - 1; lost; lost--)
        put_character(p, p->token.utf8, 0);
}

static void string_special(struct page *p)
{
    unsigned char c = *p->at;

    if (c == '"') {
        string_end(p);
    } else if (c == '\\') {
        buf_put(copy_to(p), '\\');
        p->at++;
        p->state = ST_ESCAPE;
    } else if (c < 0x20) {
        page_bad(p, "a control character inside a string");
    } else if (c >= 0x80) {
        multibyte(p);
    } else { /* & < >: escaped in XML only */
        if (p->record.open)
            put_special(p, c);
        else
            buf_put(&p->scalar, (char)c);
        p->at++;
    }
}

/* Returns the number of bytes that may be copied at once, with room made for them. 0: there is no room. */
static size_t string_room(struct page *p)
{
    size_t left = (size_t)(p->end - p->at);
    size_t most = p->record.open ? PAGE_STEP : SCALAR_STEP;

    if (left > most)
        left = most;
    if (p->record.open)
        return buf_room(p->out, left) ? left : 0;
    if (!buf_room(&p->scalar, left)) { /* a long string of the envelope that is not needed */
        buf_clear(&p->scalar);
        p->scalar_long = true;
        buf_room(&p->scalar, left);
    }
    return left;
}

void page_text_goes_on(struct page *p)
{
    size_t room, plain;

    while (p->state == ST_STRING && p->at < p->end) {
        room = string_room(p);
        if (!room) {
            page_bad(p, PAGE_NO_ROOM);
            return;
        }
        plain = scan_plain(p->at, room, copy_to(p)->data + copy_to(p)->len);
        copy_to(p)->len += plain;
        p->at += plain;
        if (plain < room)
            string_special(p);
    }
}

void page_text_escape(struct page *p)
{
    unsigned char c = *p->at;

    if (c == 'u') {
        p->token.hex_left = 4;
        p->state = ST_HEX;
    } else if (strchr("\"\\/bfnrt", c) && c) {
        p->state = ST_STRING;
    } else {
        page_bad(p, "an unknown escape inside a string");
        return;
    }
    buf_put(copy_to(p), (char)c);
    p->at++;
}

void page_text_hex(struct page *p)
{
    unsigned char c = *p->at;
    bool ok = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');

    if (!ok) {
        page_bad(p, "an incomplete \\u escape inside a string");
        return;
    }
    buf_put(copy_to(p), (char)c);
    p->at++;
    if (--p->token.hex_left == 0)
        p->state = ST_STRING;
}
