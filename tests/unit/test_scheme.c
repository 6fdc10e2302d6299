/* The --scheme document: well-formed, complete, in the order that every SDK emits. */
#include "splunk/scheme.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>

#include "check.h"
#include "splunk/params.h"

#define TEXT(xml) ((const char *)(xml))

static xmlDoc *doc;

/* Next element at or after the node; white space between elements is passed over. */
static xmlNode *element(xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

/* Is this the element of that name, holding that text (NULL: any that is not empty)? Returns the one behind it. */
static xmlNode *expect(xmlNode *node, const char *name, const char *text)
{
    xmlChar *content = node ? xmlNodeGetContent(node) : NULL;

    CHECK(node && strcmp(TEXT(node->name), name) == 0, "want <%s>, got <%s>", name,
          node ? TEXT(node->name) : "nothing");
    if (text)
        CHECK(content && strcmp(TEXT(content), text) == 0, "<%s> is '%s'", name, TEXT(content));
    else
        CHECK(content && *content, "<%s> is empty", name);
    xmlFree(content);
    return node ? element(node->next) : NULL;
}

static void check_arg(xmlNode *arg, const struct param *param)
{
    xmlChar *name = xmlGetProp(arg, (const xmlChar *)"name");
    xmlNode *child = element(arg->children);

    CHECK_TEXT(TEXT(name), param->name);
    xmlFree(name);
    child = expect(child, "title", param->title);
    child = expect(child, "description", param->help);
    child = expect(child, "data_type", "string");
    child = expect(child, "required_on_edit", "false");
    child = expect(child, "required_on_create", param->required ? "true" : "false");
    CHECK(!child, "more than expected in %s", param->name);
}

/* The last one of the root: what the parameters are. */
static xmlNode *endpoint(void)
{
    xmlNode *node = xmlGetLastChild(xmlDocGetRootElement(doc));

    while (node && node->type != XML_ELEMENT_NODE)
        node = node->prev;
    return node;
}

/* promise: Calls: The answer to --scheme is complete and in order. */
static void test_head(void **state UNUSED)
{
    xmlNode *node = xmlDocGetRootElement(doc);

    CHECK_TEXT(TEXT(node->name), "scheme");
    node = expect(element(node->children), "title", NULL);
    node = expect(node, "description", NULL);
    node = expect(node, "use_external_validation", "true");
    node = expect(node, "use_single_instance", "true");
    node = expect(node, "streaming_mode", "xml");
    CHECK(node && strcmp(TEXT(node->name), "endpoint") == 0 && !element(node->next), "no endpoint at the end");
    node = element(node->children);
    CHECK(node && strcmp(TEXT(node->name), "args") == 0 && !element(node->next), "no args");
}

/* promise: Calls: The answer to --scheme is complete and in order. */
static void test_args(void **state UNUSED)
{
    xmlNode *args = endpoint() ? element(endpoint()->children) : NULL, *node = args ? element(args->children) : NULL;
    size_t i;

    for (i = 0; i < params_count && node; i++, node = element(node->next))
        check_arg(node, &params[i]);
    CHECK(i == params_count && !node, "%zu args", i);
}

static int set_up(void **state UNUSED)
{
    struct buf out = BUF_INIT(1 << 20);

    scheme_print(&out);
    doc = xmlReadMemory(out.data, (int)out.len, NULL, NULL, XML_PARSE_NONET);
    CHECK(doc != NULL, "not well-formed: %s", buf_text(&out));
    buf_free(&out);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    xmlFreeDoc(doc);
    return 0;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_head),
    cmocka_unit_test(test_args),
};

UNIT(scheme, cases, set_up, tear_down)
