/* Loads: the checkpoints of up to 100 inputs in one call, then the pieces of those that have any. What is in the store is
 * not trusted: a record that is not as it should be is left out (checkpoints_found.c). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "share/checkpoints_private.h"

/* An input whose checkpoint is asked for. */
struct load {
    struct load *next;
    char *input;
    share_loaded_fn *loaded;
    void *ctx;

    struct finds finds;
    size_t at, piece; /* of what was found: the next piece to be read */
    struct err odd;   /* why a record was left out; "" */
};

struct loads {
    struct share_checkpoints_spec spec;
    char *group;
    struct load *waiting;          /* not asked for yet, the oldest first */
    struct load *asked[LOAD_MOST]; /* in the call in flight; NULL: it was stopped */
    size_t asked_count;
    size_t most;          /* in a call; fewer after a failure */
    int places;           /* of an input, the same */
    bool plain;           /* queries without order and limit: the store refused them otherwise */
    struct load *pieces;  /* those whose pieces are being read */
    struct load *reading; /* the one of the call in flight */
    bool in_call;
    struct timer timer; /* loads that come together are one call */
};

static void go_on(struct loads *loads);

/* Ends. */

static void load_free(struct load *load)
{
    finds_free(&load->finds);
    free(load->input);
    free(load);
}

static void free_list(struct load *list)
{
    struct load *next;

    for (; list; list = next) {
        next = list->next;
        load_free(list);
    }
}

static void append(struct load **list, struct load *load)
{
    while (*list)
        list = &(*list)->next;
    load->next = NULL;
    *list = load;
}

static void end_failed(struct load *load, enum kvstore_fault fault, const struct err *err)
{
    load->loaded(load->ctx, fault, err, NULL);
    load_free(load);
}

static void end_found(struct load *load)
{
    struct buf text = BUF_INIT(CHECKPOINT_MAX);
    bool found = finds_join(&load->finds, &text);

    load->loaded(load->ctx, KVSTORE_OK, &load->odd, found ? &text : NULL);
    buf_free(&text);
    load_free(load);
}

/* Records. */

/* Notes why a record is left out, once for a load. */
static void note_odd(struct load *load, const char *key, const struct err *why)
{
    if (!load->odd.text[0])
        err_set(&load->odd, ERR_INPUT, "record '%s' of the shared KV store cannot be used and is ignored: %s",
                key ? key : "", why->text);
}

static void read_places(struct loads *loads, struct load *load, const cJSON *rows)
{
    struct err err = { .text = "" };
    struct found found;
    const cJSON *row;

    cJSON_ArrayForEach(row, rows)
    {
        if (checkpoint_found_read(loads->group, load->input, row, &found, &err))
            finds_add(&load->finds, &found);
        else
            note_odd(load, json_text(row, "_key"), &err);
    }
}

/* Pieces. */

/* Goes on to the next piece that is to be read. Returns false if there is none. */
static bool next_piece(struct load *load)
{
    while (load->at < load->finds.count && load->piece >= load->finds.list[load->at].parts.piece_count) {
        load->at++;
        load->piece = 0;
    }
    return load->at < load->finds.count;
}

static char *piece_key(const struct loads *loads, const struct load *load)
{
    const struct found *found = &load->finds.list[load->at];

    return checkpoint_key(loads->group, found->since, load->input, found->parts.pieces[load->piece]);
}

/* A piece that is missing or cannot be used costs repeats, and nothing else. */
static void read_piece(const struct loads *loads, struct load *load, const cJSON *rows)
{
    struct checkpoint_parts *parts = &load->finds.list[load->at].parts;
    CLEANUP(mem_freep) char *key = piece_key(loads, load);
    const cJSON *row = cJSON_GetArrayItem(rows, 0);
    struct err err = { .text = "" };

    if (text_same(json_text(row, "_key"), key) && piece_read(json_text(row, "text"), parts->stamp, &parts->written))
        return;
    err_set(&err, ERR_INPUT, row ? "it is no piece of this checkpoint" : "it is missing, so alerts may come twice");
    note_odd(load, key, &err);
}

static void on_pieces(void *ctx, const struct kvstore_answer *answer)
{
    struct loads *loads = ctx;
    struct load *load = loads->reading;
    const cJSON *rows;

    loads->in_call = false;
    loads->reading = NULL;
    if (load && answer->fault != KVSTORE_OK) {
        loads->pieces = load->next;
        end_failed(load, answer->fault, answer->err);
    } else if (load) {
        cJSON_ArrayForEach(rows, answer->rows)
        {
            if (!next_piece(load))
                break;
            read_piece(loads, load, rows);
            load->piece++;
        }
        if (!cJSON_GetArraySize(answer->rows) || finds_versions(&load->finds) >= VERSIONS_READ)
            load->at = load->finds.count; /* an answer without lists would be asked for without end */
    }
    go_on(loads);
}

/* Asks for the next pieces of the load. */
static void ask_pieces(struct loads *loads, struct load *load)
{
    struct buf queries = BUF_INIT(HTTP_BODY_MAX);
    size_t at = load->at, piece = load->piece;
    int count;

    for (count = 0; count < PIECES_READ && next_piece(load); count++, load->piece++) {
        CLEANUP(mem_freep) char *key = piece_key(loads, load);

        buf_add_text(&queries, count ? ",{\"query\":{\"_key\":" : "[{\"query\":{\"_key\":");
        buf_add_json(&queries, key);
        buf_add_text(&queries, "}}");
    }
    buf_add_char(&queries, ']');
    load->at = at;
    load->piece = piece;
    loads->in_call = true;
    loads->reading = load;
    share_link_find_each(loads->spec.link, PLACES_COLLECTION, buf_text(&queries), on_pieces, loads);
    buf_free(&queries);
}

/* Places. */

/* Puts what was asked for back to what waits: it is asked for again, with fewer in a call. */
static void ask_again(struct loads *loads)
{
    struct load *waiting = loads->waiting;
    size_t i;

    loads->waiting = NULL;
    for (i = 0; i < loads->asked_count; i++)
        if (loads->asked[i])
            append(&loads->waiting, loads->asked[i]);
    if (waiting) {
        struct load **end = &loads->waiting;

        while (*end)
            end = &(*end)->next;
        *end = waiting;
    }
}

/* An answer that is too large, or comes too late, is asked for in smaller parts. Splunk's documents name the members
 * "sort" and "limit" of a query in a batch, but do not show them: a store that refuses them is asked without. Returns true
 * to ask again at once. */
static bool asks_otherwise(struct loads *loads, enum kvstore_fault fault)
{
    size_t count = loads->asked_count;
    bool one = count <= 1;

    if (fault == KVSTORE_REFUSED && !loads->plain) {
        loads->plain = true;
        return true;
    }
    if (fault != KVSTORE_GARBAGE && fault != KVSTORE_AWAY && fault != KVSTORE_REFUSED)
        return false;
    if (one && loads->places <= 1)
        return false;
    if (one)
        loads->places /= 2;
    else
        loads->most = count / 2;
    return fault != KVSTORE_AWAY;
}

static void grow(struct loads *loads)
{
    loads->most = loads->most * 2 < LOAD_MOST ? loads->most * 2 : LOAD_MOST;
    loads->places = PLACES_READ;
}

/* Ends all that were asked for. */
static void end_asked(struct loads *loads, enum kvstore_fault fault, const struct err *err)
{
    size_t i;

    for (i = 0; i < loads->asked_count; i++) {
        struct load *load = loads->asked[i];

        loads->asked[i] = NULL; /* its owner may ask again, or stop others */
        if (load)
            end_failed(load, fault, err);
    }
}

static void on_places(void *ctx, const struct kvstore_answer *answer)
{
    struct loads *loads = ctx;
    size_t i, count = loads->asked_count;
    struct err err;

    loads->in_call = false;
    if (asks_otherwise(loads, answer->fault)) {
        ask_again(loads);
    } else if (answer->fault != KVSTORE_OK) {
        end_asked(loads, answer->fault, answer->err);
    } else if ((size_t)cJSON_GetArraySize(answer->rows) != count) {
        err_set(&err, ERR_RETRY, "the answer of the KV store cannot be read: it has not one list for each query");
        end_asked(loads, KVSTORE_GARBAGE, &err);
    } else {
        grow(loads);
        for (i = 0; i < count; i++) {
            if (!loads->asked[i])
                continue;
            read_places(loads, loads->asked[i], cJSON_GetArrayItem(answer->rows, (int)i));
            append(&loads->pieces, loads->asked[i]);
        }
    }
    loads->asked_count = 0;
    go_on(loads);
}

/* Asks for the checkpoints of those that have waited longest. */
static void ask_places(struct loads *loads)
{
    struct buf queries = BUF_INIT(HTTP_BODY_MAX);
    struct load *load;

    loads->asked_count = 0;
    while ((load = loads->waiting) && loads->asked_count < loads->most) {
        loads->waiting = load->next;
        load->next = NULL;
        buf_add_text(&queries, loads->asked_count ? ",{\"query\":{\"group\":" : "[{\"query\":{\"group\":");
        buf_add_json(&queries, loads->group);
        buf_add_text(&queries, ",\"kind\":\"place\",\"input\":");
        buf_add_json(&queries, load->input);
        if (loads->plain)
            buf_add_text(&queries, "}}");
        else
            buf_add_format(&queries, "},\"sort\":\"number:-1\",\"limit\":%d}", loads->places);
        loads->asked[loads->asked_count++] = load;
    }
    buf_add_char(&queries, ']');
    loads->in_call = true;
    share_link_find_each(loads->spec.link, PLACES_COLLECTION, buf_text(&queries), on_places, loads);
    buf_free(&queries);
}

/* Ends those that have all, and makes the next call. */
static void go_on(struct loads *loads)
{
    struct load *load;

    while (!loads->in_call && (load = loads->pieces) && !next_piece(load)) {
        loads->pieces = load->next;
        end_found(load);
    }
    if (loads->in_call)
        return;
    if (loads->pieces)
        ask_pieces(loads, loads->pieces);
    else if (loads->waiting)
        ask_places(loads);
}

static void timer_fired(void *ctx, int64_t now_ms UNUSED)
{
    go_on(ctx);
}

/* From beginning to end. */

struct loads *loads_new(const struct share_checkpoints_spec *spec)
{
    struct loads *loads = mem_alloc(sizeof(*loads));

    loads->spec = *spec;
    loads->group = mem_text(spec->group);
    loads->most = LOAD_MOST;
    loads->places = PLACES_READ;
    loads->timer = (struct timer){ .fire = timer_fired, .ctx = loads };
    return loads;
}

void loads_free(struct loads *loads)
{
    size_t i;

    share_link_forget(loads->spec.link, loads);
    timer_cancel(loads->spec.loop, &loads->timer);
    free_list(loads->waiting);
    free_list(loads->pieces);
    for (i = 0; i < loads->asked_count; i++)
        if (loads->asked[i])
            load_free(loads->asked[i]);
    free(loads->group);
    free(loads);
}

void loads_add(struct loads *loads, const char *input, share_loaded_fn *loaded, void *ctx)
{
    struct load *load = mem_alloc(sizeof(*load));

    load->input = mem_text(input);
    load->loaded = loaded;
    load->ctx = ctx;
    append(&loads->waiting, load);
    if (!loads->in_call)
        timer_set(loads->spec.loop, &loads->timer, loop_now(loads->spec.loop));
}

static void remove_from(struct load **list, const char *input)
{
    while (*list) {
        struct load *load = *list;

        if (text_same(load->input, input)) {
            *list = load->next;
            load_free(load);
        } else {
            list = &load->next;
        }
    }
}

void loads_stop(struct loads *loads, const char *input)
{
    size_t i;

    if (loads->reading && text_same(loads->reading->input, input))
        loads->reading = NULL;
    remove_from(&loads->waiting, input);
    remove_from(&loads->pieces, input);
    for (i = 0; i < loads->asked_count; i++) {
        if (loads->asked[i] && text_same(loads->asked[i]->input, input)) {
            load_free(loads->asked[i]);
            loads->asked[i] = NULL;
        }
    }
}
