/* command/share_notes.h - what is odd about a group of forwarders, in sentences that say who has to act. Pure. */
#pragma once

#include "command/share_inputs.h"
#include "command/share_view.h"

/* Whose view it is. */
struct share_report {
    const struct share_view *view;
    const struct share_inputs *own; /* this forwarder's inputs */
    const char *name;               /* this forwarder; NULL: not known */
    const char *store;              /* the address that answered */
    int watched_s;                  /* how long heartbeats were watched */
};

/* Takes a sentence. is_trouble: sharing does not work as it should. */
typedef void share_note_fn(void *ctx, bool is_trouble, const char *text);
void share_notes(const struct share_report *report, share_note_fn *add, void *ctx);

/* Adds "a, b, c and 9 more". */
void share_add_names(struct buf *to, char *const *names, size_t count);
/* Adds the names of all forwarders, or "no forwarder so far". */
void share_add_forwarders(struct buf *to, const struct share_view *view);
/* Adds how the newest table differs from an older one, a line for each pair of forwarders: "12 inputs from hf1 to hf2: a,
 * b, c and 9 more". Returns the number of inputs that moved. */
size_t share_add_moves(struct buf *to, const struct share_body *before, const struct share_body *after);
