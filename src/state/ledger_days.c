/* What is known of a ledger's days. */
#include "state/ledger_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define DAY_TICKS  (INT64_C(86400) * TICKS_PER_SECOND)
#define DROP_LEAST 4  /* keys: more bytes than a copy may add */
#define DROP_SHARE 32 /* a copy is worth it once this part of a file is too old */
#define FIRST_ROOM 1024

uint32_t ledger_day_of(ticks time)
{
    ticks day = time / DAY_TICKS;

    return time < DAY_TICKS || day > LEDGER_DAY_MOST ? LEDGER_NO_DAY : (uint32_t)day;
}

ticks ledger_day_begin(uint32_t day)
{
    return (ticks)day * DAY_TICKS;
}

const char *ledger_day_text(uint32_t day, char ret[LEDGER_DAY_TEXT])
{
    char text[TICKS_TEXT_MAX];

    ticks_text(ledger_day_begin(day), text);
    snprintf(ret, LEDGER_DAY_TEXT, "%.10s", text);
    return ret;
}

void ledger_forget_days(struct ledger *ledger)
{
    memset(ledger->days, 0, sizeof(ledger->days));
    ledger->looked = false;
}

/* A later day takes the place of one that is not kept any more. */
struct ledger_day *ledger_find_day(struct ledger *ledger, uint32_t day, bool create)
{
    struct ledger_day *found = &ledger->days[day % LEDGER_DAYS];

    if (found->day == day)
        return found;
    if (!create || day > ledger->today + 1 || day + LEDGER_KEPT_DAYS < ledger->today || day < found->day)
        return NULL;
    *found = (struct ledger_day){ .day = day };
    return found;
}

static const struct ledger_day *known(const struct ledger *ledger, uint32_t day)
{
    const struct ledger_day *found = &ledger->days[day % LEDGER_DAYS];

    return found->day == day ? found : NULL;
}

/* Calls fn for what is in the batch. */
static void walk_batch(struct ledger *ledger, void (*fn)(void *ctx, const struct ledger_item *item))
{
    struct ledger_reader reader = { .day = ledger->day };
    struct ledger_item item;
    uint64_t slot;
    size_t at;

    for (at = 0; at + LEDGER_SLOT <= ledger->batch.len; at += LEDGER_SLOT) {
        slot = 0;
        for (int i = LEDGER_SLOT - 1; i >= 0; i--)
            slot = slot << 8 | (unsigned char)ledger->batch.data[at + (size_t)i];
        item = ledger_read_slot(&reader, slot);
        if (item.kind != LEDGER_NOTHING)
            fn(ledger, &item);
    }
}

/* The file says that the day begins again. */
static void begin_again(struct ledger_day *day)
{
    day->keys = 0;
    day->again = true;
}

static void count_key(void *ctx, const struct ledger_item *item)
{
    struct ledger *ledger = ctx;
    bool counts = item->kind == LEDGER_KEY || item->kind == LEDGER_AGAIN;
    struct ledger_day *day = counts ? ledger_find_day(ledger, item->day, true) : NULL;

    if (!day)
        return;
    if (item->kind == LEDGER_AGAIN) {
        day->begins = false;
        begin_again(day);
        return;
    }
    day->keys++;
    ledger->got_more = ledger->got_more || day->was_said;
}

void ledger_count_batch(struct ledger *ledger)
{
    if (ledger->looked)
        walk_batch(ledger, count_key);
}

static void lose_key(void *ctx, const struct ledger_item *item)
{
    struct ledger_day *day = ledger_find_day(ctx, item->day, true);

    if (!day || item->kind == LEDGER_DAY || item->kind == LEDGER_DROPPED)
        return;
    day->lost = day->lost || item->kind == LEDGER_KEY || item->kind == LEDGER_LOST;
    day->unwritten = true;
}

void ledger_lose_batch(struct ledger *ledger)
{
    walk_batch(ledger, lose_key);
}

/* Looking at the file. */

struct look {
    struct ledger *ledger;
    uint64_t keys, old;
};

static void look_at(void *ctx, const struct ledger_item *item)
{
    struct look *look = ctx;
    struct ledger *ledger = look->ledger;
    struct ledger_day *day = ledger_find_day(ledger, item->day, true);

    if (item->kind == LEDGER_KEY) {
        look->keys++;
        look->old += item->day + LEDGER_KEPT_DAYS < ledger->today;
    }
    if (!day)
        return;
    if (item->kind == LEDGER_KEY) {
        day->keys++;
    } else if (item->kind == LEDGER_LOST) {
        day->lost = true;
    } else if (item->kind == LEDGER_SAID && !day->unwritten) {
        day->was_said = true;
        day->said = (uint32_t)item->value;
    } else if (item->kind == LEDGER_AUDITED && !day->unwritten) {
        day->audited = (uint32_t)item->value;
        day->again = false;
    } else if (item->kind == LEDGER_AGAIN) {
        begin_again(day);
    }
}

static bool is_at_rest(const struct ledger *ledger, struct err *err)
{
    if (ledger->exists && !ledger->busy)
        return true;
    err_set(err, ERR_RETRY, "the ledger is being written");
    return false;
}

/* The first look counts. A later one, on another day, finds out whether enough is too old. */
bool ledger_look(struct ledger *ledger, ticks now, struct err *err)
{
    struct look look = { .ledger = ledger };
    uint32_t today = ledger_day_of(now);

    if (!is_at_rest(ledger, err))
        return false;
    if (ledger->looked && ledger->today == today)
        return true;
    ledger->today = today;
    for (size_t i = 0; i < LEDGER_DAYS; i++)
        ledger->days[i].keys = 0;
    if (!ledger_walk(ledger->path, &ledger->line, ledger->size, look_at, &look, err))
        return false;
    ledger->looked = true;
    ledger->compacts = look.old >= DROP_LEAST && look.old >= look.keys / DROP_SHARE;
    return true;
}

ticks ledger_since(const struct ledger *ledger)
{
    return ledger->line.since;
}

bool ledger_covers(const struct ledger *ledger, uint32_t day)
{
    const struct ledger_day *found = known(ledger, day);
    uint32_t first = ledger_day_of(ledger->line.since);

    if (!ledger->exists || (found && found->lost) || day + LEDGER_KEPT_DAYS < ledger->today)
        return false;
    return ledger->line.since <= ledger_day_begin(day) || (ledger->line.whole && day == first);
}

bool ledger_waits(const struct ledger *ledger, uint32_t day)
{
    return ledger->batch.len || ledger->busy || waiting_has_until(&ledger->waiting, day);
}

bool ledger_unsaid(const struct ledger *ledger, uint32_t day, bool *again)
{
    const struct ledger_day *found = known(ledger, day);

    *again = found && found->was_said;
    return !*again || found->said != found->keys;
}

bool ledger_unsaid_versions(const struct ledger *ledger, uint32_t day)
{
    const struct ledger_day *found = known(ledger, day);
    bool again;

    return found && found->keys && ledger_unsaid(ledger, day, &again);
}

bool ledger_is_empty(const struct ledger *ledger, uint32_t day)
{
    const struct ledger_day *found = known(ledger, day);

    return !found || !found->keys;
}

void ledger_said(struct ledger *ledger, uint32_t day)
{
    struct ledger_day *found = ledger_find_day(ledger, day, true);

    if (!found)
        return;
    found->was_said = found->unwritten = true;
    found->said = found->keys;
}

bool ledger_has_marks(const struct ledger *ledger)
{
    for (size_t i = 0; ledger && i < LEDGER_DAYS; i++)
        if (ledger->days[i].unwritten)
            return true;
    return false;
}

bool ledger_got_more(struct ledger *ledger)
{
    bool ret = ledger && ledger->got_more;

    if (ret)
        ledger->got_more = false;
    return ret;
}

/* The keys of one day. */
struct keys {
    uint32_t day;
    uint64_t *list;
    size_t count, cap;
};

static void collect(void *ctx, const struct ledger_item *item)
{
    struct keys *keys = ctx;

    if (item->kind == LEDGER_AGAIN && item->day == keys->day)
        keys->count = 0;
    if (item->kind != LEDGER_KEY || item->day != keys->day)
        return;
    if (keys->count == keys->cap) {
        keys->cap = keys->cap ? keys->cap * 2 : FIRST_ROOM;
        keys->list = mem_grow(keys->list, keys->cap, sizeof(*keys->list));
    }
    keys->list[keys->count++] = item->value;
}

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

bool ledger_keys(struct ledger *ledger, uint32_t day, uint64_t **ret, size_t *count, struct err *err)
{
    struct keys keys = { .day = day };
    bool ok = is_at_rest(ledger, err) && ledger_walk(ledger->path, &ledger->line, ledger->size, collect, &keys, err);

    if (!ok) {
        free(keys.list);
        keys = (struct keys){ .day = day };
    }
    *ret = keys.list;
    *count = keys.count;
    return ok;
}

bool ledger_sum(struct ledger *ledger, uint32_t day, uint64_t *versions, uint64_t *sum, struct err *err)
{
    uint64_t *keys;
    size_t i, count;
    bool ok = ledger_keys(ledger, day, &keys, &count, err);

    *versions = *sum = 0;
    if (count)
        qsort(keys, count, sizeof(*keys), by_value);
    for (i = 0; i < count; i++) {
        if (i && keys[i] == keys[i - 1])
            continue;
        ++*versions;
        *sum += keys[i] >> 32;
    }
    free(keys);
    return ok;
}

/* Audits. */

bool ledger_exists(const struct ledger *ledger)
{
    return ledger->exists;
}

void ledger_audited(struct ledger *ledger, uint32_t day, uint32_t how)
{
    struct ledger_day *found = ledger_find_day(ledger, day, true);

    if (!found)
        return;
    found->audited = how;
    found->unwritten = true;
    found->again = false;
}

uint32_t ledger_audit_of(const struct ledger *ledger, uint32_t day)
{
    const struct ledger_day *found = known(ledger, day);

    return found ? found->audited : 0;
}

bool ledger_begin_again(struct ledger *ledger, uint32_t day)
{
    struct ledger_day *found = ledger_find_day(ledger, day, true);

    if (found)
        found->begins = found->unwritten = true;
    return found != NULL;
}

bool ledger_begins_again(const struct ledger *ledger)
{
    for (size_t i = 0; i < LEDGER_DAYS; i++)
        if (ledger->days[i].begins)
            return true;
    return false;
}

bool ledger_is_again(const struct ledger *ledger, uint32_t day)
{
    const struct ledger_day *found = known(ledger, day);

    return found && found->again;
}
