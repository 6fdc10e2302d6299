#include "share/share_private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "messages/diagnosis.h"
#include "messages/log_events.h"
#include "net/url.h"

#define DAY_S 86400

static const int ends_days[] = { 30, 7, 1, 0 };

char *share_advised(const char *why, const struct remedy *remedy)
{
    char text[sizeof(((struct err *)NULL)->text) + 512];

    snprintf(text, sizeof(text), "%s", why);
    if (!strstr(text, "administrator"))
        remedy_append(text, sizeof(text), remedy->responsible, remedy->advice);
    return mem_text(text);
}

/* Events of the core. */

static const char *counted(const struct share_event *event)
{
    return event->count == 1 ? "input" : "inputs";
}

static void log_moved(const struct share *share, enum event as, const struct share_event *event)
{
    const char *fact = as == EVENT_SHARE_TAKEN ? "from" : "to";

    log_event(as, "group=%s %s=%s n=%zu why=%s %s", share->spec.group, fact,
              QUOTED(*event->from ? event->from : "nobody"), event->count, QUOTED(event->why), counted(event));
}

/* Returns why nothing has confirmed who reads: what a call failed with just now. */
static const char *trouble_of(const struct share *share)
{
    if (share->trouble.why && clock_ms() - share->trouble.ms < SHARE_ALONE_MS)
        return share->trouble.why;
    return "calls took too long, or this process stood still";
}

static void log_one(struct share *share, const struct share_event *event)
{
    const char *group = share->spec.group, *from = event->from;
    const char *trouble = trouble_of(share);
    enum event as = event->kind == SHARE_EVENT_PAUSED ? EVENT_SHARE_PAUSED : EVENT_SHARE_ALONE;
    CLEANUP(mem_freep) char *advised = share_advised(trouble, &event_table[as].remedy);

    switch (event->kind) {
    case SHARE_EVENT_JOINED:
        log_event(EVENT_SHARE_JOINED, "group=%s forwarder=%s store=%s", group, QUOTED(share->spec.forwarder),
                  share_link_url(share->link, share_link_present(share->link)));
        return;
    case SHARE_EVENT_TAKEN: log_moved(share, EVENT_SHARE_TAKEN, event); return;
    case SHARE_EVENT_GIVEN: log_moved(share, EVENT_SHARE_GIVEN, event); return;
    case SHARE_EVENT_PAUSED:
        log_event(EVENT_SHARE_PAUSED, "group=%s why=%s nothing has confirmed for %d s who reads; the inputs wait",
                  group, QUOTED(advised), SHARE_FENCE_MS / 1000);
        return;
    case SHARE_EVENT_ALONE:
        log_event(EVENT_SHARE_ALONE,
                  "group=%s why=%s nothing has confirmed for %d s who reads; each input goes on with what "
                  "this forwarder knows",
                  group, QUOTED(advised), SHARE_ALONE_MS / 1000);
        return;
    case SHARE_EVENT_BACK:
        log_event(EVENT_SHARE_BACK, "group=%s the shared store confirms again who reads", group);
        return;
    case SHARE_EVENT_DEAD:
        log_event(EVENT_SHARE_DEAD, "group=%s forwarder=%s was not heard for %d s", group, QUOTED(from),
                  SHARE_SILENCE_MS / 1000);
        return;
    case SHARE_EVENT_ROLLED_BACK:
        log_event(EVENT_SHARE_ROLLED_BACK, "group=%s why=%s", group, QUOTED(event->why));
        return;
    case SHARE_EVENT_TWIN:
        log_event(EVENT_SHARE_TWIN, "group=%s forwarder=%s another process has this name; this one stays outside",
                  group, QUOTED(share->spec.forwarder));
        return;
    case SHARE_EVENT_TWIN_GONE:
        log_event(EVENT_SHARE_TWIN_GONE, "group=%s forwarder=%s nobody else has this name any more", group,
                  QUOTED(share->spec.forwarder));
        return;
    case SHARE_EVENT_NEWER:
        log_event(EVENT_SHARE_NEWER, "group=%s by=%s why=%s this forwarder stays outside", group, QUOTED(from),
                  QUOTED(event->why));
        return;
    case SHARE_EVENT_LEFT_OUT:
        log_event(EVENT_SHARE_LEFT_OUT, "group=%s n=%zu %s that no forwarder has any more", group, event->count,
                  counted(event));
        return;
    case SHARE_EVENT_BAD_RECORD:
        log_event(EVENT_SHARE_BAD_RECORD, "group=%s record=%s why=%s it is ignored", group, QUOTED(from),
                  QUOTED(event->why));
        return;
    }
}

void share_log_events(struct share *share)
{
    struct share_event event;

    while (share_core_take_event(share->core, &event))
        log_one(share, &event);
}

/* The store. */

/* Returns true if the host of the address is this one: loopback, or its name with or without a domain. */
static bool is_here(const struct share *share, const char *url)
{
    CLEANUP(mem_freep) char *host = url_host(url);
    size_t len = strcspn(host, "."), own_len = strcspn(share->spec.forwarder, ".");

    return url_is_loopback(url) || (len && len == own_len && !strncasecmp(host, share->spec.forwarder, len));
}

void share_log_place(const struct share *share)
{
    size_t i;

    for (i = 0; i < share_link_count(share->link); i++)
        if (is_here(share, share_link_url(share->link, i)))
            log_event(EVENT_SHARE_STORE_HERE, "group=%s store=%s", share->spec.group, share_link_url(share->link, i));
}

void share_note_trouble(struct share *share, const struct err *err, int64_t now_ms)
{
    free(share->trouble.why);
    share->trouble.why = mem_text(err->text);
    share->trouble.ms = now_ms;
}

void share_log_refused(struct share *share, const struct err *err)
{
    CLEANUP(mem_freep) char *why = share_advised(err ? err->text : "", &diagnosis_table[DIAGNOSIS_STORE_AWAY].remedy);

    if (err && !text_same(share->refused, err->text))
        log_event(EVENT_SHARE_REFUSED, "group=%s why=%s this forwarder cannot take part until then", share->spec.group,
                  QUOTED(why));
    mem_freep(&share->refused);
    if (err)
        share->refused = mem_text(err->text);
}

/* While the store is not there at all, other lines say so. */
void share_log_unsaved(struct share *share)
{
    const struct err *err = share_checkpoints_trouble(share->checkpoints);
    CLEANUP(mem_freep) char *why = share_advised(err ? err->text : "", &event_table[EVENT_SHARE_CHECKPOINT].remedy);

    if (err && !text_same(share->said.state, "member"))
        return;
    if (err && !text_same(share->unsaved, err->text))
        log_event(
            EVENT_SHARE_CHECKPOINT,
            "group=%s why=%s checkpoints are not in the shared store; a forwarder that takes over begins with older "
            "ones",
            share->spec.group, QUOTED(why));
    mem_freep(&share->unsaved);
    share->unsaved = err ? mem_text(err->text) : NULL;
}

/* Logs once each that the token lasts 30, 7 and 1 days at most, and that it has ended. */
static void log_token_end(struct share *share)
{
    int64_t left_s = share->token.ends_s - clock_wall_ms() / 1000;
    int days = INT_MAX;
    size_t i;

    for (i = 0; share->token.ends_s && i < COUNT_OF(ends_days); i++)
        if (left_s <= (int64_t)ends_days[i] * DAY_S)
            days = ends_days[i];
    if (days < share->token.days_said)
        log_event(EVENT_SHARE_TOKEN_ENDS, "group=%s days=%lld", share->spec.group,
                  (long long)(left_s > 0 ? left_s / DAY_S : 0));
    share->token.days_said = days;
}

/* The status line. */

static void summary_of(const struct share *share, int64_t now_ms, struct share_summary *ret)
{
    *ret = (struct share_summary){ .state = "outside", .of = share->count, .confirmed_ms = -1, .lag_ms = -1 };
    if (share->phase == SHARE_WANTS_HOST)
        ret->state = "waiting";
    if (share->core && share->phase == SHARE_RUNS)
        share_core_summary(share->core, now_ms, ret);
}

static void log_summary(struct share *share, const struct share_summary *summary)
{
    const char *store = share->link ? share_link_url(share->link, share_link_present(share->link)) : "none";

    log_event(EVENT_SHARE,
              "group=%s forwarder=%s state=%s table=%lld members=%zu held=%zu of=%zu confirmed_ms=%lld store=%s "
              "lag_ms=%lld well=%s",
              share->spec.group, QUOTED(share->spec.forwarder), summary->state, (long long)summary->table,
              summary->members, summary->held, share->count, (long long)summary->confirmed_ms, store,
              (long long)summary->lag_ms, share->well ? "yes" : "no");
    share->said = (struct share_said){ summary->state, summary->table, summary->members, summary->held, share->well };
}

void share_log_change(struct share *share, int64_t now_ms)
{
    const struct share_said *said = &share->said;
    struct share_summary summary;

    summary_of(share, now_ms, &summary);
    if (!text_same(said->state, summary.state) || said->table != summary.table || said->members != summary.members ||
        said->held != summary.held || said->well != share->well)
        log_summary(share, &summary);
}

void share_log_status(struct share *share, int64_t now_ms)
{
    struct share_summary summary;

    summary_of(share, now_ms, &summary);
    log_summary(share, &summary);
    if (share->token.ends_s)
        log_token_end(share);
}
