/* The decisions of a token source. */
#include "auth/token_source_private.h"

static struct source_next begin(const struct source_facts *facts)
{
    if (!facts->credential)
        return (struct source_next){ SOURCE_RETRY, DO_REFUSE };
    if (facts->lacks_assertion)
        return (struct source_next){ SOURCE_ASSERTION, DO_FETCH_ASSERTION };
    if (facts->redeems && facts->redeemer_busy)
        return (struct source_next){ SOURCE_WAIT, DO_NOTHING };
    return (struct source_next){ SOURCE_QUEUED, DO_ACQUIRE };
}

/* The credential may have become one to be redeemed while the source was in the queue. */
static struct source_next let_through(const struct source_facts *facts)
{
    if (facts->redeems && facts->redeemer_busy)
        return (struct source_next){ SOURCE_WAIT, DO_RELEASE };
    return (struct source_next){ SOURCE_REQUEST, DO_SEND };
}

static struct source_next answered(enum source_event event, const struct source_facts *facts)
{
    switch (event) {
    case ON_TOKEN: return (struct source_next){ SOURCE_IDLE, DO_USE };
    case ON_ROTATED: return (struct source_next){ SOURCE_STORING, DO_STORE };
    case ON_OTHER_FORM: return (struct source_next){ SOURCE_QUEUED, DO_ACQUIRE };
    case ON_FAILURE:
        if (facts->code_sent)
            return (struct source_next){ SOURCE_IDLE, DO_FAIL_CODE };
        return (struct source_next){ SOURCE_RETRY, DO_FAIL };
    default: return (struct source_next){ SOURCE_REQUEST, DO_NOTHING };
    }
}

struct source_next token_next(enum source_state state, enum source_event event, const struct source_facts *facts)
{
    bool asked = event == ON_ASK && facts->due;

    if (event == ON_CREDENTIAL)
        return (struct source_next){ state == SOURCE_RETRY ? SOURCE_IDLE : state, DO_FORGIVE };
    switch (state) {
    case SOURCE_IDLE:
        if (asked || event == ON_CODE)
            return begin(facts);
        break;
    case SOURCE_RETRY:
        if ((asked && facts->retry_due) || event == ON_CODE)
            return begin(facts);
        break;
    case SOURCE_ASSERTION:
        if (event == ON_ASSERTION)
            return begin(facts);
        break;
    case SOURCE_WAIT:
        if (event == ON_REDEEMED && !facts->credential)
            return (struct source_next){ SOURCE_IDLE, DO_TELL }; /* nobody hears of a refusal without asking */
        if (asked || event == ON_REDEEMED)
            return begin(facts);
        break;
    case SOURCE_QUEUED:
        if (event == ON_SLOT)
            return let_through(facts);
        break;
    case SOURCE_REQUEST: return answered(event, facts);
    case SOURCE_STORING:
        if (event == ON_STORED)
            return (struct source_next){ SOURCE_IDLE, DO_USE };
        if (event == ON_NOT_STORED)
            return (struct source_next){ SOURCE_STORE_WAIT, DO_STORE_LATER };
        break;
    case SOURCE_STORE_WAIT:
        if (event == ON_TIMER)
            return (struct source_next){ SOURCE_STORING, DO_STORE };
        break;
    }
    return (struct source_next){ state, DO_NOTHING };
}
