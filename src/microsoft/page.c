#include "microsoft/page.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "microsoft/scan.h"

#define REPLACEMENT  "\xEF\xBF\xBD"     /* U+FFFD */
#define TOO_LARGE    "the record is larger than 64 MiB"
#define NO_ROOM      "the record does not fit the output"
#define SCALAR_MAX   65536              /* longest key or text of the envelope that is looked at */
#define RECORD_STEP  16384              /* of a record so much is copied at a time */
#define SCALAR_STEP  4096               /* so much of it is copied at a time */
#define PARTIAL_KEPT (1024 * 1024)      /* room for a cut record that stays for the next one */
#define TIME_TEXT_MAX 256               /* no time is longer, escapes and all */
#define NEXT_LINK    "@odata.nextLink"
#define BOM          "\xEF\xBB\xBF"

/* What may come next. */
enum state {
    ST_VALUE,           /* a value */
    ST_FIRST_ITEM,      /* a value or ']' */
    ST_FIRST_KEY,       /* a key or '}' */
    ST_KEY,
    ST_COLON,
    ST_AFTER,           /* ',' or the end of the container */
    ST_STRING,          /* inside a string */
    ST_ESCAPE,          /* behind its backslash */
    ST_HEX,             /* inside \uXXXX: hex_left digits to come */
    ST_UTF8,            /* inside a multi-byte character that the last slice cut */
    ST_NUMBER,
    ST_LITERAL,         /* inside true, false, null */
    ST_SKIP,            /* inside a bad record: looking for its end */
    ST_DONE,            /* the value is complete: only white space */
    ST_BROKEN
};

/* Inside a number; NUM_BAD is 0 so that the table below stays small. */
enum number { NUM_BAD, NUM_MINUS, NUM_ZERO, NUM_INT, NUM_POINT, NUM_FRACTION, NUM_E, NUM_E_SIGN, NUM_EXPONENT };

struct page {
    const struct page_shape   *shape;
    const struct page_handler *handler;
    struct buf  *sink;              /* the caller's, during page_feed() */
    struct buf  *out;               /* where the record grows: the sink, or partial if a slice cut it */
    struct buf   partial;           /* with its headroom */
    struct buf   scalar;            /* a key or a text of the envelope */
    bool         scalar_long;       /* ... whose beginning did not fit: it equals no name that matters */
    const unsigned char *at, *end;  /* the slice */
    const unsigned char *slice;
    uint64_t     offset;            /* of the slice in the answer */

    bool         tangled;           /* what was skipped had words outside of its strings */
    size_t       bom;               /* so many bytes of a byte order mark have come */
    enum state   state;
    enum number  number;
    const char  *literal;           /* what is left of true, false, null */
    int          hex_left;
    unsigned char utf8[4];
    size_t       utf8_len;
    bool         key;               /* the string is a member's name */
    bool         member_id, member_time;    /* the value to come is the record's id, its time */
    bool         next_link;         /* the value to come is the next link */
    bool         records_next;      /* the value to come is the array of records */

    int          depth;             /* open containers */
    int          record_depth;      /* depth of the array of records once it is open; 0: not (any more) */
    bool         seen_array;
    uint64_t     objects[PAGE_DEPTH_MAX / 64];  /* bit n: container at depth n + 1 is an object */

    bool         in_record;
    size_t       record_start;      /* in out */
    uint64_t     record_offset;     /* in the answer */
    size_t       token_start;       /* in out or scalar: the string or number being read */
    size_t       id_start, id_len;  /* relative to record_start */
    bool         has_id, has_time;
    ticks        time;
    bool         replaced;
    bool         skip_string, skip_escape;

    bool         wide;              /* the processor has the wide instructions */
    size_t       count;
    char        *link;
    char         why[160];
};

struct page *page_new(const struct page_shape *shape, const struct page_handler *handler)
{
    struct page *p = mem_alloc(sizeof(*p));

    p->shape = shape;
    p->handler = handler;
    p->partial = BUF_INIT((size_t)2 * PAGE_RECORD_MAX);
    p->scalar = BUF_INIT(SCALAR_MAX);
    p->state = ST_VALUE;
    p->records_next = !shape->array;
#ifdef SCAN_WIDE
    p->wide = scan_has_wide();
#endif
    return p;
}

void page_free(struct page *p)
{
    if (!p)
        return;
    buf_free(&p->partial);
    buf_free(&p->scalar);
    free(p->link);
    free(p);
}

size_t page_count(const struct page *p)
{
    return p->count;
}

bool page_in_records(const struct page *p)
{
    return p->record_depth > 0;
}

bool page_tangled(const struct page *p)
{
    return p->tangled;
}

const char *page_next_link(const struct page *p)
{
    return p->link;
}

static inline bool in_object(const struct page *p)
{
    unsigned at = (unsigned)(p->depth - 1);

    return p->depth && (p->objects[at / 64] >> (at % 64) & 1);
}

static uint64_t here(const struct page *p)
{
    return p->offset + (uint64_t)(p->at - p->slice);
}

/* Where the bytes being read go: a record's to out, the envelope's keys and texts to scalar. */
static inline struct buf *copy_to(struct page *p)
{
    return p->in_record ? p->out : &p->scalar;
}

static inline void put(struct page *p, unsigned char c)
{
    if (p->in_record)
        buf_put(p->out, (char)c);
}

static void forget_partial(struct page *p)
{
    if (p->partial.cap > PARTIAL_KEPT)
        buf_free(&p->partial);
    else
        buf_clear(&p->partial);
    p->out = p->sink;
}

static void record_drop(struct page *p, const char *why)
{
    p->out->len = p->record_start - p->handler->headroom;
    p->out->full = false;
    forget_partial(p);
    p->in_record = false;
    p->handler->bad(p->handler->ctx, p->count++, p->record_offset, why);
}

/* What is not as it should be. Inside a record the rest of it is skipped; outside, the page is broken. */
static void bad(struct page *p, const char *why)
{
    if (p->in_record && p->record_depth) {
        record_drop(p, why);
        p->skip_string = p->state == ST_STRING || p->state == ST_ESCAPE || p->state == ST_HEX || p->state == ST_UTF8;
        p->skip_escape = p->state == ST_ESCAPE;
        p->state = ST_SKIP;
        return;
    }
    snprintf(p->why, sizeof(p->why), "%s at byte %llu", why, (unsigned long long)here(p));
    p->state = ST_BROKEN;
}

/* Records. */

static void record_begin(struct page *p)
{
    char *room = buf_room(p->out, p->handler->headroom + 16);

    if (!room) {
        p->record_offset = here(p);
        bad(p, NO_ROOM);
        return;
    }
    p->out->len += p->handler->headroom;
    p->out->full = false;
    p->in_record = true;
    p->record_start = p->out->len;
    p->record_offset = here(p);
    p->has_id = p->has_time = p->replaced = false;
}

/* A record that slices cut has grown by itself: only now it goes where the others are. */
static bool join(struct page *p)
{
    size_t start = p->sink->len + p->handler->headroom;

    if (p->out == p->sink)
        return true;
    if (!buf_add(p->sink, p->partial.data, p->partial.len))
        return false;
    forget_partial(p);
    p->record_start = start;
    return true;
}

static void record_end(struct page *p)
{
    struct page_record record;

    if (p->out->len - p->record_start > PAGE_RECORD_MAX) {
        record_drop(p, TOO_LARGE);
        return;
    }
    if (p->out->full || !join(p)) {
        record_drop(p, NO_ROOM);
        return;
    }
    record = (struct page_record){ .start = p->record_start, .len = p->out->len - p->record_start,
                                    .has_time = p->has_time, .time = p->time, .replaced = p->replaced };
    p->in_record = false;
    p->count++;
    if (p->has_id) {
        record.id = p->out->data + p->record_start + p->id_start;
        record.id_len = p->id_len;
    }
    p->handler->record(p->handler->ctx, p->out, &record);
}

/* A value is complete: what does that mean at this depth? */
static inline void value_end(struct page *p)
{
    if (p->in_record && p->depth == p->record_depth)
        record_end(p);
    p->state = p->depth ? ST_AFTER : ST_DONE;
}

/* Containers. */

static inline void set_object(struct page *p, bool object)
{
    unsigned at = (unsigned)p->depth++;
    uint64_t bit = UINT64_C(1) << (at % 64);

    p->objects[at / 64] = object ? p->objects[at / 64] | bit : p->objects[at / 64] & ~bit;
}

static void container_open(struct page *p, bool object)
{
    if (p->depth == PAGE_DEPTH_MAX) {
        bad(p, "nested deeper than 512 levels");
        return;
    }
    set_object(p, object);
    put(p, object ? '{' : '[');
    if (!object && p->records_next) {
        p->record_depth = p->depth;
        p->seen_array = true;
    }
    p->records_next = false;
    p->state = object ? ST_FIRST_KEY : ST_FIRST_ITEM;
    p->at++;
}

static void container_close(struct page *p)
{
    put(p, *p->at);
    if (p->depth == p->record_depth)
        p->record_depth = 0;
    p->depth--;
    p->at++;
    value_end(p);
}

/* Strings. */

static void string_begin(struct page *p, bool key)
{
    p->key = key;
    if (!p->in_record) {
        buf_clear(&p->scalar);
        p->scalar_long = false;
    }
    put(p, '"');
    p->token_start = copy_to(p)->len;
    p->at++;
    p->state = ST_STRING;
}

static bool token_is(const struct page *p, const struct buf *text, const char *name)
{
    size_t len = text->len - p->token_start;

    return name && !(text == &p->scalar && p->scalar_long) && strlen(name) == len &&
           !memcmp(text->data + p->token_start, name, len);
}

static void key_end(struct page *p)
{
    const struct buf *text = copy_to(p);

    if (p->in_record && p->depth == p->record_depth + 1) {
        p->member_id = !p->has_id && token_is(p, text, p->shape->id);
        p->member_time = !p->has_time && token_is(p, text, p->shape->time);
    } else if (!p->in_record && p->depth == 1) {
        p->next_link = token_is(p, text, NEXT_LINK);
        p->records_next = !p->seen_array && token_is(p, text, p->shape->array);
    }
}

/* The text of a JSON string, its escapes undone; NULL for one that cannot be. */
static char *decoded(const char *text, size_t len)
{
    CLEANUP(mem_freep) char *quoted = mem_format("\"%.*s\"", (int)len, text);
    CLEANUP(json_freep) cJSON *string = json_parse(quoted, strlen(quoted));

    return mem_text(cJSON_GetStringValue(string));
}

/* A link that cannot be read breaks the page: without it the answer would pass for the whole of the span. */
static void take_link(struct page *p)
{
    char *link = p->scalar_long ? NULL : decoded(buf_text(&p->scalar), p->scalar.len);

    if (!link) {
        bad(p, "a next link that cannot be read");
        return;
    }
    free(p->link);
    p->link = link;
}

/* .NET may write the '+' of an offset as an escape. */
static bool take_time(const char *text, size_t len, ticks *ret)
{
    CLEANUP(mem_freep) char *plain = NULL;

    if (!memchr(text, '\\', len))
        return ticks_parse(text, len, ret);
    plain = len < TIME_TEXT_MAX ? decoded(text, len) : NULL;
    return plain && ticks_parse(plain, strlen(plain), ret);
}

static void scalar_value_end(struct page *p)
{
    struct buf *text = copy_to(p);

    if (p->member_id) {
        p->has_id = true;
        p->id_start = p->token_start - p->record_start;
        p->id_len = text->len - p->token_start;
    } else if (p->member_time) {
        p->has_time = take_time(text->data + p->token_start, text->len - p->token_start, &p->time);
    } else if (p->next_link) {
        take_link(p);
    }
    p->member_id = p->member_time = p->next_link = false;
}

static void string_end(struct page *p)
{
    p->at++;
    if (p->key) {
        key_end(p);
        put(p, '"');
        p->state = ST_COLON;
        return;
    }
    if (p->member_id || p->member_time || p->next_link)
        scalar_value_end(p);
    if (p->state == ST_BROKEN)
        return;
    put(p, '"');
    p->records_next = false;
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
    bool xml_forbids = size == 3 && bytes[0] == 0xEF && bytes[1] == 0xBF && bytes[2] >= 0xBE;    /* U+FFFE, U+FFFF */

    if (!size || (p->in_record && xml_forbids)) {      /* in the envelope too: no name may come of dropped bytes */
        p->replaced = true;
        buf_add(copy_to(p), REPLACEMENT, 3);
    } else {
        buf_add(copy_to(p), bytes, size);
    }
}

static size_t utf8_wanted(unsigned char first)
{
    return first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
}

/* May these last bytes of the slice be the beginning of a character? */
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

/* A byte of 0x80 or more inside a string. A character that the slice cuts is put aside until the next one comes. */
static void multibyte(struct page *p)
{
    size_t left = (size_t)(p->end - p->at), size = text_utf8_length(p->at, left);

    if (!size && cut_character(p->at, left)) {
        p->utf8_len = left;
        memcpy(p->utf8, p->at, left);
        p->at = p->end;
        p->state = ST_UTF8;
        return;
    }
    put_character(p, p->at, size);
    p->at += size ? size : 1;
}

/* Bytes of a cut character: complete it, or give its first byte up and look at the others again. */
static void multibyte_rest(struct page *p)
{
    size_t size, lost;

    p->utf8[p->utf8_len++] = *p->at++;
    size = text_utf8_length(p->utf8, p->utf8_len);
    if (!size && p->utf8_len < utf8_wanted(p->utf8[0]) && (p->utf8[p->utf8_len - 1] & 0xC0) == 0x80)
        return;
    p->state = ST_STRING;
    if (size) {
        put_character(p, p->utf8, size);
        return;
    }
    /* The last byte is at p->at[-1] and is read again as whatever it is; the ones before it are lost bytes. */
    p->at--;
    for (lost = p->utf8_len - 1; lost; lost--)
        put_character(p, p->utf8, 0);
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
        bad(p, "a control character inside a string");
    } else if (c >= 0x80) {
        multibyte(p);
    } else {        /* & < >: only XML minds them */
        if (p->in_record)
            put_special(p, c);
        else
            buf_put(&p->scalar, (char)c);
        p->at++;
    }
}

/* How much of the string may be copied at once, with room made for it; 0 if there is none. */
static size_t string_room(struct page *p)
{
    size_t left = (size_t)(p->end - p->at);

    size_t most = p->in_record ? RECORD_STEP : SCALAR_STEP;

    if (left > most)
        left = most;
    if (p->in_record)
        return buf_room(p->out, left + SCAN_SLACK) ? left : 0;
    if (!buf_room(&p->scalar, left + SCAN_SLACK)) {     /* a long text of the envelope that nobody needs */
        buf_clear(&p->scalar);
        p->scalar_long = true;
        buf_room(&p->scalar, left + SCAN_SLACK);
    }
    return left;
}

static void string_goes_on(struct page *p)
{
    size_t room, plain;

    while (p->state == ST_STRING && p->at < p->end) {
        room = string_room(p);
        if (!room) {
            bad(p, NO_ROOM);
            return;
        }
        plain = scan_plain(p->at, room, copy_to(p)->data + copy_to(p)->len);
        copy_to(p)->len += plain;
        p->at += plain;
        if (plain < room)
            string_special(p);
    }
}

static void escape(struct page *p)
{
    unsigned char c = *p->at;

    if (c == 'u') {
        p->hex_left = 4;
        p->state = ST_HEX;
    } else if (strchr("\"\\/bfnrt", c) && c) {
        p->state = ST_STRING;
    } else {
        bad(p, "an unknown escape inside a string");
        return;
    }
    buf_put(copy_to(p), (char)c);
    p->at++;
}

static void hex(struct page *p)
{
    unsigned char c = *p->at;
    bool ok = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');

    if (!ok) {
        bad(p, "an incomplete \\u escape inside a string");
        return;
    }
    buf_put(copy_to(p), (char)c);
    p->at++;
    if (--p->hex_left == 0)
        p->state = ST_STRING;
}

/* Numbers and words. */

static enum number number_step(enum number from, unsigned char c)
{
    bool nought = c == '0', digit = c >= '0' && c <= '9', e = (c | 0x20) == 'e';

    switch (from) {
    case NUM_MINUS: return nought ? NUM_ZERO : digit ? NUM_INT : NUM_BAD;
    case NUM_ZERO: return c == '.' ? NUM_POINT : e ? NUM_E : NUM_BAD;
    case NUM_INT: return digit ? NUM_INT : c == '.' ? NUM_POINT : e ? NUM_E : NUM_BAD;
    case NUM_POINT: return digit ? NUM_FRACTION : NUM_BAD;
    case NUM_FRACTION: return digit ? NUM_FRACTION : e ? NUM_E : NUM_BAD;
    case NUM_E: return digit ? NUM_EXPONENT : c == '+' || c == '-' ? NUM_E_SIGN : NUM_BAD;
    case NUM_E_SIGN:
    case NUM_EXPONENT: return digit ? NUM_EXPONENT : NUM_BAD;
    default: return NUM_BAD;
    }
}

static bool number_complete(enum number number)
{
    return number == NUM_ZERO || number == NUM_INT || number == NUM_FRACTION || number == NUM_EXPONENT;
}

static void number_begin(struct page *p)
{
    unsigned char c = *p->at++;

    p->number = c == '-' ? NUM_MINUS : c == '0' ? NUM_ZERO : NUM_INT;
    p->token_start = p->out->len;
    put(p, c);
    p->state = ST_NUMBER;
}

static void number_end(struct page *p)
{
    if (p->member_id)           /* a number will do as an id; as a time it will not */
        scalar_value_end(p);
    p->member_time = p->next_link = p->records_next = false;
    value_end(p);
}

static void number_goes_on(struct page *p)
{
    enum number next;

    for (; p->at < p->end; p->at++) {
        next = number_step(p->number, *p->at);
        if (next == NUM_BAD) {
            if (number_complete(p->number))
                number_end(p);
            else
                bad(p, "a malformed number");
            return;
        }
        p->number = next;
        put(p, *p->at);
    }
}

static void literal_begin(struct page *p, const char *word)
{
    p->literal = word;
    p->member_id = p->member_time = p->next_link = p->records_next = false;
    p->state = ST_LITERAL;
}

static void literal_goes_on(struct page *p)
{
    for (; p->at < p->end && *p->literal; p->at++, p->literal++) {
        if (*p->at != (unsigned char)*p->literal) {
            bad(p, "a word that is not true, false or null");
            return;
        }
        put(p, *p->at);
    }
    if (!*p->literal)
        value_end(p);
}

/* Values and what is between them. */

static void value_begin(struct page *p)
{
    unsigned char c = *p->at;

    if (p->record_depth && p->depth == p->record_depth && !p->in_record) {
        record_begin(p);
        if (!p->in_record)
            return;
    }
    if (p->next_link && c != '"' && c != 'n') {
        bad(p, "a next link that is no text");
        return;
    }
    if (c == '{' || c == '[') {
        p->member_id = p->member_time = p->next_link = false;
        container_open(p, c == '{');
    } else if (c == '"') {
        string_begin(p, false);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        number_begin(p);
    } else if (c == 't' || c == 'f' || c == 'n') {
        literal_begin(p, c == 't' ? "true" : c == 'f' ? "false" : "null");
    } else {
        bad(p, "no JSON value");
    }
}

static void after_value(struct page *p)
{
    unsigned char c = *p->at;
    bool object = in_object(p);

    if (c == ',') {
        put(p, c);
        p->at++;
        p->state = object ? ST_KEY : ST_VALUE;
    } else if (c == (object ? '}' : ']')) {
        container_close(p);
    } else {
        bad(p, object ? "neither ',' nor '}' behind a member" : "neither ',' nor ']' behind a value");
    }
}

static void colon(struct page *p)
{
    if (*p->at != ':') {
        bad(p, "no ':' behind a member's name");
        return;
    }
    put(p, ':');
    p->at++;
    p->state = ST_VALUE;
}

static void key(struct page *p)
{
    if (*p->at == '"')
        string_begin(p, true);
    else if (*p->at == '}' && p->state == ST_FIRST_KEY)
        container_close(p);
    else
        bad(p, "no member name in quotes");
}

/* Inside a bad record only strings and brackets count, until the array goes on or ends. */
static void skip(struct page *p)
{
    for (; p->at < p->end; p->at++) {
        unsigned char c = *p->at;

        if (p->skip_string) {
            if (p->skip_escape)
                p->skip_escape = false;
            else if (c == '\\')
                p->skip_escape = true;
            else if (c == '"')
                p->skip_string = false;
            continue;
        }
        if (p->depth == p->record_depth && (c == ',' || c == ']')) {
            p->state = ST_AFTER;
            return;
        }
        if (c == '"')
            p->skip_string = true;
        else if (c == '{' || c == '[')
            p->depth++;
        else if (c == '}' || c == ']')
            p->depth--;
        else if (c > ' ' && !strchr("truefalsnE0123456789+-.,:", c))
            p->tangled = true;
        if (p->depth < p->record_depth || p->depth == INT_MAX) {
            snprintf(p->why, sizeof(p->why), "%s at byte %llu", p->depth == INT_MAX ? "too many open brackets" :
                     "a bracket that nothing opened", (unsigned long long)here(p));
            p->state = ST_BROKEN;
            return;
        }
    }
}

static inline bool blank(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void between_tokens(struct page *p)
{
    while (p->at < p->end && blank(*p->at))
        p->at++;
    if (p->at == p->end)
        return;
    switch (p->state) {
    case ST_FIRST_ITEM:
        if (*p->at == ']') {
            container_close(p);
            return;
        }
        value_begin(p);
        return;
    case ST_VALUE:
        value_begin(p);
        return;
    case ST_FIRST_KEY:
    case ST_KEY:
        key(p);
        return;
    case ST_COLON:
        colon(p);
        return;
    case ST_AFTER:
        after_value(p);
        return;
    default:
        bad(p, "something behind the end of the JSON text");
    }
}

static void step(struct page *p)
{
    switch (p->state) {
    case ST_STRING: string_goes_on(p); return;
    case ST_ESCAPE: escape(p); return;
    case ST_HEX: hex(p); return;
    case ST_UTF8: multibyte_rest(p); return;
    case ST_NUMBER: number_goes_on(p); return;
    case ST_LITERAL: literal_goes_on(p); return;
    case ST_SKIP: skip(p); return;
    default: between_tokens(p);
    }
}

/* The quick way through what is usual inside a record. It passes whole tokens with pointers instead of the machine's
 * members, and leaves at whatever is unusual (a cut or broken token, the id, the time, the record's end, a character
 * that XML minds), from where the machine above takes a step. It accepts nothing that the machine would not. */

struct run {
    const unsigned char *at, *last;     /* at and RUN_AHEAD bytes behind it may be looked at while at <= last */
    char *to;
    bool  object;                       /* the innermost container is one */
};

#define RUN_AHEAD (2 * SCAN_STEP)
#define RUN_LEAST 256           /* for less of a slice it is not worth the while */

static inline bool simple_escape(unsigned char c)
{
    return c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't';
}

/* Up to the quote that ends the string; false: not seen yet. */
ALWAYS_INLINE bool run_string(struct run *run, scan_fn *scan)
{
    uint32_t found;
    size_t size;

    while (run->at <= run->last) {
        found = scan(run->at, run->to);
        size = found ? (size_t)__builtin_ctz(found) : SCAN_STEP;
        run->at += size;
        run->to += size;
        if (!found)
            continue;
        if (*run->at == '"')
            return true;
        if (*run->at == '\\' && simple_escape(run->at[1]))
            size = 2;
        else if (*run->at < 0x80 || *run->at >= 0xEF || !(size = text_utf8_length(run->at, 4)))
            return false;
        memcpy(run->to, run->at, 4);
        run->at += size;
        run->to += size;
    }
    return false;
}

/* An integer, true, false or null; false: something else. */
ALWAYS_INLINE bool run_scalar(struct run *run)
{
    size_t sign = *run->at == '-', len = sign;

    if (!memcmp(run->at, "null", 4) || !memcmp(run->at, "true", 4)) {
        len = 4;
    } else if (!memcmp(run->at, "false", 5)) {
        len = 5;
    } else {
        while (run->at[len] >= '0' && run->at[len] <= '9' && len < SCAN_STEP - 1)
            len++;
        if (len == sign || (run->at[sign] == '0' && len > sign + 1) ||
            (run->at[len] != ',' && run->at[len] != '}' && run->at[len] != ']'))
            return false;
    }
    memcpy(run->to, run->at, SCAN_STEP);
    run->at += len;
    run->to += len;
    return true;
}

/* Is that the name of the id or of the time? */
static inline bool run_name_matters(const struct page *p, const char *name, size_t len)
{
    const char *id = p->shape->id, *time = p->shape->time;

    return (id && name[0] == id[0] && len == strlen(id)) || (time && name[0] == time[0] && len == strlen(time));
}

/* A string from its opening quote on. False: the state says where it was left. */
ALWAYS_INLINE bool run_text(struct page *p, struct run *r, bool key, scan_fn *scan)
{
    char *token = r->to + 1;

    *r->to++ = '"';
    r->at++;
    if (!run_string(r, scan) ||
        (key && p->depth == p->record_depth + 1 && run_name_matters(p, token, (size_t)(r->to - token)))) {
        p->key = key;
        p->token_start = (size_t)(token - p->out->data);
        p->state = ST_STRING;
        return false;
    }
    *r->to++ = '"';
    r->at++;
    p->state = key ? ST_COLON : ST_AFTER;
    return true;
}

ALWAYS_INLINE bool run_name(struct page *p, struct run *r, scan_fn *scan)
{
    if (*r->at != '"' || !run_text(p, r, true, scan) || *r->at != ':')
        return false;
    *r->to++ = ':';
    r->at++;
    p->state = ST_VALUE;
    return true;
}

ALWAYS_INLINE bool run_open(struct page *p, struct run *r)
{
    if (p->depth == PAGE_DEPTH_MAX)
        return false;
    r->object = *r->at == '{';
    set_object(p, r->object);
    p->state = r->object ? ST_FIRST_KEY : ST_FIRST_ITEM;
    *r->to++ = (char)*r->at++;
    return true;
}

ALWAYS_INLINE bool run_value(struct page *p, struct run *r, scan_fn *scan)
{
    if (p->member_id || p->member_time)
        return false;
    if (*r->at == '"')
        return run_text(p, r, false, scan);
    if (*r->at == '{' || *r->at == '[')
        return run_open(p, r);
    if (!run_scalar(r))
        return false;
    p->state = ST_AFTER;
    return true;
}

ALWAYS_INLINE bool run_close(struct page *p, struct run *r)
{
    if (*r->at != (r->object ? '}' : ']') || p->depth <= p->record_depth + 1)
        return false;
    *r->to++ = (char)*r->at++;
    p->depth--;
    r->object = in_object(p);
    p->state = ST_AFTER;
    return true;
}

ALWAYS_INLINE bool run_token(struct page *p, struct run *r, scan_fn *scan)
{
    switch (p->state) {
    case ST_AFTER:
        if (*r->at != ',')
            return run_close(p, r);
        *r->to++ = ',';
        r->at++;
        p->state = r->object ? ST_KEY : ST_VALUE;
        return true;
    case ST_KEY:
        return run_name(p, r, scan);
    case ST_VALUE:
        return run_value(p, r, scan);
    case ST_FIRST_KEY:
    case ST_FIRST_ITEM:
        if (run_close(p, r))
            return true;
        return r->object ? run_name(p, r, scan) : run_value(p, r, scan);
    default:
        return false;
    }
}

ALWAYS_INLINE void run_with(struct page *p, scan_fn *scan)
{
    size_t left = (size_t)(p->end - p->at);
    struct run r = { .at = p->at };

    if (left > RECORD_STEP)
        left = RECORD_STEP;
    if (!p->in_record || p->depth == p->record_depth || left < RUN_LEAST || !buf_room(p->out, left + RUN_AHEAD))
        return;
    r.object = in_object(p);
    r.last = p->at + left - RUN_AHEAD;
    r.to = p->out->data + p->out->len;
    while (r.at <= r.last && run_token(p, &r, scan))
        ;
    p->at = r.at;
    p->out->len = (size_t)(r.to - p->out->data);
}

static void run_plain(struct page *p)
{
    run_with(p, scan_step);
}

#ifdef SCAN_WIDE

SCAN_WIDE static void run_wide(struct page *p)
{
    run_with(p, scan_step_wide);
}

static void run(struct page *p)
{
    if (p->wide)
        run_wide(p);
    else
        run_plain(p);
}

#else

static void run(struct page *p)
{
    run_plain(p);
}

#endif

/* A record that the slice cuts moves to a buffer of its own and grows there, so that a large one is not carried back
 * and forth with every slice. */
static void put_partial_aside(struct page *p)
{
    size_t from = p->record_start - p->handler->headroom;

    if (!p->in_record)
        return;
    if (p->out->len - p->record_start > PAGE_RECORD_MAX) {
        bad(p, TOO_LARGE);
        return;
    }
    if (p->out == &p->partial)
        return;
    buf_add(&p->partial, p->out->data + from, p->out->len - from);
    p->partial.full = p->out->full;
    p->out->len = from;
    p->out = &p->partial;
    p->record_start -= from;
    p->token_start -= from;
}

/* A byte order mark before the text is no part of JSON, yet some write it. */
static void pass_bom(struct page *p)
{
    while (p->at < p->end && p->bom < strlen(BOM) && here(p) == p->bom && *p->at == (unsigned char)BOM[p->bom]) {
        p->at++;
        p->bom++;
    }
    if (p->at < p->end && p->bom && p->bom < strlen(BOM))
        bad(p, "half a byte order mark");
}

bool page_feed(struct page *p, const char *bytes, size_t len, struct buf *out)
{
    if (!len || p->state == ST_BROKEN)
        return p->state != ST_BROKEN;
    p->slice = p->at = (const unsigned char *)bytes;
    p->end = p->at + len;
    p->sink = out;
    p->out = p->in_record ? &p->partial : out;
    if (p->offset < strlen(BOM))
        pass_bom(p);
    while (p->at < p->end && p->state != ST_BROKEN) {
        run(p);
        step(p);
    }
    put_partial_aside(p);
    p->offset += len;
    return p->state != ST_BROKEN;
}

bool page_end(struct page *p, struct err *err)
{
    if (p->state == ST_NUMBER && p->depth == 0 && number_complete(p->number))
        p->state = ST_DONE;
    if (p->state == ST_BROKEN)
        return err_set(err, ERR_INPUT, "the answer is no JSON: %s", p->why);
    if (p->offset == 0)
        return err_set(err, ERR_INPUT, "the answer is empty");
    if (p->state != ST_DONE)
        return err_set(err, ERR_INPUT, "the answer ends inside its JSON, after %llu bytes",
                       (unsigned long long)p->offset);
    if (!p->seen_array)
        return err_set(err, ERR_INPUT, "the answer is JSON but has no array %s%s%s",
                       p->shape->array ? "\"" : "of alerts", p->shape->array ? p->shape->array : "",
                       p->shape->array ? "\"" : "");
    return true;
}
