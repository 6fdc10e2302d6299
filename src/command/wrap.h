/* command/wrap.h - lines that fit a terminal. A word is never broken: one that does not fit goes to the next line, which
 * is indented. Text that is not ours may be passed: hidden characters become blanks. */
#pragma once

#include <stdio.h>

#include "base/compiler.h"

#define WRAP_RED    "\033[31m"
#define WRAP_GREEN  "\033[32m"
#define WRAP_YELLOW "\033[33m"
#define WRAP_BOLD   "\033[1m"

struct wrap {
    FILE *to;
    size_t width; /* columns of a line */
    bool colors;
    /* private: */
    size_t column, gap, indent;
    bool begun; /* a line was printed */
};

/* Returns the columns of the terminal; without one, those of the environment's COLUMNS, else 80. */
size_t wrap_width(int fd);
/* Returns true if that terminal is to have colors: NO_COLOR is not set. */
bool wrap_colors(int fd);
/* Returns the columns that a text takes: characters of East Asia take two. */
size_t wrap_columns(const char *text);

/* Begins a line. indent: of the lines that continue it. */
void wrap_begin(struct wrap *wrap, size_t at, size_t indent);
/* Adds the words of a text. color: WRAP_..., or NULL. */
void wrap_add(struct wrap *wrap, const char *text, const char *color);
/* Moves to a column; at least two blanks follow what is there. */
void wrap_move(struct wrap *wrap, size_t column);
void wrap_end(struct wrap *wrap);
/* Prints an empty line, if any line was printed before. */
void wrap_skip(struct wrap *wrap);
/* The same, and the heading of a section after it. */
void wrap_heading(struct wrap *wrap, const char *text);
/* Prints one text. */
void wrap_line(struct wrap *wrap, size_t at, size_t indent, const char *text);
