/* bench/micro.c - the page splitter and the event writer alone, for callgrind and for a clock.
 *
 * usage: micro page|event|both [ROUNDS]. Prints the bytes that were read and, with ROUNDS, nanoseconds a kilobyte.
 * measured() is what callgrind collects. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "microsoft/page.h"
#include "splunk/events.h"

#include "alerts.h"

#define ALERTS 2000
#define SLICE  65536

static struct event_frame *frame;
static struct buf out = BUF_INIT(64u << 20);
static bool with_page, with_event;

static void record(void *ctx, struct buf *to, const struct page_record *record)
{
    (void)ctx;
    if (with_event)
        event_finish(frame, to, record->start, record->has_time, record->time);
    else
        to->len = record->start - event_frame_headroom(frame);
}

static void bad(void *ctx, struct buf *to, const struct page_bad_record *record)
{
    (void)ctx;
    (void)to;
    fprintf(stderr, "record %zu at %llu: %s\n", record->ordinal, (unsigned long long)record->offset, record->why);
    exit(1);
}

void measured(const char *text, size_t len);

__attribute__((noinline)) void measured(const char *text, size_t len)
{
    static const struct page_shape shape = { .array = "value", .id = "id", .time = "lastUpdateTime" };
    struct page_handler handler = { .record = record, .bad = bad, .headroom = event_frame_headroom(frame) };
    struct page *page;
    struct err err;
    size_t at, part;

    if (!with_page) {           /* events alone: as many as the text has alerts, each of 4 kB that are there already */
        buf_room(&out, SLICE);
        for (at = 0; at < ALERTS; at++) {
            out.len = event_frame_headroom(frame) + 4096;
            event_finish(frame, &out, event_frame_headroom(frame), true, 17935221121333333 + (ticks)at * 77777777);
        }
        return;
    }
    page = page_new(&shape, &handler);
    for (at = 0; at < len; at += part) {
        part = len - at < SLICE ? len - at : SLICE;
        if (!page_feed(page, text + at, part, &out))
            break;
        out.len = 0;
    }
    if (!page_end(page, &err) || page_count(page) != ALERTS) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    page_free(page);
}

int main(int argc, char **argv)
{
    const char *part = argc > 1 ? argv[1] : "both";
    struct feed feed = { FEED_ENDPOINT, 1, ALERTS, 17935221121333333, 100000000 };
    char *text = malloc((size_t)ALERTS * 8192);
    struct timespec began, ended;
    int round, rounds = argc > 2 ? atoi(argv[2]) : 1;
    size_t len;
    uint32_t i;

    with_page = strcmp(part, "event") != 0;
    with_event = strcmp(part, "page") != 0;
    frame = event_frame_new("defender_alerts://customer-1", "ms:defender:atp:alerts");
    len = (size_t)sprintf(text, "{\"@odata.context\":\"x\",\"value\":[");
    for (i = 0; i < ALERTS; i++) {
        len += alert_write(&feed, 0, i, text + len);
        text[len++] = i + 1 < ALERTS ? ',' : ']';
    }
    text[len++] = '}';
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
    for (round = 0; round < rounds; round++)
        measured(text, len);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
    printf("%zu bytes", len);
    if (rounds > 1)
        printf(", %.1f ns a kilobyte", ((double)(ended.tv_sec - began.tv_sec) * 1e9 + (double)(ended.tv_nsec - began.tv_nsec)) /
                                       ((double)len * rounds / 1000));
    printf("\n");
    return 0;
}
