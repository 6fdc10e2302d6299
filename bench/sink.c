/* bench/sink.c - reads the program's stream as splunkd would, cheaply, and judges it: every alert once, and of each
 * SAMPLE-th event all bytes.
 *
 * usage: sink FEED [EXPECTED]. Prints "done FIRST LAST" (monotonic milliseconds) when EXPECTED events (all of the feed
 * without it) have come, and at the end of input one line of JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alerts.h"

#define SAMPLE 61
#define ROOM   (16u * 1024 * 1024)

static struct feed feed;
static unsigned char *seen;
static uint64_t events, repeated, wrong, sampled, first_ms, last_ms, expected;

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static size_t escape(const char *from, size_t len, char *to)
{
    size_t i, at = 0;

    for (i = 0; i < len; i++) {
        const char *name = from[i] == '&' ? "&amp;" : from[i] == '<' ? "&lt;" : from[i] == '>' ? "&gt;" : NULL;

        if (name) {
            memcpy(to + at, name, strlen(name));
            at += strlen(name);
        } else {
            to[at++] = from[i];
        }
    }
    return at;
}

static bool same(uint64_t number, const char *data, size_t len)
{
    static char plain[ALERT_MAX], escaped[ALERT_MAX * 5];
    size_t size = alert_write(&feed, (uint32_t)(number / feed.alerts), (uint32_t)(number % feed.alerts), plain);

    size = escape(plain, size, escaped);
    return size == len && !memcmp(escaped, data, len);
}

static void event(const char *line, size_t len)
{
    static const char close[] = "</data><done/></event>", begin[] = "<data>{\"id\":\"da";
    const char *data = memmem(line, len < 600 ? len : 600, begin, strlen(begin)), *at;
    uint64_t number;

    if (!data) {
        wrong += len > 30;      /* <stream> and </stream> are no events */
        return;
    }
    if (!events++)
        first_ms = now_ms();
    at = memchr(data, '_', len - (size_t)(data - line));
    number = at ? strtoull(at + 1, NULL, 10) : UINT64_MAX;
    if (number >= (uint64_t)feed.tenants * feed.alerts) {
        wrong++;
        return;
    }
    repeated += seen[number / 8] >> (number % 8) & 1;
    seen[number / 8] |= (unsigned char)(1 << (number % 8));
    data += strlen("<data>");
    if (number % SAMPLE == 0) {
        sampled++;
        if (len < strlen(close) || memcmp(line + len - strlen(close), close, strlen(close)) ||
            !same(number, data, (size_t)(line + len - data) - strlen(close)))
            wrong++;
    }
    if (events == expected) {
        last_ms = now_ms();
        printf("done %llu %llu\n", (unsigned long long)first_ms, (unsigned long long)last_ms);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    char *room = malloc(ROOM), *at, *end;
    uint64_t i, total, missing = 0;
    size_t len = 0;
    ssize_t got;

    if (argc < 2 || !feed_parse(argv[1], &feed) || !room)
        return 2;
    total = (uint64_t)feed.tenants * feed.alerts;
    expected = argc > 2 ? strtoull(argv[2], NULL, 10) : total;
    seen = calloc(1, total / 8 + 1);
    while ((got = read(0, room + len, ROOM - len)) > 0) {
        len += (size_t)got;
        for (at = room; (end = memchr(at, '\n', len - (size_t)(at - room))); at = end + 1)
            event(at, (size_t)(end - at));
        len -= (size_t)(at - room);
        memmove(room, at, len);
    }
    for (i = 0; i < total; i++)
        missing += !(seen[i / 8] >> (i % 8) & 1);
    printf("{\"events\": %llu, \"missing\": %llu, \"repeated\": %llu, \"wrong\": %llu, \"sampled\": %llu, \"first_ms\": %llu, "
           "\"last_ms\": %llu}\n", (unsigned long long)events, (unsigned long long)missing, (unsigned long long)repeated,
           (unsigned long long)wrong, (unsigned long long)sampled, (unsigned long long)first_ms,
           (unsigned long long)(last_ms ? last_ms : now_ms()));
    return 0;
}
