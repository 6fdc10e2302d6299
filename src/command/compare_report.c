/* What a comparison with another API found, for people and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "command/check_report.h"
#include "messages/remedy.h"

#define TEXT_MAX   4096
#define NAME_MOST  28
#define IDS_SHOWN  10
#define IDS_JSON   1000
#define WORD_WIDTH 15 /* "no permission" and two blanks */

bool report_all_ready(const struct report *report)
{
    size_t i;

    for (i = 0; i < report->count; i++)
        if (report->rows[i]->compared.result != COMPARE_NOT && !compared_is_ready(&report->rows[i]->compared))
            return false;
    return true;
}

static const char *color_of(const struct compared *compared)
{
    if (compared->result == COMPARE_NOT)
        return NULL;
    return compared_is_ready(compared) ? WRAP_GREEN : compared->result == COMPARE_LACKS ? WRAP_YELLOW : WRAP_RED;
}

static bool has_counts(const struct compared *compared)
{
    return compared->result == COMPARE_SAME || compared->result == COMPARE_LACKS;
}

/* Adds "12 in both, 0 only in endpoint, 3 only in graph", or why there are no such numbers. */
static void add_finding(struct buf *text, const struct outcome *row)
{
    const struct compared *compared = &row->compared;
    char from[TICKS_TEXT_MAX];

    if (has_counts(compared)) {
        buf_add_format(text, "%zu in both, %zu only in %s, %zu only in %s", compared->both, compared->present_count,
                       compared->present->name, compared->other_count, compared->other->name);
        if (compared->cut) {
            ticks_text_digits(compared->from, 0, from);
            buf_add_format(text, "; only since %s, as there was no time or there are too many alerts", from);
        }
    } else if (compared->result == COMPARE_ANSWERS) {
        buf_add_format(text, "%s answers; %s could not be listed", compared->other->name, compared->present->name);
    } else if (compared->result == COMPARE_NOT) {
        buf_add_text(text, row->result == CHECK_OK ? "its API is that one, or has no IDs to compare"
                                                   : "could not be tried, see above");
    }
}

static void print_ids(const char *side, char *const *ids, size_t count, struct wrap *to)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    size_t i;

    if (!count)
        return;
    buf_add_format(&text, "only in %s:", side);
    for (i = 0; i < count && i < IDS_SHOWN; i++)
        buf_add_format(&text, " %s", ids[i]);
    if (count > IDS_SHOWN)
        buf_add_format(&text, " and %zu more (--json lists them)", count - IDS_SHOWN);
    wrap_line(to, 4, 6, buf_text(&text));
}

static void print_row(const struct outcome *row, size_t column, struct wrap *to)
{
    const struct compared *compared = &row->compared;
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

    add_finding(&text, row);
    wrap_begin(to, 2, 4);
    wrap_add(to, row->input, NULL);
    wrap_move(to, column);
    wrap_add(to, compared_word(compared->result), color_of(compared));
    wrap_move(to, column + WORD_WIDTH);
    wrap_add(to, buf_text(&text), NULL);
    wrap_end(to);
    if (compared->err.text[0] && !has_counts(compared))
        wrap_line(to, 4, 4, compared->err.text);
    if (!has_counts(compared))
        return;
    print_ids(compared->present->name, compared->only_present, compared->present_count, to);
    print_ids(compared->other->name, compared->only_other, compared->other_count, to);
}

/* Says what follows. */
static void print_last(const struct report *report, struct wrap *to)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    size_t i, ready = 0, asked = 0, lacking = 0;

    for (i = 0; i < report->count; i++) {
        asked += report->rows[i]->compared.result != COMPARE_NOT;
        ready += compared_is_ready(&report->rows[i]->compared);
        lacking += report->rows[i]->compared.result == COMPARE_LACKS;
    }
    buf_add_format(&text, "%zu of %zu inputs can be moved: import --set api=%s does that.", ready, asked,
                   report->compared_with->name);
    if (lacking)
        buf_add_text(&text, " Alerts on one side only may be tuned, suppressed, or in no incident: Graph leaves those "
                            "out. To move such inputs nevertheless, add --accept-missing.");
    wrap_line(to, 2, 2, buf_text(&text));
}

void report_compared(const struct report *report, struct wrap *to)
{
    CLEANUP(buf_free) struct buf heading = BUF_INIT(TEXT_MAX);
    size_t i, column = 0;

    if (!report->compared_with)
        return;
    buf_add_format(&heading, "What api = %s would bring, by IDs of the last %d days", report->compared_with->name,
                   report->compared_days);
    wrap_heading(to, buf_text(&heading));
    for (i = 0; i < report->count; i++) {
        size_t columns = wrap_columns(report->rows[i]->input);

        column = columns > column && columns <= NAME_MOST ? columns : column;
    }
    for (i = 0; i < report->count; i++)
        print_row(report->rows[i], column + 4, to);
    print_last(report, to);
}

static void add_ids(struct buf *out, const char *name, char *const *ids, size_t count)
{
    size_t i;

    buf_add_format(out, ",\"%s\":%zu,\"%s_ids\":[", name, count, name);
    for (i = 0; i < count && i < IDS_JSON; i++) {
        buf_add_text(out, i ? "," : "");
        buf_add_json(out, ids[i]);
    }
    buf_add_char(out, ']');
}

void report_compared_json(const struct outcome *row, struct buf *out)
{
    const struct compared *compared = &row->compared;
    char from[TICKS_TEXT_MAX];

    if (compared->result == COMPARE_NOT) {
        buf_add_text(out, ",\"compared\":null");
        return;
    }
    buf_add_format(out, ",\"compared\":{\"with\":\"%s\",\"result\":\"%s\",\"ready\":%s,\"days\":%d",
                   compared->other->name, compared_word(compared->result),
                   compared_is_ready(compared) ? "true" : "false", compared->days);
    buf_add_text(out, ",\"why\":");
    if (compared->err.text[0] && !has_counts(compared))
        buf_add_json(out, compared->err.text);
    else
        buf_add_text(out, "null");
    if (has_counts(compared)) {
        ticks_text_digits(compared->from, 0, from);
        buf_add_format(out, ",\"from\":\"%s\",\"both\":%zu", from, compared->both);
        add_ids(out, "only_present", compared->only_present, compared->present_count);
        add_ids(out, "only_other", compared->only_other, compared->other_count);
    }
    buf_add_char(out, '}');
}
