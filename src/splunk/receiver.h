/* splunk/receiver.h - single events through splunkd's REST interface (receivers/simple), for a command that has no event
 * stream. The user of the session key needs the capability edit_tcp. */
#pragma once

#include "splunk/rest.h"

struct receiver;

struct receiver_event {
    const char *index; /* NULL: the default one */
    const char *sourcetype, *source;
    const char *text; /* of the event */
};

/* Never returns NULL. The rest must outlive it. */
struct receiver *receiver_new(struct rest *rest);
void receiver_free(struct receiver *receiver); /* before the rest; NULL is allowed; events on their way may be lost */

/* Sends an event, again and again while splunkd cannot be reached or turns it away, for as long as the rest does that
 * (rest_hurry()). An event whose answer was lost may be in the index, and is not sent again. Copies the texts. done is called once, from the loop. Several may be on their way. */
void receiver_send(struct receiver *receiver, const struct receiver_event *event, rest_done_fn *done, void *ctx);
