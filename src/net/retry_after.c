#include "net/retry_after.h"

#include <string.h>
#include <strings.h>

#include "base/backoff.h"
#include "base/ticks.h"

#define ABSURD_MS (INT64_C(30) * 24 * 3600 * 1000)

/* Returns the delay within its limits, -1 if it makes no sense. */
static int64_t limited(int64_t wait_ms)
{
    if (wait_ms < 0 || wait_ms > ABSURD_MS)
        return -1;
    return wait_ms < BACKOFF_ASKED_MAX_MS ? wait_ms : BACKOFF_ASKED_MAX_MS;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z';
}

/* The text that is left to read. It need not end with a zero byte. */
struct reader {
    const char *at;
    const char *end;
};

static void skip_blanks(struct reader *c)
{
    while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at)
        c->at++;
}

static bool skip_word(struct reader *c, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(c->end - c->at) < len || strncasecmp(c->at, word, len))
        return false;
    c->at += len;
    return true;
}

/* Reads "52" or "2.128" seconds as milliseconds, rounded up: a shorter wait would be refused again. */
static bool seconds(struct reader *c, int64_t *ret_ms)
{
    int64_t ms = 0, unit = 100;
    bool inexact = false;

    if (c->at == c->end || !is_digit(*c->at))
        return false;
    for (; c->at < c->end && is_digit(*c->at); c->at++)
        if (ms <= ABSURD_MS)
            ms = ms * 10 + (*c->at - '0') * 1000;
    if (c->end - c->at > 1 && *c->at == '.' && is_digit(c->at[1]))
        for (c->at++; c->at < c->end && is_digit(*c->at); c->at++, unit /= 10) {
            ms += (*c->at - '0') * unit;
            inexact |= unit == 0 && *c->at != '0';
        }
    *ret_ms = ms + inexact;
    return true;
}

int64_t retry_after_ms(const char *value, int64_t now_unix_ms)
{
    struct reader c = { value, value + strlen(value) };
    int64_t ms;

    skip_blanks(&c);
    if (seconds(&c, &ms)) {
        skip_blanks(&c);
        return c.at == c.end ? limited(ms) : -1;
    }
    if (!http_date_ms(c.at, &ms))
        return -1;
    return ms <= now_unix_ms ? 0 : limited(ms - now_unix_ms);
}

/* Reads "in 52 seconds" or "after 1 second". word_start: a word can begin here. */
static bool in_words(struct reader c, bool word_start, int64_t *ret_ms)
{
    if (!word_start || !(skip_word(&c, "in ") || skip_word(&c, "after ")))
        return false;
    skip_blanks(&c);
    if (!seconds(&c, ret_ms))
        return false;
    skip_blanks(&c);
    return skip_word(&c, "second");
}

/* Reads "retryAfter": 52, also with the number in quotes. */
static bool in_member(struct reader c, int64_t *ret_ms)
{
    if (!skip_word(&c, "\"retryAfter\"") && !skip_word(&c, "\"retry_after\""))
        return false;
    skip_blanks(&c);
    if (!skip_word(&c, ":"))
        return false;
    skip_blanks(&c);
    skip_word(&c, "\"");
    return seconds(&c, ret_ms);
}

int64_t retry_after_in_body_ms(const char *body, size_t len)
{
    struct reader c = { body, body + len };
    int64_t ms;

    for (; c.at < c.end; c.at++)
        if (in_words(c, c.at == body || !is_letter(c.at[-1]), &ms) || in_member(c, &ms))
            return limited(ms);
    return -1;
}

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
                                      "Aug", "Sep", "Oct", "Nov", "Dec", NULL };
static const char *const weekdays[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday",    NULL };

/* Reads one of the names, whole or its first three letters. Returns its number, 1 for the first; 0: none. */
static int name(struct reader *c, const char *const *names, bool whole)
{
    size_t len;
    int i;

    for (i = 0; names[i]; i++) {
        len = whole ? strlen(names[i]) : 3;
        if ((size_t)(c->end - c->at) >= len && !strncasecmp(c->at, names[i], len)) {
            c->at += len;
            return i + 1;
        }
    }
    return 0;
}

static bool digits(struct reader *c, int count, int *ret)
{
    for (*ret = 0; count; count--, c->at++) {
        if (c->at == c->end || !is_digit(*c->at))
            return false;
        *ret = *ret * 10 + (*c->at - '0');
    }
    return true;
}

/* Reads one field of a date; the letters are those of `formats` below. */
static bool field(struct reader *c, char kind, struct date *date)
{
    switch (kind) {
    case 'w': return name(c, weekdays, false) != 0;
    case 'W': return name(c, weekdays, true) != 0;
    case 'n': return (date->month = name(c, months, false)) != 0;
    case 'd': return digits(c, 2, &date->day);
    case 'e': return digits(c, skip_word(c, " ") ? 1 : 2, &date->day); /* asctime pads with a blank */
    case 'Y': return digits(c, 4, &date->year);
    case 'H': return digits(c, 2, &date->hour);
    case 'M': return digits(c, 2, &date->minute);
    case 'S': return digits(c, 2, &date->second);
    case 'y':
        if (!digits(c, 2, &date->year))
            return false;
        date->year += date->year < 70 ? 2000 : 1900;
        return true;
    default: return false;
    }
}

/* Returns true if the whole text has the format; fills in *date. */
static bool matches(const char *text, const char *pattern, struct date *date)
{
    struct reader c = { text, text + strlen(text) };

    for (; *pattern; pattern++) {
        if (*pattern == '%' ? !field(&c, *++pattern, date) : c.at == c.end || *c.at++ != *pattern)
            return false;
    }
    skip_blanks(&c);
    return c.at == c.end;
}

bool http_date_ms(const char *text, int64_t *ret)
{
    static const char *const formats[] = { "%w, %d %n %Y %H:%M:%S GMT", "%W, %d-%n-%y %H:%M:%S GMT",
                                           "%w %n %e %H:%M:%S %Y" };
    struct date date;
    ticks time;
    size_t i;

    for (i = 0; i < COUNT_OF(formats); i++) {
        date = (struct date){ 0 };
        if (!matches(text, formats[i], &date))
            continue;
        if (!ticks_of_date(&date, &time))
            return false;
        *ret = ticks_to_ms(time);
        return true;
    }
    return false;
}
