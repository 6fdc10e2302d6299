#include "auth/federation.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "microsoft/aad.h"
#include "microsoft/managed_identity.h"
#include "microsoft/token_file.h"
#include "splunk/input.h"

enum {
    CONNECT_S = 3, /* the service is on this host or next to it */
    ANSWER_S = 20,
    ADDRESS_MAX = 2048,
    REFUSED_MS = 60 * 1000,      /* before a refusal is asked for again */
    AGAIN_MS = 60 * 1000,        /* between two tokens */
    RENEW_MS = 5 * 60 * 1000,    /* before the end, at most, ... */
    RENEW_PART = 10,             /* ... or this part of a short life */
    NO_TOO_OLD = 700024,         /* Entra's code for an assertion outside of its time */
    TOO_OLD_LEAST_MS = 60 * 1000 /* a younger token is not to blame: a clock is wrong */
};

/* Differs after a file was replaced or written again. */
struct stamp {
    struct timespec changed;
    ino_t inode;
    off_t size;
};

struct federation {
    struct federation *next;
    char *assertion;      /* client_assertion */
    const char *audience; /* static */
    const char *path;     /* of the token file, inside of assertion; NULL: a managed identity */
    const char *identity; /* the client ID of a user-assigned one, inside of assertion; NULL: none */
    federation_settled_fn *settled;
    void *ctx;

    struct identity_service service;
    struct http *http;
    struct http_request *request; /* NULL: none */
    bool key_shown;               /* the request shows Arc's key */
    struct identity_token token;
    int64_t fetched_ms;
    struct err err; /* of the last failure */
    int failures;   /* in a row */
    int64_t retry_ms;

    bool file_failed;
    struct stamp stamp; /* of the file when it failed */
};

struct federation *federation_get(struct federation **list, const char *assertion, const char *login_url,
                                  federation_settled_fn *settled, void *ctx)
{
    const char *audience = identity_audience(login_url), *colon;
    struct federation *fed;

    for (fed = *list; fed; fed = fed->next)
        if (text_same(fed->assertion, assertion) && text_same(fed->audience, audience))
            return fed;
    fed = mem_alloc(sizeof(*fed));
    *fed = (struct federation){ .next = *list,
                                .assertion = mem_text(assertion),
                                .audience = audience,
                                .settled = settled,
                                .ctx = ctx };
    fed->path = input_token_file(fed->assertion);
    colon = fed->path ? NULL : strchr(fed->assertion, ':');
    fed->identity = colon ? colon + 1 : NULL;
    return *list = fed;
}

struct federation *federation_next(const struct federation *federation)
{
    return federation->next;
}

void federations_free(struct federation **list)
{
    struct federation *fed;

    while ((fed = *list)) {
        *list = fed->next;
        if (fed->request)
            http_cancel(fed->request);
        mem_free_secret(fed->token.text);
        free(fed->assertion);
        free(fed);
    }
}

const char *federation_word(const struct federation *federation)
{
    return federation->path ? "token_file" : "managed_identity";
}

/* A managed identity. */

static int64_t renew_at_ms(const struct identity_token *token)
{
    int64_t before_ms = token->lifetime_ms / RENEW_PART;

    return token->expires_ms - (before_ms < RENEW_MS ? before_ms : RENEW_MS);
}

bool federation_is_due(const struct federation *federation, int64_t now_ms)
{
    if (federation->path)
        return false;
    if (federation->request)
        return true;
    if (federation->token.text && now_ms < renew_at_ms(&federation->token))
        return false;
    if (federation->token.text && now_ms < federation->token.expires_ms && now_ms < federation->fetched_ms + AGAIN_MS)
        return false; /* the service has given out what it still had */
    return !federation->failures || now_ms >= federation->retry_ms;
}

static void fail(struct federation *fed, const struct err *err)
{
    int64_t now_ms = clock_ms();

    fed->err = *err;
    fed->failures++;
    fed->retry_ms = now_ms + (err->kind == ERR_AUTH
                                  ? REFUSED_MS
                                  : backoff_wait_ms(fed->failures, err->wait_ms, random_below(UINT32_MAX)));
    fed->settled(fed->ctx, fed, false);
}

static void take(struct federation *fed, const struct identity_token *token, int64_t now_ms)
{
    bool recovered = fed->failures > 0;

    mem_free_secret(fed->token.text);
    fed->token = *token;
    fed->fetched_ms = now_ms;
    fed->failures = 0;
    fed->settled(fed->ctx, fed, recovered);
}

static void ask(struct federation *fed, const char *key);

static void answered(void *ctx, const struct http_result *result)
{
    struct federation *fed = ctx;
    struct identity_token token;
    CLEANUP(mem_free_secretp) char *key = NULL;
    int64_t now_ms = clock_ms();
    struct err err;

    fed->request = NULL;
    if (fed->service.arc && !fed->key_shown && http_status_counts(result) && result->status == 401) {
        if (identity_key(&fed->service, result->authenticate, &key, &err))
            ask(fed, key);
        else
            fail(fed, &err);
    } else if (identity_read(&fed->service, fed->identity, result, now_ms, &token, &err)) {
        take(fed, &token, now_ms);
    } else {
        fail(fed, &err);
    }
}

/* key: the value of Authorization; NULL: none yet. */
static void ask(struct federation *fed, const char *key)
{
    static const char *const headers[] = { "Metadata: true", NULL };
    static const struct http_route route = { .proxy = "" };
    CLEANUP(buf_free) struct buf url = BUF_INIT(ADDRESS_MAX);

    identity_address(&fed->service, fed->audience, fed->identity, &url);
    fed->key_shown = key != NULL;
    fed->request = http_start(fed->http, &(struct http_spec){ .url = buf_text(&url),
                                                              .authorization = key,
                                                              .headers = headers,
                                                              .route = &route,
                                                              .done = answered,
                                                              .ctx = fed,
                                                              .metadata = true,
                                                              .connect_timeout_s = CONNECT_S,
                                                              .timeout_s = ANSWER_S });
}

void federation_fetch(struct federation *federation, struct http *http)
{
    struct identity_hints hints = identity_hints_read();
    struct err err;

    if (federation->request)
        return;
    federation->http = http;
    if (identity_find(&hints, &federation->service, &err))
        ask(federation, NULL);
    else
        fail(federation, &err);
}

void federation_refused(struct federation *federation, const struct err *err)
{
    if (aad_code_in(err) == NO_TOO_OLD && clock_ms() - federation->fetched_ms > TOO_OLD_LEAST_MS) {
        mem_free_secret(federation->token.text);
        federation->token = (struct identity_token){ .text = NULL };
    }
}

/* A token file. */

static struct stamp stamp_of(const char *path)
{
    struct stat st;

    if (stat(path, &st))
        return (struct stamp){ .size = -1 };
    return (struct stamp){ .changed = st.st_mtim, .inode = st.st_ino, .size = st.st_size };
}

bool federation_renewed(struct federation *federation)
{
    struct stamp now, *then = &federation->stamp;

    if (!federation->path || !federation->file_failed)
        return false;
    now = stamp_of(federation->path);
    if (now.size == then->size && now.inode == then->inode && now.changed.tv_sec == then->changed.tv_sec &&
        now.changed.tv_nsec == then->changed.tv_nsec)
        return false;
    federation->file_failed = false;
    return true;
}

static char *take_file(struct federation *fed, int64_t service_unix_ms, struct err *err)
{
    struct stamp stamp = stamp_of(fed->path);
    char *text = NULL;

    fed->file_failed = !token_file_read(fed->path, service_unix_ms, &text, err);
    fed->stamp = stamp;
    return text;
}

char *federation_take(struct federation *federation, int64_t service_unix_ms, struct err *err)
{
    if (federation->path)
        return take_file(federation, service_unix_ms, err);
    if (federation->token.text && clock_ms() < federation->token.expires_ms)
        return mem_text(federation->token.text);
    *err = federation->err;
    if (!federation->failures)
        err_set(err, ERR_RETRY, "the token of the managed identity has just expired");
    return NULL;
}
