#include "command/share_report.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define TEXT_MAX  4096
#define JSON_MAX  (16u * 1024 * 1024)
#define NAME_MOST 28 /* columns; a longer name moves the rest of its row */

const char *share_state_word(const struct share_view_member *member)
{
    if (!member->here)
        return "absent";
    if (share_view_is_twin(member))
        return "twin";
    if (member->format > SHARE_FORMAT)
        return "newer";
    if (!member->moved)
        return "silent";
    if (!member->well)
        return "not well";
    return member->drains ? "draining" : "member";
}

static const char *color_of(const char *state)
{
    return text_same(state, "member") ? WRAP_GREEN : text_same(state, "draining") ? WRAP_YELLOW : WRAP_RED;
}

static bool is_self(const struct share_report *report, const char *name)
{
    return report->name && text_same(report->name, name);
}

static size_t columns_of(size_t so_far, const char *name)
{
    size_t columns = wrap_columns(name);

    return columns > so_far && columns <= NAME_MOST ? columns : so_far;
}

/* For people. */

static void print_head(const struct share_report *report, struct wrap *to)
{
    const struct share_view *view = report->view;
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

    buf_add_format(&text, "Group %s, by the KV store at %s: ", view->group, report->store);
    if (view->table)
        buf_add_format(&text, "table %lld, made by %s, gives out %zu inputs; forwarders that are heard: %zu.",
                       (long long)view->table, view->by ? view->by : "nobody",
                       share_view_has_body(view) ? view->body.count : 0, share_view_heard(view));
    else
        buf_add_text(&text, "no table yet. The first forwarder that runs with share_url makes one within a minute.");
    wrap_line(to, 0, 4, buf_text(&text));
}

static void add_wish(const struct share_view_member *member, struct buf *text)
{
    if (member->takes_all) {
        buf_add_text(text, ", is to take all of its inputs");
    } else if (member->takes.count) {
        buf_add_text(text, ", is to take ");
        share_add_names(text, member->takes.list, member->takes.count);
    }
    if (member->drains)
        buf_add_text(text, ", is to have none");
}

static void print_member(const struct share_report *report, const struct share_view_member *member, size_t column,
                         struct wrap *to)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    const char *state = share_state_word(member);

    buf_add_format(&text, "%zu of %zu inputs", share_view_held(report->view, member->name),
                   member->has_inputs ? member->inputs.count : share_view_held(report->view, member->name));
    if (member->program)
        buf_add_format(&text, ", version %s", member->program);
    add_wish(member, &text);
    if (is_self(report, member->name))
        buf_add_text(&text, "; this forwarder");
    wrap_begin(to, 2, column + 10);
    wrap_add(to, member->name, NULL);
    wrap_move(to, column);
    wrap_add(to, state, color_of(state));
    wrap_move(to, column + 10);
    wrap_add(to, buf_text(&text), NULL);
    wrap_end(to);
}

static void print_members(const struct share_report *report, struct wrap *to)
{
    const struct share_view *view = report->view;
    size_t i, column = 0;

    for (i = 0; i < view->count; i++)
        column = columns_of(column, view->members[i].name);
    if (view->count)
        wrap_heading(to, "Forwarders");
    for (i = 0; i < view->count; i++)
        print_member(report, &view->members[i], column + 4, to);
}

static void print_inputs(const struct share_report *report, struct wrap *to)
{
    const struct share_view *view = report->view;
    size_t i, column = 0;

    if (!share_view_has_body(view) || !view->body.count)
        return;
    for (i = 0; i < view->body.count; i++)
        column = columns_of(column, view->body.entries[i].input);
    wrap_heading(to, "Inputs");
    for (i = 0; i < view->body.count; i++) {
        const struct share_entry *entry = &view->body.entries[i];

        wrap_begin(to, 2, 4);
        wrap_add(to, entry->input, NULL);
        wrap_move(to, column + 4);
        wrap_add(to, entry->owner, is_self(report, entry->owner) ? WRAP_BOLD : NULL);
        wrap_end(to);
    }
}

struct printer {
    struct wrap *to;
    size_t count;
};

static void print_note(void *ctx, bool is_trouble, const char *text)
{
    struct printer *printer = ctx;

    if (!printer->count++)
        wrap_heading(printer->to, "To know");
    wrap_begin(printer->to, 2, 4);
    wrap_add(printer->to, is_trouble ? "trouble" : "note", is_trouble ? WRAP_RED : WRAP_YELLOW);
    wrap_move(printer->to, 11);
    wrap_add(printer->to, text, NULL);
    wrap_end(printer->to);
}

void share_report_print(const struct share_report *report, struct wrap *to)
{
    struct printer printer = { .to = to };

    print_head(report, to);
    print_inputs(report, to);
    print_members(report, to);
    share_notes(report, print_note, &printer);
}

/* As JSON. */

static void add_member_text(struct buf *out, const char *name, const char *text)
{
    buf_add_format(out, ",\"%s\":", name);
    if (text)
        buf_add_json(out, text);
    else
        buf_add_text(out, "null");
}

static void add_names(struct buf *out, const char *name, const struct share_names *names)
{
    size_t i;

    buf_add_format(out, ",\"%s\":[", name);
    for (i = 0; i < names->count; i++) {
        buf_add_text(out, i ? "," : "");
        buf_add_json(out, names->list[i]);
    }
    buf_add_char(out, ']');
}

static void add_forwarder(struct buf *out, const struct share_report *report, const struct share_view_member *member)
{
    buf_add_text(out, "{\"forwarder\":");
    buf_add_json(out, member->name);
    buf_add_format(out, ",\"this\":%s", is_self(report, member->name) ? "true" : "false");
    add_member_text(out, "state", share_state_word(member));
    buf_add_format(out, ",\"inputs\":%zu,\"can_read\":", share_view_held(report->view, member->name));
    if (member->has_inputs)
        buf_add_format(out, "%zu", member->inputs.count);
    else
        buf_add_text(out, "null");
    add_member_text(out, "program", member->program);
    buf_add_format(out, ",\"drain\":%s", member->drains ? "true" : "false");
    add_names(out, "take", &member->takes);
    buf_add_char(out, '}');
}

struct json_notes {
    struct buf *out;
    size_t count;
};

static void add_note(void *ctx, bool is_trouble, const char *text)
{
    struct json_notes *notes = ctx;

    buf_add_format(notes->out, "%s\n{\"trouble\":%s,\"text\":", notes->count++ ? "," : "",
                   is_trouble ? "true" : "false");
    buf_add_json(notes->out, text);
    buf_add_char(notes->out, '}');
}

void share_report_json(const struct share_report *report, FILE *to)
{
    const struct share_view *view = report->view;
    struct buf out = BUF_INIT(JSON_MAX);
    struct json_notes notes = { .out = &out };
    size_t i;

    buf_add_text(&out, "{\"group\":");
    buf_add_json(&out, view->group);
    add_member_text(&out, "store", report->store);
    add_member_text(&out, "this", report->name);
    buf_add_format(&out, ",\"table\":%lld", (long long)view->table);
    add_member_text(&out, "by", view->by);
    buf_add_text(&out, ",\"forwarders\":[");
    for (i = 0; i < view->count; i++) {
        buf_add_text(&out, i ? ",\n" : "\n");
        add_forwarder(&out, report, &view->members[i]);
    }
    buf_add_text(&out, "],\"inputs\":[");
    for (i = 0; share_view_has_body(view) && i < view->body.count; i++) {
        buf_add_text(&out, i ? ",\n{\"input\":" : "\n{\"input\":");
        buf_add_json(&out, view->body.entries[i].input);
        add_member_text(&out, "forwarder", view->body.entries[i].owner);
        buf_add_format(&out, ",\"since_table\":%lld}", (long long)view->body.entries[i].number);
    }
    buf_add_text(&out, "],\"notes\":[");
    share_notes(report, add_note, &notes);
    buf_add_text(&out, "]}\n");
    fwrite(buf_text(&out), 1, out.len, to);
    buf_free(&out);
}
