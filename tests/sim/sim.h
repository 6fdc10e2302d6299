/* sim.h - the simulator: the program as a whole, in one process, in virtual time (docs/simulation.md).
 *
 * The program under test is everything in src/ except main.c and file_writer.c. It is linked with
 *   - machine.c, disk.c: the system calls that it makes (clocks, random bytes, pipes, signals, files),
 *   - curl.c: the functions of libcurl that it calls,
 *   - writer.c: the thread that saves files.
 * They are the seams: the linker redirects the calls (--wrap), so the program has no switch for its test. What answers
 * is a model: services.c (Entra, alert APIs), splunkd.c (REST, password store), reader.c (what reads the events).
 * The model includes no header of src/ and shares no code with it.
 *
 * There is one world in a process. Everything in it happens at a virtual time, in the order of a queue, and every
 * choice comes from the seed: a run is the same each time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND INT64_C(1000) /* times are milliseconds */
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define NEVER  INT64_MAX

/* random.c: independent streams, so that a run without one fault draws the same numbers for all else. */

struct rng {
    uint64_t state;
};

struct rng rng_of(uint64_t seed, const char *name, uint64_t number);
uint64_t rng_next(struct rng *rng);
int64_t rng_between(struct rng *rng, int64_t least, int64_t most); /* both included */
bool rng_chance(struct rng *rng, double chance);

/* plan.c: what a run consists of, drawn from the seed, and what shrinking takes away. */

#define CUSTOMERS_MOST 1000
#define ANSWERS_KEPT   128

/* Every fault has one row in faults.c. Those before `refused` strike single requests, those before `store_500` pages and
 * tokens; those from `stop` on end the process. */
#define FAULTS(X)                                                                                                      \
    X(http_500)                                                                                                        \
    X(http_503)                                                                                                        \
    X(http_429)                                                                                                        \
    X(http_429_bad_hint)                                                                                               \
    X(http_400)                                                                                                        \
    X(http_401)                                                                                                        \
    X(http_403) X(http_404) X(html) X(empty) X(no_content) X(cut) X(reset) X(garbled) X(partial) X(padded) X(slow)     \
        X(silence) X(wrong_date) X(token_500) X(token_429) X(token_cut) X(token_short) X(bad_link) X(store_500) X(store_lost)      \
            X(store_slow) X(kv_refuses) X(kv_garbage) X(kv_lost) X(kv_slow) X(refused) X(outage) X(unreachable) X(login_down) X(silent_connection) X(goaway) X(poison)   \
                X(bad_record) X(coarse) X(unfiltered) X(shuffled) X(short_pages) X(no_link) X(miscount) X(new_secret) X(revoked) X(store_down)                 \
                    X(store_truncates) X(kv_off) X(session_dead) X(disk_fails) X(disk_slow) X(folder_wiped) X(stall)             \
                        X(clock_jump) X(stop) X(kill) X(power_loss) X(splunkd_crash) X(old_checkpoint)

enum fault {
#define X(name) FAULT_##name,
    FAULTS(X)
#undef X
        FAULT_COUNT
};

struct plan {
    uint64_t seed;
    bool quiet; /* many customers, few alerts, weeks */
    int month;  /* days in which alerts are hidden from polls (month.c); 0: none */
    int customers;
    int alerts;    /* of a customer */
    int64_t lasts; /* virtual time with faults */
    int64_t poll_s, overlap_s;
    int64_t save_ms; /* a save takes as long at most */
    double rate[FAULT_COUNT]; /* of a request: its chance; of an episode or a stop: how many in an hour */
    bool trace;               /* print each line as it is written */
};

struct plan plan_of(uint64_t seed);
/* Applies "name=value": quiet, about (ends, clocks, records: faults of a subject) or month (each draws another plan, so it
 * comes first), customers, alerts, minutes, poll, overlap, saves (milliseconds), trace, only=fault,fault, without=fault,fault.
 * Returns false if the word is unknown. */
bool plan_set(struct plan *plan, const char *word);
/* Writes the plan as words for plan_set(). */
void plan_print(const struct plan *plan);

extern struct plan plan; /* of this process's run */

/* world.c: time, the queue of what will happen, the trace, the verdict. */

void world_init(void);
/* Runs the world of `plan` in this process, which then ends. */
void world_live(void) __attribute__((noreturn));
void process_stop(void); /* SIGTERM, and notes when */
bool process_is_stopping(void);
/* Returns true if the process ends, and what the reader takes now comes too late for the last checkpoint. */
bool process_waits_no_more(void);
int64_t process_age(void);     /* since its start */
int64_t now(void);             /* virtual time since the start of the world, milliseconds */
int64_t wall_of(int64_t time); /* the same as Unix milliseconds of true time */
struct rng *luck(void);        /* the world's own stream */

typedef void happen_fn(void *ctx, int64_t number);
void at(int64_t time, happen_fn *fn, void *ctx, int64_t number);
/* Lets the world go on until the time, or until ready() returns true (NULL: never). */
void world_run(int64_t until, bool (*ready)(void));

extern bool trace_kept; /* false: nothing is traced, and a property that breaks is not told */
void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void trace_log(const char *text, size_t len); /* a line that the program wrote to stderr */
uint64_t trace_digest(void);
/* The property of that name does not hold: prints the end of the trace and how to repeat the run. Does not return. */
void broken(const char *property, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

/* What a run reports to the process that started it. */
struct counts {
    char property[32]; /* that is broken; "": none */
    uint64_t digest;
    int64_t lived;
    uint64_t heap; /* most bytes that the program had */
    uint64_t requests, tokens, records, events, repeats, lives, kills, rounds, faults[FAULT_COUNT];
};
extern struct counts *counts; /* of this run; shared with the process that started it */

/* text.c: the model's own text, numbers and dates. */

struct text {
    char *data;
    size_t len, cap;
};
void text_put(struct text *text, const char *bytes, size_t len);
void text_add(struct text *text, const char *more);
void text_count(struct text *text, int number); /* not negative */
void text_say(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_drop(struct text *text);
uint32_t text_hash(const char *text);
/* Writes Unix time in units of 100 ns as ISO 8601, with that many digits after the second. */
#define DATE_MOST 40
const char *date_text(int64_t ticks, int digits, char ret[DATE_MOST]);
/* Reads it. Returns false if it is none. */
bool date_read(const char *text, int64_t *ticks);
const char *date_http(int64_t unix_ms, char ret[DATE_MOST]);
/* Decodes %xx and + of from[0..len). Caller frees. */
char *form_decode(const char *from, size_t len);
/* Returns the decoded value of the parameter in a query or form; NULL: it has none. Caller frees. */
char *form_get(const char *form, const char *name);
/* Returns true if the text has a secret, a token or the session key: they all begin with the same few words. */
bool text_has_secret(const char *text);

/* machine.c: the process, as the kernel sees it. */

void machine_boot(void);                      /* a new process begins */
void machine_end(void);                       /* it has ended */
bool machine_alive(void);                     /* there is one that can be told to end */
bool machine_dead(void);                      /* it was killed: nothing that it does has an effect */
void machine_kill(int64_t calls, bool power); /* kills it at that many system calls from now */
/* ... before it changes the names of files for that many times. */
void machine_kill_at_change(int64_t changes, bool power);
void machine_spare(void);                     /* it is not killed after all */
bool machine_term(void);                      /* SIGTERM; false: there is no process */
/* One system call with an effect is about to be made. Returns false if the process is dead by now. */
bool machine_call(void);
bool machine_change(void); /* the same for one that changes the name of a file */
bool machine_ready(void);                  /* a watched descriptor, or a transfer, has something */
int64_t machine_dead_time(int64_t passes); /* the clock of a dead process: moves on, so that its waits end */

enum { FD_WAKE_READ = 1500, FD_WAKE_WRITE, FD_WRITER, FD_DISK = 2000 };
bool fd_readable(int fd);
bool fd_writable(int fd);
bool fd_hung_up(int fd);

/* disk.c: the checkpoint folder, below /sim. */

#define SIM_FOLDER "/sim/checkpoints"
#define SIM_HOME   "/sim/splunk"
void disk_init(void);
void disk_process_ends(void);     /* its locks are released */
void disk_power_loss(void);       /* what was not synced is lost, in part */
int64_t disk_failing_since(void); /* far away: it works */
void disk_fails(int error);       /* 0: it works again */
void disk_wipe(bool all);         /* all: the folder and the lock too */
bool disk_has_file(const char *path);
void disk_each(void (*fn)(const char *path, struct text *bytes, void *ctx), void *ctx);

/* old.c */

void old_checkpoints(struct rng *rng); /* makes them those of an earlier version */

/* heap.c */

void heap_boot(void);
void heap_check(bool full); /* full: more may be in use than usually */
int64_t heap_used(void);
void heap_end(void);        /* the process has freed everything */

/* writer.c */

void writer_boot(void);
void writer_slow(int64_t ms); /* a save takes up to that long */
bool writer_ready(void);

/* curl.c */

bool curl_ready(void);
void curl_boot(void);
void connections_break(void);  /* GOAWAY and an end, to all of them */
void connections_silent(void); /* those that are open carry nothing more */

/* services.c, splunkd.c: how a request is answered. */

struct customer;

struct request {
    const char *method, *url, *form, *authorization;
    char host[160];   /* with its port */
    const char *path; /* with the query */
};

enum reply_end { REPLY_WHOLE, REPLY_CUT, REPLY_RESET, REPLY_REFUSED, REPLY_SILENT };

struct reply {
    int status;
    struct text headers; /* whole lines */
    struct text body;
    enum reply_end end;
    size_t cut_at; /* REPLY_CUT: bytes of the body that still arrive */
    int64_t delay; /* to the first byte */
};

void service_answer(const struct request *request, struct reply *reply);

/* Adds the refresh token of that number. */
void refresh_write(struct text *ret, const struct customer *customer, uint64_t number);
/* Returns the number of the refresh token that the password store has. */
uint64_t splunkd_refresh(const struct customer *customer);
void splunkd_answer(const struct request *request, struct reply *reply);
void service_silent(const struct request *request); /* it was sent over a connection that is silent */
void splunkd_store_secret(struct customer *customer); /* somebody enters the new secret */
void secret_write(char ret[80], const struct customer *customer, int number);
void splunkd_boot(void);                            /* reads inputs.conf for a new process */
void splunkd_forget_session(void);                  /* the session key of this process is not accepted any more */
bool splunkd_session_lost(void);                    /* ... and the process knows it */
const char *splunkd_config(void);                   /* what it writes to the program's stdin */

/* kvstore.c */

extern int64_t kv_off_until;
void kv_init(void);
void kv_answer(const struct request *request, struct reply *reply);
void kv_check_age(void); /* it took all calls for ten minutes and more: what is stored is not old */
void kv_check(void);     /* all went well for ten minutes: it is true, too */

/* customers.c: customers, their alerts, and the ledger of what was written. */

enum api { API_GRAPH, API_ENDPOINT, API_SIEM, API_INCIDENTS, API_COUNT };

/* How a record that the service cannot send makes its responses fail. */
enum harm {
    HARM_NONE,
    HARM_500,
    HARM_CUT,
    HARM_ERROR,
    HARM_JSON,
    HARM_FULL /* 500, unless $select leaves all but ID and update time out */
};

/* How a version is hidden from polls (month.c). */
enum hidden {
    HIDDEN_NOT,
    HIDDEN_LATE,    /* it is published after the overlap */
    HIDDEN_DROPPED, /* it is left out of pages; $count has it */
    HIDDEN_HARMED,  /* no page that would hold it can be sent */
    HIDDEN_BOTH     /* it is published after the overlap, and can be listed, but not sent for a while */
};

struct version {
    int64_t ticks;         /* update time, Unix, 100 ns */
    int64_t visible;       /* virtual time from which it is listed */
    int64_t counted;       /* ... from which $count has it, if that is earlier; 0: it is not */
    enum hidden hidden;
    bool polled; /* it was sent to something else than an audit's repair first */
    bool named;  /* by an audit */
    int64_t replaced;      /* from when the next version is listed in its place; NEVER */
    int64_t first, last;   /* arrival; NEVER */
    int copies;            /* that arrived and were not lost with splunkd */
    int partial;           /* copies without evidence, to a query that did not ask for it */
    enum harm harm;        /* HARM_NONE from `healed` on */
    int64_t excused_until; /* it could not be sent, and quarantine waits for hours */
    bool excused;          /* was sent so that nobody can read it; it may be written as it was then */
};

struct alert {
    int number, versions;
    bool lost;       /* with splunkd, at least once */
    int64_t created; /* ticks */
    struct version version[4];
};

/* What a service does with $orderby ... */
enum sorting {
    SORTING_IGNORED,
    SORTING_KEPT,
    SORTING_REFUSED,
    SORTING_CREATED, /* by another field */
    SORTING_DESCENDING,
    SORTING_SHARDS, /* each of three parts alone */
    SORTING_PAGE,   /* what a page has */
    SORTING_LATER,  /* in order at first, each shard alone later */
    SORTING_COUNT
};

/* ... and with $count. */
enum counting { COUNTING_IGNORED, COUNTING_EXACT, COUNTING_PAGE, COUNTING_CAPPED, COUNTING_COUNT };

/* ... and with $select. */
enum selecting { SELECTING_KEPT, SELECTING_IGNORED, SELECTING_REFUSED, SELECTING_COUNT };

struct customer {
    int number;
    enum api api;
    char name[24], tenant[40], client[40];
    struct alert *alerts;
    int count;
    double ahead;         /* part of them that is dated in the future, */
    int64_t ahead_most;   /* ... by that much at most */
    int order;            /* how its pages are sorted */
    enum sorting sorting; /* ... if $orderby asks for it */
    enum counting counting;
    enum selecting selecting;
    int sorted;           /* pages that were asked for in order so far */
    size_t cap;           /* most records of a page; 0: as many as the API allows */
    bool loose;           /* white space between the tokens of its records */
    int fat;              /* KB that its records have more */
    int64_t harmed_until; /* a record of it cannot be sent */
    int harms;            /* such records so far */
    bool user;            /* signs in by a refresh token */
    int long_refresh;     /* by how many characters its refresh tokens are longer than others */
    int64_t bulk;         /* update time of the last version that was made */
    bool masked;          /* its secrets were masked in inputs.conf */
    int64_t trouble;      /* until then a fault may delay it */
    int64_t *sent;        /* times of its page requests, for the limits */
    size_t sent_count, sent_cap, sent_old; /* sent_old: of them are older than an hour */
    struct {
        uint32_t hash; /* of the request and the size of the page */
        int64_t time;
    } answered[ANSWERS_KEPT]; /* its last pages in which nothing was wrong */
    unsigned answers;
    uint64_t token;       /* number of the newest */
    uint64_t least_token; /* older ones were revoked */
    uint64_t refresh;     /* number of the newest refresh token */
    int secret, entered;  /* numbers of the secrets that Entra accepts, and that somebody entered */
    int64_t refused_until;
    int refused_with;
    int refusals; /* in a row */
    int64_t refused_last;
    int64_t hold_from, hold_until; /* Retry-After: nothing is to be sent in between */
    int64_t paced_since;           /* when its requests were counted last */
    int arrived, served;           /* events, and records in pages, since then */
    int64_t stuck;                 /* a request got no answer over a silent connection; NEVER */
    int64_t down_since;            /* nothing but failures since then; NEVER */
    int64_t down_until, unreachable_until, coarse_until, unfiltered_until, shuffled_until, short_until, no_link_until, miscount_until;
    struct rng luck;
};

extern struct customer customers[CUSTOMERS_MOST];

void customers_init(void);
const char *field_of(enum api api); /* of the update time */
int date_digits(const struct customer *customer, const struct version *v); /* of its text */
/* Returns the version of the alert that is listed now; NULL: none. */
struct version *version_listed(struct alert *alert);
/* Appends the record. loose: with white space between its tokens. */
void record_write(struct text *ret, const struct customer *customer, const struct alert *alert, const struct version *v,
                  bool loose, bool evidence);
void ledger_init(void);
/* An event arrived at the indexer. */
void ledger_event(const char *stanza, const char *data, const char *time_text, bool unreadable);
void audit_says_equal(const char *line); /* the program says that a day is equal to what the service lists */
/* Returns the customer that a log line names; NULL: none. */
struct customer *customer_of_line(const char *line);
/* Returns true if the process was killed within that time after the moment. */
bool ledger_killed_after(int64_t time, int64_t within);
void ledger_crash(int64_t since);  /* what arrived since then is lost */
void ledger_stopped(void);         /* a process ended in peace: splunkd keeps what it took from it */
void ledger_killed(int64_t bound); /* the process was killed: what arrived within that time may come again */
/* Returns the number of versions that are due and have not arrived; prints the first if told to. */
int ledger_missing(int64_t visible_before, bool tell);

/* month.c: weeks in which alerts are hidden from the polls, and the audits have to find them. */

void month_plan(struct plan *ret, int days);
/* Makes the alert's version, perhaps a hidden one. Returns false if it is an alert like others. */
bool month_hides(struct customer *customer, struct alert *alert, int64_t time);
void month_log(const char *line); /* the program logs something about an audit */
/* A record was sent in full. */
void month_sent(const struct customer *customer, struct version *v, int64_t lo, int64_t hi);
void month_look(void);  /* once a minute */
void month_check(void); /* all nights are over */

/* faults.c */

void faults_init(void);
void faults_boot(void); /* a new process begins */
bool faults_await_secret(void); /* somebody is still to enter a new one */
void faults_process_ends(void); /* in peace, but what it knows may not be saved */
void faults_end(void); /* all of them are over; everything heals */
bool faults_on(void);
/* Counts and traces what happens to a request of the customer; NULL: to one that all may depend on. */
bool fault_strikes(enum fault fault, struct customer *customer);
const char *fault_name(enum fault fault);
/* Returns true if a Date that is as wrong agrees with the right time or with the host's clock. The program takes clocks
 * that are minutes apart for the same (service_clock.c), and believes two wrong clocks that agree. */
bool clock_agrees(int64_t wrong);
/* How long before a kill what arrived may come again. */
int64_t repeats_within(bool power_lost);
/* A fault may delay the customer (NULL: all of them) until then. */
void trouble(struct customer *customer, int64_t until);

extern int64_t login_down_until, store_down_until, reader_stalls_until, wall_shift;

/* reader.c: splunkd's end of the pipes. */

void reader_boot(void);
int64_t pipe_write(const char *bytes, size_t len); /* -1: full; -2: nobody reads */
size_t pipe_unread(void);
bool pipe_has_room(void);
bool pipe_closed(void);
void reader_close(void);                                   /* the reader is gone */
void reader_stall_at_event(happen_fn *fn, int64_t number); /* when the next event is written, stalls and calls fn */
void reader_leaves(bool reads_rest);                       /* the writer is gone */
void reader_go_on(void);
void log_write(const char *bytes, size_t len);

/* check.c */

void check_request(struct customer *customer, int per_minute, int per_hour); /* a page was requested */
void check_round(void);                                                 /* the loop has gone round: it must not spin */
void check_stop(int64_t asked);                                         /* the process ended after SIGTERM */
void check_hint(struct customer *customer, int64_t told, int64_t wait); /* Retry-After was sent; told: arrives then */
void check_hints_lost(void); /* those on the way: their connections end */
void check_paced(struct customer *customer);                            /* polls are not more frequent than asked */
void check_circle(struct customer *customer, const char *path, size_t len); /* a page of that many bytes is whole */
void check_boot(void);                                                  /* a new process knows no hint */
