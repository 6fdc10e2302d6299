/* auth/secret_gate.h - the inputs of an app sign in once all secrets that were entered for it are in the store.
 *
 * The secret of an app is entered in one input and serves all of them. An input that signed in before the secret
 * is in the store would be refused, or would use the secret before. So each input joins the gate of its app before
 * any of them starts, reports when its own secrets are in place, and then waits for the others. An input that gets
 * nowhere holds nobody up for long: the gate opens after 10 s without progress. */
#pragma once

#include "net/loop.h"

struct secret_gates;
struct secret_gate;

/* An input's place at the gate of its app. Lives inside its owner; initialize it with zeros. A ticket that never joined
 * finds the gate open. */
struct secret_ticket {
    void (*open)(void *ctx); /* called once, from the event loop, if secret_gate_wait() returned true */
    void *ctx;
    struct secret_gate *gate; /* the rest is the gate's */
    struct secret_ticket *next, **slot;
    bool brings, waits;
};

/* Never returns NULL. */
struct secret_gates *secret_gates_new(struct loop *loop);
void secret_gates_free(struct secret_gates *gates); /* NULL is allowed; every ticket must have left */

/* Joins the gate of the app. brings: the input holds a secret that was entered. */
void secret_gate_join(struct secret_gates *gates, const char *client_id, struct secret_ticket *ticket, bool brings);
/* The input's own secrets are in place. Returns true if it has to wait for those of others; open() is called then. */
bool secret_gate_wait(struct secret_ticket *ticket);
/* Allowed in any state. */
void secret_gate_leave(struct secret_ticket *ticket);
