/* Checkpoint files. What is taken can be written, and what is written reads as the same; what is refused leaves nothing
 * behind and says why in one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "state/checkpoint.h"
#include "fuzz.h"

#define TEXT_MOST (64u << 20)

struct expectation {
    const struct dedup *dedup;
    const struct cursor *cursor;
    size_t count;
};

static void expect(void *ctx, const struct dedup_entry *entry)
{
    struct expectation *exp = ctx;

    if (!cursor_needs(exp->cursor, entry->time, 900))
        return;
    exp->count++;
    need(dedup_has(exp->dedup, entry->key), "a version that the place needs is kept");
}

/* Broken UTF-8 is written as U+FFFD. */
static bool utf8_same(const char *before, const char *after)
{
    size_t at, n;

    for (at = 0; before[at]; at += n)
        if (!(n = utf8_length((const unsigned char *)before + at, strlen(before + at))))
            return strlen(after) > at && !strncmp(before, after, at);
    return !strcmp(before, after);
}

static void again(const struct checkpoint *cp, struct dedup *dedup)
{
    struct buf text = BUF_INIT(TEXT_MOST);
    struct checkpoint copy = { .imported_count = 0 };
    struct dedup *copied = dedup_new();
    struct expectation exp = { copied, &cp->cursor, 0 };
    struct cursor raised = cp->cursor;
    struct err err;

    checkpoint_format(cp, &cp->cursor, &cp->quarantine, dedup, 0, 900, &text);
    need(!text.full && checkpoint_parse(text.data, text.len, &copy, copied, &err), "what was written can be read");
    cursor_raise_floors(&raised, 900);
    need(cursor_same_saved(&raised, &copy.cursor, 900), "the place is the same");
    need(cp->has_ledger == copy.has_ledger && cp->ledger == copy.ledger, "what it says of the ledger is the same");
    need(utf8_same(cp->tenant_id, copy.tenant_id) && utf8_same(cp->api, copy.api), "tenant_id and api are the same");
    need(cp->imported_count == copy.imported_count && !memcmp(cp->imported, copy.imported, sizeof(copy.imported)),
         "taken is the same");
    dedup_each(dedup, expect, &exp);
    need(exp.count == dedup_count(copied), "no version came from nowhere");
    checkpoint_release(&copy);
    dedup_free(copied);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct checkpoint cp = { .imported_count = 0 };
    struct dedup *dedup = dedup_new();
    struct err err = { .text = "" };

    if (checkpoint_parse((const char *)data, size, &cp, dedup, &err)) {
        again(&cp, dedup);
    } else {
        need(err.kind == ERR_INPUT && err.text[0] && !strpbrk(err.text, "\r\n"), "a refusal says why");
        need(!cp.tenant_id && !cp.api && !cp.imported_count && !dedup_count(dedup), "a refusal leaves nothing behind");
    }
    checkpoint_release(&cp);
    dedup_free(dedup);
    return 0;
}
