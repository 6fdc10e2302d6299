#include "splunk/config_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const struct {
    const char *name;
    enum element parent, element;
} elements[] = { { "server_host", ROOT, SERVER_HOST },
                 { "server_uri", ROOT, SERVER_URI },
                 { "session_key", ROOT, SESSION_KEY },
                 { "checkpoint_dir", ROOT, CHECKPOINT_DIR },
                 { "configuration", ROOT, CONFIGURATION },
                 { "stanza", CONFIGURATION, STANZA },
                 { "item", ROOT, STANZA },
                 { "param", STANZA, PARAM },
                 { "param_list", STANZA, PARAM_LIST },
                 { "value", PARAM_LIST, VALUE } };

static const char *root_name(enum config_root root)
{
    return root == CONFIG_INPUT ? "input" : "items";
}

void config_stop(struct config_reader *reader)
{
    reader->failed = true;
    xmlStopParser(reader->xml);
}

/* Returns a copy of an attribute's value. Entity substitution is off, which leaves each '&' as "&#38;", and nothing
 * else. Caller frees. */
static char *attribute_text(const char *at, const char *end)
{
    static const char ampersand[] = "&#38;";
    char *text = mem_text_n(at, (size_t)(end - at)), *to = text;
    const char *from = text;

    while (*from) {
        *to++ = *from;
        from += text_starts(from, ampersand) ? strlen(ampersand) : 1;
    }
    *to = '\0';
    return text;
}

/* Returns an attribute's value, or NULL if there is none. libxml2's SAX2 passes five pointers for each attribute.
 * Caller frees. */
static char *attribute(const xmlChar **attributes, int count, const char *name)
{
    int i;

    for (i = 0; i < count; i++, attributes += 5)
        if (!attributes[1] && strcmp((const char *)attributes[0], name) == 0)
            return attribute_text((const char *)attributes[3], (const char *)attributes[4]);
    return NULL;
}

static enum element find_element(const struct config_reader *reader, const char *name, const char *prefix)
{
    bool items = reader->root == CONFIG_ITEMS;
    size_t i;

    if (prefix)
        return SKIPPED;
    for (i = 0; i < COUNT_OF(elements); i++)
        if (elements[i].parent == reader->open[reader->depth] && strcmp(elements[i].name, name) == 0)
            return (elements[i].element == CONFIGURATION && items) || (strcmp(name, "item") == 0 && !items)
                       ? SKIPPED
                       : elements[i].element;
    return SKIPPED;
}

static struct raw_stanza *last_stanza(struct config_reader *reader)
{
    return &reader->config.stanzas[reader->config.count - 1];
}

static bool open_stanza(struct config_reader *reader, const xmlChar **attributes, int count)
{
    struct config *config = &reader->config;
    char *name = attribute(attributes, count, "name");

    if (text_empty(name)) {
        free(name);
        err_set(&reader->err, ERR_INPUT, "the XML on stdin has an input without a name");
        config_stop(reader);
        return false;
    }
    if (config->count == config->capacity) {
        config->capacity = config->capacity * 2 + 8;
        config->stanzas = mem_grow(config->stanzas, config->capacity, sizeof(*config->stanzas));
    }
    config->stanzas[config->count++] = (struct raw_stanza){
        .name = name,
        .app = attribute(attributes, count, "app"),
    };
    return true;
}

/* Returns false for a parameter without a name, which is skipped. */
static bool open_param(struct config_reader *reader, const xmlChar **attributes, int count)
{
    struct raw_stanza *stanza = last_stanza(reader);
    char *name = attribute(attributes, count, "name");

    if (!name)
        return false;
    stanza->params = mem_grow(stanza->params, stanza->count + 1, sizeof(*stanza->params));
    stanza->params[stanza->count++] = (struct raw_param){ .name = name };
    reader->values = 0;
    return true;
}

static enum element open_element(struct config_reader *reader, const char *name, const char *prefix,
                                 const xmlChar **attributes, int count)
{
    enum element element = find_element(reader, name, prefix);

    if (element == STANZA && !open_stanza(reader, attributes, count))
        return SKIPPED;
    if ((element == PARAM || element == PARAM_LIST) && !open_param(reader, attributes, count))
        return SKIPPED;
    if (element == VALUE && reader->values++)
        buf_add_char(&reader->text, ',');
    else if (element != SKIPPED) /* an unknown element inside a <param> keeps the text before it */
        buf_clear(&reader->text);
    return element;
}

/* Returns true if an element may begin here; otherwise reader->err says why not. */
static bool may_open(struct config_reader *reader, const char *name, bool has_prefix)
{
    const char *root = root_name(reader->root);

    if (reader->depth == DEPTH_MOST)
        return err_set(&reader->err, ERR_INPUT, "the XML on stdin is nested deeper than %d elements", DEPTH_MOST);
    if (reader->depth == 0 && (has_prefix || strcmp(name, root) != 0))
        return err_set(&reader->err, ERR_INPUT,
                       "the XML on stdin should be an <%s> document, but its outermost element "
                       "is <%.40s>",
                       root, name);
    return true;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are those of libxml2's startElementNsSAX2Func. */
static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri UNUSED,
                     int namespace_count UNUSED, const xmlChar **namespaces UNUSED, int attribute_count,
                     int defaulted UNUSED, const xmlChar **attributes)
{
    struct config_reader *reader = ctx;
    enum element element;

    if (reader->failed || reader->done)
        return;
    if (!may_open(reader, (const char *)name, prefix != NULL)) {
        config_stop(reader);
        return;
    }
    element = reader->depth
                  ? open_element(reader, (const char *)name, (const char *)prefix, attributes, attribute_count)
                  : ROOT;
    reader->open[++reader->depth] = element;
}

static void end_header(struct config_reader *reader, char **slot)
{
    mem_free_secret(*slot);
    *slot = text_trimmed(buf_text(&reader->text));
}

static void end_param(struct config_reader *reader)
{
    struct raw_stanza *stanza = last_stanza(reader);

    stanza->params[stanza->count - 1].value = mem_text(buf_text(&reader->text));
}

/* Forgets the parameters of a disabled input, except that it is disabled: nobody needs them, and thousands of them take
 * memory. */
static void end_stanza(struct config_reader *reader)
{
    struct raw_stanza *stanza = last_stanza(reader);
    size_t i, kept = 0;

    if (reader->root != CONFIG_INPUT || !stanza_is_disabled(stanza))
        return;
    for (i = 0; i < stanza->count; i++) {
        struct raw_param param = stanza->params[i];

        if (strcmp(param.name, "disabled") == 0) {
            stanza->params[kept++] = param;
            continue;
        }
        free(param.name);
        mem_free_secret(param.value);
    }
    stanza->count = kept;
    stanza->params = mem_grow(stanza->params, kept, sizeof(*stanza->params));
}

static void on_end(void *ctx, const xmlChar *name UNUSED, const xmlChar *prefix UNUSED, const xmlChar *uri UNUSED)
{
    struct config_reader *reader = ctx;
    struct config *config = &reader->config;

    if (reader->failed || reader->done)
        return;
    switch (reader->open[reader->depth--]) {
    case SERVER_HOST: end_header(reader, &config->server_host); break;
    case SERVER_URI: end_header(reader, &config->server_uri); break;
    case SESSION_KEY: end_header(reader, &config->session_key); break;
    case CHECKPOINT_DIR: end_header(reader, &config->checkpoint_dir); break;
    case PARAM:
    case PARAM_LIST: end_param(reader); break;
    case STANZA: end_stanza(reader); break;
    case ROOT:
        reader->done = true;
        xmlStopParser(reader->xml);
        break;
    default: break;
    }
}

static void on_text(void *ctx, const xmlChar *text, int len)
{
    struct config_reader *reader = ctx;

    switch (reader->open[reader->depth]) {
    case SERVER_HOST:
    case SERVER_URI:
    case SESSION_KEY:
    case CHECKPOINT_DIR:
    case PARAM:
    case VALUE: buf_add(&reader->text, text, (size_t)len); break;
    default: break;
    }
}

static void on_doctype(void *ctx, const xmlChar *name UNUSED, const xmlChar *external UNUSED,
                       const xmlChar *system UNUSED)
{
    struct config_reader *reader = ctx;

    if (reader->failed || reader->done)
        return;
    err_set(&reader->err, ERR_INPUT, "the XML on stdin has a DOCTYPE, which splunkd never sends; it is refused");
    config_stop(reader);
}

static void on_error(void *ctx UNUSED, xmlErrorPtr error UNUSED)
{
}

xmlSAXHandler *config_sax(void)
{
    static xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC,
                                 .startElementNs = on_start,
                                 .endElementNs = on_end,
                                 .characters = on_text,
                                 .ignorableWhitespace = on_text,
                                 .cdataBlock = on_text,
                                 .internalSubset = on_doctype,
                                 .serror = on_error };

    return &sax;
}
