#include "state/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/ledger_file.h"

#define LEDGER_MOST (INT64_C(1) << 50) /* bytes; a number of JSON is exact up to there */
#define HASH_TEXT   32                 /* hex digits of a version's key */

void checkpoint_release(struct checkpoint *checkpoint)
{
    free(checkpoint->tenant_id);
    free(checkpoint->tid);
    free(checkpoint->api);
    free(checkpoint->worked);
    quarantine_release(&checkpoint->quarantine);
    *checkpoint = (struct checkpoint){ .imported_count = 0 };
}

void checkpoint_assign(struct checkpoint *checkpoint, const char *tenant_id, const char *api)
{
    free(checkpoint->api);
    mem_freep(&checkpoint->tid);
    checkpoint_note_loss(checkpoint, NULL, 0); /* of another tenant or API nothing is known */
    checkpoint_name_tenant(checkpoint, tenant_id, NULL);
    checkpoint->api = mem_text(api);
}

bool checkpoint_note_loss(struct checkpoint *checkpoint, const char *worked, ticks lost)
{
    bool same = text_same(checkpoint->worked, worked);

    if (same && checkpoint->lost == lost)
        return false;
    if (!same) {
        free(checkpoint->worked);
        checkpoint->worked = mem_text(worked);
    }
    checkpoint->lost = lost;
    return true;
}

void checkpoint_name_tenant(struct checkpoint *checkpoint, const char *tenant_id, const char *tid)
{
    char *spelled = mem_text(tenant_id), *guid = mem_text(tid ? tid : checkpoint->tid);

    free(checkpoint->tenant_id);
    free(checkpoint->tid);
    checkpoint->tenant_id = spelled;
    checkpoint->tid = guid;
}

/* Reading. */

static bool read_time(const cJSON *object, const char *name, ticks *ret, struct err *err)
{
    const char *text = json_text(object, name);

    if (text && ticks_parse(text, strlen(text), ret))
        return true;
    return err_set(err, ERR_INPUT, "member '%s' is not a time", name);
}

static bool read_cursor(const cJSON *root, struct cursor *cursor, struct err *err)
{
    const cJSON *backfill = json_member(root, "backfill");

    if (!read_time(root, "begin", &cursor->begin, err) || !read_time(root, "newest", &cursor->watermark, err) ||
        !read_time(root, "floor", &cursor->dedup_floor, err))
        return false;
    if (!backfill || cJSON_IsNull(backfill))
        return true;
    cursor->backfill.active = true;
    return (read_time(backfill, "next", &cursor->backfill.next, err) &&
            read_time(backfill, "end", &cursor->backfill.end, err) &&
            read_time(backfill, "newest", &cursor->backfill.watermark, err) &&
            read_time(backfill, "floor", &cursor->backfill.dedup_floor, err)) ||
           err_prefix(err, "backfill");
}

/* Parses an entry such as "2026-11-01T08:35:12.1333333Z 0123456789abcdef0123456789abcdef". */
static bool read_entry(const char *text, struct dedup_entry *ret)
{
    const char *blank = text ? strchr(text, ' ') : NULL;

    *ret = (struct dedup_entry){ .pos = 0 };
    return blank && ticks_parse(text, (size_t)(blank - text), &ret->time) && strlen(blank + 1) == HASH_TEXT &&
           text_hex64(blank + 1, &ret->key.high) && text_hex64(blank + 17, &ret->key.low) &&
           (ret->key.high || ret->key.low);
}

static bool check_written(const cJSON *object, struct err *err)
{
    const cJSON *list = json_member(object, "written"), *item;
    struct dedup_entry entry;

    if (!cJSON_IsArray(list))
        return err_set(err, ERR_INPUT, "member 'written' is not a list");
    cJSON_ArrayForEach(item, list)
    {
        if (!read_entry(cJSON_GetStringValue(item), &entry))
            return err_set(err, ERR_INPUT, "member 'written' holds something that is not a \"time hash\"");
    }
    return true;
}

/* Adds a list that was checked. */
static void add_written(const cJSON *object, struct dedup *dedup)
{
    struct dedup_entry entry;
    const cJSON *item;

    cJSON_ArrayForEach(item, json_member(object, "written"))
    {
        read_entry(cJSON_GetStringValue(item), &entry);
        dedup_add(dedup, entry);
    }
}

/* Reads the written versions, and those that were written in part. A refused text adds nothing. */
static bool read_dedup(const cJSON *root, struct cursor *cursor, struct dedup *dedup, struct err *err)
{
    const cJSON *partial = json_member(root, "partial");

    if (!check_written(root, err))
        return false;
    if (partial && !(read_time(partial, "from", &cursor->partial_from, err) && check_written(partial, err)))
        return err_prefix(err, "partial");
    add_written(root, dedup);
    if (partial)
        add_written(partial, dedup_partial(dedup));
    return true;
}

/* Reads what was left of the rate limit. A member that is not as it should be counts as missing. */
static void read_rate(const cJSON *root, struct checkpoint *checkpoint, struct err *err)
{
    const cJSON *rate = json_member(root, "rate"), *hour = json_member(rate, "hour");

    checkpoint->rate.known = cJSON_IsNumber(hour) && hour->valuedouble >= 0 && hour->valuedouble < 1e9 &&
                             read_time(rate, "at", &checkpoint->rate.at, err);
    if (checkpoint->rate.known)
        checkpoint->rate.hour = hour->valuedouble;
}

/* Reads when the service is relied on again; the same holds for it. */
static void read_again(const cJSON *root, struct checkpoint *checkpoint, struct err *err)
{
    const cJSON *again = json_member(root, "again");

    if (!again || !read_time(again, "order", &checkpoint->again.order, err) ||
        !read_time(again, "count", &checkpoint->again.count, err) ||
        !read_time(again, "hint", &checkpoint->again.hint, err))
        checkpoint->again.order = checkpoint->again.count = checkpoint->again.hint = 0;
}

static bool read_seconds(const cJSON *object, const char *name, int64_t *ret, struct err *err)
{
    ticks time = 0;

    if (!read_time(object, name, &time, err))
        return false;
    *ret = time / TICKS_PER_SECOND;
    return true;
}

static bool read_quarantined(const cJSON *item, struct quarantine *quarantine, struct err *err)
{
    struct quarantined entry = { .state = QUARANTINED_FAILED };
    int64_t tries;

    if (!read_time(item, "from", &entry.window.lo, err) || !read_time(item, "to", &entry.window.hi, err) ||
        !read_seconds(item, "since", &entry.since_s, err) || !read_seconds(item, "due", &entry.due_s, err))
        return false;
    if (!json_int64(item, "tries", 0, INT32_MAX, &tries))
        return err_set(err, ERR_INPUT, "member 'tries' is not a number");
    entry.tries = (int)tries;
    if (cJSON_IsTrue(json_member(item, "isolated")))
        entry.search = SEARCH_LOGGED;
    else
        entry.search = tries ? SEARCH_FINE : SEARCH_COARSE;
    return quarantine_restore(quarantine, &entry) || err_set(err, ERR_INPUT, "'from' and 'to' are not a window");
}

/* Checkpoints of version 1.0.0 have no quarantine. */
static bool read_quarantine(const cJSON *root, struct quarantine *quarantine, struct err *err)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, json_member(root, "quarantine"))
    {
        if (!read_quarantined(item, quarantine, err))
            return err_prefix(err, "quarantine");
    }
    return true;
}

static bool all_of(const char *text, const char *allowed, size_t least, size_t most)
{
    size_t len = strlen(text);

    return len >= least && len <= most && strspn(text, allowed) == len;
}

/* Leaves out the hash of a proxy's password, which version 1.0.0 kept: people choose those, so they can be guessed. */
static void read_imported(const cJSON *root, struct checkpoint *checkpoint)
{
    static const char hex[] = "0123456789abcdef", name[] = "abcdefghijklmnopqrstuvwxyz_";
    const cJSON *item;
    const char *salt = json_text(root, "salt");

    if (!salt || !all_of(salt, hex, sizeof(checkpoint->salt) - 1, sizeof(checkpoint->salt) - 1))
        return;
    memcpy(checkpoint->salt, salt, sizeof(checkpoint->salt));
    cJSON_ArrayForEach(item, json_member(root, "taken"))
    {
        struct imported *imported = &checkpoint->imported[checkpoint->imported_count];

        if (checkpoint->imported_count == IMPORTED_MAX || !item->string || !cJSON_IsString(item) ||
            text_same(item->string, "proxy") || !all_of(item->string, name, 1, sizeof(imported->param) - 1) ||
            !all_of(item->valuestring, hex, sizeof(imported->hash) - 1, sizeof(imported->hash) - 1))
            continue;
        snprintf(imported->param, sizeof(imported->param), "%s", item->string);
        snprintf(imported->hash, sizeof(imported->hash), "%s", item->valuestring);
        checkpoint->imported_count++;
    }
}

/* Returns 0 for a time that is missing, or is none. */
static ticks time_of(const cJSON *root, const char *name)
{
    const char *text = json_text(root, name);
    ticks time;

    return text && ticks_parse(text, strlen(text), &time) ? time : 0;
}

static void read_ledger(const cJSON *root, struct checkpoint *checkpoint)
{
    const char *id = json_text(root, "ledger_id");

    checkpoint->has_ledger = json_int64(root, "ledger", 0, LEDGER_MOST, &checkpoint->ledger);
    if (!id || !ledger_read_id(id, strlen(id), &checkpoint->ledger_id))
        checkpoint->ledger_id = 0;
}

bool checkpoint_parse(const char *text, size_t len, struct checkpoint *checkpoint, struct dedup *dedup, struct err *err)
{
    CLEANUP(json_freep) cJSON *root = json_parse(text, len);
    struct checkpoint ret = { .imported_count = 0 };
    int64_t version;

    if (!cJSON_IsObject(root))
        return err_set(err, ERR_INPUT, "it is not a JSON object");
    if (!json_int64(root, "version", 1, INT32_MAX, &version))
        return err_set(err, ERR_INPUT, "it has no version");
    if (version != CHECKPOINT_VERSION)
        return err_set(err, ERR_INPUT, "it has version %lld, this program knows version %d", (long long)version,
                       CHECKPOINT_VERSION);
    if (!json_text(root, "tenant_id") || !json_text(root, "api"))
        return err_set(err, ERR_INPUT, "it does not say for which tenant_id and api");
    if (!read_cursor(root, &ret.cursor, err) || !read_quarantine(root, &ret.quarantine, err) ||
        !read_dedup(root, &ret.cursor, dedup, err)) {
        quarantine_release(&ret.quarantine);
        return false;
    }
    read_rate(root, &ret, err);
    read_again(root, &ret, err);
    checkpoint_assign(&ret, json_text(root, "tenant_id"), json_text(root, "api"));
    checkpoint_name_tenant(&ret, ret.tenant_id, json_text(root, "tid"));
    ret.own_since = time_of(root, "own_since");
    ret.own_until = time_of(root, "own_until");
    checkpoint_note_loss(&ret, json_text(root, "worked"), time_of(root, "lost"));
    read_ledger(root, &ret);
    read_imported(root, &ret);
    checkpoint_release(checkpoint);
    *checkpoint = ret;
    return true;
}

/* Imported secrets. The members of the file are still called "taken", as in version 1.0.0. */

static void imported_hash(const struct checkpoint *checkpoint, const char *value, char ret[65])
{
    CLEANUP(mem_free_secretp) char *salted = mem_format("%s%s", checkpoint->salt, value);
    unsigned char digest[SHA256_BYTES];

    sha256_of(salted, strlen(salted), digest);
    hex_text(digest, sizeof(digest), ret);
}

static const struct imported *find_imported(const struct checkpoint *checkpoint, const char *param)
{
    size_t i;

    for (i = 0; i < checkpoint->imported_count; i++)
        if (text_same(checkpoint->imported[i].param, param))
            return &checkpoint->imported[i];
    return NULL;
}

bool checkpoint_has_imported(const struct checkpoint *checkpoint, const char *param, const char *value)
{
    const struct imported *imported = find_imported(checkpoint, param);
    char hash[65];

    if (!imported)
        return false;
    imported_hash(checkpoint, value, hash);
    return text_same(hash, imported->hash);
}

void checkpoint_add_imported(struct checkpoint *checkpoint, const char *param, const char *value)
{
    struct imported *imported = (struct imported *)find_imported(checkpoint, param);
    unsigned char salt[16];

    if (!checkpoint->salt[0]) {
        random_bytes(salt, sizeof(salt));
        hex_text(salt, sizeof(salt), checkpoint->salt);
    }
    if (!imported) {
        if (checkpoint->imported_count == IMPORTED_MAX)
            return;
        imported = &checkpoint->imported[checkpoint->imported_count++];
        snprintf(imported->param, sizeof(imported->param), "%s", param);
    }
    imported_hash(checkpoint, value, imported->hash);
}
