#include "collect/history.h"

#include <string.h>

#define QUARTER_MAX (sizeof(",[4294967295,65535,65535,65535]"))

static uint32_t sum(uint32_t have, uint64_t more, uint32_t most)
{
    return more >= most - have ? most : have + (uint32_t)more;
}

static void add(struct quarter *quarter, const struct history_counts *counts)
{
    quarter->new_events = sum(quarter->new_events, counts->new_events, UINT32_MAX);
    quarter->requests = (uint16_t)sum(quarter->requests, counts->requests, UINT16_MAX);
    quarter->throttled = (uint16_t)sum(quarter->throttled, counts->throttled, UINT16_MAX);
    quarter->failed = (uint16_t)sum(quarter->failed, counts->failed, UINT16_MAX);
    quarter->known = true;
}

/* Moves on to the quarter hour of now_s. A clock that was set back does not undo what was counted: it is then the same
 * day with other times. */
static void move_on(struct history *history, int64_t now_s)
{
    int64_t now = now_s / HISTORY_QUARTER_S, by = now - history->last;
    size_t left;

    history->last = now;
    if (by <= 0)
        return;
    left = by < HISTORY_QUARTERS ? (size_t)(HISTORY_QUARTERS - by) : 0;
    memmove(history->quarters, history->quarters + HISTORY_QUARTERS - left, left * sizeof(struct quarter));
    memset(history->quarters + left, 0, (HISTORY_QUARTERS - left) * sizeof(struct quarter));
}

void history_add(struct history *history, const struct history_counts *counts, int64_t now_s)
{
    move_on(history, now_s);
    add(&history->quarters[HISTORY_QUARTERS - 1], counts);
}

static bool read_count(const cJSON *item, uint64_t *ret)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= UINT32_MAX))
        return false;
    *ret = (uint64_t)item->valuedouble;
    return true;
}

static bool read_quarter(const cJSON *item, struct history_counts *ret)
{
    return cJSON_IsArray(item) && cJSON_GetArraySize(item) == 4 &&
           read_count(cJSON_GetArrayItem(item, 0), &ret->new_events) &&
           read_count(cJSON_GetArrayItem(item, 1), &ret->requests) &&
           read_count(cJSON_GetArrayItem(item, 2), &ret->throttled) &&
           read_count(cJSON_GetArrayItem(item, 3), &ret->failed);
}

void history_merge(struct history *history, const cJSON *array, int64_t last_at_s, int64_t now_s)
{
    int64_t at = HISTORY_QUARTERS - cJSON_GetArraySize(array); /* index here of the first one there */
    const cJSON *item;

    move_on(history, now_s);
    if (!cJSON_IsArray(array) || last_at_s < 0 || last_at_s > now_s)
        return;
    at -= history->last - last_at_s / HISTORY_QUARTER_S;
    cJSON_ArrayForEach(item, array)
    {
        struct history_counts counts;

        if (at >= 0 && at < HISTORY_QUARTERS && read_quarter(item, &counts))
            add(&history->quarters[at], &counts);
        at++;
    }
}

static char *write_quarter(char *at, const struct quarter *quarter)
{
    if (!quarter->known) {
        memcpy(at, "null", 4);
        return at + 4;
    }
    *at++ = '[';
    at = number_write(at, quarter->new_events);
    *at++ = ',';
    at = number_write(at, quarter->requests);
    *at++ = ',';
    at = number_write(at, quarter->throttled);
    *at++ = ',';
    at = number_write(at, quarter->failed);
    *at++ = ']';
    return at;
}

void history_print(const struct history *history, struct buf *to)
{
    char text[HISTORY_QUARTERS * QUARTER_MAX], *at = text;
    size_t i;

    for (i = 0; i < HISTORY_QUARTERS; i++) {
        *at++ = i ? ',' : '[';
        at = write_quarter(at, &history->quarters[i]);
    }
    *at++ = ']';
    buf_add(to, text, (size_t)(at - text));
}

int64_t history_last_at_s(const struct history *history)
{
    return history->last * HISTORY_QUARTER_S;
}
