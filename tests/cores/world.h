/* The world in which 2 to 5 forwarders share some inputs: virtual time, clocks that drift, a store that fails. */
#pragma once

#include "share_store.h"

enum {
    HOSTS_MOST = 5,
    INPUTS_MOST = 6,
    FLIGHTS_MOST = 200,
    ALERTS_MOST = 400,
    STEP_MS = 250,
    CHECKPOINT_MS = 30000, /* half of what splunkd may take to have it for good */
    MINUTE_MS = 60000
};

enum fault {
    FAULT_LOST,    /* a call is lost before it is done */
    FAULT_UNHEARD, /* it is done, and the answer is lost */
    FAULT_LATE,    /* it is done long after its caller gave up */
    FAULT_KILL,    /* a process dies and comes back */
    FAULT_FREEZE,
    FAULT_CUT,  /* one forwarder does not reach the store */
    FAULT_DEAF, /* its calls arrive, and no answer comes back */
    FAULT_OFF,  /* the store answers 503 */
    FAULT_LAG,  /* the second node stays back */
    FAULT_ROLLBACK,
    FAULT_LEAVE,  /* a host dies for good */
    FAULT_INPUTS, /* a process starts again with other inputs */
    FAULT_WISH,   /* a forwarder drains for a while */
    FAULT_COUNT
};
extern const char *const fault_names[FAULT_COUNT];

/* Which promise is broken on purpose. The core's own are broken by mutants.py. */
struct broken {
    bool overwrites; /* an insert replaces what is there */
    bool unsafe;     /* checkpoints say what splunkd does not have yet */
};

struct plan {
    uint64_t seed;
    size_t hosts, inputs;
    bool faults[FAULT_COUNT];
    int64_t behind_ms; /* all reads show what was written until then; 0: not */
    bool duel;         /* two that wish for the same inputs, again and again, and hear little of each other */
    bool quiet;        /* nothing but deaths and freezes, far apart: takeovers are timed */
    int64_t calm_ms;   /* from then on nothing fails */
    int64_t end_ms;
    int64_t every_ms; /* between faults, on average */
};

/* What one process of a host knows of one input. */
struct reading {
    bool reads;
    char since[SHARE_ID_MAX];
    int64_t number;
    int at, noted, safe; /* read; read at the last checkpoint; what splunkd has for good */
    int64_t noted_ms;
};

struct host {
    char name[8];
    double rate; /* of its clock */
    int64_t offset_ms;
    int64_t clock_ms;
    enum share_state states[INPUTS_MOST]; /* at the end of the step */
    struct share_core *core;              /* NULL: there is no process */
    int life;
    bool gone; /* for good */
    int64_t starts_ms, frozen_ms, cut_ms, deaf_ms, drains_ms,
        pinned_ms;     /* pinned: to the second node; until then; 0: not */
    int64_t thawed_ms; /* end of the last freeze of more than SHARE_FENCE_MS */
    bool has[INPUTS_MOST];
    size_t number[INPUTS_MOST]; /* in the core */
    struct reading readings[INPUTS_MOST];
    struct {
        char since[SHARE_ID_MAX];
        int64_t number;
        int value;
    } kept[INPUTS_MOST];    /* share.json, and the file */
    int deaths[HOSTS_MOST]; /* of each that it has told of */
    int awaited;            /* the call whose answer is awaited; 0: none */
    int64_t calls_ms[64];   /* the last calls */
    size_t calls;
};

/* A call on its way. */
struct flight {
    bool used;
    struct share_call call;
    char *texts[3];
    int host, life, id;
    int64_t done_ms, answer_ms; /* INT64_MAX: never */
    bool done;
    enum kvstore_fault fault;
    cJSON *tree;
    bool lags; /* reads from the second node */
};

struct result {
    char failure[256]; /* "": none */
    int64_t together_ms;
    int64_t takeover_ms, behind_ms; /* of takeovers; where all reads are old */
    int64_t settled_ms;
    int calls_quiet, calls_trouble; /* in a minute */
    int repeats, tables;
};

struct world {
    struct plan plan;
    struct broken broken;
    bool traces;
    uint64_t random;
    int64_t now_ms;
    struct store store;
    size_t written[32]; /* at the last steps */
    struct host hosts[HOSTS_MOST];
    struct flight flights[FLIGHTS_MOST];
    size_t flights_end; /* none is used from there on */
    int last_flight;
    int64_t off_ms, lags_ms, rolls_ms, next_fault_ms; /* until then, or then */
    int rollbacks;
    int64_t equal_ms;               /* when the shares were equal last */
    char unequal[64];               /* why they are not */
    int64_t unread_ms[INPUTS_MOST]; /* for how long nobody reads it */
    bool kept[INPUTS_MOST][ALERTS_MOST + 1];
    int alerts;
    struct result result;
};

/* world.c */

struct plan plan_of(uint64_t seed);
struct result world_run(const struct plan *plan, const struct broken *broken, bool traces);
uint64_t world_random(void *world);
int64_t world_between(struct world *w, int64_t least, int64_t most);
bool world_chance(struct world *w, double chance);
void world_trace(const struct world *w, const char *format, ...) PRINTF(2, 3);
void world_fail(struct world *w, const char *format, ...) PRINTF(2, 3);

/* host.c */

void host_tick(const struct world *w, struct host *host);
bool host_runs(const struct world *w, const struct host *host); /* it has a process that is not frozen */
void host_start(struct world *w, struct host *host);
void host_kill(struct world *w, struct host *host);
void host_step(struct world *w, struct host *host);
void host_look(const struct world *w, struct host *host); /* sets the states */
void host_answer(struct world *w, struct host *host, struct flight *flight);
enum share_state host_state(const struct world *w, const struct host *host, size_t input);

/* flight.c */

void flight_start(struct world *w, struct host *host, const struct share_call *call, bool awaited);
/* Of hundreds of checkpoints, some are due with each round: they are one call. */
void flight_count_save(const struct world *w, struct host *host);
void flights_step(struct world *w);
void flights_end(struct world *w, bool only_late);

/* promises.c */

/* Before a process does anything: one that was frozen does not count that time as time without the store. */
void promises_look(struct world *w, const struct host *host);
void promises_step(struct world *w);
void promises_end(struct world *w);

/* reading.c: what is read, saved and begun from */

void reading_step(struct world *w, struct host *host, size_t input);
void reading_dies(struct world *w, struct host *host, size_t input);
