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

const char *date_text(int64_t ticks, int digits, char ret[DATE_MOST])
{
    time_t seconds = (time_t)(ticks / 10000000);
    char part[8], day[24];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(part, sizeof(part), "%07d", (int)(ticks % 10000000));
    if (digits)
        snprintf(ret, DATE_MOST, "%s.%.*sZ", day, digits, part);
    else
        snprintf(ret, DATE_MOST, "%sZ", day);
    return ret;
}

bool date_read(const char *text, int64_t *ticks)
{
    struct tm tm = { 0 };
    int used = 0, scale;
    int64_t part = 0;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec, &used) != 6)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    text += used;
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

char *form_decode(const char *from, size_t len)
{
    char *ret = malloc(len + 1), *to = ret;
    unsigned byte;
    size_t i;

    for (i = 0; i < len; i++) {
        if (from[i] == '%' && len - i > 2 && sscanf(from + i + 1, "%2x", &byte) == 1) {
            *to++ = (char)byte;
            i += 2;
        } else {
            *to++ = from[i] == '+' ? ' ' : from[i];
        }
    }
    *to = '\0';
    return ret;
}

char *form_get(const char *form, const char *name)
{
    const char *query = form ? strchr(form, '?') : NULL, *field, *end;
    size_t len;

    for (field = query ? query + 1 : form; field && *field; field = *end ? end + 1 : end) {
        char *key;

        end = field + strcspn(field, "&");
        len = strcspn(field, "=&");
        key = form_decode(field, len);
        if (!strcmp(key, name)) {
            free(key);
            return field[len] == '=' ? form_decode(field + len + 1, (size_t)(end - field) - len - 1) : strdup("");
        }
        free(key);
    }
    return NULL;
}

uint32_t text_hash(const char *text)
{
    uint32_t hash = 2166136261u;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}
