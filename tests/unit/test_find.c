/* The release program's own strlen() and memchr(), under other names and against a byte by byte model: at the ends of
 * readable memory, at every alignment, with what is looked for before, in and behind the text. */
#include "check.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)

#define strlen find_end
#define memchr find_byte
#include "../../package/runtime/find-x86_64.c"
#undef strlen
#undef memchr

#define LEN_MOST 70
#define SHIFTS   20

static size_t page;
static char  *room;          /* one page of memory */

/* A page between two that nobody may touch. */
static int set_up(void **state UNUSED)
{
    char *pages;

    page = (size_t)sysconf(_SC_PAGESIZE);
    pages = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_READ | PROT_WRITE))
        return -1;
    room = pages + page;
    return 0;
}

static const void *model(const char *text, char value, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        if (text[i] == value)
            return text + i;
    return NULL;
}

/* All lengths at text, with a hit at each place of it, and just before and behind it. */
static void check_at(char *text, char *first, char *end)
{
    size_t len, at;

    for (len = 0; len < LEN_MOST && text + len < end; len++) {
        memset(first, 'x', (size_t)(end - first));
        text[len] = '\0';
        if (text > first)
            text[-1] = '\0';
        CHECK(find_end(text) == len, "%zu bytes, found %zu", len, find_end(text));
        for (at = 0; at <= len; at++) {
            if (text > first)
                text[-1] = '\xfe';
            text[at] = '\xfe';
            CHECK(find_byte(text, 0xfe, len) == model(text, '\xfe', len), "in %zu bytes, one at %zu", len, at);
            text[at] = 'x';
        }
        CHECK(!find_byte(text, 0xfe, len), "in %zu bytes, none", len);
    }
}

static void test_at_the_beginning_of_memory(void **state UNUSED)
{
    for (size_t i = 0; i < SHIFTS; i++)
        check_at(room + i, room, room + page);
}

static void test_before_the_end_of_memory(void **state UNUSED)
{
    for (size_t i = 0; i < SHIFTS; i++)
        check_at(room + page - LEN_MOST - i, room, room + page);
}

static void test_at_the_end_of_memory(void **state UNUSED)
{
    for (size_t i = 0; i < SHIFTS; i++)
        check_at(room + page - 1 - i, room, room + page);
}

static void test_a_length_without_a_meaning(void **state UNUSED)
{
    memset(room, 'x', page);
    room[10] = 'y';
    CHECK(find_byte(room, 'y', SIZE_MAX) == room + 10, "a length without a meaning");
    CHECK(!find_byte(NULL, 'y', 0), "nothing at all");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_at_the_beginning_of_memory),
    cmocka_unit_test(test_before_the_end_of_memory),
    cmocka_unit_test(test_at_the_end_of_memory),
    cmocka_unit_test(test_a_length_without_a_meaning),
};

UNIT(find, cases, set_up, NULL)

#endif      /* other machines have musl's own */
