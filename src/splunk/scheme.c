#include "splunk/scheme.h"

#include "base/text.h"
#include "splunk/params.h"

#define INDENT      "  "
#define INDENT_ARG  "        "
#define TITLE       "Microsoft Defender alerts"
#define DESCRIPTION "Alerts and incidents of one customer's tenant from Microsoft Defender, one input per customer."

/* Appends text without a format: splunkd runs --scheme at each start, and formatting took most of the time. */
static void add_text_element(struct buf *ret, const char *indent, const char *name, const char *text)
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

/* Writes every element, since splunkd's defaults differ from its documentation. All values are strings to splunkd:
 * --validate-arguments checks them, with better messages. */
static void add_param(struct buf *ret, const struct param *param)
{
    buf_add_format(ret, "      <arg name=\"%s\">\n", param->name);
    add_text_element(ret, INDENT_ARG, "title", param->title);
    add_text_element(ret, INDENT_ARG, "description", param->help);
    add_text_element(ret, INDENT_ARG, "data_type", "string");
    add_text_element(ret, INDENT_ARG, "required_on_edit", "false");
    add_text_element(ret, INDENT_ARG, "required_on_create", param->required ? "true" : "false");
    buf_add_text(ret, "      </arg>\n");
}

void scheme_print(struct buf *ret)
{
    size_t i;

    buf_add_text(ret, "<scheme>\n");
    add_text_element(ret, INDENT, "title", TITLE);
    add_text_element(ret, INDENT, "description", DESCRIPTION);
    add_text_element(ret, INDENT, "use_external_validation", "true");
    add_text_element(ret, INDENT, "use_single_instance", "true");
    add_text_element(ret, INDENT, "streaming_mode", "xml");
    buf_add_text(ret, "  <endpoint>\n    <args>\n");
    for (i = 0; i < params_count; i++)
        add_param(ret, &params[i]);
    buf_add_text(ret, "    </args>\n  </endpoint>\n</scheme>\n");
}
