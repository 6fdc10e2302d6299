/* Secrets in memory: lists of them, and long ones as pieces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "splunk/splunkd_private.h"

#define NOTE_START  APP_NAME " parts "
#define PART_BYTES  240             /* below CUT_LENGTH, whatever the store counts */
#define PARTS_MOST  1000

/* Where the name is, or where it belongs. */
static size_t place_of(const struct secrets *secrets, const char *name, bool *found)
{
    size_t low = 0, high = secrets->count, middle;
    int order;

    *found = false;
    while (low < high) {
        middle = low + (high - low) / 2;
        order = strcmp(secrets->list[middle].name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *secrets_get(const struct secrets *secrets, const char *name)
{
    bool found;
    size_t at = place_of(secrets, name, &found);

    return found ? secrets->list[at].value : NULL;
}

void secrets_set(struct secrets *secrets, const char *name, const char *value)
{
    bool found;
    size_t at = place_of(secrets, name, &found);
    char *copy = mem_text(value);       /* before the old one goes: it may be the same text */

    if (found) {
        mem_free_secret(secrets->list[at].value);
        secrets->list[at].value = copy;
        return;
    }
    if (secrets->count == secrets->capacity) {
        secrets->capacity = secrets->capacity * 2 + 16;
        secrets->list = mem_grow(secrets->list, secrets->capacity, sizeof(*secrets->list));
    }
    memmove(secrets->list + at + 1, secrets->list + at, (secrets->count - at) * sizeof(*secrets->list));
    secrets->list[at] = (struct secret){ .name = mem_text(name), .value = copy };
    secrets->count++;
}

void secrets_remove(struct secrets *secrets, const char *name)
{
    bool found;
    size_t at = place_of(secrets, name, &found);

    if (!found)
        return;
    free(secrets->list[at].name);
    mem_free_secret(secrets->list[at].value);
    memmove(secrets->list + at, secrets->list + at + 1, (--secrets->count - at) * sizeof(*secrets->list));
}

void secrets_clear(struct secrets *secrets)
{
    size_t i;

    for (i = 0; i < secrets->count; i++) {
        free(secrets->list[i].name);
        mem_free_secret(secrets->list[i].value);
    }
    free(secrets->list);
    *secrets = (struct secrets){ 0 };
}

bool manifest_read(const char *value, struct manifest *ret)
{
    struct manifest note = { 0 };
    int used = 0;

    if (sscanf(value, NOTE_START "%16[0-9a-f] %4u %7zu %64[0-9a-f]%n", note.generation, &note.count, &note.length,
               note.sha256, &used) != 4 || value[used] || note.count < 1 || note.count > PARTS_MOST)
        return false;
    *ret = note;
    return true;
}

char *manifest_text(const struct manifest *note)
{
    return mem_format(NOTE_START "%s %u %zu %s", note->generation, note->count, note->length, note->sha256);
}

static void digest_text(const char *value, char ret[65])
{
    unsigned char digest[SHA256_BYTES];

    sha256_of(value, strlen(value), digest);
    hex_text(digest, sizeof(digest), ret);
}

/* Bytes of the piece that begins here: never half a character. */
static size_t piece_length(const char *text)
{
    size_t len = strnlen(text, PART_BYTES + 1);

    if (len <= PART_BYTES)
        return len;
    for (len = PART_BYTES; len > PART_BYTES - 4 && ((unsigned char)text[len] & 0xC0) == 0x80;)
        len--;
    return len;
}

struct manifest manifest_of(const char *value)
{
    struct manifest note = { .length = strlen(value) };
    unsigned char fresh[8];

    random_bytes(fresh, sizeof(fresh));
    hex_text(fresh, sizeof(fresh), note.generation);
    digest_text(value, note.sha256);
    for (; *value; value += piece_length(value))
        note.count++;
    return note;
}

char *part_name(const char *name, const struct manifest *note, unsigned number)
{
    return mem_format("%s" PART_INFIX "%s.%u", name, note->generation, number);
}

char *part_of(const char *value, unsigned number)
{
    while (number--)
        value += piece_length(value);
    return mem_text_n(value, piece_length(value));
}

char *parts_join(const struct secrets *entries, const char *name, const struct manifest *note)
{
    struct buf whole = BUF_INIT(note->length);
    char sha256[65];
    unsigned i;

    if (note->length)
        buf_room(&whole, note->length);     /* at once, so that no copy is left behind by growth */
    for (i = 0; i < note->count; i++) {
        CLEANUP(mem_freep) char *part = part_name(name, note, i);
        const char *value = secrets_get(entries, part);

        if (!value || !buf_add_text(&whole, value)) {
            buf_free_secret(&whole);
            return NULL;
        }
    }
    digest_text(buf_text(&whole), sha256);
    if (whole.len == note->length && strcmp(sha256, note->sha256) == 0)
        return buf_take(&whole);
    buf_free_secret(&whole);
    return NULL;
}
