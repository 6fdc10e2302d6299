/* share/share_private.h - the state of sharing, for share.c (from beginning to end, rounds), share_leases.c (what inputs
 * are told) and share_log.c (what people are told). */
#pragma once

#include "messages/remedy.h"
#include "share/own_record.h"
#include "share/self_test.h"
#include "share/share.h"

enum share_phase {
    SHARE_WANTS_TOKEN, /* the password store has none, or it was not read yet */
    SHARE_WANTS_HOST,  /* another process of this host makes the rounds */
    SHARE_RUNS,
    SHARE_OUTSIDE /* the store is not fit to share by, until the next self-test */
};

/* What the last status line said. */
struct share_said {
    const char *state;
    int64_t table;
    size_t members, held;
    bool well;
};

struct share {
    struct share_spec spec; /* with copies of its texts */
    enum share_phase phase;
    struct share_link *link;               /* NULL until there is a token */
    struct share_core *core;               /* NULL until the host's byte is ours */
    struct share_checkpoints *checkpoints; /* comes and goes with the link */
    struct share_self_test *test;          /* under way; NULL: none */
    bool tested;                           /* the store was found fit */
    bool in_round;
    bool well;
    bool ending;
    bool let_go;                /* some inputs were, and what they know is to be sent */
    struct share_lease *leases; /* in the order in which they were added */
    size_t count;
    int64_t disk_fails_ms;       /* since when no checkpoint file can be written; 0: they can */
    struct share_own_record own; /* what share.own.json has, or will have */
    bool own_changed;
    int64_t send_ms;         /* checkpoints go with no round before then */
    int64_t list_ms;         /* when it is looked next which checkpoints the store has */
    char *refused, *unsaved; /* why; logged last. NULL: nothing since the last success */
    struct {
        char *why; /* a call of a round failed last; NULL: none did */
        int64_t ms;
    } trouble;
    struct {
        int64_t ends_s; /* 0: never */
        int days_said;  /* the threshold that was logged last; INT_MAX: none */
    } token;
    struct share_said said;
    struct timer round_timer, tell_timer, status_timer;
};

/* share.c */

/* The token of the store is known: begins with rounds, or goes on with this one. */
void share_has_token(struct share *share, const char *token);

/* share_leases.c */

/* Tells each input what has changed for it, and sets the timer of the next change. */
void share_tell(struct share *share, int64_t now_ms);
/* The same soon, from the loop. */
void share_tell_soon(struct share *share);
/* Returns how this forwarder is: false if it can do no work (share_core_set_well()). */
bool share_is_well(const struct share *share, int64_t now_ms);
/* Lets all inputs save again: the next one that can shows that the disk takes them. */
void share_resave(struct share *share);
/* Writes share.own.json if what it says has changed. */
void share_keep_own(struct share *share);
/* Looks from time to time whether the store still has the checkpoints of what is read here. Those that it has lost are
 * saved again: an idle input's would not be, until it changes. */
void share_look_for_lost(struct share *share, int64_t now_ms);
/* Forgets what was sent of inputs that were let go, once the store has it. */
void share_forget_sent(struct share *share);

/* share_log.c */

/* Returns why something failed, with who has to act: as the failure itself says, else the remedy. Advice of both in one
 * line would send people to two places. The caller frees it. */
char *share_advised(const char *why, const struct remedy *remedy);

/* Logs why checkpoints are not in the store, once. */
void share_log_unsaved(struct share *share);
/* Logs what has happened in the core. */
void share_log_events(struct share *share);
/* Logs the status line if what it says has changed. */
void share_log_change(struct share *share, int64_t now_ms);
/* Logs it, and how long the token still lasts, if that is due. */
void share_log_status(struct share *share, int64_t now_ms);
/* Warns of an address that is this forwarder itself. */
void share_log_place(const struct share *share);
/* Notes why a call of a round failed, for the line that says that nothing confirms who reads. */
void share_note_trouble(struct share *share, const struct err *err, int64_t now_ms);
/* Logs why the store cannot be used, once; NULL: it can. */
void share_log_refused(struct share *share, const struct err *err);
