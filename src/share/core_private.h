/* share/core_private.h - the parts of the agreement's core (share/core.h). */
#pragma once

#include "share/core.h"
#include "share/names.h"

#define NEVER_MS      INT64_MAX
#define LONG_AGO_MS   (INT64_MIN / 4) /* may be added to */
#define OWN_INPUTS_MS 300000          /* the list of own inputs is written again after this: a store may lose it */
#define DEATHS        3               /* within DEATHS_MS; then nothing new for PUNISHED_MS */
#define BEATS_KEPT    4
#define DEATHS_MS     600000
#define PUNISHED_MS   300000
#define ASK_INPUTS_MS 30000 /* between two attempts to get a member's inputs */
#define STALE_MOST    12    /* rounds whose heartbeat arrives and is not seen: then others shall have the inputs */
#define FIND_MS       10000 /* between two searches for lists */
#define OWN_AGAIN_MS  30000 /* the list of own inputs is not written again before, if another member misses it */
#define FORMER        3     /* processes before the present one whose heartbeats are remembered */
#define TEXT_MOST     (16 << 20)

/* An input of this forwarder. */
struct own_input {
    char *name;
    char since[SHARE_ID_MAX]; /* "": not held */
    int64_t number;
    int64_t seen_ms; /* when that since was first seen */
};

/* What a forwarder wishes for. */
struct wish {
    bool drains, takes_all;
    struct share_names takes;
};

/* A forwarder that has, or had, a record. */
struct peer {
    char *name, *program;
    char start[SHARE_ID_MAX];
    int64_t beat;
    struct {
        char start[SHARE_ID_MAX];
        int64_t beat;
    } former[FORMER]; /* what was shown of processes before, newest first */
    int64_t held;
    bool well;
    bool known; /* it has a record */
    bool heard; /* its heartbeat has moved since this process looks */
    bool moved; /* in this round */
    bool dead;
    int64_t silent_ms;               /* of good rounds without a heartbeat */
    int64_t heard_from_ms;           /* since it is heard without a death */
    int64_t deaths_ms[DEATHS];       /* the last ones, newest first */
    int64_t version;                 /* of its list of inputs, as it says; 0: it has not saved one */
    char inputs_start[SHARE_ID_MAX]; /* of the process that wrote the list that is known; "": none is */
    int64_t inputs_version;
    int64_t asked_ms;        /* for that list */
    bool missed;             /* it was asked for, and the store did not have it */
    struct share_names bars; /* who died too often, as it says */
    struct share_names inputs;
    struct wish wish;
};

/* The newest table's record. */
struct newest {
    int64_t number; /* 0: there is none */
    char id[SHARE_ID_MAX];
    char *by;
    int64_t format;
    int64_t taken; /* the highest number whose key exists */
    size_t count;  /* of tables that are kept */
};

/* Where a round is: the call whose answer is awaited. */
enum step {
    STEP_IDLE,
    STEP_HEARTBEAT,
    STEP_READ,
    STEP_BODY, /* of a table that is new here */
    STEP_OWN_INPUTS,
    STEP_INPUTS, /* of another member */
    STEP_NEXT_BODY,
    STEP_INSERT,
    STEP_CLEAN_TABLES,
    STEP_CLEAN_BODIES,
    STEP_CLEAN_PLACES
};

/* Another process with this forwarder's name. */
struct twin {
    int strikes; /* times its start was in the place of this one's */
    int64_t strike_ms;
    bool watched, seen; /* no heartbeats of one's own: is it alive? */
    bool confirmed;     /* it is */
    int64_t moved_ms;   /* when its heartbeat moved last, or the watch began */
    int64_t beat;
};

/* The table that is followed. */
struct table {
    struct share_body body;
    char id[SHARE_ID_MAX]; /* "": none */
    int64_t number;
    int64_t highest; /* that was followed */
    int64_t seen_ms;
    int64_t bodyless_ms; /* since when the newest one's body cannot be had; NEVER_MS: it can */
    bool bodyless;       /* it is given up */
};

/* The table that this forwarder made last. */
struct own_table {
    struct share_body body;
    char id[SHARE_ID_MAX]; /* "": none */
    int64_t number;
    int64_t there_ms; /* when it was known that the number is taken; LONG_AGO_MS: it is not */
    bool inserted;    /* by this table */
};

struct cleaning {
    int64_t last_ms;
    int64_t hourly[25]; /* numbers of tables, newest first; 0: not known */
    int64_t hour_ms;    /* of the newest of these */
    bool places;        /* tables were deleted, checkpoints not yet */
};

/* How often this forwarder calls (core_pace.c). */
struct pace {
    int64_t owed_ms; /* by which the next rounds come later */
    bool hurries;    /* the next one comes at once */
    bool busy;       /* this round has made more than two calls */
};

struct events {
    struct share_event *items;
    size_t count, taken;
    size_t round; /* the first one of this round */
};

struct share_core {
    char *group, *forwarder, *program;
    bool stops, well;
    uint64_t (*random)(void *ctx);
    void *ctx;

    struct own_input *inputs;
    size_t count;
    struct share_names names; /* of the inputs */

    char start[SHARE_ID_MAX];
    int64_t beat;
    int64_t beats_ms[BEATS_KEPT]; /* [beat % BEATS_KEPT]: when the rounds of the last heartbeats began */
    int64_t shown_ms;             /* when the round began whose heartbeat this one shows */
    bool start_shown;
    int64_t start_beat; /* the heartbeat that the start was written with last */
    int64_t version;    /* of the list of own inputs; grows with each */
    int64_t saving;     /* the version that is on its way */
    int64_t saved;      /* the version that the store has; 0: none */
    int64_t saved_ms;

    int64_t began_ms, round_ms; /* of the present or last round; when the next one is due */
    int64_t away_ms;            /* until began_ms: for how long no round was good, while this process was awake */
    int64_t good_ms;            /* end of the last good round; before the first one, when the core was made */
    int64_t heard_ms;           /* beginning of that round: until then the others' silence is counted */
    int64_t confirmed_ms;       /* beginning of the round whose heartbeat the last good one showed */
    int64_t lag_ms, joined_ms;
    int64_t due_ms; /* since when another table is due */
    bool newer;     /* the newest table is of a newer program */
    int stale;      /* rounds since the last good one that did not show their heartbeat */
    struct pace pace;
    bool told_paused, told_alone;

    enum step step;
    struct share_call call;
    struct buf key, query, body; /* of the call */
    struct {
        struct peer **items; /* sorted by name; this forwarder is one of them */
        size_t count;
        int64_t asked_ms; /* for lists of inputs */
    } peers;
    struct newest newest;
    struct table table;
    struct own_table own;
    struct twin twin;
    struct cleaning cleaning;
    struct events events;
    struct share_names bad; /* keys of records that were told of */
};

/* core_events.c */

/* Adds an event, or counts it with one of this round that says the same. */
void core_event(struct share_core *core, enum share_event_kind kind, size_t count, const char *from, const char *why);
/* Tells of a record that cannot be used, once. */
void core_bad_record(struct share_core *core, const char *key, const char *why);

/* core_peers.c */

struct peer *core_self(const struct share_core *core);
struct peer *core_peer(const struct share_core *core, const char *name); /* NULL: not known */
struct peer *core_peer_add(struct share_core *core, const char *name);
void core_peers_free(struct share_core *core);
/* A heartbeat as the store shows it. Returns false if it is one from before the newest that is known: an old node
 * shows it, or a write that came late. */
bool core_peer_shown(struct peer *peer, const char *start, int64_t beat, int64_t now_ms);
/* A good round ends: who was not heard grows silent, and dies. passed_ms: since the last good round. */
void core_peers_pass(struct share_core *core, int64_t passed_ms, int64_t now_ms);
bool core_peer_lives(const struct share_core *core, const struct peer *peer);
/* Returns true if the list of inputs that is known is the one that the member's present process says it has saved. */
bool core_peer_inputs_known(const struct peer *peer);
bool core_peer_died_often(const struct peer *peer, int64_t now_ms);
bool core_peer_settled(const struct share_core *core, const struct peer *peer, int64_t now_ms);
void core_peer_ask_again(struct peer *peer); /* for its list of inputs: there is another one */
/* Returns true if a list of the member's inputs has to be read that was not asked for within ASK_INPUTS_MS. */
bool core_peer_to_ask(const struct share_core *core, const struct peer *peer, int64_t now_ms);
/* Plans the table after the present one. */
void core_plan(const struct share_core *core, const char *id, int64_t number, int64_t now_ms, struct share_body *ret);
/* Returns how many live members come before this one by name. */
size_t core_turn(const struct share_core *core);
/* Returns true if the next table has an input that nobody reads: its owner is gone, or has it no longer. After
 * core_plan(). */
bool core_is_urgent(const struct share_core *core, const struct share_body *next);

/* core_records.c: what a query for the group's records showed. */

struct shown {
    bool own_beat;                /* a heartbeat of this process is among it, which no good round has shown */
    int64_t began_ms;             /* of its round */
    char start[SHARE_ID_MAX];     /* of the record that shows who took this name last; "": there is none */
    char own_start[SHARE_ID_MAX]; /* of the member record under this forwarder's name; "": there is none */
    int64_t beat;                 /* of that */
    int64_t *numbers;             /* of the tables */
    size_t tables;
};
void core_read_rows(struct share_core *core, const cJSON *rows, int64_t now_ms, struct shown *ret);
void core_read_inputs(struct share_core *core, const cJSON *rows);

/* core_pace.c */

/* Counts a call beyond those of a round. */
void core_pace_extra(struct share_core *core);
/* The next round comes at once, if not too many calls were made. */
void core_pace_hurry(struct share_core *core);
/* A round is over. Returns when the next one is due. */
int64_t core_pace_next(struct share_core *core);

/* core_call.c: the calls. Each becomes the round's step. */

const struct share_call *core_call_heartbeat(struct share_core *core);
const struct share_call *core_call_read(struct share_core *core);
const struct share_call *core_call_get_body(struct share_core *core);
const struct share_call *core_call_find_inputs(struct share_core *core, int64_t now_ms); /* NULL: all are known */
const struct share_call *core_call_save_inputs(struct share_core *core);
const struct share_call *core_call_save_body(struct share_core *core); /* of the own table */
const struct share_call *core_call_insert(struct share_core *core);
const struct share_call *core_call_clean(struct share_core *core, enum step step); /* NULL: nothing is old */

/* core_follow.c */

/* Follows the newest table as of a round that is good. body: its body, which is taken; NULL: it is the present one. */
void core_follow(struct share_core *core, struct share_body *body, int64_t now_ms);
/* The newest table's body cannot be had. Returns true if it counts as a table without entries from now on. */
bool core_no_body(struct share_core *core, int64_t now_ms);
/* Lets all inputs go: this forwarder stays outside. */
void core_let_go(struct share_core *core);
bool core_is_outside(const struct share_core *core);
bool core_is_confirmed(const struct share_core *core, int64_t now_ms);
/* Returns true after a minute of rounds of which none was good. Time in which the process was frozen does not count:
 * the others were not without the store then. */
bool core_is_alone(const struct share_core *core, int64_t now_ms);

/* core_twin.c */

/* Another process took this name after this one, or a write of an earlier one came late: start is what the store shows.
 * written_after: that came after this process wrote its own. Returns true if this one has to find out which, since it
 * has the larger start. */
bool core_doubt(struct share_core *core, const char *start, bool written_after, int64_t now_ms);
/* The read does not show the heartbeat. own_start: of the record under this forwarder's name; "": there is none. */
void core_not_shown(struct share_core *core, const char *own_start);
/* Watches the heartbeats under this forwarder's name, which another process writes. */
void core_watch_twin(struct share_core *core, const struct shown *shown, int64_t now_ms);
/* Returns true while the newest table is one of a newer program, and in the round in which that ends. */
bool core_look_for_newer(struct share_core *core, int64_t now_ms);
void core_look_for_rollback(struct share_core *core);
