#include "auth/secret_gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

#define PATIENCE_MS 10000

struct secret_gate {
    struct loop *loop;
    char *client_id;
    uint64_t hash;
    size_t missing; /* inputs that bring a secret which is not in place yet */
    struct secret_ticket *waiting;
    struct timer timer; /* opens the gate */
    struct secret_gate *next;
};

struct secret_gates {
    struct loop *loop;
    struct secret_gate *first;
};

struct secret_gates *secret_gates_new(struct loop *loop)
{
    struct secret_gates *gates = mem_alloc(sizeof(*gates));

    gates->loop = loop;
    return gates;
}

void secret_gates_free(struct secret_gates *gates)
{
    struct secret_gate *gate;

    if (!gates)
        return;
    while ((gate = gates->first)) {
        gates->first = gate->next;
        timer_cancel(gate->loop, &gate->timer);
        free(gate->client_id);
        free(gate);
    }
    free(gates);
}

static void stop_waiting(struct secret_ticket *ticket)
{
    if (!ticket->waits)
        return;
    ticket->waits = false;
    *ticket->slot = ticket->next;
    if (ticket->next)
        ticket->next->slot = ticket->slot;
}

/* Opens the gate for good. */
static void gate_opens(void *ctx, int64_t now_ms UNUSED)
{
    struct secret_gate *gate = ctx;
    struct secret_ticket *ticket;

    gate->missing = 0;
    while ((ticket = gate->waiting)) {
        stop_waiting(ticket);
        ticket->open(ticket->ctx);
    }
}

static struct secret_gate *gate_of(struct secret_gates *gates, const char *client_id)
{
    uint64_t hash = hash128_of(client_id, strlen(client_id)).low;
    struct secret_gate *gate;

    for (gate = gates->first; gate; gate = gate->next)
        if (gate->hash == hash && text_same(gate->client_id, client_id))
            return gate;
    gate = mem_alloc(sizeof(*gate));
    *gate = (struct secret_gate){ .loop = gates->loop,
                                  .client_id = mem_text(client_id),
                                  .hash = hash,
                                  .timer = { .fire = gate_opens, .ctx = gate },
                                  .next = gates->first };
    return gates->first = gate;
}

void secret_gate_join(struct secret_gates *gates, const char *client_id, struct secret_ticket *ticket, bool brings)
{
    ticket->gate = gate_of(gates, client_id);
    ticket->brings = brings;
    ticket->gate->missing += brings;
}

/* One secret less is missing. */
static void progress(struct secret_ticket *ticket)
{
    struct secret_gate *gate = ticket->gate;

    if (!ticket->brings)
        return;
    ticket->brings = false;
    if (gate->missing)
        gate->missing--;
    if (gate->waiting)
        timer_set(gate->loop, &gate->timer, clock_ms() + (gate->missing ? PATIENCE_MS : 0));
}

bool secret_gate_wait(struct secret_ticket *ticket)
{
    struct secret_gate *gate = ticket->gate;

    if (!gate)
        return false;
    progress(ticket);
    if (!gate->missing)
        return false;
    if (!gate->waiting)
        timer_set(gate->loop, &gate->timer, clock_ms() + PATIENCE_MS);
    ticket->waits = true;
    ticket->next = gate->waiting;
    ticket->slot = &gate->waiting;
    if (ticket->next)
        ticket->next->slot = &ticket->next;
    gate->waiting = ticket;
    return true;
}

void secret_gate_leave(struct secret_ticket *ticket)
{
    if (!ticket->gate)
        return;
    stop_waiting(ticket);
    progress(ticket);
    ticket->gate = NULL;
}
