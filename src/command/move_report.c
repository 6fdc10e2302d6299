/* What is told of the inputs that were to be moved. */
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/move_private.h"
#include "command/wrap.h"

#define NAME_MOST  28
#define WORD_WIDTH 20
#define JSON_MAX   (64u * 1024 * 1024)

static const char *word_of(const struct mover *mover)
{
    if (mover->moved == MOVED_DONE)
        return mover->move->options->dry_run ? "would be moved" : "moved";
    return mover->moved == MOVED_REFUSED ? "refused" : "not moved";
}

/* Returns which parameters were emptied, for the end of a sentence. */
static const char *emptied(const struct mover *mover)
{
    if (mover->moved != MOVED_DONE || !mover->list[2])
        return "";
    return mover->list[4] ? "; api_url and resource are emptied" : "; api_url or resource is emptied";
}

/* Returns why the input was not moved, or what a person should know of the move. */
static char *reason_of(const struct mover *mover)
{
    const struct compared *compared = &mover->outcome->compared;
    const char *present = mover->outcome->api ? mover->outcome->api : "", *to = mover->move->to->name;

    if (mover->moved == MOVED_REFUSED)
        return mem_format("splunkd: %s", mover->err.text);
    switch (compared->result) {
    case COMPARE_NOT: return mem_text(mover->outcome->err.text);
    case COMPARE_SAME:
        return mem_format("%zu in both, %zu only in %s%s", compared->both, compared->other_count, to, emptied(mover));
    case COMPARE_LACKS:
        return mem_format("%zu only in %s, such as %s%s%s", compared->present_count, present, compared->only_present[0],
                          mover->moved == MOVED_DONE ? "" : "; --accept-missing moves the input nevertheless",
                          emptied(mover));
    case COMPARE_ANSWERS:
        return mem_format("%s answers%s; %s could not be listed: %s", to, emptied(mover), present, compared->err.text);
    default: return mem_text(compared->err.text);
    }
}

static void print_mover(const struct mover *mover, size_t column, struct wrap *to)
{
    CLEANUP(mem_freep) char *reason = reason_of(mover);

    wrap_begin(to, 0, 4);
    wrap_add(to, mover->stanza->name, NULL);
    wrap_move(to, column);
    wrap_add(to, word_of(mover), mover->moved == MOVED_DONE ? WRAP_GREEN : WRAP_RED);
    wrap_move(to, column + WORD_WIDTH);
    wrap_add(to, reason, NULL);
    wrap_end(to);
}

static void print_json(const struct move *move)
{
    struct buf out = BUF_INIT(JSON_MAX);
    size_t i;

    buf_add_format(&out, "{\"api\":\"%s\",\"dry_run\":%s,\"there_already\":%zu,\"other_apis\":%zu,\"inputs\":[",
                   move->to->name, move->options->dry_run ? "true" : "false", move->there, move->elsewhere);
    for (i = 0; i < move->count; i++) {
        const struct mover *mover = &move->movers[i];
        CLEANUP(mem_freep) char *reason = reason_of(mover);

        buf_add_format(&out, "%s{\"input\":", i ? ",\n" : "\n");
        buf_add_json(&out, mover->stanza->name);
        buf_add_format(&out,
                       ",\"moved\":%s,\"compared\":\"%s\",\"text\":", mover->moved == MOVED_DONE ? "true" : "false",
                       compared_word(mover->outcome->compared.result));
        buf_add_json(&out, reason);
        buf_add_char(&out, '}');
    }
    buf_add_text(&out, "\n]}\n");
    fwrite(buf_text(&out), 1, out.len, stdout);
    buf_free(&out);
}

static void print_table(const struct move *move, size_t moved)
{
    struct wrap to = { .to = stdout, .width = wrap_width(1), .colors = wrap_colors(1) };
    size_t i, column = 0;
    char line[400];

    for (i = 0; i < move->count; i++) {
        size_t columns = wrap_columns(move->movers[i].stanza->name);

        column = columns > column && columns <= NAME_MOST ? columns : column;
    }
    for (i = 0; i < move->count; i++)
        print_mover(&move->movers[i], column + 2, &to);
    wrap_skip(&to);
    snprintf(line, sizeof(line), "%zu %s to %s, %zu not moved, %zu there already, %zu of other APIs.", moved,
             move->options->dry_run ? "would be moved" : "moved", move->to->name, move->count - moved, move->there,
             move->elsewhere);
    wrap_line(&to, 0, 0, line);
}

int move_report(const struct move *move)
{
    size_t i, moved = 0;

    for (i = 0; i < move->count; i++)
        moved += move->movers[i].moved == MOVED_DONE;
    if (move->options->as_json)
        print_json(move);
    else
        print_table(move, moved);
    return fflush(stdout) == 0 && moved == move->count ? 0 : 1;
}
