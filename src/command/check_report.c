#include "command/check_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/check_report_private.h"

#define TEXT_MAX    4096
#define NAME_MOST   28 /* columns; a longer name moves the rest of its row */
#define INDENT      4
#define INDENT_HOST 4

const char *result_word(enum check_result result)
{
    static const char *const words[] = { "ok", "bad input", "unreachable", "refused", "lost", "failing", "not tried" };

    return words[result];
}

static const char *color_of(enum check_result result)
{
    return result == CHECK_OK ? WRAP_GREEN : result == CHECK_NOT_TRIED ? WRAP_YELLOW : WRAP_RED;
}

static size_t count_good(const struct report *report)
{
    size_t i, good = 0;

    for (i = 0; i < report->count; i++)
        good += report->rows[i]->result == CHECK_OK;
    return good;
}

bool report_host_is_bad(const struct report *report)
{
    size_t i;

    for (i = 0; i < report->host_count; i++)
        if (report->host[i].level == HOST_BAD)
            return true;
    return false;
}

static bool share_is_bad(const struct report *report)
{
    size_t i;

    for (i = 0; i < report->share_count; i++)
        if (host_section_is_bad(&report->share[i]))
            return true;
    return false;
}

bool report_is_good(const struct report *report)
{
    return count_good(report) == report->count && !report_host_is_bad(report) && !share_is_bad(report);
}

/* One row for each input. */

/* Where the columns begin. */
struct columns {
    size_t api, result, rest;
};

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static struct columns columns_of(const struct report *report)
{
    size_t i, name = 0, api = 0, result = 0;

    for (i = 0; i < report->count; i++) {
        const struct outcome *row = report->rows[i];
        size_t columns = wrap_columns(row->input);

        if (report->only_bad && row->result == CHECK_OK)
            continue;
        name = most(name, columns > NAME_MOST ? 0 : columns);
        api = most(api, row->api ? strlen(row->api) : 1);
        result = most(result, strlen(result_word(row->result)));
    }
    return (struct columns){ .api = name + 2, .result = name + api + 4, .rest = name + api + result + 6 };
}

static void add_age(struct buf *text, int64_t seconds)
{
    static const struct {
        int64_t least, unit;
        const char *name;
    } units[] = { { 2 * 86400, 86400, "days" }, { 2 * 3600, 3600, "h" }, { 120, 60, "min" }, { INT64_MIN, 1, "s" } };
    size_t i = 0;

    while (seconds < units[i].least)
        i++;
    buf_add_format(text, "%lld %s", (long long)(seconds / units[i].unit), units[i].name);
}

/* Adds the newest alert, or where an input failed. */
static void add_short(struct buf *text, const struct outcome *row)
{
    int hours = row->newest.looked_back_h;

    switch (row->result) {
    case CHECK_OK: break;
    case CHECK_BAD_INPUT: buf_add_text(text, "at its settings"); return;
    case CHECK_UNREACHABLE: buf_add_text(text, "at the connection"); return;
    default: buf_add_text(text, row->has_token ? "at the alerts" : "at the sign-in"); return;
    }
    if (row->newest.has_newest) {
        buf_add_text(text, "newest alert ");
        add_age(text, (row->newest.service_now - row->newest.newest) / TICKS_PER_SECOND);
        buf_add_text(text, " ago");
    } else {
        buf_add_format(text, "no alert in %d %s", hours < 48 ? hours : hours / 24, hours < 48 ? "h" : "days");
    }
}

static void print_row(const struct outcome *row, const struct columns *columns, struct wrap *to)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

    add_short(&text, row);
    wrap_begin(to, 0, INDENT);
    wrap_add(to, row->input, NULL);
    wrap_move(to, columns->api);
    wrap_add(to, row->api ? row->api : "-", NULL);
    wrap_move(to, columns->result);
    wrap_add(to, result_word(row->result), color_of(row->result));
    wrap_move(to, columns->rest);
    wrap_add(to, buf_text(&text), NULL);
    wrap_end(to);
    if (row->result != CHECK_OK)
        wrap_line(to, INDENT, INDENT, row->err.text);
}

static void print_rows(const struct report *report, bool good, struct wrap *to)
{
    struct columns columns = columns_of(report);
    size_t i;

    for (i = 0; i < report->count; i++)
        if ((report->rows[i]->result == CHECK_OK) == good)
            print_row(report->rows[i], &columns, to);
}

/* The sections below. */

static void print_finding(const struct host_finding *found, struct wrap *to)
{
    static const char *const words[] = { "ok", "note", "bad" }, *const colors[] = { WRAP_GREEN, WRAP_YELLOW, WRAP_RED };

    wrap_begin(to, 2, INDENT_HOST);
    wrap_add(to, found->what, NULL);
    wrap_move(to, sizeof("  checkpoint folder  ") - 1);
    wrap_add(to, words[found->level], colors[found->level]);
    wrap_move(to, to->column + 2);
    wrap_add(to, found->err.text, NULL);
    wrap_end(to);
}

static void print_findings(const struct report *report, const char *heading, const struct host_finding *found,
                           size_t count, struct wrap *to)
{
    bool first = true;
    size_t i;

    for (i = 0; i < count; i++) {
        if (report->only_bad && found[i].level == HOST_FINE)
            continue;
        if (first)
            wrap_heading(to, heading);
        first = false;
        print_finding(&found[i], to);
    }
}

static void print_host(const struct report *report, struct wrap *to)
{
    size_t i;

    print_findings(report, "This host", report->host, report->host_count, to);
    for (i = 0; i < report->share_count; i++) {
        CLEANUP(mem_freep) char *heading = mem_format("Shared store: %s", report->share[i].name);

        print_findings(report, heading, report->share[i].found, report->share[i].count, to);
    }
}

void report_table(const struct report *report, struct wrap *to)
{
    CLEANUP(buf_free) struct buf last = BUF_INIT(TEXT_MAX);
    size_t good = count_good(report);

    print_rows(report, false, to);
    if (!report->only_bad)
        print_rows(report, true, to);
    groups_print_services(report, to);
    groups_print(report, GROUP_TOKEN, to);
    groups_print(report, GROUP_NOTE, to);
    groups_print(report, GROUP_ENDS, to);
    report_compared(report, to);
    print_host(report, to);
    groups_print(report, GROUP_CAUSE, to);
    buf_add_format(&last, "%zu of %zu inputs are good%s%s.", good, report->count,
                   report_host_is_bad(report) ? ", but this host has a problem" : "",
                   share_is_bad(report) ? ", but the shared store has one, or this forwarder with it" : "");
    wrap_skip(to);
    wrap_line(to, 0, 0, buf_text(&last));
}
