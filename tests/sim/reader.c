/* splunkd's end of the pipes: it reads events, stalls, dies. Log lines go into the trace. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define PIPE_BYTES 65536

static struct text in_pipe, line; /* line: what was read of an event that is not complete */
static bool closed, reading, wrote_stream_end;
static struct rng reader_luck;
static happen_fn *at_event;
static int64_t at_event_number;

void reader_boot(void)
{
    in_pipe.len = line.len = 0;
    closed = reading = wrote_stream_end = false;
    if (!reader_luck.state)
        reader_luck = rng_of(plan.seed, "reader", 0);
}

size_t pipe_unread(void)
{
    return in_pipe.len;
}

bool pipe_closed(void)
{
    return closed;
}

/* As the kernel has it for poll(): there is room for a page. */
bool pipe_has_room(void)
{
    return in_pipe.len + 4096 <= PIPE_BYTES;
}

/* Returns a copy of what is between the two words; NULL: not there. Undoes the escapes of XML. */
static char *between(const char *text, const char *before, const char *after)
{
    static const struct {
        const char *name, *means;
    } entities[] = { { "&lt;", "<" },   { "&gt;", ">" },   { "&amp;", "&" }, { "&quot;", "\"" },
                     { "&apos;", "'" }, { "&#13;", "\r" }, { "&#xD;", "\r" } };
    const char *start = strstr(text, before), *end;
    struct text ret = { 0 };

    if (!start || !(end = strstr(start + strlen(before), after)))
        return NULL;
    for (start += strlen(before); start < end;) {
        const char *mark = memchr(start, '&', (size_t)(end - start));
        size_t i, n = sizeof(entities) / sizeof(*entities);

        text_put(&ret, start, (size_t)((mark ? mark : end) - start));
        if (!mark)
            break;
        for (i = 0; i < n && strncmp(mark, entities[i].name, strlen(entities[i].name)) != 0; i++)
            ;
        text_put(&ret, i < n ? entities[i].means : mark, 1);
        start = mark + (i < n ? strlen(entities[i].name) : 1);
    }
    if (!ret.data)
        text_put(&ret, "", 0);
    return ret.data;
}

static void take_line(const char *text)
{
    char *stanza, *data, *time_text;

    if (!strcmp(text, "<stream>") || !strcmp(text, "</stream>"))
        return;
    stanza = between(text, "<event stanza=\"", "\"");
    data = between(text, "<data>", "</data>");
    time_text = between(text, "<time>", "</time>");
    if (!stanza || !data || !strstr(text, "<done/></event>"))
        broken("stream", "this is no event: %.300s", text);
    ledger_event(stanza, data, time_text ? time_text : "", strstr(text, "ms:defender:unreadable") != NULL);
    free(stanza);
    free(data);
    free(time_text);
}

static void take_all(void)
{
    char *end;

    text_put(&line, in_pipe.data, in_pipe.len);
    in_pipe.len = 0;
    while ((end = memchr(line.data, '\n', line.len))) {
        size_t used = (size_t)(end - line.data) + 1;

        *end = '\0';
        take_line(line.data);
        memmove(line.data, line.data + used, line.len - used);
        line.len -= used;
    }
}

static void read_pipe(void *ctx, int64_t number)
{
    (void)ctx, (void)number;
    reading = false;
    if (closed || !in_pipe.len)
        return;
    if (reader_stalls_until > now()) {
        reading = true;
        at(reader_stalls_until, read_pipe, NULL, 0);
        return;
    }
    take_all();
    if (process_waits_no_more())
        ledger_killed(0);
}

void reader_go_on(void)
{
    read_pipe(NULL, 0);
}

void reader_stall_at_event(happen_fn *fn, int64_t number)
{
    at_event = fn;
    at_event_number = number;
}

int64_t pipe_write(const char *bytes, size_t len)
{
    size_t room = PIPE_BYTES - in_pipe.len;

    if (closed)
        return -2;
    if (!room || (len > 4096 && room < 4096))
        return -1;
    len = len < room ? len : room;
    text_put(&in_pipe, bytes, len);
    if (at_event && len > 100) {
        if (rng_chance(&reader_luck, 0.5))
            reader_stalls_until = now() + 20 * SECOND, trouble(NULL, reader_stalls_until + 5 * SECOND);
        at(now() + rng_between(&reader_luck, 0, 100), at_event, NULL, at_event_number);
        at_event = NULL;
    }
    if (!reading) {
        reading = true;
        at(now() + rng_between(&reader_luck, 1, 30), read_pipe, NULL, 0);
    }
    return (int64_t)len;
}

void reader_close(void)
{
    closed = true;
    in_pipe.len = line.len = 0;
}

void reader_leaves(bool reads_rest)
{
    if (reads_rest && !closed)
        take_all();
    reader_close();
}

void log_write(const char *bytes, size_t len)
{
    char text[4096];
    const char *event;

    len -= len && bytes[len - 1] == '\n';
    len = len < sizeof(text) ? len : sizeof(text) - 1;
    memcpy(text, bytes, len);
    text[len] = '\0';
    event = strstr(text, "event=");
    event = event ? event : text;
    if (!strncmp(event, "event=metrics", 13))
        return;
    trace_log(text, len);
    if (text_has_secret(text))
        broken("secrets", "a log line has a secret: %s", text);
    if (!strncmp(event, "event=audit ", 12) && strstr(text, " result=equal "))
        audit_says_equal(text);
    if (!strncmp(event, "event=audit", 11))
        month_log(text);
    if (!strncmp(event, "event=fatal", 11))
        broken("alive", "%s", text);
}
