#include "splunk/validate.h"

#include "base/text.h"

bool validate_items(const struct config *config, struct input *ret, struct err *err)
{
    if (config->count != 1)
        return err_set(err, ERR_INPUT, "splunkd sent %zu <item> elements to validate, but there should be exactly one",
                       config->count);
    if (!input_from_stanza(&config->stanzas[0], true, ret, err))
        return false;
    if (stanza_is_plain(&config->stanzas[0], err))
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
