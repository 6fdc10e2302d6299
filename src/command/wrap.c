#include "command/wrap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#define WIDTH       80
#define WIDTH_LEAST 40
#define WIDTH_MOST  10000

size_t wrap_width(int fd)
{
    struct winsize size;
    int64_t columns = 0;

    if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_col)
        columns = size.ws_col;
    else if (!text_int64(getenv("COLUMNS"), 1, WIDTH_MOST, &columns))
        columns = WIDTH;
    return columns < WIDTH_LEAST ? WIDTH_LEAST : (size_t)columns;
}

/* Returns true for characters that a terminal shows over two columns (Unicode, East Asian Width W and F). */
static bool is_wide(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } wide[] = { { 0x1100, 0x115F }, { 0x2E80, 0xA4CF }, { 0xAC00, 0xD7A3 },   { 0xF900, 0xFAFF },  { 0xFE30, 0xFE6F },
                 { 0xFF00, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1FAFF }, { 0x20000, 0x3FFFD } };
    size_t i;

    for (i = 0; i < COUNT_OF(wide); i++)
        if (c >= wide[i].first && c <= wide[i].last)
            return true;
    return false;
}

/* Returns the character of a well-formed sequence. */
static uint32_t character(const unsigned char *text, size_t len)
{
    uint32_t c = len == 1 ? *text : *text & (0x7Fu >> len);
    size_t i;

    for (i = 1; i < len; i++)
        c = c << 6 | (text[i] & 0x3Fu);
    return c;
}

static size_t columns_of(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t columns = 0, step;

    for (; len; at += step, len -= step) {
        step = utf8_length(at, len);
        columns += step && is_wide(character(at, step)) ? 2 : 1;
        step = step ? step : 1;
    }
    return columns;
}

size_t wrap_columns(const char *text)
{
    return columns_of(text, strlen(text));
}

static void put_blanks(struct wrap *wrap, size_t count)
{
    fprintf(wrap->to, "%*s", (int)count, "");
    wrap->column += count;
}

void wrap_begin(struct wrap *wrap, size_t at, size_t indent)
{
    wrap->column = wrap->gap = 0;
    wrap->indent = indent;
    put_blanks(wrap, at);
}

static void put_word(struct wrap *wrap, const char *word, size_t len, const char *color)
{
    size_t columns = columns_of(word, len);

    if (wrap->gap && wrap->column + wrap->gap + columns > wrap->width) {
        wrap_end(wrap);
        put_blanks(wrap, wrap->indent);
    }
    put_blanks(wrap, wrap->gap);
    fprintf(wrap->to, "%s%.*s", color, (int)len, word);
    wrap->column += columns;
    wrap->gap = 1;
}

void wrap_add(struct wrap *wrap, const char *text, const char *color)
{
    CLEANUP(mem_freep) char *plain = mem_text(text);
    bool colored = color && wrap->colors;
    const char *at;
    size_t len;

    utf8_make_line(plain);
    for (at = plain + strspn(plain, " "); *at; at += strspn(at, " ")) {
        len = strcspn(at, " ");
        put_word(wrap, at, len, colored ? color : "");
        color = ""; /* it lasts */
        at += len;
    }
    if (colored)
        fputs("\033[0m", wrap->to);
}

void wrap_move(struct wrap *wrap, size_t column)
{
    wrap->gap = column > wrap->column + 2 ? column - wrap->column : 2;
}

void wrap_end(struct wrap *wrap)
{
    putc('\n', wrap->to);
    wrap->column = wrap->gap = 0;
    wrap->begun = true;
}

void wrap_skip(struct wrap *wrap)
{
    if (wrap->begun)
        putc('\n', wrap->to);
}

void wrap_line(struct wrap *wrap, size_t at, size_t indent, const char *text)
{
    wrap_begin(wrap, at, indent);
    wrap_add(wrap, text, NULL);
    wrap_end(wrap);
}

void wrap_heading(struct wrap *wrap, const char *text)
{
    wrap_skip(wrap);
    wrap_begin(wrap, 0, 0);
    wrap_add(wrap, text, WRAP_BOLD);
    wrap_end(wrap);
}

bool wrap_colors(int fd)
{
    return isatty(fd) && text_empty(getenv("NO_COLOR")) && !text_same(getenv("TERM"), "dumb");
}
