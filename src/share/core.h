/* share/core.h - the agreement among the forwarders of a group, as one of them sees it.
 *
 * Pure: it has no clock, network or file. It is given times and answers, and gives calls to the KV store and the state of
 * each input. All times are monotonic milliseconds of this host; no other host's time is ever compared.
 *
 * A round: write the heartbeat, then read the group's records with one query. The round is good only if that shows this
 * heartbeat, or an earlier one that was not shown yet, as a node does whose data is a moment old: then it shows every write
 * before that heartbeat. It confirms what the newest table says as of the moment at which the round of that heartbeat
 * began. A table's number is its key, and the store refuses to insert a key that is taken: that refusal is all the
 * agreement that is needed.
 *
 * Nothing is lost whatever this module does: a shared checkpoint is true forever. It only bounds what is read twice. */
#pragma once

#include "share/table.h"
#include "splunk/kvstore.h"

struct share_core;

struct share_core_spec {
    const char *group;
    const char *forwarder; /* this one's name: server_host */
    const char *program;   /* its version */
    bool stops;            /* share_lost = stop: paused while no address answers */
    int64_t now_ms;
    uint64_t (*random)(void *ctx); /* 64 random bits */
    void *ctx;
};

/* Copies the texts. inputs: the enabled shared inputs of this forwarder whose secrets are here; an input's index in that
 * array is its number from then on. Never returns NULL. */
struct share_core *share_core_new(const struct share_core_spec *spec, const char *const *inputs, size_t count);
void share_core_free(struct share_core *core); /* NULL is allowed */

/* The secret of one more input is here: returns its number. It takes part from the next round on. */
size_t share_core_add_input(struct share_core *core, const char *input);

/* Before the first round: the process before this one on this host was reading the input, under this since. A good round
 * that confirms it lets it go on without a wait. */
void share_core_restore(struct share_core *core, size_t input, const char *since, int64_t number);

/* Calls. */
enum share_call_kind {
    SHARE_CALL_SAVE,   /* kvstore_save(body: a JSON array of records) */
    SHARE_CALL_FIND,   /* kvstore_find(query; all fields; no order; limit) */
    SHARE_CALL_GET,    /* kvstore_get(key) */
    SHARE_CALL_INSERT, /* kvstore_insert(body: a record) */
    SHARE_CALL_DELETE  /* kvstore_delete_where(query) */
};
/* Owned by the core; valid until the answer. */
struct share_call {
    enum share_call_kind kind;
    const char *collection; /* SHARE_COLLECTION or PLACES_COLLECTION */
    const char *key, *query;
    const char *body;
    int limit;
};

/* Begins a round; ends one that was not finished. Returns its first call. */
const struct share_call *share_core_begin(struct share_core *core, int64_t now_ms);
/* The answer to the last call. Returns the next one; NULL: the round is over. A fault of the answer that the round cannot
 * do without ends it, and it is not good. */
const struct share_call *share_core_answered(struct share_core *core, const struct kvstore_answer *answer,
                                             int64_t now_ms);
/* Returns when the next round is due: SHARE_ROUND_MS after the beginning of the last one, or up to half of that later if it
 * has made more calls; INT64_MAX while one lasts. */
int64_t share_core_round_ms(const struct share_core *core);
/* Returns true if the last round has made more calls than usual: what else is to be written should wait for the next one,
 * so that there are 40 calls at most in any minute. */
bool share_core_is_busy(const struct share_core *core);

/* The state of an input. */
enum share_state {
    SHARE_ELSEWHERE, /* another forwarder's, or nobody's yet */
    SHARE_WAITING,   /* this forwarder's, but the one before may still read */
    SHARE_READING,
    SHARE_PAUSED, /* it was reading, and nothing confirms it: nothing may be asked for or written */
    SHARE_ALONE   /* it reads without confirmation, since the store is gone */
};
enum share_state share_core_state(const struct share_core *core, size_t input, int64_t now_ms);
static inline bool share_may_read(enum share_state state)
{
    return state == SHARE_READING || state == SHARE_ALONE;
}
/* Returns the since under which the input is held, and its number; "" and 0: it is not held. Valid until the next call. */
const char *share_core_since(const struct share_core *core, size_t input, int64_t *number);
/* Returns the owner as of the newest table; NULL: nobody, or not known. Valid until the next call. */
const char *share_core_owner(const struct share_core *core, size_t input);
/* Returns when the state of an input changes next by time alone; INT64_MAX: never. */
int64_t share_core_change_ms(const struct share_core *core, int64_t now_ms);

/* This forwarder can do its work, or not: for 2 minutes every one of at least three customers failed below HTTP, or
 * splunkd took nothing for 5 minutes while events wait. */
void share_core_set_well(struct share_core *core, bool well);

/* What is to be logged, in the order in which it happened. */
enum share_event_kind {
    SHARE_EVENT_JOINED,      /* the first good round */
    SHARE_EVENT_TAKEN,       /* count inputs of `from` ("": nobody's) came here; why */
    SHARE_EVENT_GIVEN,       /* count inputs went to `from` ("": nobody) */
    SHARE_EVENT_PAUSED,      /* no good round for SHARE_FENCE_MS */
    SHARE_EVENT_ALONE,       /* no address answers for SHARE_ALONE_MS */
    SHARE_EVENT_BACK,        /* the first good round after PAUSED or ALONE */
    SHARE_EVENT_DEAD,        /* a member is not heard: `from` */
    SHARE_EVENT_ROLLED_BACK, /* the newest table's number fell */
    SHARE_EVENT_TWIN,        /* another process has this forwarder's name; stays outside */
    SHARE_EVENT_TWIN_GONE,
    SHARE_EVENT_NEWER,     /* a table of a newer program; stays outside */
    SHARE_EVENT_LEFT_OUT,  /* count inputs that no live forwarder has */
    SHARE_EVENT_BAD_RECORD /* a record that cannot be used: `from` is its key */
};
struct share_event {
    enum share_event_kind kind;
    size_t count;
    char from[256];
    char why[128];
};
/* Takes the oldest one. Returns false if there is none. */
bool share_core_take_event(struct share_core *core, struct share_event *ret);

/* For the status line, check and `share status`. */
struct share_member {
    const char *name, *program;
    size_t held;
    bool alive, well, drains, is_self;
};
struct share_summary {
    const char *state;    /* member, waiting (not joined yet, for a minute), paused, alone, outside */
    int64_t table;        /* number of the newest; 0: none */
    size_t members;       /* alive */
    size_t held, of;      /* inputs read or held here, of all shared ones of this forwarder */
    int64_t confirmed_ms; /* age of the last confirmation; -1: none */
    int64_t lag_ms;       /* how long the last good round's heartbeat took to be seen: duration of that round; -1 */
};
void share_core_summary(const struct share_core *core, int64_t now_ms, struct share_summary *ret);
/* Returns the number of members; fills in up to most. */
size_t share_core_members(const struct share_core *core, struct share_member *ret, size_t most);
