#include "splunk/secret_hosts.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "splunk/app.h"

#define NOTE_START APP_NAME " hosts "
#define NOTE_MAX   (64 * 1024)
#define HEX_BYTES  (2 * SHA256_BYTES)

char *secret_hosts_name(const char *name)
{
    return mem_format("%s.hosts", name);
}

static void digest_text(const char *value, char ret[HEX_BYTES + 1])
{
    unsigned char digest[SHA256_BYTES];

    sha256_of(value, strlen(value), digest);
    hex_text(digest, sizeof(digest), ret);
}

const char *secret_hosts_of(const char *note, const char *value)
{
    char digest[HEX_BYTES + 1];
    bool found = false;

    if (!note || !value || !text_starts(note, NOTE_START))
        return NULL;
    digest_text(value, digest);
    for (note += strlen(NOTE_START);; note++) {
        if (strnlen(note, HEX_BYTES + 1) <= HEX_BYTES)
            return NULL;
        found |= strncmp(note, digest, HEX_BYTES) == 0;
        note += HEX_BYTES;
        if (*note != ',')
            break;
    }
    return found && *note == ' ' ? note + 1 : NULL;
}

bool secret_hosts_hold(const char *origins, const char *origin)
{
    size_t len = strlen(origin), step;

    for (; origins && *origins; origins += step) {
        step = strcspn(origins, " ");
        if (step == len && strncmp(origins, origin, len) == 0)
            return true;
        step += origins[step] == ' ';
    }
    return false;
}

/* Adds the origins of the list that the note does not have yet. from: where the note's own list begins. */
static void add_origins(struct buf *note, size_t from, const char *origins)
{
    size_t len;

    for (; *origins; origins += len + (origins[len] == ' ')) {
        CLEANUP(mem_freep) char *origin = NULL;

        len = strcspn(origins, " ");
        origin = mem_text_n(origins, len);
        if (*origin && !secret_hosts_hold(buf_text(note) + from, origin))
            buf_add_format(note, "%s%s", note->len > from ? " " : "", origin);
    }
}

char *secret_hosts_note(const char *note, const char *before, const char *value, const char *origins)
{
    const char *kept = secret_hosts_of(note, before ? before : value);
    struct buf text = BUF_INIT(NOTE_MAX);
    char digest[HEX_BYTES + 1];
    size_t from;

    buf_add_text(&text, NOTE_START);
    if (before && !text_same(before, value)) {
        digest_text(before, digest);
        buf_add_format(&text, "%s,", digest);
    }
    digest_text(value, digest);
    buf_add_format(&text, "%s ", digest);
    from = text.len;
    add_origins(&text, from, origins ? origins : "");
    add_origins(&text, from, kept ? kept : "");
    if (text.len > from)
        return buf_take(&text);
    buf_free(&text);
    return NULL;
}
