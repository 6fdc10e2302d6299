#include "splunk/validate.h"

#include "base/clock.h"
#include "base/text.h"

#define AHEAD_MOST_MS (5 * 60 * 1000) /* clocks differ */

/* Refuses a start in the future, which is mostly a slip: the input would say nothing until then. */
static bool start_has_come(const struct input *input, struct err *err)
{
    return input->start_time.relative || input->start_time.time <= ticks_from_ms(clock_wall_ms() + AHEAD_MOST_MS) ||
           err_set(err, ERR_INPUT, "start_time is in the future (check year, month and day), but it should be a time "
                                   "in the past, from which alerts are read");
}

bool validate_items(const struct config *config, struct input *ret, struct err *err)
{
    if (config->count != 1)
        return err_set(err, ERR_INPUT, "splunkd sent %zu <item> elements to validate, but there should be exactly one",
                       config->count);
    if (!input_from_stanza(&config->stanzas[0], true, ret, err))
        return false;
    if (start_has_come(ret, err) && stanza_is_plain(&config->stanzas[0], err))
        return true;
    input_free(ret);
    return false;
}

void validate_print_refusal(struct buf *ret, const char *text)
{
    buf_add_text(ret, "<error><message>");
    buf_add_xml(ret, text);
    buf_add_text(ret, "</message></error>\n");
}
