/* splunk/events.h - the <stream> on stdout.
 *
 * Events are built in one buffer (the outbox) and written whole. Writes never block: bytes that do not fit into the
 * pipe wait until the loop reports that splunkd reads again, and above OUTBOX_HIGH bytes the downloads pause.
 *
 * Splunk acknowledges nothing, so positions in the stream are counted: the position of an event's end tells later
 * whether the pipe's reader has taken it (outbox_taken) and for how long (outbox_settled). A checkpoint is saved only
 * for events before such a position. */
#pragma once

#include "base/buf.h"
#include "base/compiler.h"
#include "base/ticks.h"

#define OUTBOX_HIGH      (1024u * 1024) /* bytes pending before downloads pause */
#define OUTBOX_SETTLED_S 60             /* after which an event that the reader took counts as safe */

struct outbox;

/* Puts a pipe or socket into non-blocking mode and opens the <stream>. */
struct outbox *outbox_new(int fd);
void outbox_free(struct outbox *box); /* NULL is allowed; pending bytes are lost */

struct buf *outbox_buffer(struct outbox *box); /* append whole events here */
bool outbox_has_room(const struct outbox *box);
size_t outbox_pending(const struct outbox *box); /* bytes not written yet */
uint64_t outbox_end(const struct outbox *box);   /* position after the last appended byte */

enum outbox_state { OUTBOX_EMPTY, OUTBOX_BLOCKED, OUTBOX_CLOSED };
/* Writes as much as the pipe takes. CLOSED: the reader is gone. */
enum outbox_state outbox_flush(struct outbox *box);
/* Returns true if the reader has closed its end. Writes nothing. */
bool outbox_reader_gone(const struct outbox *box);

/* Returns the position up to which the reader has taken the stream: the bytes written, less those still in the pipe. */
uint64_t outbox_taken(const struct outbox *box);
/* Records outbox_taken() with the time. Called every second or every few. */
void outbox_note(struct outbox *box, int64_t now_ms);
/* Returns the position that had been taken OUTBOX_SETTLED_S before now. */
uint64_t outbox_settled(const struct outbox *box, int64_t now_ms);

/* Ends the stream: closes <stream> if nothing is pending. Waits at most wait_ms, for the rest of an event that is
 * partly in the pipe and for a reader that is a moment late. */
void outbox_close(struct outbox *box, int wait_ms);

/* Ends the stream in the middle of whatever is being appended: completes the event that is partly in the pipe, writes
 * nothing more, and waits for the reader as outbox_close() does. */
void outbox_break_off(struct outbox *box, int wait_ms);

/* The XML around the data of an input's events. */
struct event_frame;

/* Returns the frame. sourcetype NULL: the stanza sets its own. */
struct event_frame *event_frame_new(const char *stanza, const char *sourcetype);
void event_frame_free(struct event_frame *frame); /* NULL is allowed */
/* Returns the bytes to leave free before the data of an event. */
size_t event_frame_headroom(const struct event_frame *frame);

/* Makes an event of the data from out[start] to the end of out, which is XML-escaped and has the headroom free before
 * it. */
void event_finish(const struct event_frame *frame, struct buf *out, size_t start, bool has_time, ticks time);
