/* Text, dates and forms. Nothing here is shared with the program: its mistakes must not be ours. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim.h"

static void text_room(struct text *text, size_t len)
{
    if (text->len + len + 1 <= text->cap)
        return;
    text->cap = (text->cap + len) * 2 + 200;
    text->data = realloc(text->data, text->cap);
}

void text_put(struct text *text, const char *bytes, size_t len)
{
    text_room(text, len);
    memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void text_add(struct text *text, const char *more)
{
    text_put(text, more, strlen(more));
}

void text_count(struct text *text, int number)
{
    char digits[10], *at = digits + sizeof(digits);

    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    text_put(text, at, (size_t)(digits + sizeof(digits) - at));
}

void text_say(struct text *text, const char *fmt, ...)
{
    va_list args;
    int len;

    text_room(text, 100);
    for (;;) {
        size_t room = text->cap - text->len;

        va_start(args, fmt);
        len = vsnprintf(text->data + text->len, room, fmt, args);
        va_end(args);
        if ((size_t)len < room)
            break;
        text_room(text, (size_t)len);
    }
    text->len += (size_t)len;
}

void text_drop(struct text *text)
{
    free(text->data);
    *text = (struct text){ 0 };
}

/* Writes that many digits and the character after them. Returns the end. */
static char *put_digits(char *at, int number, int digits, char after)
{
    for (int i = digits; i--; number /= 10)
        at[i] = (char)('0' + number % 10);
    at[digits] = after;
    return at + digits + 1;
}

const char *date_text(int64_t ticks, int digits, char ret[DATE_MOST])
{
    time_t seconds = (time_t)(ticks / 10000000);
    char part[8], *at = ret;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    at = put_digits(at, tm.tm_year + 1900, 4, '-');
    at = put_digits(at, tm.tm_mon + 1, 2, '-');
    at = put_digits(at, tm.tm_mday, 2, 'T');
    at = put_digits(at, tm.tm_hour, 2, ':');
    at = put_digits(at, tm.tm_min, 2, ':');
    at = put_digits(at, tm.tm_sec, 2, digits ? '.' : 'Z');
    if (digits) {
        put_digits(part, (int)(ticks % 10000000), 7, '\0');
        memcpy(at, part, (size_t)digits);
        at += digits;
        *at++ = 'Z';
    }
    *at = '\0';
    return ret;
}

/* Reads that many digits and the character after them; '\0': whatever follows. */
static bool read_digits(const char **text, int digits, char after, int *ret)
{
    *ret = 0;
    for (; digits; digits--, (*text)++) {
        if (!isdigit((unsigned char)**text))
            return false;
        *ret = *ret * 10 + (**text - '0');
    }
    if (after && *(*text)++ != after)
        return false;
    return true;
}

bool date_read(const char *text, int64_t *ticks)
{
    struct tm tm = { 0 };
    int64_t part = 0;
    int scale;

    if (!read_digits(&text, 4, '-', &tm.tm_year) || !read_digits(&text, 2, '-', &tm.tm_mon) ||
        !read_digits(&text, 2, 'T', &tm.tm_mday) || !read_digits(&text, 2, ':', &tm.tm_hour) ||
        !read_digits(&text, 2, ':', &tm.tm_min) || !read_digits(&text, 2, '\0', &tm.tm_sec))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    if (*text == '.')
        for (text++, scale = 1000000; isdigit((unsigned char)*text); text++, scale /= 10)
            part += (*text - '0') * scale;
    *ticks = (int64_t)timegm(&tm) * 10000000 + part;
    return *text == 'Z' || !*text || *text == ' ';
}

const char *date_http(int64_t unix_ms, char ret[DATE_MOST])
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(ret, DATE_MOST, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    return ret;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns the character at *from, and moves *from to its end. */
static char decode_one(const char **from, const char *end)
{
    const char *at = (*from)++;

    if (*at == '%' && end - at > 2 && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
        *from = at + 3;
        return (char)(hex_digit(at[1]) * 16 + hex_digit(at[2]));
    }
    return *at == '+' ? ' ' : *at;
}

char *form_decode(const char *from, size_t len)
{
    char *ret = malloc(len + 1), *to = ret;
    const char *end = from + len;

    while (from < end)
        *to++ = decode_one(&from, end);
    *to = '\0';
    return ret;
}

static bool decodes_to(const char *from, size_t len, const char *name)
{
    const char *end = from + len;

    while (from < end && *name)
        if (decode_one(&from, end) != *name++)
            return false;
    return from == end && !*name;
}

char *form_get(const char *form, const char *name)
{
    const char *query = form ? strchr(form, '?') : NULL, *field, *end;
    size_t len;

    for (field = query ? query + 1 : form; field && *field; field = *end ? end + 1 : end) {
        end = strchr(field, '&');
        end = end ? end : field + strlen(field);
        len = strcspn(field, "=&");
        if (decodes_to(field, len, name))
            return field[len] == '=' ? form_decode(field + len + 1, (size_t)(end - field) - len - 1) : strdup("");
    }
    return NULL;
}

bool text_has_secret(const char *text)
{
    const char *at;

    for (at = text; (at = strchr(at, '~')); at++)
        if (at - text >= 6 && !memcmp(at - 6, "secret", 6))
            return true;
    for (at = text; (at = strchr(at, '^')); at++)
        if (at - text >= 7 && !strncmp(at - 7, "session^key", 11))
            return true;
    for (at = text; (at = strchr(at, '3')); at++)
        if ((at[1] == 'f' && at > text && !strncmp(at - 1, "r3fresh.", 8)) ||
            (at[1] == 's' && at - text >= 3 && !strncmp(at - 3, "acc3ss.", 7)))
            return true;
    return false;
}

uint32_t text_hash(const char *text)
{
    uint32_t hash = 2166136261u;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}
