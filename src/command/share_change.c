#include "command/share_change.h"

#include "base/text.h"

/* Returns true if another forwarder can take the input over. */
static bool others_have(const struct share_view *view, const char *name, const char *input, bool is_watched)
{
    size_t i;

    for (i = 0; i < view->count; i++) {
        const struct share_view_member *other = &view->members[i];

        if (other->here && (other->moved || !is_watched) && !other->drains && !text_same(other->name, name) &&
            (!other->has_inputs || share_names_have(&other->inputs, input)))
            return true;
    }
    return false;
}

static enum share_progress look_at_drain(const struct share_change *change, const struct share_view *view,
                                         bool is_watched)
{
    const struct share_view_member *self = share_view_member(view, change->name);
    size_t i, held = 0;

    for (i = 0; i < view->body.count; i++) {
        if (!text_same(view->body.entries[i].owner, change->name))
            continue;
        if (others_have(view, change->name, view->body.entries[i].input, is_watched))
            return SHARE_NOT_YET;
        held++;
    }
    if (held)
        return SHARE_NOBODY;
    /* It lets go with the round that shows the table, and says so with the next one. */
    return self && self->here && self->held && (self->moved || !is_watched) ? SHARE_NOT_YET : SHARE_DONE;
}

static enum share_progress look_at_take(const struct share_change *change, const struct share_view *view)
{
    const struct share_view_member *self = share_view_member(view, change->name);
    const struct share_names *wanted = change->wanted->count ? change->wanted : self ? &self->inputs : NULL;
    size_t i;

    for (i = 0; wanted && i < wanted->count; i++) {
        const struct share_entry *entry = share_body_find(&view->body, wanted->list[i]);

        if (!entry || !text_same(entry->owner, change->name))
            return SHARE_NOT_YET;
    }
    return wanted && wanted->count ? SHARE_DONE : SHARE_NOT_YET;
}

/* Returns true if nothing has to move for an even spread. */
static bool is_even(const struct share_view *view)
{
    size_t i, held, least = SIZE_MAX, most = 0;

    for (i = 0; i < view->count; i++) {
        if (!view->members[i].here || view->members[i].drains)
            continue;
        held = share_view_held(view, view->members[i].name);
        least = held < least ? held : least;
        most = held > most ? held : most;
    }
    return most <= least || most - least <= 1;
}

enum share_progress share_change_look(const struct share_change *change, const struct share_view *view, bool is_watched)
{
    if (!share_view_has_body(view))
        return SHARE_NOT_YET;
    switch (change->wish) {
    case SHARE_DRAIN: return look_at_drain(change, view, is_watched);
    case SHARE_TAKE: return look_at_take(change, view);
    case SHARE_UNDRAIN: break;
    }
    return !text_same(change->id, view->id) || is_even(view) ? SHARE_DONE : SHARE_NOT_YET;
}

void share_change_text(const struct share_change *change, struct buf *to)
{
    size_t i;

    if (change->wish == SHARE_DRAIN) {
        buf_add_text(to, "{\"drain\":true}");
        return;
    }
    buf_add_text(to, "{\"take\":[");
    for (i = 0; i < change->wanted->count; i++) {
        buf_add_text(to, i ? "," : "");
        buf_add_json(to, change->wanted->list[i]);
    }
    buf_add_text(to, change->wanted->count ? "]}" : "\"*\"]}");
}
