/* collect/saver.h - when an input's progress is saved, and what of it.
 *
 * A save costs a sync of the disk, so there is one every two minutes at most. What it misses comes again after a crash.
 * Another forwarder that takes the input over should know more: for the shared store it is composed once more between
 * two saves.
 * Only cursors whose events splunkd has safely taken are saved. Positions are offsets in the output stream. */
#pragma once

#include "collect/feed.h"
#include "state/store.h"

struct saver {
    struct feed *feed;
    struct claim *claim;
    struct checkpoint checkpoint; /* tenant, API and imported secrets; the cursor is the feed's */
    struct cursor saved;          /* what the store holds */
    struct cursor alike;          /* one that cursor_same_saved() found to be the same: each look asks for it again */
    uint64_t saved_pos;
    uint64_t saved_version; /* of the quarantine */
    struct cursor saving;   /* what is on its way there */
    uint64_t saving_pos;
    uint64_t saving_version;
    int64_t again_saved_ms, again_saving_ms; /* when the service is asked for order again (collect/reliance.h) */
    int64_t due_ms;                          /* no regular save before then */
    int64_t share_ms;                        /* nothing for the shared store before then; INT64_MAX: the save is next */
    bool changed;                            /* something besides the cursor has to be saved */
    bool changed_saving;
    bool fails; /* the last save or trial failed, and that was logged */
};

#define SAVER_EVERY_MS       (120 * 1000)
#define SAVER_SHARE_AFTER_MS (60 * 1000) /* after a save */

void saver_init(struct saver *saver, struct feed *feed, struct claim *claim);
void saver_release(struct saver *saver);
/* The claim is lost: forgets everything, until saver_starts_from(). */
void saver_forget(struct saver *saver);

/* Tells the saver that the store holds this cursor. */
void saver_starts_from(struct saver *saver, const struct cursor *cursor);

/* Saves what has ended at pos, news or not. Returns false if there is nothing that may be saved, or a save is on its
 * way. The result comes through the claim. */
bool saver_save(struct saver *saver, uint64_t pos, enum store_durability durability);

/* Returns true if something that ended at pos is not in the store. */
bool saver_has_news(struct saver *saver, uint64_t pos);

/* Returns when saver_tick() may have something to save; INT64_MAX: not before something happens. */
int64_t saver_look_ms(struct saver *saver);

/* Starts the regular save if it is due. settled: position that splunkd has had for a minute. */
void saver_tick(struct saver *saver, uint64_t settled, int64_t now_ms);

/* Composes what the shared store should know, if that is due; returns false if not. Saves come with saver_compose(). */
bool saver_share(struct saver *saver, uint64_t settled, int64_t now_ms, struct buf *text);

/* Returns how durable the last save has to be, before saver_ends(). What is left of the hourly limit alone is not worth a
 * sync. What the ledger knows of its days is: a checkpoint that survives a loss of power without the end of its ledger
 * would make all days unknown. */
enum store_durability saver_last_durability(struct saver *saver, uint64_t pos);
/* The process ends: what is left of the hourly limit, and what the ledger knows of its days, is saved with the rest. A
 * process that is killed never says. */
void saver_ends(struct saver *saver, int64_t now_ms);

/* The save that waits goes no further; its news are news again. */
void saver_cancel(struct saver *saver);

/* The claim asks for the text to save. */
void saver_compose(struct saver *saver, struct buf *text);
/* The claim's answer to a save. */
void saver_saved(struct saver *saver, bool ok, const struct err *err, int64_t now_ms);
/* The claim's report that nothing is stored any more. */
void saver_vanished(struct saver *saver);

/* Returns true if a checkpoint could be written now. Called before events are written that it would have to cover. */
bool saver_writable(struct saver *saver, struct err *err);
