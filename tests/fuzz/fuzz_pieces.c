/* Notes in the password store that say how a long secret is split, its pieces, and the notes that bind a secret to
 * hosts. The store is not ours alone. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "fuzz.h"
#include "splunk/passwords_pieces.h"
#include "splunk/secret_hosts.h"

/* A manifest is read as it was written, and never asks for more than its pieces can hold. */
static void check_manifest(const char *text)
{
    struct manifest manifest, again;
    struct secret_list entries = { 0 };
    char *written;

    if (manifest_parse(text, &manifest) != MANIFEST_GOOD)
        return;
    need(manifest.count >= 1 && manifest.count <= 1000, "1 to 1000 pieces");
    need(manifest.length >= 1 && manifest.length <= (size_t)manifest.count * 240, "a length that the pieces can have");
    written = manifest_text(&manifest);
    need(manifest_parse(written, &again) == MANIFEST_GOOD, "a manifest can be read again");
    need(again.count == manifest.count && again.length == manifest.length &&
             !strcmp(again.generation, manifest.generation) && !strcmp(again.sha256, manifest.sha256),
         "a manifest is read as it was written");
    need(!pieces_join(&entries, "x", &manifest), "no pieces, no secret");
    free(written);
}

/* A secret that was split comes out whole, and not at all once a byte of it has changed. */
static void check_secret(const char *text)
{
    struct manifest manifest = manifest_of(text);
    struct secret_list entries = { 0 };
    char *joined;
    unsigned i;

    if (!manifest.count)
        return;
    for (i = 0; i < manifest.count; i++) {
        char *name = piece_name("x", &manifest, i), *piece = piece_text(text, i);

        need(strlen(piece) <= 240, "a piece fits");
        secret_list_set(&entries, name, piece);
        free(name);
        mem_free_secret(piece);
    }
    joined = pieces_join(&entries, "x", &manifest);
    need(joined && !strcmp(joined, text), "the pieces make the secret");
    mem_free_secret(joined);
    entries.items[0].value[0] ^= 1;
    need(!pieces_join(&entries, "x", &manifest), "changed pieces make no secret");
    secret_list_clear(&entries);
}

/* A note counts for the secret that it was written for, and for no other; of a rotation, for both. */
static void check_hosts(const char *text)
{
    static const char host[] = "https://login.example.com";
    char *note = secret_hosts_note(text, NULL, "entered", host), *other = mem_format("%s+", text), *rotated;

    secret_hosts_of(text, "entered");
    need(secret_hosts_hold(secret_hosts_of(note, "entered"), host), "the secret is bound to what was named with it");
    need(!secret_hosts_of(note, other) || !strcmp(other, "entered"), "a note does not count for another secret");
    rotated = secret_hosts_note(note, "entered", other, NULL);
    need(secret_hosts_hold(secret_hosts_of(rotated, other), host) &&
             secret_hosts_hold(secret_hosts_of(rotated, "entered"), host), "a rotation keeps the hosts");
    free(rotated);
    rotated = secret_hosts_note(note, text, other, NULL);
    need(!strcmp(text, "entered") || !rotated, "no hosts come from another secret's note");
    free(rotated);
    free(other);
    free(note);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_text_n((const char *)data, size);
    char *note = mem_format("TA-defender-mssp parts %s", text);

    check_manifest(text);
    check_manifest(note);
    check_secret(text);
    check_hosts(text);
    free(note);
    free(text);
    return 0;
}
