/* The next table, from the present one and the forwarders that are there. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "share/table.h"

#define NOBODY SIZE_MAX

/* What a forwarder is good for: a lower rank is asked first. */
enum { RANK_NEWCOMER = 1, RANK_UNWELL = 2, RANK_DRAINS = 4 };

struct plan {
    const struct share_candidate *candidates;
    size_t count;
    int *rank;           /* of each candidate */
    size_t *load;        /* inputs that each candidate owns */
    const char **inputs; /* that some candidate has; sorted */
    size_t input_count;
    bool *has;                      /* [candidate * input_count + input] */
    size_t *owner;                  /* of each input: a candidate, or NOBODY */
    size_t *before;                 /* the same as of the old table */
    bool *pinned;                   /* a wish: it is not moved to make the shares equal */
    const struct share_entry **old; /* of each input; NULL: it was nobody's */
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool among(const char *const *texts, size_t count, const char *text)
{
    return count && bsearch(&text, texts, count, sizeof(*texts), by_text);
}

static bool has(const struct plan *plan, size_t candidate, size_t input)
{
    return plan->has[candidate * plan->input_count + input];
}

static void give(struct plan *plan, size_t input, size_t to)
{
    if (plan->owner[input] != NOBODY)
        plan->load[plan->owner[input]]--;
    plan->owner[input] = to;
    if (to != NOBODY)
        plan->load[to]++;
}

/* Collects the inputs of all candidates: sorted, each once. */
static void collect_inputs(struct plan *plan)
{
    size_t all = 0, kept = 0;

    for (size_t c = 0; c < plan->count; c++)
        all += plan->candidates[c].input_count;
    plan->inputs = mem_grow(NULL, all + 1, sizeof(*plan->inputs));
    for (size_t c = 0, at = 0; c < plan->count; c++)
        for (size_t i = 0; i < plan->candidates[c].input_count; i++)
            plan->inputs[at++] = plan->candidates[c].inputs[i];
    qsort(plan->inputs, all, sizeof(*plan->inputs), by_text);
    for (size_t i = 0; i < all; i++)
        if (!kept || strcmp(plan->inputs[kept - 1], plan->inputs[i]) != 0)
            plan->inputs[kept++] = plan->inputs[i];
    plan->input_count = kept;
}

static size_t index_of(const struct plan *plan, const char *name)
{
    for (size_t c = 0; c < plan->count; c++)
        if (!strcmp(plan->candidates[c].name, name))
            return c;
    return NOBODY;
}

/* If all drain, nobody does; if none of those that stay is well, all count as well. */
static void rank_candidates(struct plan *plan)
{
    bool stays = false, well = false;

    for (size_t c = 0; c < plan->count; c++)
        stays = stays || !plan->candidates[c].drains;
    for (size_t c = 0; c < plan->count; c++)
        well = well || (plan->candidates[c].well && (!stays || !plan->candidates[c].drains));
    for (size_t c = 0; c < plan->count; c++) {
        const struct share_candidate *candidate = &plan->candidates[c];

        plan->rank[c] = (candidate->newcomer ? RANK_NEWCOMER : 0) + (well && !candidate->well ? RANK_UNWELL : 0) +
                        (stays && candidate->drains ? RANK_DRAINS : 0);
    }
}

/* Every owner that is there and has the input keeps it. */
static void keep(struct plan *plan, const struct share_body *old)
{
    for (size_t i = 0; i < plan->input_count; i++) {
        size_t owner;

        plan->owner[i] = plan->before[i] = NOBODY;
        plan->old[i] = share_body_find(old, plan->inputs[i]);
        if (!plan->old[i])
            continue;
        owner = plan->before[i] = index_of(plan, plan->old[i]->owner);
        if (owner != NOBODY && has(plan, owner, i))
            give(plan, i, owner);
    }
}

static bool wishes(const struct plan *plan, size_t candidate, size_t input)
{
    const struct share_candidate *who = &plan->candidates[candidate];

    return (who->takes_all || among(who->takes, who->take_count, plan->inputs[input])) && has(plan, candidate, input) &&
           !(plan->rank[candidate] & RANK_UNWELL);
}

/* Of several who wish for an input, its owner has it, else the first by name. */
static void grant(struct plan *plan)
{
    for (size_t i = 0; i < plan->input_count; i++) {
        size_t owner = plan->owner[i], to = owner != NOBODY && wishes(plan, owner, i) ? owner : NOBODY;

        for (size_t c = 0; c < plan->count && to == NOBODY; c++)
            if (!(plan->rank[c] & RANK_NEWCOMER) && wishes(plan, c, i))
                to = c;
        if (to == NOBODY)
            continue;
        plan->pinned[i] = true;
        give(plan, i, to);
    }
}

/* Returns true if somebody who is well, settled and stays could have the input. */
static bool has_better(const struct plan *plan, size_t input)
{
    for (size_t c = 0; c < plan->count; c++)
        if (!plan->rank[c] && has(plan, c, input))
            return true;
    return false;
}

/* Takes away what others can have: all of who drains; all but one, the probe, of who is not well. */
static void take_away(struct plan *plan)
{
    size_t left;

    for (size_t c = 0; c < plan->count; c++) {
        if (plan->rank[c] < RANK_UNWELL)
            continue;
        left = plan->rank[c] & RANK_DRAINS ? 0 : 1;
        for (size_t i = plan->input_count; i-- > 0 && plan->load[c] > left;)
            if (plan->owner[i] == c && !plan->pinned[i] && has_better(plan, i))
                give(plan, i, NOBODY);
    }
}

/* Gives what nobody has to whoever is best for it and has least. better: inputs that somebody well, settled, who stays
 * could have; or the others. */
static void give_orphans(struct plan *plan, bool better)
{
    for (size_t i = 0; i < plan->input_count; i++) {
        size_t best = NOBODY;

        if (plan->owner[i] != NOBODY || has_better(plan, i) != better)
            continue;
        for (size_t c = 0; c < plan->count; c++)
            if (has(plan, c, i) && (best == NOBODY || plan->rank[c] < plan->rank[best] ||
                                    (plan->rank[c] == plan->rank[best] && plan->load[c] < plan->load[best])))
                best = c;
        give(plan, i, best);
    }
}

/* Returns true if the candidate may get one more to make the shares equal: the probe, of who is not well. */
static bool may_get(const struct plan *plan, size_t candidate)
{
    return !plan->rank[candidate] || (plan->rank[candidate] == RANK_UNWELL && !plan->load[candidate]);
}

/* Returns an input that may move from one to the other, rather one that moves anyway; NOBODY: none. */
static size_t movable(const struct plan *plan, size_t from, size_t to)
{
    size_t found = NOBODY;

    for (size_t i = 0; i < plan->input_count; i++) {
        if (plan->owner[i] != from || plan->pinned[i] || !has(plan, to, i))
            continue;
        if (plan->before[i] != from)
            return i;
        if (found == NOBODY)
            found = i;
    }
    return found;
}

/* A way on which inputs are passed on, one at each step. */
struct way {
    size_t steps, gain; /* gain: how many more the first one has than the last one */
    size_t to;          /* NOBODY: there is none */
    size_t *via;        /* [candidate]: who gives to it; itself: the first one */
    size_t *queue;      /* for the search */
};

/* Finds the shortest way from somebody to one with at least two inputs less. Of several, to the one with least. */
static void find_way(const struct plan *plan, size_t from, struct way *ret)
{
    size_t head = 0, tail = 0, level_end = 1;

    ret->to = NOBODY;
    ret->steps = 0;
    for (size_t c = 0; c < plan->count; c++)
        ret->via[c] = NOBODY;
    ret->via[from] = from;
    ret->queue[tail++] = from;
    for (; head < tail && ret->to == NOBODY; level_end = tail) {
        ret->steps++;
        for (; head < level_end; head++)
            for (size_t c = 0; c < plan->count; c++) {
                if (ret->via[c] != NOBODY || !may_get(plan, c) || movable(plan, ret->queue[head], c) == NOBODY)
                    continue;
                ret->via[c] = ret->queue[head];
                ret->queue[tail++] = c;
                if (plan->load[c] + 2 <= plan->load[from] && (ret->to == NOBODY || plan->load[c] < plan->load[ret->to]))
                    ret->to = c;
            }
    }
    if (ret->to != NOBODY)
        ret->gain = plan->load[from] - plan->load[ret->to];
}

/* Moves an input from the fullest to the emptiest, if there is one that the emptiest may have: no other move is better.
 * Returns false if there is none. */
static bool move_directly(struct plan *plan)
{
    size_t from = 0, to = NOBODY, input;

    for (size_t c = 0; c < plan->count; c++) {
        if (plan->load[c] > plan->load[from])
            from = c;
        if (may_get(plan, c) && (to == NOBODY || plan->load[c] < plan->load[to]))
            to = c;
    }
    if (to == NOBODY || plan->load[to] + 2 > plan->load[from])
        return false;
    input = movable(plan, from, to);
    if (input != NOBODY)
        give(plan, input, to);
    return input != NOBODY;
}

/* Moves inputs until nobody could pass one on to somebody who has two less: always the shortest way first, and of those
 * the one from the fullest to the emptiest. */
static void make_equal(struct plan *plan)
{
    size_t *room = mem_grow(NULL, 2 * plan->count + 1, sizeof(*room));
    struct way way = { .via = room, .queue = room + plan->count };

    for (;;) {
        size_t from = NOBODY, steps = 0, gain = 0;

        if (move_directly(plan))
            continue;
        for (size_t c = 0; c < plan->count; c++) {
            find_way(plan, c, &way);
            if (way.to == NOBODY || (from != NOBODY && (way.steps > steps || (way.steps == steps && way.gain <= gain))))
                continue;
            from = c;
            steps = way.steps;
            gain = way.gain;
        }
        if (from == NOBODY)
            break;
        find_way(plan, from, &way);
        for (size_t to = way.to; to != from; to = way.via[to])
            give(plan, movable(plan, way.via[to], to), to);
    }
    free(room);
}

/* Writes the table down. Who keeps an input keeps its since. */
static void write_down(const struct plan *plan, const char *id, int64_t number, struct share_body *ret)
{
    *ret = (struct share_body){ .entries = mem_grow(NULL, plan->input_count + 1, sizeof(*ret->entries)) };
    for (size_t i = 0; i < plan->input_count; i++) {
        struct share_entry *entry = &ret->entries[ret->count++];
        bool kept = plan->old[i] && plan->before[i] == plan->owner[i];

        *entry = (struct share_entry){ .input = mem_text(plan->inputs[i]),
                                       .owner = mem_text(plan->candidates[plan->owner[i]].name),
                                       .number = kept ? plan->old[i]->number : number };
        memcpy(entry->since, kept ? plan->old[i]->since : id, SHARE_ID_MAX);
    }
}

void share_plan(const struct share_body *old, const struct share_candidate *candidates, size_t count, const char *id,
                int64_t number, struct share_body *ret)
{
    struct plan plan = { .candidates = candidates, .count = count };

    collect_inputs(&plan);
    plan.rank = mem_alloc((count + 1) * sizeof(*plan.rank));
    plan.load = mem_alloc((count + 1) * sizeof(*plan.load));
    plan.has = mem_alloc(count * plan.input_count + 1);
    plan.owner = mem_grow(NULL, plan.input_count + 1, sizeof(*plan.owner));
    plan.before = mem_grow(NULL, plan.input_count + 1, sizeof(*plan.before));
    plan.pinned = mem_alloc(plan.input_count + 1);
    plan.old = mem_grow(NULL, plan.input_count + 1, sizeof(*plan.old));
    for (size_t c = 0; c < count; c++)
        for (size_t i = 0; i < plan.input_count; i++)
            plan.has[c * plan.input_count + i] = among(candidates[c].inputs, candidates[c].input_count, plan.inputs[i]);
    rank_candidates(&plan);
    keep(&plan, old);
    grant(&plan);
    give_orphans(&plan, false);
    take_away(&plan);
    give_orphans(&plan, true);
    make_equal(&plan);
    write_down(&plan, id, number, ret);
    free(plan.old);
    free(plan.pinned);
    free(plan.before);
    free(plan.owner);
    free(plan.has);
    free(plan.load);
    free(plan.rank);
    free(plan.inputs);
}
