/* The unit tests' few words. A test file is functions full of CHECK(), and at its end the list of its cases:
 *
 *     static void test_rows(void **state UNUSED) { ... }
 *
 *     static const struct CMUnitTest cases[] = { cmocka_unit_test(test_rows) };
 *
 *     UNIT(csv, cases, NULL, NULL)
 *
 * A case goes on after a CHECK() that failed, and fails at its end. One without any CHECK() fails, too. Each file's
 * cases run in a process of their own (unit.c). expected.h says how many cases each file has. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"

extern uint64_t check_count;    /* all CHECK()s so far, good or bad */

/* Says where and, by the format, what was seen; the case will fail. */
void check_failed(const char *file, int line, const char *condition, const char *format, ...) PRINTF(4, 5);

/* For a case that cannot run here: it counts as skipped when it returns. */
void check_skip(const char *why);

#define CHECK(condition, ...)                                                                                          \
    do {                                                                                                               \
        check_count++;                                                                                                 \
        if (!(condition))                                                                                              \
            check_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);                                                 \
    } while (0)

#define CHECK_TEXT(got, want) CHECK(strcmp((got), (want)) == 0, "got '%s', want '%s'", (got), (want))

/* What the command line has after "--", up to NULL. */
extern char **unit_args;

struct unit {
    const char              *name;
    const struct CMUnitTest *cases;
    size_t                   count;
    CMFixtureFunction        set_up, tear_down;     /* around all cases of the file; may be NULL */
};

void unit_add(const struct unit *unit);

#define UNIT(unit_name, unit_cases, unit_set_up, unit_tear_down)                                                       \
    static __attribute__((constructor)) void add_unit(void)                                                            \
    {                                                                                                                  \
        static const struct unit unit = { #unit_name, unit_cases, COUNT_OF(unit_cases), unit_set_up, unit_tear_down }; \
                                                                                                                       \
        unit_add(&unit);                                                                                               \
    }
