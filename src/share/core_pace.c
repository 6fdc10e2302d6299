/* How often this forwarder calls the store. Each five seconds a round makes two calls, and the checkpoints that are due
 * are a third. Each call more takes its time from the next rounds. So there are 40 at most in any minute, and a group
 * in trouble is not the store's trouble, too. */
#include "share/core_private.h"

#define HURRY_MS   1000                 /* until the next round, while two have one name */
#define CALL_MS    (SHARE_ROUND_MS / 2) /* a call's part of a round */
#define OWED_MOST  (6 * CALL_MS)
#define HURRY_OWED (2 * CALL_MS) /* with more, no round comes faster */

void core_pace_extra(struct share_core *core)
{
    core->pace.busy = true;
    if (core->pace.owed_ms < OWED_MOST)
        core->pace.owed_ms += CALL_MS;
}

bool share_core_is_busy(const struct share_core *core)
{
    return core->pace.busy;
}

void core_pace_hurry(struct share_core *core)
{
    core->pace.hurries = true;
}

/* Returns by how much the round after this one may come later. What is confirmed is as old as the heartbeat that was
 * shown: it is less if nodes are old, and nothing if this round was not good and the time of the last good one runs. */
static int64_t longer_most(const struct share_core *core)
{
    if (core->confirmed_ms == core->began_ms)
        return CALL_MS;
    return core->heard_ms == core->began_ms || !core_is_confirmed(core, core->began_ms) ? CALL_MS / 2 : 0;
}

int64_t core_pace_next(struct share_core *core)
{
    struct pace *pace = &core->pace;
    int64_t longer = longer_most(core);
    bool hurries = pace->hurries && pace->owed_ms <= HURRY_OWED;

    pace->hurries = false;
    if (hurries) {
        core_pace_extra(core);
        core_pace_extra(core);
        return core->began_ms + HURRY_MS;
    }
    if (longer > pace->owed_ms)
        longer = pace->owed_ms;
    pace->owed_ms -= longer;
    return core->began_ms + SHARE_ROUND_MS + longer;
}
