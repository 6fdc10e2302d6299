#include "collect/loss.h"

#include <string.h>

#include "base/text.h"
#include "messages/diagnosis.h"
#include "microsoft/aad.h"

#define DAY_MS (INT64_C(86400) * 1000)

/* Returns true if a 403 speaks of a license, of a tenant that is gone, or of a permission that is no longer granted. The
 * advice of our own text has none of these words. */
static bool is_told_so(const char *text)
{
    static const char *const words[] = { "licens",
                                         "licenc",
                                         "subscription",
                                         "provisioned",
                                         "onboard",
                                         "application roles",
                                         "valid permissions",
                                         "not managed",
                                         "been deleted",
                                         "not enabled for" };
    size_t i;

    for (i = 0; i < COUNT_OF(words); i++)
        if (strcasestr(text, words[i]))
            return true;
    return false;
}

bool loss_fits(const struct err *err)
{
    if (err->kind != ERR_AUTH)
        return false;
    return aad_customer_left(aad_code_in(err)) ||
           (text_same(err->cause, diagnosis_table[DIAGNOSIS_HTTP_403].word) && is_told_so(err->text));
}

bool loss_explains(const struct loss *loss, const struct err *err)
{
    return loss->worked && loss_fits(err);
}

void loss_resume(struct loss *loss, ticks said, ticks now, int64_t now_ms)
{
    int64_t age_ms = (now - said) / TICKS_PER_MS;

    loss->lost = said != 0;
    loss->said = said;
    if (age_ms < 0) /* by a clock that was ahead */
        age_ms = 0;
    loss->said_ms = now_ms - (age_ms < DAY_MS ? age_ms : DAY_MS);
}

bool loss_say(struct loss *loss, ticks now, int64_t now_ms)
{
    bool due = !loss->said || now_ms - loss->said_ms >= DAY_MS;

    loss->lost = true;
    if (due) {
        loss->said = now;
        loss->said_ms = now_ms;
    }
    return due;
}
