/* wire.h - transfers and connections: what curl.c and wire.c share. */
#pragma once

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "machine.h"

#define TRANSFERS_MOST 400

typedef size_t data_fn(char *bytes, size_t size, size_t count, void *ctx);

struct connection {
    char *key; /* NULL: free */
    uint32_t hash; /* of the key */
    int64_t number, used;
    bool silent;
};

enum stage { IDLE, SENT, ARRIVING, ENDED };

struct easy {
    char *url, *method, *ca_file;
    const char *form; /* the program's */
    struct curl_slist *headers;
    data_fn *on_header, *on_body;
    void *header_ctx, *body_ctx, *private;
    char *error;
    long timeout_s, silence_s, connect_s;
    bool fresh, connect_only;

    int64_t number; /* of this sending; 0: not in the multi handle */
    enum stage stage;
    int64_t connection; /* number */
    bool opened;        /* the connection is its own */
    bool ready, paused, told, sent;
    struct reply reply;
    size_t at, chunk;
    CURLcode code;
    bool reported;
    CURLMsg message;
};

extern struct easy *transfers[TRANSFERS_MOST];
extern size_t transfer_count;
extern struct rng wire;

/* Starts or ends a sending. */
void wire_send(struct easy *easy);
void wire_forget_reply(struct easy *easy);
struct easy *wire_find(int64_t number); /* NULL: it is not there any more */
/* Gives the callbacks what has arrived, up to one chunk of the body. */
void wire_deliver(struct easy *easy);
