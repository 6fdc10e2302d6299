#include "command/consent_show.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "command/console.h"

enum {
    NAME_MOST = 24,
    NAME_LEAST = 8,
    STATE_WIDTH = 9,
    NEXT_WIDTH = 5,
    BAR = 20,
    WIDTH_USUAL = 80,
    LINE_BYTES = 1024,
    FRAME_LINES = 3
};

/* Adds the text in exactly that many columns, shortened or filled up; last: not filled up. */
static void add_cell(struct buf *to, const char *text, size_t columns, bool last)
{
    CLEANUP(mem_freep) char *plain = mem_text(text);
    size_t len, used;

    utf8_make_line(plain);
    used = wrap_columns(plain);
    if (used > columns) {
        for (len = strlen(plain); len && (used > columns - 2 || (plain[len] & 0xC0) == 0x80);
             used = wrap_columns(plain))
            plain[--len] = '\0';
        buf_add_format(to, "%s..", plain);
        used += 2;
    } else {
        buf_add_text(to, plain);
    }
    if (!last)
        buf_add_format(to, "%*s", (int)(columns - (used < columns ? used : columns)) + 2, "");
}

static const char *color_of(const struct customer *customer)
{
    switch (customer->state) {
    case CUSTOMER_IN_TROUBLE: return WRAP_YELLOW;
    case CUSTOMER_REFUSED: return WRAP_RED;
    case CUSTOMER_DONE:
    case CUSTOMER_CONSENTED: return WRAP_GREEN;
    default: return NULL;
    }
}

/* The order of the table: what a person has to look at comes first, what is done last. */
static int rank_of(const struct customer *customer)
{
    static const int ranks[] = { [CUSTOMER_REFUSED] = 0,
                                 [CUSTOMER_IN_TROUBLE] = 1,
                                 [CUSTOMER_CONSENTED] = 2,
                                 [CUSTOMER_WAITS] = 3,
                                 [CUSTOMER_DONE] = 4 };

    return ranks[customer->state];
}

static int compare(const void *a, const void *b)
{
    const struct customer *one = *(const struct customer *const *)a, *other = *(const struct customer *const *)b;
    int ranks = rank_of(one) - rank_of(other);

    return ranks ? ranks : one->row->line < other->row->line ? -1 : 1;
}

static size_t name_width(const struct customers *customers, size_t width)
{
    size_t i, most = NAME_LEAST, limit = width < WIDTH_USUAL ? width / 4 : NAME_MOST;

    for (i = 0; i < customers->count; i++) {
        size_t columns = wrap_columns(customers->list[i].row->stanza.name);

        most = columns > most ? columns : most;
    }
    return most > limit ? limit : most;
}

static void print_bar(const struct customers *customers, struct wrap *to)
{
    size_t done = customers_in(customers, CUSTOMER_DONE), refused = customers_in(customers, CUSTOMER_REFUSED), i;
    CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_BYTES);

    if (to->width >= WIDTH_USUAL) {
        buf_add_char(&line, '[');
        for (i = 0; i < BAR; i++)
            buf_add_char(&line, i * customers->count < (done + refused) * BAR ? '#' : '.');
        buf_add_text(&line, "] ");
    }
    buf_add_format(&line, "%zu of %zu done", done, customers->count);
    if (refused)
        buf_add_format(&line, ", %zu refused", refused);
    if (to->width >= WIDTH_USUAL)
        buf_add_text(&line, ". Ctrl-C ends");
    fprintf(to->to, "%s\n", buf_text(&line));
}

static void print_customer(const struct customer *customer, int64_t now_ms, size_t width, struct wrap *to)
{
    CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_BYTES), next = BUF_INIT(32);
    bool waits = customer->state == CUSTOMER_WAITS || customer->state == CUSTOMER_IN_TROUBLE;
    int64_t left_s = (customer->due_ms - now_ms + 999) / 1000;
    const char *color = to->colors ? color_of(customer) : NULL;
    size_t rest = to->width - 1 - width - STATE_WIDTH - NEXT_WIDTH - 6;

    if (waits && left_s > 0)
        buf_add_format(&next, "%lld:%02lld", (long long)left_s / 60, (long long)left_s % 60);
    add_cell(&line, customer->row->stanza.name, width, false);
    fprintf(to->to, "%s", buf_text(&line));
    buf_clear(&line);
    add_cell(&line, customer_word(customer), STATE_WIDTH, false);
    fprintf(to->to, "%s%s%s", color ? color : "", buf_text(&line), color ? "\033[0m" : "");
    buf_clear(&line);
    add_cell(&line, buf_text(&next), NEXT_WIDTH, false);
    add_cell(&line,
             customer->state == CUSTOMER_REFUSED ? customer->row->err.text
             : waits                             ? customer->why
                                                 : "",
             rest, true);
    fprintf(to->to, "%s\n", buf_text(&line));
}

size_t consent_show_table(const struct customers *customers, int64_t now_ms, size_t height, struct wrap *to)
{
    const struct customer **sorted = mem_alloc((customers->count + 1) * sizeof(const struct customer *));
    size_t width = name_width(customers, to->width), most = height > FRAME_LINES + 1 ? height - FRAME_LINES : 1, i;
    size_t shown = customers->count;

    for (i = 0; i < customers->count; i++)
        sorted[i] = &customers->list[i];
    qsort(sorted, customers->count, sizeof(*sorted), compare);
    if (shown > most)
        shown = most - 1 ? most - 1 : 1;
    print_bar(customers, to);
    for (i = 0; i < shown; i++)
        print_customer(sorted[i], now_ms, width, to);
    if (shown < customers->count)
        fprintf(to->to, "and %zu more\n", customers->count - shown);
    free(sorted);
    return 1 + shown + (shown < customers->count);
}

/* On a terminal. */

static void remove_table(struct consent_show *show)
{
    if (show->drawn)
        fprintf(show->to.to, "\033[%zuA\033[J", show->drawn);
    show->drawn = 0;
}

static void draw(struct consent_show *show, int64_t now_ms, size_t height)
{
    char *lines = NULL;
    size_t len, count;
    FILE *whole = open_memstream(&lines, &len);
    struct wrap to = show->to;

    if (!whole)
        return;
    to.to = whole;
    count = consent_show_table(show->customers, now_ms, height, &to);
    fclose(whole);
    remove_table(show);
    fputs(lines, show->to.to); /* at once: it does not flicker */
    fflush(show->to.to);
    free(lines);
    show->drawn = count;
}

/* Elsewhere. */

static void print_change(const struct customer *customer, struct wrap *to)
{
    CLEANUP(buf_free) struct buf line = BUF_INIT(2 * LINE_BYTES);
    const char *why = customer->state == CUSTOMER_REFUSED ? customer->row->err.text : customer->why;

    buf_add_format(&line, "%s: %s", customer->row->stanza.name, customer_word(customer));
    if (customer->state != CUSTOMER_DONE && *why)
        buf_add_format(&line, ": %s", why);
    wrap_line(to, 0, 2, buf_text(&line));
}

static void print_changes(struct consent_show *show)
{
    size_t i;

    for (i = 0; i < show->customers->count; i++) {
        const struct customer *customer = &show->customers->list[i];
        bool quiet = customer->state == CUSTOMER_CONSENTED || (customer->state == CUSTOMER_WAITS && !*customer->why);

        if (quiet || (show->told[i] && show->before[i] == customer->state))
            continue;
        show->told[i] = true;
        show->before[i] = customer->state;
        print_change(customer, &show->to);
    }
    fflush(show->to.to);
}

/* For programs. */

static void show_progress(const struct customers *customers)
{
    char text[80];

    snprintf(text, sizeof(text), "%zu of %zu customers done", customers_in(customers, CUSTOMER_DONE), customers->count);
    console_progress(text);
}

/* All. */

void consent_show_start(struct consent_show *show)
{
    show->before = mem_alloc((show->customers->count + 1) * sizeof(*show->before));
    show->told = mem_alloc((show->customers->count + 1) * sizeof(*show->told));
}

void consent_show_free(struct consent_show *show)
{
    free(show->before);
    free(show->told);
}

void consent_show_now(struct consent_show *show, int64_t now_ms, size_t height)
{
    if (show->quiet)
        show_progress(show->customers);
    else if (show->live)
        draw(show, now_ms, height);
    else
        print_changes(show);
}

static void print_counts(const struct customers *customers, struct wrap *to)
{
    CLEANUP(buf_free) struct buf line = BUF_INIT(LINE_BYTES);
    size_t created = 0, updated = 0, unchanged = 0, i;

    for (i = 0; i < customers->count; i++) {
        const struct customer *customer = &customers->list[i];
        bool done = customer->state == CUSTOMER_DONE;

        created += done && customer->row->action == ACTION_CREATE;
        updated += done && customer->row->action == ACTION_UPDATE;
        unchanged += done && customer->row->action == ACTION_NONE;
    }
    buf_add_format(&line, "%zu created, %zu updated, %zu unchanged, %zu waiting, %zu in trouble, %zu refused.", created,
                   updated, unchanged,
                   customers_in(customers, CUSTOMER_WAITS) + customers_in(customers, CUSTOMER_CONSENTED),
                   customers_in(customers, CUSTOMER_IN_TROUBLE), customers_in(customers, CUSTOMER_REFUSED));
    wrap_line(to, 0, 0, buf_text(&line));
}

static void print_duplicates(const struct customers *customers, struct wrap *to)
{
    size_t i;

    for (i = 0; i < customers->count; i++) {
        const struct import_row *row = customers->list[i].row;
        CLEANUP(buf_free) struct buf line = BUF_INIT(2 * LINE_BYTES);

        if (!row->duplicate || row->action == ACTION_REFUSED)
            continue;
        buf_add_format(&line, "Warning: line %zu  %s: %s.", row->line, row->stanza.name, row->duplicate);
        wrap_line(to, 0, 2, buf_text(&line));
    }
}

void consent_show_end(struct consent_show *show)
{
    console_progress(NULL);
    if (show->quiet)
        return;
    remove_table(show);
    show->live = false;
    print_changes(show);
    print_duplicates(show->customers, &show->to);
    print_counts(show->customers, &show->to);
    fflush(show->to.to);
}
