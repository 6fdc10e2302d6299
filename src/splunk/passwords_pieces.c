#include "splunk/passwords_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "splunk/app.h"

#define MANIFEST_START APP_NAME " parts "
#define PIECE_BYTES    240 /* below STORE_KEEPS_BYTES, whether the store counts bytes or characters */
#define PIECES_MOST    1000

enum { FIELD_GENERATION, FIELD_COUNT, FIELD_LENGTH, FIELD_SHA256, FIELDS };

/* Splits the text at single blanks. Returns false unless there are exactly FIELDS fields. */
static bool split_fields(char *text, char *ret[FIELDS])
{
    int i;

    for (i = 0; i < FIELDS && text; i++)
        ret[i] = strsep(&text, " ");
    return i == FIELDS && !text;
}

static bool is_hex(const char *text, size_t len)
{
    return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

enum manifest_kind manifest_parse(const char *value, struct manifest *ret)
{
    CLEANUP(mem_freep) char *copy = NULL;
    char *fields[FIELDS];
    int64_t count, length;

    if (!text_starts(value, MANIFEST_START))
        return MANIFEST_NONE;
    copy = mem_text(value + strlen(MANIFEST_START));
    /* The store is not ours alone: a length is used only if that many pieces can hold it. */
    if (!split_fields(copy, fields) || !is_hex(fields[FIELD_GENERATION], sizeof(ret->generation) - 1) ||
        !is_hex(fields[FIELD_SHA256], sizeof(ret->sha256) - 1) ||
        !text_int64(fields[FIELD_COUNT], 1, PIECES_MOST, &count) ||
        !text_int64(fields[FIELD_LENGTH], 1, count * PIECE_BYTES, &length))
        return MANIFEST_DAMAGED;
    *ret = (struct manifest){ .count = (unsigned)count, .length = (size_t)length };
    memcpy(ret->generation, fields[FIELD_GENERATION], sizeof(ret->generation));
    memcpy(ret->sha256, fields[FIELD_SHA256], sizeof(ret->sha256));
    return MANIFEST_GOOD;
}

char *manifest_text(const struct manifest *manifest)
{
    return mem_format(MANIFEST_START "%s %u %zu %s", manifest->generation, manifest->count, manifest->length,
                      manifest->sha256);
}

static void digest_text(const char *value, char ret[65])
{
    unsigned char digest[SHA256_BYTES];

    sha256_of(value, strlen(value), digest);
    hex_text(digest, sizeof(digest), ret);
}

/* Returns the length of the piece at the start of the text, without half a character at its end. */
static size_t piece_length(const char *text)
{
    size_t len = strnlen(text, PIECE_BYTES + 1);

    if (len <= PIECE_BYTES)
        return len;
    for (len = PIECE_BYTES; len > PIECE_BYTES - 4 && ((unsigned char)text[len] & 0xC0) == 0x80;)
        len--;
    return len;
}

struct manifest manifest_of(const char *value)
{
    struct manifest manifest = { .length = strlen(value) };
    unsigned char fresh[8];

    random_bytes(fresh, sizeof(fresh));
    hex_text(fresh, sizeof(fresh), manifest.generation);
    digest_text(value, manifest.sha256);
    for (; *value; value += piece_length(value))
        manifest.count++;
    return manifest;
}

char *piece_name(const char *name, const struct manifest *manifest, unsigned number)
{
    return mem_format("%s" PIECE_INFIX "%s.%u", name, manifest->generation, number);
}

char *piece_text(const char *value, unsigned number)
{
    while (number--)
        value += piece_length(value);
    return mem_text_n(value, piece_length(value));
}

char *pieces_join(const struct secret_list *entries, const char *name, const struct manifest *manifest)
{
    struct buf whole = BUF_INIT(manifest->length);
    char sha256[65];
    unsigned i;

    buf_room(&whole, manifest->length); /* at once: growth would leave copies in freed memory */
    for (i = 0; i < manifest->count; i++) {
        CLEANUP(mem_freep) char *piece = piece_name(name, manifest, i);
        const char *value = secret_list_get(entries, piece);

        if (!value || !buf_add_text(&whole, value)) {
            buf_free_secret(&whole);
            return NULL;
        }
    }
    digest_text(buf_text(&whole), sha256);
    if (whole.len == manifest->length && strcmp(sha256, manifest->sha256) == 0)
        return buf_take(&whole);
    buf_free_secret(&whole);
    return NULL;
}
