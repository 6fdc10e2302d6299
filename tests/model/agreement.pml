/* The agreement of the forwarders (docs/sharing.md) for one input, checked by Spin: every order of events is tried.
 *
 * A primary and a copy of it hold the newest table: its number, its ID, the owner of the input, and the owner's since. The
 * store keeps two rules: a number that is taken cannot be inserted again, and the copy takes over writes in their order.
 * Apart from that everything may happen: a write is lost, or arrives at any later time; a read comes from the copy;
 * forwarders stop for any time and start again; the copy becomes the primary without the last writes (ROLLBACKS times).
 * Anybody may give the input to anybody at any time, so nothing hangs on who counts as dead.
 *
 * A forwarder reads the input if it holds a since that it has known for TRUST ticks, and if a round that began less than
 * TRUST ticks ago confirmed it. Who made the table of that since knows it from its insertion on. The program waits for 20 s
 * and trusts for 15, as its clocks need not run alike.
 *
 *     spin -a agreement.pml                the rules hold: two never read
 *     -DROLLBACKS=1                        two read for BOUND ticks in all, at most
 *     -DBEHIND                             the same where a read may show the heartbeat before (many more states)
 *     -DLIVE                               whoever dies for good, somebody reads again LIMIT ticks after the last fault
 * with a rule left out, each of which must be found:
 *     -DNO_WAIT  -DNO_TRUST  -DNO_SINCE  -DNO_HEARTBEAT  -DNO_REFUSAL
 *     -DTOO_EARLY: known from the moment on at which the insert was sent
 * and two bounds that are too small: -DROLLBACKS=1 -DBOUND=1  -DLIVE -DLIMIT=3 */

#ifndef ROLLBACKS
#define ROLLBACKS 0
#endif
#ifndef TRUST
#define TRUST 2
#endif
#ifndef TABLES
#define TABLES 3    /* in all, with the first one */
#endif
#ifndef BOUND
#define BOUND (2 * TRUST)
#endif
#define SILENCE 2   /* ticks until a forwarder counts as dead (LIVE) */
#ifndef LIMIT
#define LIMIT (SILENCE + TRUST + 2)
#endif

#define NONE 0

typedef record { byte number, id, owner, since }

/* How new the heartbeat is that a node has of a forwarder. */
#define OLD      0
#define PREVIOUS 1  /* of the round before */
#define PRESENT  2

record primary, copy, proposed[2];
byte beat[2], beat_copy[2];         /* OLD, PREVIOUS or PRESENT */
byte since[2];                      /* what each holds; NONE: it does not hold the input */
byte known[2];                      /* ticks since it saw that first */
byte made[2], made_ago[2];          /* since of the table that it inserted last, and ticks since then; NONE: of nobody's */
byte confirmed[2];                  /* ticks since the round began that confirmed it last */
byte present[2], previous[2];       /* ticks since these rounds began */
bool open[2];                       /* its present round is not over */
byte last_id = 1, rolled = 0, both = 0;

bool calm = false, dead[2], done[2];    /* LIVE: no more faults; gone for good; had a good round in this tick */
byte silent = 0, calm_ticks = 0;

#ifdef NO_WAIT
#define WAITED(who) true
#else
#define WAITED(who) (known[who] >= TRUST)
#endif
#ifdef NO_TRUST
#define TRUSTED(who) true
#else
#define TRUSTED(who) (confirmed[who] < TRUST)
#endif
#ifdef NO_SINCE
#define SAME_SINCE(who, table) (since[who] != NONE)
#else
#define SAME_SINCE(who, table) (since[who] == table.since)
#endif

#define READS(who) (since[who] != NONE && WAITED(who) && TRUSTED(who))
#define BOTH     (READS(0) && READS(1))
#define ANYBODY  ((READS(0) && !dead[0]) || (READS(1) && !dead[1]))
#define OTHER(who) (1 - who)

inline assign(to, from)
{
    to.number = from.number; to.id = from.id; to.owner = from.owner; to.since = from.since
}

inline forget(table)
{
    table.number = 0; table.id = 0; table.owner = 0; table.since = 0
}

inline grow(ticks)
{
    if
    :: ticks < TRUST -> ticks++
    :: else
    fi
}

/* From now on it is known that the proposed table is there. It matters if that gives the input to its maker. */
inline inserted(who)
{
    made[who] = (proposed[who].owner == who && proposed[who].since == proposed[who].id -> proposed[who].since : NONE);
    made_ago[who] = 0
}

/* The table after this one, on its way. Who keeps the input keeps its since. */
inline propose(who, table, heir)
{
    last_id++;
    proposed[who].number = table.number + 1;
    proposed[who].id = last_id;
    proposed[who].owner = heir;
    proposed[who].since = (heir == table.owner -> table.since : last_id);
#ifdef TOO_EARLY
    inserted(who)
#endif
}

inline begin_round(who)
{
#ifdef BEHIND
    previous[who] = present[who];
    beat[who] = (beat[who] == PRESENT -> PREVIOUS : OLD);
    beat_copy[who] = (beat_copy[who] == PRESENT -> PREVIOUS : OLD);
#else
    beat[who] = OLD;
    beat_copy[who] = OLD;
#endif
    present[who] = 0;
    open[who] = true
}

inline close(who)
{
    open[who] = false;
#ifndef BEHIND
    present[who] = TRUST; beat[who] = OLD; beat_copy[who] = OLD
#endif
}

/* A good round: what it confirms is as old as the heartbeat that it shows. */
inline follow(who, table, age)
{
    if
    :: table.owner == who ->
        if
        :: SAME_SINCE(who, table)
        :: else -> known[who] = (table.since == made[who] -> made_ago[who] : 0)
        fi;
        since[who] = table.since;
        confirmed[who] = age
    :: else ->
        since[who] = NONE; known[who] = 0; confirmed[who] = TRUST
    fi;
    done[who] = calm;
    if
    :: !calm && proposed[who].number == 0 && last_id < TABLES -> propose(who, table, who)
    :: !calm && proposed[who].number == 0 && last_id < TABLES -> propose(who, table, OTHER(who))
    :: calm && proposed[who].number == 0 && table.owner != who && silent >= SILENCE -> propose(who, table, who)
    :: !calm || proposed[who].number != 0 || table.owner == who || silent < SILENCE
    fi
}

inline read_of(who, table, shows)
{
    if
#ifdef NO_HEARTBEAT
    :: true -> follow(who, table, present[who])
#else
    :: shows == PRESENT -> follow(who, table, present[who])
#ifdef BEHIND
    :: shows == PREVIOUS && previous[who] < TRUST -> follow(who, table, previous[who])
#endif
    :: else     /* the round is not good */
#endif
    fi
}

proctype forwarder(byte me)
{
    do
    :: atomic { !open[me] && !dead[me] && !done[me] -> begin_round(me) }
    :: atomic { open[me] && beat[me] != PRESENT -> beat[me] = PRESENT }    /* the heartbeat arrives */
#ifdef BEHIND
    :: atomic { !calm && beat[me] == PRESENT -> beat[me] = PREVIOUS }     /* an earlier one arrives late, on top of it */
#endif
    :: atomic { open[me] && (!calm || beat[me] == PRESENT) -> read_of(me, primary, beat[me]); close(me) }
    :: atomic { open[me] && !calm -> read_of(me, copy, beat_copy[me]); close(me) }
    :: atomic { open[me] && !calm -> close(me) }                   /* no answer */
    :: atomic { !calm && since[me] != NONE -> since[me] = NONE; known[me] = 0; confirmed[me] = TRUST; made[me] = NONE; made_ago[me] = 0 } /* it starts again */
    od
}

#define AT_REST(who) ((dead[who] || (done[who] && !open[who])) && proposed[who].number == 0)

inline tick(who)
{
    grow(known[who]); grow(confirmed[who]); grow(present[who]); grow(previous[who]);
    if
    :: made[who] != NONE -> grow(made_ago[who])
    :: else
    fi;
    done[who] = false
}

inline arrive(who)
{
#ifdef NO_REFUSAL
    assign(primary, proposed[who]);
#else
    if
    :: proposed[who].number > primary.number -> assign(primary, proposed[who]);
#ifndef TOO_EARLY
        if
        :: inserted(who)
        :: skip                                                         /* without an answer */
        fi
#endif
    :: else                                                             /* the number is taken */
    fi;
#endif
    forget(proposed[who])
}

active proctype world()
{
    atomic {
        primary.number = 1; primary.id = 1; primary.since = 1;
        assign(copy, primary);
        confirmed[0] = TRUST; confirmed[1] = TRUST;
        present[0] = TRUST; present[1] = TRUST; previous[0] = TRUST; previous[1] = TRUST;
        run forwarder(0); run forwarder(1)
    };
    do
    :: atomic { !calm || (AT_REST(0) && AT_REST(1) && copy.id == primary.id) ->
        if
        :: BOTH && both <= BOUND -> both++
        :: else
        fi;
        tick(0); tick(1);
        if
        :: calm && dead[primary.owner] && silent < SILENCE -> silent++
        :: calm && !dead[primary.owner] -> silent = 0
        :: else
        fi;
        if
        :: calm && calm_ticks < LIMIT -> calm_ticks++
        :: else
        fi }
    :: atomic { copy.id != primary.id || beat_copy[0] != beat[0] || beat_copy[1] != beat[1] ->
        assign(copy, primary); beat_copy[0] = beat[0]; beat_copy[1] = beat[1] }
    :: atomic { rolled < ROLLBACKS && !calm ->
        rolled++; assign(primary, copy); beat[0] = beat_copy[0]; beat[1] = beat_copy[1] }
    :: atomic { proposed[0].number != 0 -> arrive(0) }
    :: atomic { proposed[1].number != 0 -> arrive(1) }
    :: atomic { proposed[0].number != 0 && !calm -> forget(proposed[0]) }
    :: atomic { proposed[1].number != 0 && !calm -> forget(proposed[1]) }
#ifdef LIVE
    :: atomic { !calm -> calm = true;
        if
        :: dead[0] = true
        :: dead[1] = true
        :: true
        fi }
#endif
    od
}

#ifdef LIVE
ltl read_again { [] ((calm_ticks == LIMIT) -> ANYBODY) }
#elif ROLLBACKS == 0
ltl one_reader { [] !BOTH }
#else
ltl bounded { [] (both <= BOUND) }
#endif
