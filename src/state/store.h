/* state/store.h - where the progress of inputs is kept: an interface.
 *
 * An input claims its name first; one claim per name exists at any time, in this process or another. With the claim it
 * loads what is stored, and saves. claim, load and save are answered later, from store_pump(), never from inside of the
 * call. A claim has one question open at a time; a second one replaces nothing and is an error of the caller.
 *
 * A save does not wait for the disk. One is in flight at a time, so that one text is in memory; the others wait, and
 * claims and loads overtake them.
 *
 * Implementations: a folder of files (state/store_file.h). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "state/ledger.h"

struct store;
struct claim;

enum store_found {
    STORE_NONE, /* nothing is stored under this name */
    STORE_FOUND,
    STORE_FAILED /* err->kind ERR_RETRY: it cannot be read now. ERR_INPUT: it can never be used */
};

enum store_durability {
    STORE_WRITTEN, /* survives the end of the process */
    STORE_SYNCED   /* survives the end of the host */
};

/* The answers. ctx is the claim's owner. */
struct claim_owner {
    void (*claimed)(void *ctx);
    void (*busy)(void *ctx, const struct err *err); /* not ours; claim again after err->wait_ms */
    void (*loaded)(void *ctx, enum store_found found, const struct buf *text, const struct err *err);
    void (*compose)(void *ctx, struct buf *text); /* append what is to be saved: its turn has come */
    void (*saved)(void *ctx, bool ok, const struct err *err);
    void (*vanished)(void *ctx); /* what was stored is gone: save again */
    void (*lost)(void *ctx);     /* the name is another process's now: stop, claim again, load again */
};

enum claim_question { CLAIM_NOTHING, CLAIM_CLAIM, CLAIM_LOAD, CLAIM_SAVE, CLAIM_LOST };

/* Lives inside its owner. Set store, name, owner, ctx and ledger; the rest is the store's. */
struct claim {
    struct store *store;
    const char *name;      /* the input's; stays as long as the claim */
    struct ledger *ledger; /* what it has prepared is written before the text of a save; NULL: none */
    const struct claim_owner *owner;
    void *ctx;

    enum claim_question question;     /* waits for store_pump() */
    enum store_durability durability; /* of the save that waits */
    struct claim *next_question;
    struct claim *next, **slot; /* all that are held */
    bool held;
    bool stored;   /* something is stored under the name, as far as known */
    bool unsynced; /* what is stored may not survive the end of the host */
};

struct store_ops {
    bool (*claim)(struct store *store, struct claim *claim, struct err *err);
    void (*release)(struct claim *claim);
    enum store_found (*load)(struct claim *claim, struct buf *text, struct err *err);
    bool (*holds)(struct claim *claim); /* looks whether the claim is lost, and calls store_lose() if so */
    bool (*save)(struct claim *claim, const struct buf *text, enum store_durability durability, struct err *err);
    /* The same without waiting. One save at a time; takes the text over. */
    bool (*save_ready)(struct store *store);
    void (*save_begin)(struct claim *claim, struct buf *text, enum store_durability durability);
    bool (*save_ended)(struct store *store, bool *ok, struct err *err); /* false: it goes on */
    bool (*save_wait)(struct store *store, int64_t until_ms);
    void (*save_give_up)(struct store *store);
    int (*fd)(const struct store *store);
    bool (*writable)(struct claim *claim, const char *bytes, size_t len, struct err *err);
    bool (*set_aside)(struct claim *claim, struct err *err);
    void (*look)(struct store *store);
    void (*free)(struct store *store);
    size_t text_most; /* bytes */
};

/* Told by the store; all may be NULL. */
struct store_watcher {
    void (*asked)(void *ctx);                   /* a question waits: call store_pump() soon */
    void (*opened)(void *ctx, int64_t idle_ms); /* first use; idle_ms since a process last worked here, -1: never */
    void *ctx;
};

struct claim_queue {
    struct claim *first, **end;
};

/* The part that every implementation begins with. */
struct store {
    const struct store_ops *ops;
    struct store_watcher watcher;
    struct claim *claims;
    struct claim_queue questions; /* claims and loads */
    struct claim_queue saves;
    struct claim *saving; /* its save is in flight */
    bool directly;        /* saves are not handed over */
};

void store_init(struct store *store, const struct store_ops *ops, const struct store_watcher *watcher);
/* For implementations: another process has the name. The claim is not held any more, nothing of it is saved, and its
 * owner is told by store_pump(). */
void store_lose(struct claim *claim);
void store_free(struct store *store); /* NULL is allowed; every claim must have been released */

void store_claim(struct claim *claim);
void store_load(struct claim *claim);
/* The text is asked for when the save has its turn: hundreds of texts that wait would take too much memory. */
void store_save(struct claim *claim, enum store_durability durability);
/* Drops the question that waits, if any. A save in flight is given up: if it has not replaced the file yet, it will
 * not. */
void store_cancel(struct claim *claim);
/* Gives the name back and drops a question that waits. Allowed in any state, also when nothing was claimed. */
void store_release(struct claim *claim);

/* Returns true if a question of the claim waits for its answer. */
bool store_asked(const struct claim *claim);

/* Tries whether that many bytes could be saved now. Does not wait: it is asked while a response arrives, before its
 * first event is written. */
bool store_writable(struct claim *claim, const char *bytes, size_t len, struct err *err);

/* Puts away what is stored under the name because it cannot be used; a person may want to look at it. */
bool store_set_aside(struct claim *claim, struct err *err);

/* Answers questions for most_ms, at least one. Returns true if some are left that need not wait for the disk. */
bool store_pump(struct store *store, int64_t most_ms);
/* Returns a descriptor that is readable when a save in flight has ended: then call store_pump(). */
int store_fd(const struct store *store);

/* For the end of the process. Waits until monotonic until_ms for the save in flight, and tells its owner. Returns false
 * if it is still in flight. */
bool store_settle(struct store *store, int64_t until_ms);
/* From now on store_pump() saves in the caller's thread. */
void store_save_directly(struct store *store);

/* Notices what vanished from the store, and shows other processes that this one is at work. To be called every few
 * seconds. */
void store_look(struct store *store);
