#include "command/share_notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define TEXT_MAX   2048
#define NAMES_MOST 5 /* that a sentence repeats */

/* What the notes are made of. */
struct notes {
    const struct share_report *report;
    const struct share_view *view;
    share_note_fn *add;
    void *ctx;
};

static void say(const struct notes *notes, bool is_trouble, const char *fmt, ...) PRINTF(3, 4);
static void say(const struct notes *notes, bool is_trouble, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    notes->add(notes->ctx, is_trouble, text);
}

void share_add_names(struct buf *to, char *const *names, size_t count)
{
    size_t i, shown = count > NAMES_MOST + 1 ? NAMES_MOST : count;

    for (i = 0; i < shown; i++)
        buf_add_format(to, "%s%s", !i ? "" : i + 1 == count ? " and " : ", ", names[i]);
    if (shown < count)
        buf_add_format(to, " and %zu more", count - shown);
}

void share_add_forwarders(struct buf *to, const struct share_view *view)
{
    struct share_names known = { .list = NULL };
    size_t i;

    for (i = 0; i < view->count; i++)
        share_names_add(&known, view->members[i].name);
    if (known.count)
        share_add_names(to, known.list, known.count);
    else
        buf_add_text(to, "no forwarder so far");
    share_names_free(&known);
}

static const char *inputs_word(size_t count)
{
    return count == 1 ? "input" : "inputs";
}

/* Tables. */

static void note_newer(const struct notes *notes)
{
    const struct share_view *view = notes->view;
    size_t i;

    if (view->table && view->format > SHARE_FORMAT)
        say(notes, true,
            "Table %lld was made by a newer program (format %lld; this one knows %d), so a forwarder of this version stays "
            "outside: our administrator has to upgrade this one.",
            (long long)view->table, (long long)view->format, SHARE_FORMAT);
    for (i = 0; i < view->count; i++)
        if (view->members[i].here && view->members[i].format > SHARE_FORMAT && view->format <= SHARE_FORMAT)
            say(notes, true,
                "'%.200s' has a newer program (format %lld; this one knows %d): our administrator has to upgrade all "
                "forwarders of the group within the hour.",
                view->members[i].name, (long long)view->members[i].format, SHARE_FORMAT);
}

static void note_records(const struct notes *notes)
{
    const struct share_view *view = notes->view;

    if (view->bad)
        say(notes, true,
            "The record '%.300s' in the store cannot be used and is ignored: this program did not write it so; our "
            "administrator may delete it.",
            view->bad);
    if (view->table && !share_view_has_body(view) && view->format <= SHARE_FORMAT)
        say(notes, true,
            "What table %lld says is not in the store, so nobody follows it: the forwarders make another one within a "
            "minute.",
            (long long)view->table);
}

/* Forwarders. */

static void note_member(const struct notes *notes, const struct share_view_member *member)
{
    if (share_view_is_twin(member))
        say(notes, true,
            "Two processes call themselves '%.200s', as a cloned machine does; one of them stays outside: the "
            "administrator of the clone has to give it a host name of its own (serverName in server.conf) and restart "
            "Splunk there.",
            member->name);
    if (member->here && member->moved && !member->well)
        say(notes, true,
            "'%.200s' can do no work (no customer can be reached from it, its splunkd takes no events, or its disk no "
            "checkpoints), so it keeps one input at most: its administrator has to look at its log.",
            member->name);
}

/* Names the forwarders that have inputs and are not heard, whether or not their record is still there. */
static void note_silent(const struct notes *notes)
{
    const struct share_view *view = notes->view;
    struct share_names owners = { .list = NULL };
    size_t i, held;

    for (i = 0; share_view_has_body(view) && i < view->body.count; i++)
        share_names_add(&owners, view->body.entries[i].owner);
    if (owners.count > 1 && !share_view_heard(view))
        say(notes, true,
            "None of %zu forwarders that have inputs was heard within %d s: our administrator has to see whether Splunk "
            "runs there; if it does, the store takes no writes, and 'defender_alerts check' on a forwarder says why.",
            owners.count, notes->report->watched_s);
    for (i = 0; i < owners.count && (owners.count == 1 || share_view_heard(view)); i++) {
        const struct share_view_member *member = share_view_member(view, owners.list[i]);

        held = share_view_held(view, owners.list[i]);
        if (!(member && member->here && member->moved))
            say(notes, true,
                "'%.200s' was not heard within %d s and has %zu %s: the others take over within 60 s of its end; its "
                "administrator has to see whether Splunk runs there.",
                owners.list[i], notes->report->watched_s, held, inputs_word(held));
    }
    share_names_free(&owners);
}

/* Names those that are not heard and have nothing: they may be gone for good. */
static void note_gone(const struct notes *notes)
{
    const struct share_view *view = notes->view;
    size_t i;

    for (i = 0; share_view_has_body(view) && share_view_heard(view) && i < view->count; i++)
        if (!(view->members[i].here && view->members[i].moved) && !share_view_held(view, view->members[i].name))
            say(notes, false,
                "'%.200s' was not heard within %d s and has no input. If it is gone for good, our administrator may remove its "
                "records with 'defender_alerts share forget'.",
                view->members[i].name, notes->report->watched_s);
}

/* Adds the inputs of the forwarders whose record is there. */
static void add_offered(const struct share_view *view, struct share_names *ret)
{
    size_t i, k;

    for (i = 0; i < view->count; i++)
        for (k = 0; view->members[i].here && k < view->members[i].inputs.count; k++)
            share_names_add(ret, view->members[i].inputs.list[k]);
}

static void note_lacks(const struct notes *notes, const struct share_view_member *member,
                       const struct share_names *offered)
{
    struct share_names lacks = { .list = NULL };
    struct buf text = BUF_INIT(TEXT_MAX);
    size_t i;

    for (i = 0; i < offered->count; i++)
        if (!share_names_have(&member->inputs, offered->list[i]))
            share_names_add(&lacks, offered->list[i]);
    share_add_names(&text, lacks.list, lacks.count);
    if (lacks.count)
        say(notes, false,
            "'%.200s' has not %zu of the %zu inputs that the group has (%s): they are not enabled there, or their secret is "
            "missing there. If it shall be able to take them over, its administrator has to add them.",
            member->name, lacks.count, offered->count, buf_text(&text));
    buf_free(&text);
    share_names_free(&lacks);
}

static void note_inputs(const struct notes *notes)
{
    const struct share_view *view = notes->view;
    struct share_names offered = { .list = NULL }, unread = { .list = NULL };
    struct buf text = BUF_INIT(TEXT_MAX);
    size_t i;

    add_offered(view, &offered);
    for (i = 0; i < view->count; i++)
        if (view->members[i].here && view->members[i].moved && view->members[i].has_inputs)
            note_lacks(notes, &view->members[i], &offered);
    for (i = 0; share_view_has_body(view) && i < offered.count; i++)
        if (!share_body_find(&view->body, offered.list[i]))
            share_names_add(&unread, offered.list[i]);
    share_add_names(&text, unread.list, unread.count);
    if (unread.count)
        say(notes, true,
            "Nobody reads %zu %s (%s): the next table gives them to a forwarder that has them; if this lasts for minutes, "
            "our administrator has to start one.",
            unread.count, inputs_word(unread.count), buf_text(&text));
    buf_free(&text);
    share_names_free(&offered);
    share_names_free(&unread);
}

static void note_programs(const struct notes *notes)
{
    const struct share_view *view = notes->view;
    const struct share_view_member *first = NULL, *member;
    size_t i;

    for (i = 0; i < view->count; i++) {
        member = &view->members[i];
        if (!member->here || !member->moved || !member->program)
            continue;
        if (!first)
            first = member;
        if (text_same(first->program, member->program))
            continue;
        say(notes, false,
            "'%.200s' has version %.40s, but '%.200s' has %.40s: our administrator should give all forwarders of the group "
            "the same within the hour.",
            first->name, first->program, member->name, member->program);
        return;
    }
}

static void note_drains(const struct notes *notes)
{
    const struct share_view *view = notes->view;
    size_t i, drains = 0, heard = share_view_heard(view);

    for (i = 0; i < view->count; i++)
        drains += view->members[i].here && view->members[i].moved && view->members[i].drains;
    if (heard && drains == heard)
        say(notes, false,
            "All forwarders that are heard are to be drained, so none counts as such: 'defender_alerts share undrain' "
            "takes the wish of one back.");
}

static bool takes(const struct share_view_member *member, const char *input)
{
    return member->takes_all ? share_names_have(&member->inputs, input) : share_names_have(&member->takes, input);
}

/* Names two forwarders that are to take the same inputs. */
static void note_takes(const struct notes *notes, const struct share_view_member *a, const struct share_view_member *b)
{
    const struct share_names *inputs = a->takes_all ? &a->inputs : &a->takes;
    struct share_names both = { .list = NULL };
    struct buf text = BUF_INIT(TEXT_MAX);
    size_t i;

    for (i = 0; i < inputs->count; i++)
        if (takes(b, inputs->list[i]))
            share_names_add(&both, inputs->list[i]);
    share_add_names(&text, both.list, both.count);
    if (both.count)
        say(notes, false,
            "'%.200s' and '%.200s' are both to take %zu %s (%s): whoever has one keeps it. 'defender_alerts share undrain' "
            "ends the wish of one of the two.",
            a->name, b->name, both.count, inputs_word(both.count), buf_text(&text));
    buf_free(&text);
    share_names_free(&both);
}

static void note_wishes(const struct notes *notes)
{
    const struct share_view *view = notes->view;
    size_t i, k;

    for (i = 0; i < view->count; i++)
        for (k = i + 1; k < view->count; k++)
            if (view->members[i].takes.count && view->members[k].takes.count)
                note_takes(notes, &view->members[i], &view->members[k]);
}

/* This forwarder. */

static void note_self(const struct notes *notes)
{
    const struct share_report *report = notes->report;
    const struct share_view_member *self = report->name ? share_view_member(notes->view, report->name) : NULL;
    size_t i;

    if (report->name && report->own->count && !(self && self->here))
        say(notes, false,
            "This forwarder ('%.200s') is not among them: its program does not run, has no token yet, or stays outside; its "
            "log says why (event=share).",
            report->name);
    for (i = 0; i < report->own->odd_count; i++)
        say(notes, true, "On this forwarder, %s.", report->own->odd[i]);
}

void share_notes(const struct share_report *report, share_note_fn *add, void *ctx)
{
    struct notes notes = { .report = report, .view = report->view, .add = add, .ctx = ctx };
    size_t i;

    note_newer(&notes);
    note_self(&notes);
    for (i = 0; i < notes.view->count; i++)
        note_member(&notes, &notes.view->members[i]);
    note_silent(&notes);
    note_gone(&notes);
    note_inputs(&notes);
    note_records(&notes);
    note_programs(&notes);
    note_drains(&notes);
    note_wishes(&notes);
}

/* Moves. */

/* A pair of forwarders; NULL: nobody. */
struct move {
    const char *from, *to;
    struct share_names inputs;
};

static struct move *move_of(struct move **moves, size_t *count, const char *from, const char *to)
{
    size_t i;

    for (i = 0; i < *count; i++)
        if (text_same((*moves)[i].from, from) && text_same((*moves)[i].to, to))
            return &(*moves)[i];
    *moves = mem_grow(*moves, *count + 1, sizeof(struct move));
    (*moves)[*count] = (struct move){ .from = from, .to = to };
    return &(*moves)[(*count)++];
}

static void add_move(struct buf *to, const struct move *move)
{
    struct buf names = BUF_INIT(TEXT_MAX);

    share_add_names(&names, move->inputs.list, move->inputs.count);
    buf_add_format(to, "%zu %s", move->inputs.count, inputs_word(move->inputs.count));
    if (move->from)
        buf_add_format(to, " from %s", move->from);
    buf_add_format(to, " %s%s: %s\n", move->to ? "to " : "to nobody", move->to ? move->to : "", buf_text(&names));
    buf_free(&names);
}

size_t share_add_moves(struct buf *to, const struct share_body *before, const struct share_body *after)
{
    struct move *moves = NULL;
    size_t i, count = 0, moved = 0;

    for (i = 0; i < after->count; i++) {
        const struct share_entry *now = &after->entries[i], *old = share_body_find(before, now->input);

        if (!old || !text_same(old->owner, now->owner))
            share_names_add(&move_of(&moves, &count, old ? old->owner : NULL, now->owner)->inputs, now->input);
    }
    for (i = 0; i < before->count; i++)
        if (!share_body_find(after, before->entries[i].input))
            share_names_add(&move_of(&moves, &count, before->entries[i].owner, NULL)->inputs, before->entries[i].input);
    for (i = 0; i < count; i++) {
        add_move(to, &moves[i]);
        moved += moves[i].inputs.count;
        share_names_free(&moves[i].inputs);
    }
    free(moves);
    return moved;
}
