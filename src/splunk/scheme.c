#include "splunk/scheme.h"

#include "base/text.h"
#include "splunk/params.h"

#define INDENT      "  "
#define INDENT_ARG  "        "
#define TITLE       "Microsoft Defender alerts"
#define DESCRIPTION "Alerts and incidents of one customer's tenant from Microsoft Defender, one input per customer."

/* In pieces, without a format: splunkd runs this at each of its starts, and the formatting was most of the work. */
static void add_element(struct buf *ret, const char *indent, const char *name, const char *text)
{
    buf_add_text(ret, indent);
    buf_add_text(ret, "<");
    buf_add_text(ret, name);
    buf_add_text(ret, ">");
    buf_add_xml(ret, text);
    buf_add_text(ret, "</");
    buf_add_text(ret, name);
    buf_add_text(ret, ">\n");
}

/* Every element is said: splunkd's own defaults differ from what its SDKs document. The values are checked by us, in
 * our words, so all are strings to splunkd. */
static void add_param(struct buf *ret, const struct param *param)
{
    buf_add_format(ret, "      <arg name=\"%s\">\n", param->name);
    add_element(ret, INDENT_ARG, "title", param->title);
    add_element(ret, INDENT_ARG, "description", param->help);
    add_element(ret, INDENT_ARG, "data_type", "string");
    add_element(ret, INDENT_ARG, "required_on_edit", "false");
    add_element(ret, INDENT_ARG, "required_on_create", param->required ? "true" : "false");
    buf_add_text(ret, "      </arg>\n");
}

void scheme_print(struct buf *ret)
{
    size_t i;

    buf_add_text(ret, "<scheme>\n");
    add_element(ret, INDENT, "title", TITLE);
    add_element(ret, INDENT, "description", DESCRIPTION);
    add_element(ret, INDENT, "use_external_validation", "true");
    add_element(ret, INDENT, "use_single_instance", "true");
    add_element(ret, INDENT, "streaming_mode", "xml");
    buf_add_text(ret, "  <endpoint>\n    <args>\n");
    for (i = 0; i < params_count; i++)
        add_param(ret, &params[i]);
    buf_add_text(ret, "    </args>\n  </endpoint>\n</scheme>\n");
}
