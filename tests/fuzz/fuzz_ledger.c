/* Ledger files: the line and the slots. What is read of any file can be copied, and the copy reads as the same; a file
 * that is continued takes more, and gives it back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "fuzz.h"
#include "state/ledger.h"

#define DAY 20000u

struct seen {
    uint64_t keys, sum, marks;
    uint32_t from;
};

static void see(void *ctx, const struct ledger_item *item)
{
    struct seen *seen = ctx;

    need(item->kind != LEDGER_NOTHING && item->kind <= LEDGER_KEY && item->day <= LEDGER_DAY_MOST, "an item is one");
    if (item->kind == LEDGER_DAY || item->kind == LEDGER_DROPPED || item->day < seen->from)
        return;
    seen->keys += item->kind == LEDGER_KEY;
    seen->marks += item->kind != LEDGER_KEY;
    seen->sum += item->value * (item->day + 1u) + (uint64_t)item->kind;
}

static struct seen look(const char *path, const struct ledger_head *head, uint64_t size, uint32_t from)
{
    struct seen seen = { .from = from };
    struct err err;

    need(ledger_walk(path, &head->line, size, see, &seen, &err), "a file can be read");
    return seen;
}

/* Drops what is older than a day. */
static void copy(const char *path, const struct ledger_head *head, uint32_t keep_from)
{
    uint64_t size = head->line.len + (head->size - head->line.len) / LEDGER_SLOT * LEDGER_SLOT;
    struct seen before = look(path, head, size, keep_from), after;
    struct ledger_job job = { .change = LEDGER_COMPACT, .line_len = head->line.len, .id = head->line.id, .size = size,
                              .keep_from = keep_from, .bytes = BUF_INIT(1000) };
    struct ledger_head copied;
    struct err err;

    job.path = strdup(path);
    job.temp = strdup("/tmp/fuzz_ledger.tmp");
    ledger_job_write(&job, true);
    ledger_job_commit(&job);
    need(!job.error && ledger_read_head(path, &copied, &err) && copied.size == job.new_size, "a copy is a ledger");
    after = look(path, &copied, copied.size, keep_from);
    need(before.keys == after.keys && before.sum == after.sum && before.marks == after.marks, "a copy has it all");
    ledger_job_release(&job);
}

static void go_on(const char *path, const struct ledger_head *head)
{
    int64_t end = (int64_t)(head->dropped + (head->size - head->line.len - LEDGER_MARK) / LEDGER_SLOT * LEDGER_SLOT);
    struct ledger *ledger = ledger_new(head->line.of);
    uint64_t before, after, sum;
    struct ledger_job job;
    struct err err;

    ledger_place(ledger, path);
    need(ledger_continue(ledger, end, head->line.id, 1, false), "it goes on");
    need(ledger_look(ledger, ledger_day_begin(DAY), &err) && ledger_sum(ledger, DAY, &before, &sum, &err), "it is read");
    ledger_add(ledger, UINT64_C(0x123456789abcdef1), ledger_day_begin(DAY), 1);
    ledger_prepare(ledger, 1, ledger_day_begin(DAY));
    ledger_make_job(ledger, true, &job);
    ledger_job_write(&job, false);
    ledger_ended(ledger, &job, true);
    need(!job.error && ledger_sum(ledger, DAY, &after, &sum, &err), "it takes more");
    need(after == before + 1 || after == before, "the rest stays");
    ledger_job_release(&job);
    ledger_free(ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    struct ledger_head head;
    struct ledger_line line;
    struct err err = { .text = "" };

    if (!*path)
        snprintf(path, sizeof(path), "/tmp/fuzz_ledger_%d", (int)getpid());
    need(file_write(path, (const char *)data, size, false, &err), "a place for the file");
    if (ledger_parse_line((const char *)data, size, &line))
        need(line.len <= size && memchr(data, '\n', size) == data + line.len - 1, "the line ends at its end");
    if (ledger_read_head(path, &head, &err)) {
        need(head.size == size && head.dropped < UINT64_C(1) << 56, "its head is as it is");
        copy(path, &head, data[size - 1] % 2 ? DAY : 0);
        need(ledger_read_head(path, &head, &err), "it still has a head");
        go_on(path, &head);
    } else {
        need(err.kind == ERR_INPUT && err.text[0] && !strpbrk(err.text, "\r\n"), "a refusal says why");
    }
    unlink(path);
    return 0;
}
