#include "base/budget.h"

void budget_release(struct holding *holding)
{
    struct budget *budget = holding->budget;

    if (!budget)
        return;
    budget->used -= holding->bytes;
    *holding->link = holding->next;
    if (holding->next)
        holding->next->link = holding->link;
    holding->budget = NULL;
    holding->bytes = 0;
}

static void join(struct budget *budget, struct holding *holding)
{
    holding->budget = budget;
    holding->next = budget->first;
    holding->link = &budget->first;
    if (holding->next)
        holding->next->link = &holding->next;
    budget->first = holding;
}

/* Returns the largest share except for one; NULL if there is no other. */
static struct holding *largest_other(const struct budget *budget, const struct holding *except)
{
    struct holding *at, *ret = NULL;

    for (at = budget->first; at; at = at->next)
        if (at != except && (!ret || at->bytes > ret->bytes))
            ret = at;
    return ret;
}

bool budget_hold(struct budget *budget, struct holding *holding, size_t bytes)
{
    struct holding *largest;

    if (!budget)
        return true;
    if (!bytes) {
        budget_release(holding);
        return true;
    }
    if (!holding->budget)
        join(budget, holding);
    budget->used += bytes - holding->bytes;
    holding->bytes = bytes;
    while (budget->used > budget->limit) {
        largest = largest_other(budget, holding);
        if (!largest || largest->bytes < bytes) {
            budget_release(holding);
            return false;
        }
        budget_release(largest);
        largest->give_up(largest->ctx);
    }
    return true;
}
