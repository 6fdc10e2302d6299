#include "command/check_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "command/console.h"

#define CELL_MAX     512
#define CLOCK_FAR_MS (60 * 1000) /* signed assertions are refused from a few minutes on */
#define DAYS_WARN    30

enum column { COL_INPUT, COL_API, COL_RESULT, COL_DNS, COL_TCP, COL_TLS, COL_TOKEN, COL_ALERT, COL_CLOCK, COLUMNS };

static const char *const titles[COLUMNS] = { "INPUT", "API",          "RESULT", "DNS", "TCP", "TLS (issuer, CA file)",
                                             "TOKEN", "NEWEST ALERT", "CLOCK" };

const char *result_word(enum check_result result)
{
    static const char *const words[] = { "ok", "bad input", "unreachable", "refused", "failing", "not tried" };

    return words[result];
}

/* The stage that the connection to a service reached. */
enum stage { STAGE_DNS, STAGE_TCP, STAGE_TLS, STAGE_PASSED };

static enum stage stage_of(const struct finding *finding)
{
    switch (finding->fault) {
    case HTTP_NO_NAME: return STAGE_DNS;
    case HTTP_NO_CONNECTION:
    case HTTP_NO_PROXY: return STAGE_TCP;
    case HTTP_NO_TLS: return STAGE_TLS;
    case HTTP_TIMEOUT:
        return finding->trace.name_ms < 0      ? STAGE_DNS
               : finding->trace.connect_ms < 0 ? STAGE_TCP
               : finding->trace.tls_ms < 0     ? STAGE_TLS
                                               : STAGE_PASSED;
    default: return STAGE_PASSED;
    }
}

/* Appends the cell of one stage for both services: the slower time, or "failed". */
static void add_stage(struct buf *cell, const struct outcome *row, enum stage stage)
{
    const struct finding *list[] = { row->login, row->service };
    int most = -1;
    size_t i;

    for (i = 0; i < COUNT_OF(list); i++) {
        int ms;

        if (!list[i] || !list[i]->done)
            continue;
        if (stage_of(list[i]) == stage) {
            buf_add_text(cell, "failed");
            return;
        }
        ms = stage == STAGE_DNS ? list[i]->trace.name_ms : list[i]->trace.connect_ms;
        if (ms > most)
            most = ms;
    }
    if (most < 0)
        buf_add_char(cell, '-');
    else
        buf_add_format(cell, "%s%d ms", stage == STAGE_TCP && row->login->proxied ? "proxy " : "", most);
}

static void add_tls_of(struct buf *cell, const struct finding *finding)
{
    if (!finding->ca_file) {
        buf_add_text(cell, "none (http)");
        return;
    }
    buf_add_text(cell, stage_of(finding) == STAGE_TLS ? "failed" : "ok");
    if (finding->trace.issuer[0])
        buf_add_format(cell, ", %.48s", finding->trace.issuer);
    buf_add_format(cell, ", %s", finding->ca_file);
}

static bool same_tls(const struct finding *a, const struct finding *b)
{
    return text_same(a->ca_file, b->ca_file) && text_same(a->trace.issuer, b->trace.issuer) &&
           stage_of(a) == stage_of(b);
}

static bool reached_tls(const struct finding *finding)
{
    return finding && finding->done && stage_of(finding) >= STAGE_TLS;
}

static void add_tls(struct buf *cell, const struct outcome *row)
{
    bool login = reached_tls(row->login), service = reached_tls(row->service);

    if (login)
        add_tls_of(cell, row->login);
    if (service && !(login && same_tls(row->login, row->service))) {
        buf_add_text(cell, login ? "; " : "");
        add_tls_of(cell, row->service);
    }
    if (!login && !service)
        buf_add_char(cell, '-');
}

static void add_token(struct buf *cell, const struct outcome *row)
{
    if (!row->has_token)
        buf_add_char(cell, '-');
    else if (!row->claims.readable)
        buf_add_text(cell, "yes (opaque)");
    else
        buf_add_format(cell, "%s: %.120s", row->claims.user ? "user" : "app",
                       *row->claims.granted    ? row->claims.granted
                       : row->lacks_permission ? "no permissions"
                                               : "yes");
}

static void add_age(struct buf *cell, int64_t seconds)
{
    static const struct {
        int64_t least, unit;
        const char *name;
    } units[] = { { 2 * 86400, 86400, "days" }, { 2 * 3600, 3600, "h" }, { 120, 60, "min" }, { INT64_MIN, 1, "s" } };
    size_t i = 0;

    while (seconds < units[i].least)
        i++;
    buf_add_format(cell, "%lld %s", (long long)(seconds / units[i].unit), units[i].name);
}

static void add_alert(struct buf *cell, const struct outcome *row)
{
    char time[TICKS_TEXT_MAX];

    if (row->newest.has_newest) {
        ticks_text_digits(row->newest.newest, 0, time);
        buf_add_format(cell, "%s, ", time);
        add_age(cell, (row->newest.service_now - row->newest.newest) / TICKS_PER_SECOND);
        buf_add_text(cell, " ago");
    } else if (row->newest.looked_back_h) {
        buf_add_format(cell, "none in %d days", row->newest.looked_back_h / 24);
    } else {
        buf_add_char(cell, '-');
    }
}

static void add_clock(struct buf *cell, const struct outcome *row)
{
    int64_t s = row->clock_offset_ms / 1000;

    if (!row->has_clock)
        buf_add_char(cell, '-');
    else if (s >= -1 && s <= 1) /* a Date header has whole seconds */
        buf_add_text(cell, "right");
    else
        buf_add_format(cell, "%lld s %s", (long long)(s < 0 ? -s : s), s < 0 ? "ahead" : "behind"); /* lint: words */
}

static char *cell_text(const struct outcome *row, enum column column)
{
    struct buf cell = BUF_INIT(CELL_MAX);
    char *text;

    switch (column) {
    case COL_INPUT: buf_add_format(&cell, "%.80s", row->input); break;
    case COL_API: buf_add_text(&cell, row->api ? row->api : "-"); break;
    case COL_RESULT: buf_add_text(&cell, result_word(row->result)); break;
    case COL_DNS: add_stage(&cell, row, STAGE_DNS); break;
    case COL_TCP: add_stage(&cell, row, STAGE_TCP); break;
    case COL_TLS: add_tls(&cell, row); break;
    case COL_TOKEN: add_token(&cell, row); break;
    case COL_ALERT: add_alert(&cell, row); break;
    case COL_CLOCK: add_clock(&cell, row); break;
    default: break;
    }
    text = buf_take(&cell);
    utf8_make_line(text); /* here, so that the width is right */
    return text;
}

/* Returns the number of characters (not bytes) of a text. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void print_cell(const char *text, size_t width, const char *color, FILE *to)
{
    size_t used = width_of(text);

    if (color)
        fputs(color, to);
    console_put(text, to);
    if (color)
        fputs("\033[0m", to);
    for (; width && used < width + 2; used++)
        putc(' ', to);
}

static const char *color_of(enum check_result result)
{
    return result == CHECK_OK ? "\033[32m" : result == CHECK_NOT_TRIED ? "\033[33m" : "\033[31m";
}

/* Prints the sentences below a row. */
static void print_notes(const struct outcome *row, FILE *to)
{
    if (row->result != CHECK_OK) {
        fputs("    ", to);
        console_put(row->err.text, to);
        putc('\n', to);
    }
    if (row->result == CHECK_OK && *row->note) {
        fputs("    ", to);
        console_put(row->note, to);
        putc('\n', to);
    }
    if (row->has_clock && (row->clock_offset_ms > CLOCK_FAR_MS || row->clock_offset_ms < -CLOCK_FAR_MS))
        fputs("    This host's clock is wrong by more than a minute; set it right (NTP).\n", to);
    if (row->has_days && row->certificate_days <= DAYS_WARN)
        fprintf(to, "    The certificate of client_certificate ends in %lld days.\n", (long long)row->certificate_days);
}

void report_table(const struct outcome *const *rows, size_t count, bool colors, FILE *to)
{
    size_t widths[COLUMNS] = { 0 }, good = 0, i;
    char **cells = mem_alloc((count * COLUMNS + 1) * sizeof(*cells));
    int c;

    for (i = 0; i < count * COLUMNS; i++) {
        c = (int)(i % COLUMNS);
        cells[i] = cell_text(rows[i / COLUMNS], (enum column)c);
        if (width_of(cells[i]) > widths[c])
            widths[c] = width_of(cells[i]);
    }
    for (c = 0; c < COLUMNS; c++) {
        if (c + 1 == COLUMNS)
            widths[c] = 0; /* the last column needs no padding */
        else if (width_of(titles[c]) > widths[c])
            widths[c] = width_of(titles[c]);
        print_cell(titles[c], widths[c], colors ? "\033[1m" : NULL, to);
    }
    putc('\n', to);
    for (i = 0; i < count; i++) {
        for (c = 0; c < COLUMNS; c++)
            print_cell(cells[i * COLUMNS + (size_t)c], widths[c],
                       colors && c == COL_RESULT ? color_of(rows[i]->result) : NULL, to);
        putc('\n', to);
        print_notes(rows[i], to);
        good += rows[i]->result == CHECK_OK;
    }
    fprintf(to, "\n%zu of %zu inputs are good.\n", good, count);
    for (i = 0; i < count * COLUMNS; i++)
        free(cells[i]);
    free(cells);
}
