/* messages/log_events.h - the catalog of log events: the word after `event=`, level, cause, who has to act and what to
 * do.
 *
 * One table: log_event() takes level, word and advice from it, and docs/troubleshooting.md is generated from it, so
 * every line that can be written is documented. A word may be in two rows, at different levels: good news and bad news.
 * */
#pragma once

#include "base/err.h"
#include "base/log.h"
#include "messages/remedy.h"

enum event {
    EVENT_REFUSED,
    EVENT_LOST,
    EVENT_BACK,
    EVENT_TROUBLE,
    EVENT_RECOVERED,
    EVENT_BAD_INPUT,
    EVENT_BAD_START,
    EVENT_BAD_RECORD,
    EVENT_QUARANTINED,
    EVENT_ODD_RECORD,
    EVENT_REPLACED,
    EVENT_FORM,
    EVENT_FORM_FULL,
    EVENT_ORDER,
    EVENT_WAITING,
    EVENT_CHECKPOINT_FAILED,
    EVENT_CHECKPOINT_BAD,
    EVENT_CHECKPOINT_RENEWED,
    EVENT_CHECKPOINT,
    EVENT_LEDGER,
    EVENT_MANIFEST,
    EVENT_AUDIT,
    EVENT_AUDIT_DIFFERS,
    EVENT_AUDIT_MISSING,
    EVENT_SECRET_STORED,
    EVENT_SECRET_NOT_STORED,
    EVENT_SECRET_WAITS,
    EVENT_SECRET_DAMAGED,
    EVENT_NOT_MASKED,
    EVENT_STORE_UNREADABLE,
    EVENT_STORE_FAILED,
    EVENT_SESSION_KEY,
    EVENT_SIGNED_IN,
    EVENT_CODE_REFUSED,
    EVENT_NOT_TRIED,
    EVENT_DUPLICATE,
    EVENT_UPDATED,
    EVENT_UPDATE_FAILED,
    EVENT_UPDATE_UNTOLD,
    EVENT_ASSERTION,
    EVENT_CERTIFICATE_READ,
    EVENT_CERTIFICATE_UNUSABLE,
    EVENT_CERTIFICATE_ENDS,
    EVENT_SECRET_ENDS,
    EVENT_EXPIRY_UNKNOWN,
    EVENT_FILE_SHARED,
    EVENT_API_ENDS,
    EVENT_BACKFILL_DONE,
    EVENT_CLOCK,
    EVENT_STATUS,
    EVENT_KVSTORE,
    EVENT_KVSTORE_BACK,
    EVENT_SHARE,
    EVENT_SHARE_JOINED,
    EVENT_SHARE_TAKEN,
    EVENT_SHARE_GIVEN,
    EVENT_SHARE_PAUSED,
    EVENT_SHARE_ALONE,
    EVENT_SHARE_BACK,
    EVENT_SHARE_DEAD,
    EVENT_SHARE_REFUSED,
    EVENT_SHARE_STORE_HERE,
    EVENT_SHARE_UNFIT,
    EVENT_SHARE_ROLLED_BACK,
    EVENT_SHARE_TWIN,
    EVENT_SHARE_TWIN_GONE,
    EVENT_SHARE_NEWER,
    EVENT_SHARE_LEFT_OUT,
    EVENT_SHARE_NO_SECRET,
    EVENT_SHARE_BAD_RECORD,
    EVENT_SHARE_CHECKPOINT,
    EVENT_SHARE_TOKEN_ENDS,
    EVENT_METRICS,
    EVENT_LOG_LOST,
    EVENT_START,
    EVENT_STOP,
    EVENT_STOP_KEY,
    EVENT_STOPPED,
    EVENT_FATAL,
    EVENT_COUNT
};

enum {
    EVENT_ADVISED = 1, /* the line ends with the remedy */
    EVENT_CAPPED = 2,  /* what a service sends decides how many are due: see messages/log_cap.h */
    EVENT_LATEST = 4   /* a line replaces the one before it of the same input, if that still waits for stderr */
};

struct event_entry {
    const char *word; /* after event= */
    enum log_level level;
    unsigned flags;
    const char *cause; /* a clause, no period */
    struct remedy remedy;
};
extern const struct event_entry event_table[EVENT_COUNT];

/* Writes "WARN event=waiting <text>" with base/log, and the remedy after it if the row says so. The text starts with
 * the facts (input=, tenant=, ...); a fact that is not ours is QUOTED() (base/log.h). Lines of an input are written with
 * feed_log() (collect/feed.h). Never pass secrets in. Keeps errno. */
void log_event(enum event event, const char *fmt, ...) PRINTF(2, 3);

/* Gives *err the word and the remedy of an event, for the status of an input. Always returns false. */
bool event_blame(struct err *err, enum event event);

/* Writes how many lines were lost, if that is news and there is room for the line. */
void log_event_lost(void);
