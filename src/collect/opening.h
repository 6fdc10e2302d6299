/* collect/opening.h - what happens once before an input's workers start.
 *
 *   CLAIM    its name in the store; another process may still hold it
 *   LOAD     its checkpoint
 *   SECRETS  from inputs.conf into the password store, and from there to its service principal
 *   IMPORT   the checkpoint remembers which secrets were imported; only then are they masked
 *   TOKEN    the first access token, which also brings the service's clock
 *   BEGIN    the cursor of a new input is saved, so that a relative start_time does not move with a restart
 *   OPEN     the workers run */
#pragma once

#include "auth/secret_intake.h"
#include "auth/token_source.h"
#include "collect/feed.h"
#include "collect/saver.h"

enum opening_state {
    OPENING_CLAIM,
    OPENING_LOAD,
    OPENING_SECRETS,
    OPENING_IMPORT,
    OPENING_TOKEN,
    OPENING_BEGIN,
    OPENING_OPEN
};

struct opening_owner {
    struct principal *(*principal)(void *ctx); /* asked once the proxy is settled */
    void (*use_proxy)(void *ctx, const char *password);
    void (*waits)(void *ctx, const struct err *err, bool is_news); /* for the status line */
    void (*has_source)(void *ctx, struct token_source *source);    /* listen to it, and call opening_step() */
    void (*changed)(void *ctx);                                    /* the input's health may have changed */
    void (*opened)(void *ctx);
    void (*stopped)(void *ctx); /* `until` is done; nothing more happens */
};

struct opening {
    enum opening_state state;
    struct feed *feed;
    struct input *input; /* its secrets are taken out of it */
    struct saver *saver;
    struct timer timer;
    struct secret_intake *intake; /* NULL until SECRETS */
    bool in_place;                /* the secrets are */
    enum opening_state until;     /* LOAD, IMPORT or TOKEN: stops after that; 0: goes on to OPEN */
    int opinions;                 /* tokens that were fetched for their Date */
    struct secret_ticket ticket;
    char *bad; /* why a checkpoint was put aside, until it is known what comes in its place */
    struct destination to;
    bool started;
    const struct opening_owner *owner;
    void *ctx;
};

/* Set feed, input, saver, to, owner and ctx before. Borrows them. */
void opening_start(struct opening *opening);
void opening_release(struct opening *opening);
/* The claim is lost, or was released: begins with CLAIM again. The secrets stay in place. */
void opening_start_again(struct opening *opening);

/* The claim was released: does nothing until opening_start_again(). */
void opening_stop(struct opening *opening);
/* Returns true if the input was not started, or has stopped. */
bool opening_is_stopped(const struct opening *opening);

/* Returns true if the input is open and began too late, by a Date that was wrong, and no save is in flight. */
bool opening_began_late(const struct opening *opening, int64_t now_ms);
/* Begins at start_time again. No request may be in flight. */
void opening_begin_again(struct opening *opening, int64_t now_ms);

/* Takes the next step, if the state allows one: after the password store was read, after the token source changed. */
void opening_step(struct opening *opening, int64_t now_ms);

/* Answers of the store (state/store.h). */
void opening_claimed(struct opening *opening);
void opening_busy(struct opening *opening, const struct err *err);
void opening_loaded(struct opening *opening, enum store_found found, const struct buf *text, const struct err *err);
void opening_saved(struct opening *opening);

/* Returns why the password store does not do what the input waits for: to be read, to take a secret, or to take a new
 * refresh token. NULL: it waits for nothing, or the store is well. */
const struct err *opening_store_trouble(const struct opening *opening, enum token_state token,
                                        const struct token_view *view);
/* Returns when the input does something next: the request of an open one that is due then, another try, or another look
 * at the store. 0: not known. */
int64_t opening_next_ms(const struct opening *opening, int64_t due_ms, enum token_state token,
                        const struct token_view *view);
/* Returns what an opening input waits for, for the status line. */
const char *opening_waits_for(const struct opening *opening);
