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

/* A page between two that nobody may touch. */
static char *guarded(size_t page)
{
    char *room = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (room == MAP_FAILED || mprotect(room + page, page, PROT_READ | PROT_WRITE))
        return NULL;
    return room + page;
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
static void test_at(char *text, char *first, char *end)
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

int main(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
    char *room = guarded(page);

    if (!room)
        return 1;
    for (i = 0; i < 20; i++) {
        test_at(room + i, room, room + page);
        test_at(room + page - LEN_MOST - i, room, room + page);
        test_at(room + page - 1 - i, room, room + page);
    }
    memset(room, 'x', page);
    room[10] = 'y';
    CHECK(find_byte(room, 'y', SIZE_MAX) == room + 10, "a length without a meaning");
    CHECK(!find_byte(NULL, 'y', 0), "nothing at all");
    return check_summary();
}

#else

int main(void)
{
    return check_summary();
}

#endif
