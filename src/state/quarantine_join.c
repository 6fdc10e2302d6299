#include <string.h>

#include "state/quarantine.h"

/* Makes the entry reach to the end of the next one, and due as soon as the first of them. */
static void take_in(struct quarantined *entry, const struct quarantined *next)
{
    entry->window.hi = next->window.hi;
    entry->state = QUARANTINED_FAILED;
    entry->search = next->search > entry->search ? next->search : entry->search;
    entry->tries = next->tries < entry->tries ? next->tries : entry->tries;
    entry->since_s = next->since_s < entry->since_s ? next->since_s : entry->since_s;
    entry->due_s = next->due_s < entry->due_s ? next->due_s : entry->due_s;
}

/* Joins the entry with those after it that lie in the same step and wait. Those between them that were read are read
 * again with them. */
static void join_from(struct quarantine *quarantine, size_t at, ticks resolution)
{
    struct quarantined *entry = &quarantine->list[at];
    ticks step_end = entry->window.lo - entry->window.lo % resolution + resolution;
    size_t i, last = at;

    for (i = at + 1; i < quarantine->count && quarantine->list[i].window.hi <= step_end; i++)
        if (quarantine->list[i].state != QUARANTINED_READ) {
            take_in(entry, &quarantine->list[i]);
            last = i;
        }
    if (last == at)
        return;
    memmove(entry + 1, quarantine->list + last + 1, (quarantine->count - last - 1) * sizeof(*entry));
    quarantine->count -= last - at;
    quarantine->version++;
}

void quarantine_join(struct quarantine *quarantine, ticks resolution)
{
    size_t at;

    for (at = 0; at < quarantine->count; at++)
        if (quarantine->list[at].state != QUARANTINED_READ)
            join_from(quarantine, at, resolution);
}
