#include "command/audit_report.h"

#include "base/buf.h"
#include "base/text.h"

#define TEXT_MAX  4096
#define JSON_MAX  (256u * 1024 * 1024)
#define NAME_MOST 28 /* columns; a longer name moves the rest of its line */
#define INDENT    4

int audit_report_status(const struct audit_report *report)
{
    int status = 0;
    size_t i;

    for (i = 0; i < report->count; i++) {
        enum audit_verdict verdict = audit_row_verdict(report->rows[i]);

        if (verdict == AUDIT_MISSING)
            return 1;
        if (verdict > AUDIT_EQUAL)
            status = 2;
    }
    return status;
}

/* Adds a number with commas: 1,204. */
static void add_grouped(struct buf *text, size_t number)
{
    char digits[24];
    size_t i, len = (size_t)snprintf(digits, sizeof(digits), "%zu", number);

    for (i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            buf_add_char(text, ',');
        buf_add_char(text, digits[i]);
    }
}

static const char *color_of(enum audit_verdict verdict)
{
    return verdict == AUDIT_EQUAL ? WRAP_GREEN : verdict == AUDIT_MISSING ? WRAP_RED : WRAP_YELLOW;
}

static void add_count(struct wrap *to, size_t number, const char *word, const char *color)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

    add_grouped(&text, number);
    buf_add_format(&text, " %s", word);
    wrap_add(to, buf_text(&text), color);
}

/* "contoso  3 of 3 days equal  1,204 listed  1,260 written  0 missing". */
static void print_row(const struct audit_row *row, size_t column, struct wrap *to)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    struct listing_counts sum = { 0 };
    enum audit_verdict verdict = audit_row_verdict(row);
    size_t i;

    for (i = 0; i < row->count; i++) {
        sum.listed += row->days[i].result.counts.listed;
        sum.written += row->days[i].result.counts.written;
        sum.missing += row->days[i].result.counts.missing;
    }
    wrap_begin(to, 0, INDENT);
    wrap_add(to, row->label, NULL);
    wrap_move(to, column);
    if (row->left_out || !row->count) {
        wrap_add(to, row->left_out ? "no audit: the SIEM exporter's records have no ID" : row->err.text,
                 row->left_out ? NULL : WRAP_YELLOW);
        wrap_end(to);
        return;
    }
    buf_add_format(&text, "%zu of %zu day%s equal", audit_row_equal(row), row->count, row->count == 1 ? "" : "s");
    wrap_add(to, buf_text(&text), color_of(verdict));
    wrap_move(to, 0);
    add_count(to, sum.listed, "listed", NULL);
    wrap_move(to, 0);
    add_count(to, sum.written, "written", NULL);
    wrap_move(to, 0);
    add_count(to, sum.missing, "missing", sum.missing ? WRAP_RED : NULL);
    wrap_end(to);
}

/* The days that are not equal, with what is missing. */
static void print_days(const struct audit_row *row, struct wrap *to)
{
    char name[LEDGER_DAY_TEXT], time[TICKS_TEXT_MAX];
    size_t i, k;

    for (i = 0; i < row->count; i++) {
        const struct audited_day *day = &row->days[i];
        const struct audit_result *result = &day->result;

        if (result->verdict == AUDIT_EQUAL)
            continue;
        wrap_begin(to, INDENT, 2 * INDENT);
        wrap_add(to, ledger_day_text(day->day, name), NULL);
        wrap_add(to, audit_verdict_word(result->verdict), color_of(result->verdict));
        if (*result->why)
            wrap_add(to, result->why, NULL);
        wrap_end(to);
        for (k = 0; k < day->missing_count; k++) {
            ticks_text(day->missing[k].time, time);
            wrap_begin(to, 2 * INDENT, 3 * INDENT);
            wrap_add(to, "missing:", NULL);
            wrap_add(to, day->missing[k].id, NULL);
            wrap_add(to, time, NULL);
            wrap_end(to);
        }
        if (result->counts.missing > day->missing_count) {
            wrap_begin(to, 2 * INDENT, 3 * INDENT);
            add_count(to, result->counts.missing - day->missing_count, "more are missing", NULL);
            wrap_end(to);
        }
    }
}

/* Returns the order in which rows are printed: the ones with differences come first. */
static int rank_of(const struct audit_row *row)
{
    enum audit_verdict verdict = audit_row_verdict(row);

    return verdict == AUDIT_MISSING ? 0 : verdict > AUDIT_EQUAL ? 1 : 2;
}

static void print_summary(const struct audit_report *report, struct wrap *to)
{
    size_t i, ranks[3] = { 0 }, left_out = 0;
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

    for (i = 0; i < report->count; i++) {
        left_out += report->rows[i]->left_out;
        ranks[rank_of(report->rows[i])]++;
    }
    buf_add_format(&text, "%zu of %zu inputs equal", ranks[2] - left_out, report->count - left_out);
    if (ranks[0])
        buf_add_format(&text, ", %zu with missing alerts", ranks[0]);
    if (ranks[1])
        buf_add_format(&text, ", %zu not known", ranks[1]);
    buf_add_text(&text, ".");
    wrap_skip(to);
    wrap_line(to, 0, 0, buf_text(&text));
}

void audit_report_print(const struct audit_report *report, struct wrap *to)
{
    size_t i, column = 0;
    int rank;

    for (i = 0; i < report->count; i++) {
        size_t columns = wrap_columns(report->rows[i]->label);

        if (columns <= NAME_MOST && columns > column)
            column = columns;
    }
    for (rank = 0; rank < 3; rank++)
        for (i = 0; i < report->count; i++)
            if (rank_of(report->rows[i]) == rank) {
                print_row(report->rows[i], column + 2, to);
                print_days(report->rows[i], to);
            }
    print_summary(report, to);
}

/* JSON. */

static void add_member(struct buf *out, const char *name, const char *text)
{
    buf_add_format(out, ",\"%s\":", name);
    if (text_empty(text))
        buf_add_text(out, "null");
    else
        buf_add_json(out, text);
}

static void add_ids(struct buf *out, const struct audited_day *day)
{
    char time[TICKS_TEXT_MAX];
    size_t i;

    buf_add_text(out, ",\"ids\":[");
    for (i = 0; i < day->missing_count; i++) {
        ticks_text(day->missing[i].time, time);
        buf_add_text(out, i ? ",{\"id\":" : "{\"id\":");
        buf_add_json(out, day->missing[i].id);
        buf_add_format(out, ",\"time\":\"%s\"}", time);
    }
    buf_add_char(out, ']');
}

static void add_day(struct buf *out, const struct audited_day *day)
{
    const struct audit_result *result = &day->result;
    char name[LEDGER_DAY_TEXT];

    buf_add_format(out, "{\"day\":\"%s\",\"result\":\"%s\"", ledger_day_text(day->day, name),
                   audit_verdict_word(result->verdict));
    add_member(out, "why", result->why);
    if (result->counted >= 0)
        buf_add_format(out, ",\"counted\":%lld", (long long)result->counted);
    else
        buf_add_text(out, ",\"counted\":null");
    buf_add_format(out, ",\"listed\":%zu,\"written\":%zu,\"missing\":%zu,\"superseded\":%zu,\"odd\":%zu",
                   result->counts.listed, result->counts.written, result->counts.missing, result->counts.superseded,
                   result->counts.odd);
    buf_add_format(out, ",\"requests\":%llu,\"bytes\":%llu,\"select\":\"%s\"", (unsigned long long)result->requests,
                   (unsigned long long)result->bytes, audit_select_word(result));
    add_ids(out, day);
    buf_add_char(out, '}');
}

static void add_row(struct buf *out, const struct audit_row *row)
{
    enum audit_verdict verdict = audit_row_verdict(row);
    size_t i;

    buf_add_text(out, "{\"input\":");
    buf_add_json(out, row->label);
    add_member(out, "tenant_id", row->input.tenant_id);
    add_member(out, "api", row->api);
    add_member(out, "result", verdict == AUDIT_NONE ? NULL : audit_verdict_word(verdict));
    add_member(out, "why", row->count || row->left_out ? NULL : row->err.text);
    buf_add_text(out, ",\"days\":[");
    for (i = 0; i < row->count; i++) {
        if (i)
            buf_add_char(out, ',');
        add_day(out, &row->days[i]);
    }
    buf_add_text(out, "]}");
}

void audit_report_json(const struct audit_report *report, FILE *to)
{
    struct buf out = BUF_INIT(JSON_MAX);
    size_t i;

    buf_add_text(&out, "{\"inputs\":[");
    for (i = 0; i < report->count; i++) {
        if (i)
            buf_add_text(&out, ",\n");
        add_row(&out, report->rows[i]);
    }
    buf_add_text(&out, "]}\n");
    fwrite(buf_text(&out), 1, out.len, to);
    buf_free(&out);
}
