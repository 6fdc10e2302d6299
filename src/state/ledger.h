/* state/ledger.h - the ledger of one input: which alert versions splunkd has safely taken, by the day of their update
 * time.
 *
 * It is the program's half of two proofs: that what Microsoft lists was written, and that what was written is in the
 * index. Therefore it holds no version that splunkd may not have, and none is missing without the day being known as
 * incomplete. A version is a key of 64 bits: the first 16 hex digits of SHA-256 of "id|update time", both as the text
 * that the event holds, without JSON's escapes, so that a search over the index computes the same.
 *
 * What a save does, in this order: ledger_prepare() moves the versions whose events end at or before a position of the
 * output stream into a batch; the checkpoint is composed and says how much the ledger holds then (ledger_end()); the
 * store gets the batch as a job (ledger_make_job()), appends it to the file, syncs it, and replaces the checkpoint;
 * ledger_ended() hears of both. A crash in between leaves more in the file than the checkpoint says: that is cut, and
 * the events come again. Less than it says means that the file was removed, restored or not written. Each file has a
 * random ID, which the checkpoint has too (ledger_id()): a file of another input, or from before a newer one was begun,
 * is not continued.
 *
 * Failure: a ledger that cannot be written holds nothing up. If the checkpoint was replaced all the same, the days of
 * the batch are incomplete from then on, which the file says as soon as it can be written. If neither was written, the
 * batch waits for the next save. A file that is gone, is another ledger's, or has less than it should have, is replaced
 * by a new one, which is complete from after the newest version written before. ledger_trouble() tells once.
 *
 * Units: update times are ticks, of the service's clock, as `now` is; days count from 1970-01-01 UTC; positions are
 * offsets in the output stream. Memory: 16 bytes for a version that waits, in blocks of 4 KiB at most, the same while a
 * batch is on its way, 1 KiB for an input at rest. Days are kept for LEDGER_KEPT_DAYS. The ledger owns all it holds.
 * NULL in place of a ledger does nothing: an API whose records have no identity has none. */
#pragma once

#include "state/ledger_file.h"

struct ledger;

/* of: what the ledger is of, without blanks; a file of something else is not continued. Never returns NULL. */
struct ledger *ledger_new(const char *of);
void ledger_free(struct ledger *ledger);

/* Sets the path of the file. Without one nothing is kept. */
void ledger_place(struct ledger *ledger, const char *path);

/* Begins a new file with the next save. It is complete from `since` on. whole: no older version was ever written, so
 * that the day of `since` can be compared as well. */
void ledger_begin(struct ledger *ledger, ticks since, bool whole);
/* Continues with the file of a process before this one. end, id: what the checkpoint says of it; -1: nothing. newest: update
 * time of the newest version written before. Returns false if that is not possible: a new file begins then, with whole
 * as in ledger_begin(). A file that should have been there is trouble. */
bool ledger_continue(struct ledger *ledger, int64_t end, uint64_t id, ticks newest, bool whole);
/* Another process writes to the file: forgets everything, until one of the two above is called. */
void ledger_forget(struct ledger *ledger);

/* Returns the key of a version. */
uint64_t ledger_key(const char *id, size_t id_len, const char *time, size_t time_len);
/* Adds a version whose event ends at pos, which is not less than that of the one before it. */
void ledger_add(struct ledger *ledger, uint64_t key, ticks time, uint64_t pos);

/* For a save up to pos. */
void ledger_prepare(struct ledger *ledger, uint64_t pos, ticks now);
/* Returns how much the ledger holds once the batch is written, for the checkpoint; -1: there is none. */
int64_t ledger_end(const struct ledger *ledger);
/* Returns the ID of that file, for the checkpoint; 0: it has none. */
uint64_t ledger_id(const struct ledger *ledger);
/* Fills *job with what the store has to do. directly: another job may still be stuck in the file. */
void ledger_make_job(struct ledger *ledger, bool directly, struct ledger_job *job);
/* The job has ended; checkpoint: the checkpoint was replaced. NULL for the job: it was given up. */
void ledger_ended(struct ledger *ledger, const struct ledger_job *job, bool checkpoint);

/* Sets *err to what is wrong, if that is news. */
bool ledger_trouble(struct ledger *ledger, struct err *err);
/* Returns true if something has to be saved although no event was written: the file is to be made. */
bool ledger_unsaved(const struct ledger *ledger);
/* Returns true if the file does not say yet what is known of a day: that its manifest was said, or that it is lost. That
 * is worth a save at the end of the process. */
bool ledger_has_marks(const struct ledger *ledger);

/* The manifest. A day that is not covered can be compared with nothing. */

#define LEDGER_DAY_TEXT 16
/* Writes "2026-11-01". Returns ret. */
const char *ledger_day_text(uint32_t day, char ret[LEDGER_DAY_TEXT]);
uint32_t ledger_day_of(ticks time); /* LEDGER_NO_DAY: not in the range of a ledger */
ticks ledger_day_begin(uint32_t day);

/* Reads the file once, for the functions below. Returns false with err if that is not possible now. */
bool ledger_look(struct ledger *ledger, ticks now, struct err *err);
ticks ledger_since(const struct ledger *ledger);
/* Returns true if the ledger has all versions of that day that were written. */
bool ledger_covers(const struct ledger *ledger, uint32_t day);
/* Returns true if versions of that day, or of one before it, are not in the file yet. */
bool ledger_waits(const struct ledger *ledger, uint32_t day);
/* Returns true if the manifest of that day was not said, or more was written since. again: it was said. */
bool ledger_unsaid(const struct ledger *ledger, uint32_t day, bool *again);
/* The same, and there is something to say of it. */
bool ledger_unsaid_versions(const struct ledger *ledger, uint32_t day);
/* Returns true if the file has no version of that day. */
bool ledger_is_empty(const struct ledger *ledger, uint32_t day);
/* Sets *versions to the number of different keys of that day, and *sum to the sum of their upper 32 bits. */
bool ledger_sum(struct ledger *ledger, uint32_t day, uint64_t *versions, uint64_t *sum, struct err *err);
/* Notes that the manifest was said; the file has it after the next save. */
void ledger_said(struct ledger *ledger, uint32_t day);
/* Returns true once if versions were written to a day whose manifest was said. */
bool ledger_got_more(struct ledger *ledger);

/* Audits (collect/audit.h). What they ask of the functions below is known after ledger_look(). */

/* Returns true if the file is there: it was not begun a moment ago. */
bool ledger_exists(const struct ledger *ledger);
/* Sets *ret to the keys of that day, in any order, some perhaps more than once. The caller frees them. */
bool ledger_keys(struct ledger *ledger, uint32_t day, uint64_t **ret, size_t *count, struct err *err);
/* Notes that an audit of the day has ended; the file has it after the next save. how: not zero. */
void ledger_audited(struct ledger *ledger, uint32_t day, uint32_t how);
/* Returns that number; 0: there was none. */
uint32_t ledger_audit_of(const struct ledger *ledger, uint32_t day);

/* The day is to be written again: what the file has of it does not count from the next save on. Returns false if the day
 * is out of range. */
bool ledger_begin_again(struct ledger *ledger, uint32_t day);
/* Returns true until that save. */
bool ledger_begins_again(const struct ledger *ledger);
/* Returns true from then on until an audit of the day has ended. */
bool ledger_is_again(const struct ledger *ledger, uint32_t day);
