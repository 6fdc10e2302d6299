#include "base/ticks.h"

/* Days from 1970-01-01 to the first day of year 1 and to the first day of year 10000. */
#define DAY_FIRST   INT64_C(-719162)
#define DAY_END     INT64_C(2932897)
#define DAY_SECONDS 86400

struct reader {
    const char *at;
    const char *end;
};

/* Returns the days since 1970. Years are counted from March, so that the leap day is the last day of its year. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t era, year_of_era, day_of_year;

    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    year_of_era = year - era * 400;
    day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_of(int64_t days, int *year, int *month, int *day)
{
    int64_t era, day_of_era, year_of_era, day_of_year, month_from_march;

    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day_of_era = days - era * 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month_from_march = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool digit(const struct reader *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

static bool number(struct reader *r, int digits, int least, int most, int *ret)
{
    int value = 0, i;

    for (i = 0; i < digits; i++, r->at++) {
        if (!digit(r))
            return false;
        value = value * 10 + (*r->at - '0');
    }
    *ret = value;
    return value >= least && value <= most;
}

static bool letter(struct reader *r, char one, char other)
{
    if (r->at >= r->end || (*r->at != one && *r->at != other))
        return false;
    r->at++;
    return true;
}

static bool fraction(struct reader *r, int64_t *ret)
{
    int64_t value = 0;
    int digits = 0;

    if (!letter(r, '.', ','))
        return true;
    for (; digit(r); r->at++, digits++)
        if (digits < 7)
            value = value * 10 + (*r->at - '0');
    if (digits < 1 || digits > 9)
        return false;
    for (; digits < 7; digits++)
        value *= 10;
    *ret = value;
    return true;
}

static bool zone(struct reader *r, int64_t *offset_s)
{
    int hours, minutes, sign;

    if (r->at == r->end || letter(r, 'Z', 'z'))
        return true;
    if (*r->at != '+' && *r->at != '-')
        return false;
    sign = *r->at++ == '-' ? -1 : 1;
    if (!number(r, 2, 0, 23, &hours))
        return false;
    letter(r, ':', ':');
    if (!number(r, 2, 0, 59, &minutes))
        return false;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool time_of_day(struct reader *r, int64_t *seconds, int64_t *part)
{
    int hour, minute, second = 0;
    int64_t offset_s = 0;

    if (!number(r, 2, 0, 23, &hour) || !letter(r, ':', ':') || !number(r, 2, 0, 59, &minute))
        return false;
    if (letter(r, ':', ':') && (!number(r, 2, 0, 60, &second) || !fraction(r, part)))
        return false;
    if (!zone(r, &offset_s))
        return false;
    *seconds = hour * 3600 + minute * 60 + (second > 59 ? 59 : second) - offset_s;
    return true;
}

bool ticks_parse(const char *text, size_t len, ticks *ret)
{
    struct reader r = { text, text + len };
    int year, month, day;
    int64_t seconds = 0, part = 0;

    if (!number(&r, 4, 1, 9999, &year) || !letter(&r, '-', '-') || !number(&r, 2, 1, 12, &month) ||
        !letter(&r, '-', '-') || !number(&r, 2, 1, days_in_month(year, month), &day))
        return false;
    if (r.at < r.end && (!(letter(&r, 'T', 't') || letter(&r, ' ', ' ')) || !time_of_day(&r, &seconds, &part)))
        return false;
    if (r.at != r.end)
        return false;
    *ret = (days_of(year, month, day) * DAY_SECONDS + seconds) * TICKS_PER_SECOND + part;
    return true;
}

bool ticks_of_date(const struct date *date, ticks *ret)
{
    if (date->year < 1 || date->year > 9999 || date->month < 1 || date->month > 12 || date->day < 1 ||
        date->day > days_in_month(date->year, date->month) || date->hour < 0 || date->hour > 23 || date->minute < 0 ||
        date->minute > 59 || date->second < 0 || date->second > 60)
        return false;
    *ret = (days_of(date->year, date->month, date->day) * DAY_SECONDS + date->hour * 3600 + date->minute * 60 +
            (date->second > 59 ? 59 : date->second)) *
           TICKS_PER_SECOND;
    return true;
}

/* Splits a time into whole seconds, rounded down, and the ticks of the last one (0 or more). */
static void split(ticks time, int64_t *seconds, int64_t *part)
{
    *seconds = time / TICKS_PER_SECOND;
    *part = time % TICKS_PER_SECOND;
    if (*part < 0) {
        *part += TICKS_PER_SECOND;
        *seconds -= 1;
    }
}

/* Writes a number of `digits` digits and the character `after`. Returns the end. Each event has several such numbers:
 * with printf() they would be a third of its CPU time. */
static char *put_number(char *to, int64_t value, int digits, char after)
{
    char *end = to + digits;

    for (to = end; digits > 0; digits--, value /= 10)
        *--to = (char)('0' + value % 10);
    *end++ = after;
    return end;
}

static int digits_of(int64_t value)
{
    int digits = 1;

    while (value /= 10)
        digits++;
    return digits;
}

void ticks_text_digits(ticks time, int digits, char ret[TICKS_TEXT_MAX])
{
    int64_t seconds, part, days;
    int year, month, day, of_day;
    char *to = ret;

    split(time, &seconds, &part);
    if (seconds < DAY_FIRST * DAY_SECONDS || seconds >= DAY_END * DAY_SECONDS) {
        part = seconds < 0 ? 0 : TICKS_PER_SECOND - 1;
        seconds = seconds < 0 ? DAY_FIRST * DAY_SECONDS : DAY_END * DAY_SECONDS - 1;
    }
    days = seconds / DAY_SECONDS;
    of_day = (int)(seconds % DAY_SECONDS);
    if (of_day < 0) {
        of_day += DAY_SECONDS;
        days--;
    }
    date_of(days, &year, &month, &day);
    to = put_number(to, year, 4, '-');
    to = put_number(to, month, 2, '-');
    to = put_number(to, day, 2, 'T');
    to = put_number(to, of_day / 3600, 2, ':');
    to = put_number(to, of_day / 60 % 60, 2, ':');
    to = put_number(to, of_day % 60, 2, digits > 0 ? '.' : 'Z');
    if (digits > 0) {
        put_number(to, part, 7, 'Z');
        to += digits;
        *to++ = 'Z';
    }
    *to = '\0';
}

void ticks_text(ticks time, char ret[TICKS_TEXT_MAX])
{
    ticks_text_digits(time, 7, ret);
}

size_t ticks_epoch_text(ticks time, char ret[TICKS_TEXT_MAX])
{
    int64_t seconds, part;
    char *to = ret;

    split(time, &seconds, &part);
    if (seconds < 0 && part) { /* -0.25 s is second -1 and three quarters */
        seconds += 1;
        part = TICKS_PER_SECOND - part;
        if (!seconds)
            *to++ = '-';
    }
    if (seconds < 0) {
        *to++ = '-';
        seconds = -seconds;
    }
    to = put_number(to, seconds, digits_of(seconds), '.');
    to = put_number(to, part, 7, '\0');
    return (size_t)(to - ret) - 1;
}

ticks ticks_from_ms(int64_t unix_ms)
{
    if (unix_ms > INT64_MAX / TICKS_PER_MS || unix_ms < INT64_MIN / TICKS_PER_MS)
        return unix_ms < 0 ? INT64_MIN : INT64_MAX - 1;
    return unix_ms * TICKS_PER_MS;
}

int64_t ticks_to_ms(ticks time)
{
    int64_t ms = time / TICKS_PER_MS;

    return time % TICKS_PER_MS < 0 ? ms - 1 : ms;
}

ticks ticks_ahead(ticks time, int64_t seconds)
{
    ticks sum;

    if (time == TICKS_OPEN)
        return TICKS_OPEN;
    if (__builtin_mul_overflow(seconds, TICKS_PER_SECOND, &sum) || __builtin_add_overflow(time, sum, &sum))
        return seconds < 0 ? INT64_MIN : TICKS_OPEN - 1;
    return sum;
}

ticks ticks_back(ticks time, int64_t seconds)
{
    return ticks_ahead(time, seconds == INT64_MIN ? INT64_MAX : -seconds);
}
