#include "command/share_moves.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/console.h"
#include "command/share_notes.h"

#define MOVES_MAX 65536

static void put_lines(const char *text)
{
    size_t len;

    for (; *text; text += len + (text[len] == '\n')) {
        CLEANUP(mem_freep) char *line = mem_text_n(text, len = strcspn(text, "\n"));

        console_put(line, stdout);
        putchar('\n');
    }
}

void share_moves_tell(struct share_moves *moves, const struct share_view *view)
{
    struct buf text = BUF_INIT(MOVES_MAX);

    if (!share_view_has_body(view) || text_same(moves->seen, view->id))
        return;
    if (*moves->seen && share_add_moves(&text, &moves->before, &view->body)) {
        console_progress(NULL);
        printf("Table %lld moves these, which are read at the new place after 20 s:\n", (long long)view->table);
        put_lines(buf_text(&text));
    }
    memcpy(moves->seen, view->id, sizeof(moves->seen));
    share_body_free(&moves->before);
    share_body_copy(&view->body, &moves->before);
    buf_free(&text);
}

void share_moves_free(struct share_moves *moves)
{
    share_body_free(&moves->before);
}
