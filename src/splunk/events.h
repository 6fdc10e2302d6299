/* splunk/events.h - the <stream> on stdout.
 *
 * Events are put together in one buffer (the outbox) and written whole. The pipe is never waited for: what does not
 * fit stays until the loop says that splunkd reads again, and above OUTBOX_HIGH bytes the downloads are held.
 *
 * Splunk acknowledges nothing, so places in the stream are counted: an event's end position tells later whether the
 * pipe's reader has taken it (outbox_taken) and since when (outbox_settled). Checkpoints only ever hold what is
 * behind such a position. */
#pragma once

#include "base/buf.h"
#include "base/compiler.h"
#include "base/ticks.h"

#define OUTBOX_HIGH    (1024u * 1024)   /* bytes held before downloads wait; one more slice and one record may come */
#define OUTBOX_SETTLED_S 60             /* so long after the reader took it, an event counts as safe with splunkd */

struct outbox;

/* Puts a pipe or socket into non-blocking mode and opens the <stream>. */
struct outbox *outbox_new(int fd);
void outbox_free(struct outbox *box);

struct buf *outbox_buffer(struct outbox *box);      /* append whole events here */
bool outbox_has_room(const struct outbox *box);
size_t outbox_pending(const struct outbox *box);    /* bytes not written yet */
uint64_t outbox_end(const struct outbox *box);      /* position behind all that was appended */

enum outbox_state { OUTBOX_EMPTY, OUTBOX_BLOCKED, OUTBOX_CLOSED };
/* Writes what the pipe takes. CLOSED: nobody will read any more. */
enum outbox_state outbox_flush(struct outbox *box);
/* Has the reader closed its end? Needs no write. */
bool outbox_reader_gone(const struct outbox *box);

/* Position up to which the reader has taken the stream: what was written less what is still in the pipe. */
uint64_t outbox_taken(const struct outbox *box);
/* Notes outbox_taken() for the time; to be called every second or every few. */
void outbox_note(struct outbox *box, int64_t now_ms);
/* Position that had been taken OUTBOX_SETTLED_S before now. */
uint64_t outbox_settled(const struct outbox *box, int64_t now_ms);

/* Ends the stream: closes <stream> when nothing is pending. Waits at most wait_ms: for an event that is half in the
 * pipe, so that the reader does not see a torn one, and for a reader that is a moment behind. */
void outbox_close(struct outbox *box, int wait_ms);

/* What stands before and behind the data of an input's events. */
struct event_frame;

/* sourcetype NULL: the stanza sets its own. */
struct event_frame *event_frame_new(const char *stanza, const char *sourcetype);
void event_frame_free(struct event_frame *frame);
size_t event_frame_headroom(const struct event_frame *frame);

/* Makes an event of the data at out[start..end], which is XML-escaped, is the last thing in out and has the headroom
 * free in front of it. */
void event_finish(const struct event_frame *frame, struct buf *out, size_t start, bool has_time, ticks time);
