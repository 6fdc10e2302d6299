/* Stores secrets: written, read back, compared; in pieces where the store truncates (passwords.h). */
#include "splunk/passwords_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "splunk/passwords_pieces.h"
#include "splunk/secret_hosts.h"

enum {
    WRITES_AT_ONCE = 8, /* each write makes splunkd rewrite passwords.conf */
    PROBE_BYTES = 4096
};

enum step {
    STEP_QUEUED,
    STEP_PROBE,  /* a meaningless long text, to see whether the store keeps it whole */
    STEP_PLAIN,  /* the secret as one entry */
    STEP_PIECES, /* the pieces of a new generation */
    STEP_SWITCH, /* the main entry: from then on it names the new pieces */
    STEP_CLEAN   /* the caller has been told; deletes the entries that no main entry names */
};

struct password_write {
    struct passwords *passwords;
    struct password_write *next;
    char *name;
    char *value; /* secret; of a note: NULL until it begins */
    rest_done_fn *done;
    void *ctx;
    struct password_write *of; /* the secret whose note this is (secret_hosts.h); NULL: this is no note */
    char *hosts;               /* of a secret */
    char *before;              /* secret: the token that was rotated; NULL: none */
    bool waits;                /* for its note */
    enum step step;
    struct manifest manifest;
    unsigned piece; /* number of the piece that is being written */
    struct password_entry entry;
};

static void start_queued(struct passwords *passwords);
static void clean_up(struct password_write *write);

static void write_free(struct password_write *write)
{
    struct password_write **slot = &write->passwords->writes;

    while (*slot != write)
        slot = &(*slot)->next;
    *slot = write->next;
    password_entry_release(&write->entry);
    free(write->name);
    mem_free_secret(write->value);
    free(write->hosts);
    mem_free_secret(write->before);
    free(write);
}

void passwords_writes_free(struct passwords *passwords)
{
    while (passwords->writes)
        write_free(passwords->writes);
}

static bool is_long(const struct password_write *write)
{
    return strlen(write->value) > STORE_KEEPS_BYTES;
}

/* The steps. */

/* Tells the caller. Success goes on to STEP_CLEAN; a failed write is freed, and with a note its secret.
 * NOLINTNEXTLINE(misc-no-recursion): once, from a note to its secret. */
static void write_end(struct password_write *write, bool ok, const struct err *err)
{
    rest_done_fn *done = write->done;
    void *ctx = write->ctx;
    struct passwords *passwords = write->passwords;
    struct password_write *of = write->of;
    struct err why = *err;

    if (write->step == STEP_PROBE)
        passwords->probing = false;
    if (of && ok)
        of->waits = false;
    if (ok) {
        secret_list_set(&passwords->whole, write->name, write->value);
        clean_up(write);
    } else {
        err_prefix(&why, "storing %s", write->name);
        write_free(write);
    }
    if (of && !ok)
        write_end(of, false, &why); /* a secret without its note would not be usable */
    else
        start_queued(passwords);
    if (done)
        done(ctx, ok, &why); /* last: it may end everything */
}

static void probe_begin(struct password_write *write)
{
    char *text = mem_alloc(PROBE_BYTES + 1);

    memset(text, 'x', PROBE_BYTES);
    write->step = STEP_PROBE;
    write->passwords->probing = true;
    password_entry_write(&write->entry, mem_text(PROBE_NAME), text);
}

static void write_piece(struct password_write *write)
{
    password_entry_write(&write->entry, piece_name(write->name, &write->manifest, write->piece),
                         piece_text(write->value, write->piece));
}

static void write_begin(struct password_write *write)
{
    struct manifest manifest;

    /* A secret that reads like a manifest is never stored plain. */
    if ((is_long(write) && write->passwords->truncation == TRUNCATES) ||
        manifest_parse(write->value, &manifest) != MANIFEST_NONE) {
        write->step = STEP_PIECES;
        write->manifest = manifest_of(write->value);
        write->piece = 0;
        write_piece(write);
    } else {
        write->step = STEP_PLAIN;
        password_entry_write(&write->entry, mem_text(write->name), mem_text(write->value));
    }
}

/* Takes the next step after an entry was written. whole: it was read back unchanged. */
static void entry_written(struct password_write *write, bool whole)
{
    struct passwords *passwords = write->passwords;
    struct err err = { 0 };

    switch (write->step) {
    case STEP_PROBE:
        passwords->probing = false;
        passwords->truncation = whole ? TRUNCATES_NOT : TRUNCATES;
        write_begin(write);
        start_queued(passwords); /* the writes that waited for the probe */
        return;
    case STEP_PLAIN:
        if (!whole && is_long(write)) {
            passwords->truncation = TRUNCATES;
            write_begin(write);
            return;
        }
        break;
    case STEP_PIECES:
        if (whole && ++write->piece < write->manifest.count) {
            write_piece(write);
            return;
        }
        if (whole) {
            write->step = STEP_SWITCH;
            password_entry_write(&write->entry, mem_text(write->name), manifest_text(&write->manifest));
            return;
        }
        break;
    default: break;
    }
    if (!whole)
        err_set(&err, ERR_INPUT, "Splunk's password store returns another value than was written (entry '%s')",
                write->entry.name);
    write_end(write, whole, &err);
}

static void on_entry(void *ctx, enum entry_end end, const struct err *err)
{
    struct password_write *write = ctx;

    if (end == ENTRY_DELETED)
        clean_up(write);
    else if (end == ENTRY_FAILED)
        write_end(write, false, err);
    else
        entry_written(write, end == ENTRY_KEPT);
}

/* Cleaning up. */

/* Returns an entry to delete: a piece of another generation of this secret, or the probe. NULL: none left. */
static const char *unneeded_entry(const struct password_write *write)
{
    CLEANUP(mem_freep) char *pieces = mem_format("%s" PIECE_INFIX, write->name);
    CLEANUP(mem_freep) char *present = mem_format("%s%s.", pieces, write->manifest.generation);
    const struct secret_list *entries = &write->passwords->entries;
    size_t i;

    for (i = 0; i < entries->count; i++) {
        const char *name = entries->items[i].name;

        if (text_starts(name, pieces) && !(*write->manifest.generation && text_starts(name, present)))
            return name;
        if (strcmp(name, PROBE_NAME) == 0 && !write->passwords->probing)
            return name;
    }
    return NULL;
}

/* Deletes one entry that nothing needs, or ends the write when there is none. A piece that could not be deleted is found
 * again after the next start. */
static void clean_up(struct password_write *write)
{
    struct passwords *passwords = write->passwords;
    const char *unneeded = unneeded_entry(write);

    write->step = STEP_CLEAN;
    if (!unneeded) {
        write_free(write);
        start_queued(passwords);
        return;
    }
    password_entry_delete(&write->entry, unneeded);
}

/* The queue. */

/* Returns true unless a write has begun already, waits for its note, or an earlier write has the same name. */
static bool is_next(const struct password_write *write)
{
    const struct password_write *earlier;

    if (write->step != STEP_QUEUED || write->waits)
        return false;
    for (earlier = write->passwords->writes; earlier != write; earlier = earlier->next)
        if (strcmp(earlier->name, write->name) == 0)
            return false;
    return true;
}

/* Composes a note when its turn has come: writes before it may have changed the one that is stored. Returns false if
 * there is nothing to write; the note is freed then. */
static bool note_is_due(struct password_write *note)
{
    struct password_write *of = note->of;
    const struct secret_list *whole = &note->passwords->whole;
    const char *stored = secret_list_get(whole, note->name);

    if (!note->value)
        note->value = secret_hosts_note(stored, of->before, of->value, of->hosts);
    if (note->value && !text_same(note->value, stored))
        return true;
    of->waits = false;
    write_free(note);
    return false;
}

/* Returns true if the write may begin: its turn has come, and no probe has to end first. */
static bool may_begin(struct password_write *write)
{
    return is_next(write) && (!write->of || note_is_due(write)) && !(is_long(write) && write->passwords->probing);
}

/* Starts the queued writes that may begin. */
static void start_queued(struct passwords *passwords)
{
    struct password_write *write, *next;
    int active = 0;

    for (write = passwords->writes; write; write = write->next)
        active += write->step != STEP_QUEUED;
    for (write = passwords->writes; write && active < WRITES_AT_ONCE; write = next) {
        next = write->next; /* a note that is not needed is freed by the question */
        if (!may_begin(write))
            continue;
        active++;
        if (is_long(write) && passwords->truncation == TRUNCATES_UNKNOWN)
            probe_begin(write);
        else
            write_begin(write);
    }
}

static struct password_write *write_new(struct passwords *passwords, char *name, const char *value)
{
    struct password_write *write = mem_alloc(sizeof(*write)), **slot = &passwords->writes;

    write->passwords = passwords;
    write->name = name;
    write->value = mem_text(value);
    password_entry_init(&write->entry, passwords, on_entry, write);
    while (*slot)
        slot = &(*slot)->next;
    return *slot = write;
}

/* Queues a secret after its note. */
static struct password_write *write_with_note(struct passwords *passwords, const char *name, const char *value,
                                              const char *hosts, rest_done_fn *done, void *ctx)
{
    struct password_write *note = write_new(passwords, secret_hosts_name(name), NULL);
    struct password_write *write = note->of = write_new(passwords, mem_text(name), value);

    write->hosts = mem_text(hosts);
    write->done = done;
    write->ctx = ctx;
    write->waits = true;
    return write;
}

void passwords_store(struct passwords *passwords, const char *name, const char *value, const char *hosts,
                     rest_done_fn *done, void *ctx)
{
    write_with_note(passwords, name, value, hosts, done, ctx);
    start_queued(passwords);
}

void passwords_rotate(struct passwords *passwords, const char *name, const char *before, const char *value,
                      const char *hosts, rest_done_fn *done, void *ctx)
{
    write_with_note(passwords, name, value, hosts, done, ctx)->before = mem_text(before);
    start_queued(passwords);
}
