/* Shared checkpoints lose nothing (docs/sharing.md), whoever reads when: checked by Spin.
 *
 * Alerts are numbered. A forwarder hands the next one to its splunkd, which has it for good some time later; only then a
 * checkpoint may say so. There is no rule here who may read: each may begin at any time, beside the other, from any
 * checkpoint that either node of the store has, or from none. Saves arrive late, in any order, or never; the store may lose
 * its last writes any number of times; a host may die with all that its splunkd had not for good.
 *
 *     spin -a checkpoints.pml              whoever begins after an alert: that one and all before it are in Splunk
 *     -DTOO_SOON                           a checkpoint says what was read: must be found */
#ifndef ALERTS
#define ALERTS  2   /* 3 at most */
#endif
#define NOTHING 255

byte published = 0;
bool in_splunk[ALERTS + 1];
byte has_read[2], is_safe[2];       /* up to this alert */
byte stored[2], stored_copy[2];     /* checkpoints under two sinces */
byte on_its_way[2], under[2];

#ifdef TOO_SOON
#define SAYS(who) has_read[who]
#else
#define SAYS(who) is_safe[who]
#endif

#define COMPLETE(n) ((n < 1 || in_splunk[1]) && (n < 2 || in_splunk[2]) && (n < 3 || in_splunk[ALERTS]))

inline begin_after(who, n)
{
    assert(COMPLETE(n));
    has_read[who] = n; is_safe[who] = n
}

proctype forwarder(byte me)
{
    do
    :: atomic { begin_after(me, stored[0]) }
    :: atomic { begin_after(me, stored[1]) }
    :: atomic { begin_after(me, stored_copy[0]) }
    :: atomic { begin_after(me, stored_copy[1]) }
    :: atomic { begin_after(me, 0) }
    :: atomic { has_read[me] < published -> has_read[me]++ }
    :: atomic { is_safe[me] < has_read[me] -> is_safe[me]++; in_splunk[is_safe[me]] = true }
    :: atomic { on_its_way[me] == NOTHING -> on_its_way[me] = SAYS(me); under[me] = 0 }
    :: atomic { on_its_way[me] == NOTHING -> on_its_way[me] = SAYS(me); under[me] = 1 }
    :: atomic { on_its_way[me] != NOTHING -> stored[under[me]] = on_its_way[me]; on_its_way[me] = NOTHING; under[me] = 0 }
    :: atomic { on_its_way[me] != NOTHING -> on_its_way[me] = NOTHING; under[me] = 0 }    /* it never arrives */
    od
}

init
{
    atomic { on_its_way[0] = NOTHING; on_its_way[1] = NOTHING; run forwarder(0); run forwarder(1) };
    do
    :: atomic { published < ALERTS -> published++ }
    :: atomic { stored_copy[0] = stored[0]; stored_copy[1] = stored[1] }
    :: atomic { stored[0] = stored_copy[0]; stored[1] = stored_copy[1] }                /* the last writes are lost */
    od
}
