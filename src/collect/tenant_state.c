/* What the record of an input in the KV store says (collect/state_writer.h). */
#include "collect/tenant_private.h"

#include "base/text.h"

#define TODO_MAX 600

static void look(void *ctx, int64_t now_ms, struct state_look *ret)
{
    const struct tenant *t = ctx;
    const struct tally *tally = &t->feed.tally;
    struct status status = tenant_brief_status(t, now_ms);
    struct condition_facts facts;

    status_facts(&status, now_ms, &facts);
    ret->condition = condition_of(&facts);
    ret->rank = condition_rank(ret->condition, &facts);
    ret->counts = (struct history_counts){ .new_events = tally->new_events,
                                           .requests = tally->requests,
                                           .throttled = tally->throttled,
                                           .failed = tally->failed + tally->refused };
}

static void add_dates(const struct status *status, struct fields *fields, int64_t now_ms)
{
    const struct feed *feed = status->feed;
    ticks newest = status_newest_alert(status);

    if (feed->read_ms)
        fields_number(fields, "last_poll", (clock_wall_ms() - (now_ms - feed->read_ms)) / 1000);
    if (newest)
        fields_number(fields, "newest_alert", ticks_to_ms(newest) / 1000);
    if (feed->progress.begun)
        fields_number(fields, "began", ticks_to_ms(feed->progress.cursor.begin) / 1000);
}

/* Returns the word of the customers page for what an input signs in with (principal_credential()). */
static const char *secret_word(const char *credential)
{
    static const struct {
        const char *credential, *word;
    } words[] = { { "secret", "stored" }, { "none", "missing" }, { "refresh_token", "delegated" } };
    size_t i;

    for (i = 0; i < COUNT_OF(words); i++)
        if (text_same(words[i].credential, credential))
            return words[i].word;
    return credential;
}

static void add_facts(void *ctx, struct fields *fields, int64_t now_ms)
{
    const struct tenant *t = ctx;
    struct status status = tenant_status(t, now_ms);
    CLEANUP(buf_free) struct buf todo = BUF_INIT(TODO_MAX);
    struct condition_facts facts;

    status_facts(&status, now_ms, &facts);
    status_add_todo(&status, t->record.at.condition, &facts, &todo);
    fields_text(fields, "todo", buf_text(&todo));
    if (status.reader)
        fields_text(fields, "reader", status.reader);
    status_add(&status, fields, now_ms);
    add_dates(&status, fields, now_ms);
    if (status.credential)
        fields_word(fields, "secret", secret_word(status.credential));
}

const struct state_source tenant_state = { look, add_facts };
