/* Storing one secret: written, read back, compared; in pieces where the store cuts (see splunkd.h). */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "splunk/splunkd_private.h"

enum {
    STORES_AT_ONCE = 8,         /* each write makes splunkd rewrite passwords.conf */
    PROBE_BYTES = 4096,
    TURNS_MOST = 4              /* between "is there already" and "is not there" */
};

enum step {
    STEP_QUEUED,
    STEP_PROBE,         /* a long text of no meaning: does the store keep it whole? */
    STEP_PLAIN,         /* the secret as one entry */
    STEP_PARTS,         /* the pieces of a new generation */
    STEP_SWITCH,        /* the main entry, which from then on names the new pieces */
    STEP_CLEAN          /* done and told; what no main entry names is deleted */
};

enum put { PUT_UPDATE, PUT_CREATE, PUT_READ };

struct store {
    struct splunkd   *splunkd;
    struct store     *next;
    char             *name;
    char             *value;        /* secret */
    splunkd_done_fn  *done;
    void             *ctx;
    enum step         step;
    struct manifest note;
    unsigned          part;         /* the piece that is being written */
    struct call       call;

    enum put          put;          /* one entry on its way */
    char             *put_name;
    char             *put_value;    /* secret */
    int               turns;
};

static void pump(struct splunkd *splunkd);
static void on_answer(void *ctx, const struct http_result *result, bool ok, const struct err *err);
static void clean(struct store *store);

static void store_free(struct store *store)
{
    struct store **slot = &store->splunkd->stores;

    while (*slot != store)
        slot = &(*slot)->next;
    *slot = store->next;
    call_stop(&store->call);
    free(store->name);
    mem_free_secret(store->value);
    free(store->put_name);
    mem_free_secret(store->put_value);
    free(store);
}

void stores_free(struct splunkd *splunkd)
{
    while (splunkd->stores)
        store_free(splunkd->stores);
}

static bool is_long(const struct store *store)
{
    return strlen(store->value) > CUT_LENGTH;
}

/* Putting one entry: update or create, then read back. */

static void put_send(struct store *store, enum put put)
{
    struct buf form = BUF_INIT(3 * (strlen(store->put_name) + strlen(store->put_value)) + 256);
    char *url = put == PUT_CREATE ? store_url(store->splunkd) : entry_url(store->splunkd, store->put_name);

    store->put = put;
    if (put == PUT_READ) {
        call_start(&store->call, NULL, url, NULL);
        return;
    }
    buf_room(&form, form.limit);    /* at once: growth would leave copies behind */
    if (put == PUT_CREATE) {
        buf_add_form(&form, "name", store->put_name);
        buf_add_form(&form, "realm", APP_NAME);
    }
    buf_add_form(&form, "password", store->put_value);
    call_start(&store->call, NULL, url, buf_take(&form));
}

/* Takes name and value over. */
static void put_start(struct store *store, char *name, char *value)
{
    free(store->put_name);
    mem_free_secret(store->put_value);
    store->put_name = name;
    store->put_value = value;
    store->turns = 0;
    put_send(store, secrets_get(&store->splunkd->entries, name) ? PUT_UPDATE : PUT_CREATE);
}

static bool came_back(const struct store *store, const struct http_result *result)
{
    CLEANUP(secret_json_freep) cJSON *tree = secret_json(result->body, result->body_len);
    const cJSON *entry = cJSON_GetArrayItem(json_member(tree, "entry"), 0);

    return text_same(json_text(json_member(entry, "content"), "clear_password"), store->put_value);
}

/* The steps. */

/* Tells the caller; then cleans up, or on failure ends at once. */
static void tell(struct store *store, bool ok, const struct err *err)
{
    splunkd_done_fn *done = store->done;
    void *ctx = store->ctx;
    struct splunkd *splunkd = store->splunkd;
    struct err why = *err;

    if (store->step == STEP_PROBE)
        splunkd->probing = false;
    if (ok) {
        secrets_set(&splunkd->whole, store->name, store->value);
        clean(store);
    } else {
        err_prefix(&why, "storing %s", store->name);
        store_free(store);
        pump(splunkd);
    }
    done(ctx, ok, &why);    /* last: it may end everything */
}

static void start_probe(struct store *store)
{
    char *text = mem_alloc(PROBE_BYTES + 1);

    memset(text, 'x', PROBE_BYTES);
    store->step = STEP_PROBE;
    store->splunkd->probing = true;
    put_start(store, mem_text(PROBE_NAME), text);
}

static void put_part(struct store *store)
{
    put_start(store, part_name(store->name, &store->note, store->part), part_of(store->value, store->part));
}

static void start_writing(struct store *store)
{
    struct manifest note;

    if ((is_long(store) && store->splunkd->cutting == CUTS) || manifest_read(store->value, &note)) {
        store->step = STEP_PARTS;
        store->note = manifest_of(store->value);
        store->part = 0;
        put_part(store);
    } else {
        store->step = STEP_PLAIN;
        put_start(store, mem_text(store->name), mem_text(store->value));
    }
}

/* An entry was written and read back; whole: it is what was written. */
static void put_done(struct store *store, bool whole)
{
    struct splunkd *splunkd = store->splunkd;
    struct err err = { 0 };

    switch (store->step) {
    case STEP_PROBE:
        splunkd->probing = false;
        splunkd->cutting = whole ? CUTS_NOT : CUTS;
        start_writing(store);
        pump(splunkd);      /* others waited for the answer */
        return;
    case STEP_PLAIN:
        if (!whole && is_long(store)) {
            splunkd->cutting = CUTS;
            start_writing(store);
            return;
        }
        break;
    case STEP_PARTS:
        if (whole && ++store->part < store->note.count) {
            put_part(store);
            return;
        }
        if (whole) {
            store->step = STEP_SWITCH;
            put_start(store, mem_text(store->name), manifest_text(&store->note));
            return;
        }
        break;
    default:
        break;
    }
    if (!whole)
        err_set(&err, ERR_INPUT, "Splunk's password store gives back something else than what was written (entry '%s')",
                store->put_name);
    tell(store, whole, &err);
}

/* Splunk says 400 where it does not cut but refuses what is long. */
static bool refused_as_too_long(const struct store *store, const struct http_result *result)
{
    return result->fault == HTTP_DONE && result->status == 400 && strlen(store->put_value) > CUT_LENGTH;
}

static void on_answer(void *ctx, const struct http_result *result, bool ok, const struct err *err)
{
    struct store *store = ctx;
    int status = result->fault == HTTP_DONE ? result->status : 0;

    if (store->put == PUT_READ && (ok || status == 404)) {
        put_done(store, ok && came_back(store, result));
    } else if (ok) {
        secrets_set(&store->splunkd->entries, store->put_name, "");
        put_send(store, PUT_READ);
    } else if (store->put == PUT_UPDATE && status == 404 && ++store->turns < TURNS_MOST) {
        put_send(store, PUT_CREATE);
    } else if (store->put == PUT_CREATE && status == 409 && ++store->turns < TURNS_MOST) {
        put_send(store, PUT_UPDATE);
    } else if (store->put != PUT_READ && refused_as_too_long(store, result)) {
        put_done(store, false);
    } else {
        tell(store, false, err);
    }
}

/* Cleaning up. */

/* An entry that nothing needs: a piece of another generation of this secret, or the probe. NULL: none left. */
static const char *find_waste(const struct store *store)
{
    CLEANUP(mem_freep) char *pieces = mem_format("%s" PART_INFIX, store->name);
    CLEANUP(mem_freep) char *present = mem_format("%s%s.", pieces, store->note.generation);
    const struct secrets *entries = &store->splunkd->entries;
    size_t i;

    for (i = 0; i < entries->count; i++) {
        const char *name = entries->list[i].name;

        if (text_starts(name, pieces) && !(*store->note.generation && text_starts(name, present)))
            return name;
        if (strcmp(name, PROBE_NAME) == 0 && !store->splunkd->probing)
            return name;
    }
    return NULL;
}

/* What cannot be deleted now is found again after the next start. */
static void on_deleted(void *ctx, const struct http_result *result UNUSED, bool ok UNUSED, const struct err *err UNUSED)
{
    clean(ctx);
}

/* Deletes one piece of waste, or ends the store when there is none. */
static void clean(struct store *store)
{
    struct splunkd *splunkd = store->splunkd;
    const char *waste = find_waste(store);
    char *url;

    store->step = STEP_CLEAN;
    if (!waste) {
        store_free(store);
        pump(splunkd);
        return;
    }
    url = entry_url(splunkd, waste);
    secrets_remove(&splunkd->entries, waste);
    store->call.done = on_deleted;
    call_start(&store->call, "DELETE", url, NULL);
}

/* The queue. */

static bool may_start(const struct store *store)
{
    const struct store *earlier;

    for (earlier = store->splunkd->stores; earlier != store; earlier = earlier->next)
        if (strcmp(earlier->name, store->name) == 0)
            return false;
    return !(is_long(store) && store->splunkd->probing);
}

static void pump(struct splunkd *splunkd)
{
    struct store *store, *next;
    int active = 0;

    for (store = splunkd->stores; store; store = store->next)
        active += store->step != STEP_QUEUED;
    for (store = splunkd->stores; store && active < STORES_AT_ONCE; store = next) {
        next = store->next;
        if (store->step != STEP_QUEUED || !may_start(store))
            continue;
        active++;
        if (is_long(store) && splunkd->cutting == CUTS_UNKNOWN)
            start_probe(store);
        else
            start_writing(store);
    }
}

void splunkd_store_secret(struct splunkd *splunkd, const char *name, const char *value, splunkd_done_fn *done,
                          void *ctx)
{
    struct store *store = mem_alloc(sizeof(*store)), **slot = &splunkd->stores;

    *store = (struct store){
        .splunkd = splunkd, .name = mem_text(name), .value = mem_text(value), .done = done, .ctx = ctx,
        .call = { .splunkd = splunkd, .done = on_answer, .ctx = store }
    };
    while (*slot)
        slot = &(*slot)->next;
    *slot = store;
    pump(splunkd);
}
