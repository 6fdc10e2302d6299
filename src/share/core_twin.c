/* What keeps a forwarder outside: another process with its name, a table of a newer program. And a store that has lost
 * its last writes. */
#include <string.h>

#include "share/core_private.h"

#define STRIKES    2 /* a twin is believed then; a write that came late is one */
#define STRIKE_MS  30000

void core_not_shown(struct share_core *core, const char *own_start)
{
    core->stale++;
    if (core->joined_ms == LONG_AGO_MS || !own_start[0] || !strcmp(own_start, core->start))
        return;
    /* Perhaps a twin, whose heartbeats always come between this one's write and its read. Another rhythm ends that. */
    core->start_shown = false;
    if (core->stale % 4 == 0)
        core_pace_hurry(core);
}

void core_watch_twin(struct share_core *core, const struct shown *shown, int64_t now_ms)
{
    struct twin *twin = &core->twin;
    bool other = shown->own_start[0] && strcmp(shown->own_start, core->start) != 0;

    if (other && shown->beat != twin->beat) {
        twin->beat = shown->beat;
        twin->moved_ms = now_ms;
        if (twin->seen && !twin->confirmed) {
            twin->confirmed = true;
            core_let_go(core);
            core_event(core, SHARE_EVENT_TWIN, 1, core->forwarder, "");
        }
        twin->seen = true;
    } else if (now_ms - twin->moved_ms >= SHARE_SILENCE_MS) {
        if (twin->confirmed)
            core_event(core, SHARE_EVENT_TWIN_GONE, 1, core->forwarder, "");
        *twin = (struct twin){ .strike_ms = LONG_AGO_MS };
        core->start_shown = false;
        core->saved_ms = LONG_AGO_MS;
        core->good_ms = core->heard_ms = now_ms;
        core->away_ms = 0;
    }
}

bool core_doubt(struct share_core *core, const char *start, bool written_after, int64_t now_ms)
{
    struct twin *twin = &core->twin;

    core->start_shown = !strcmp(start, core->start);
    if (!core->start_shown)
        core_pace_hurry(core);
    if (core->start_shown || !start[0] || !written_after || strcmp(core->start, start) < 0)
        return false;
    twin->strikes = now_ms - twin->strike_ms < STRIKE_MS ? twin->strikes + 1 : 1;
    twin->strike_ms = now_ms;
    if (twin->strikes < STRIKES)
        return false;
    *twin = (struct twin){ .watched = true, .moved_ms = now_ms, .strike_ms = now_ms };
    core->confirmed_ms = LONG_AGO_MS;
    return true;
}

bool core_look_for_newer(struct share_core *core, int64_t now_ms)
{
    bool newer = core->newest.number && core->newest.format > SHARE_FORMAT;

    if (newer && !core->newer) {
        core_let_go(core);
        core_event(core, SHARE_EVENT_NEWER, 1, core->newest.by, "");
    }
    if (!newer && core->newer) {
        core->good_ms = core->heard_ms = now_ms;
        core->away_ms = 0;
    }
    if (newer == core->newer)
        return newer;
    core->newer = newer;
    return true;
}

void core_look_for_rollback(struct share_core *core)
{
    const struct newest *newest = &core->newest;
    bool fell = newest->number < core->table.number ||
                (newest->number == core->table.number && strcmp(newest->id, core->table.id) != 0);

    if (!fell || !core->table.id[0])
        return;
    core->start_shown = false;
    core->saved_ms = LONG_AGO_MS;
    core_event(core, SHARE_EVENT_ROLLED_BACK, 1, newest->by ? newest->by : "", "");
}
