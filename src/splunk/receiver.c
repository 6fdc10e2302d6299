#include "splunk/receiver.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "splunk/rest_call.h"

#define ENDPOINT "receivers/simple"

struct sending {
    struct receiver *receiver;
    struct sending *next;
    struct rest_call call;
    rest_done_fn *done;
    void *ctx;
};

struct receiver {
    struct rest *rest;
    struct sending *list;
};

struct receiver *receiver_new(struct rest *rest)
{
    struct receiver *receiver = mem_alloc(sizeof(*receiver));

    receiver->rest = rest;
    return receiver;
}

static void sending_free(struct sending *sending)
{
    struct sending **slot = &sending->receiver->list;

    while (*slot != sending)
        slot = &(*slot)->next;
    *slot = sending->next;
    rest_call_stop(&sending->call);
    free(sending);
}

void receiver_free(struct receiver *receiver)
{
    while (receiver && receiver->list)
        sending_free(receiver->list);
    free(receiver);
}

static void sent(void *ctx, const struct http_result *result UNUSED, bool ok, const struct err *err)
{
    struct sending *sending = ctx;
    rest_done_fn *done = sending->done;
    void *done_ctx = sending->ctx;

    sending_free(sending);
    done(done_ctx, ok, err);
}

void receiver_send(struct receiver *receiver, const struct receiver_event *event, rest_done_fn *done, void *ctx)
{
    struct sending *sending = mem_alloc(sizeof(*sending));
    struct buf query = BUF_INIT(8192);

    *sending = (struct sending){
        .receiver = receiver,
        .next = receiver->list,
        .done = done,
        .ctx = ctx,
        .call = { .rest = receiver->rest, .done = sent, .ctx = sending, .rights = "edit_tcp", .once = true }
    };
    receiver->list = sending;
    if (!text_empty(event->index))
        buf_add_form(&query, "index", event->index);
    buf_add_form(&query, "sourcetype", event->sourcetype);
    buf_add_form(&query, "source", event->source);
    rest_call_start(&sending->call, NULL, rest_url(receiver->rest, NULL, ENDPOINT, NULL, buf_text(&query)),
                    mem_text(event->text));
    buf_free(&query);
}
