#include "splunk/config.h"

#include <errno.h>
#include <libxml/parser.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "splunk/utf16.h"

#define READ_BYTES 16384
#define DEPTH_MOST 16       /* splunkd's own documents are five deep */

/* Where an element may stand is what its parent says. SKIPPED ones take all below them along. */
enum element {
    SKIPPED, DOCUMENT, ROOT, SERVER_HOST, SERVER_URI, SESSION_KEY, CHECKPOINT_DIR, CONFIGURATION, STANZA, PARAM,
    PARAM_LIST, VALUE
};

static const struct {
    const char *name;
    enum element parent, element;
} elements[] = {
    { "server_host", ROOT, SERVER_HOST }, { "server_uri", ROOT, SERVER_URI }, { "session_key", ROOT, SESSION_KEY },
    { "checkpoint_dir", ROOT, CHECKPOINT_DIR }, { "configuration", ROOT, CONFIGURATION },
    { "stanza", CONFIGURATION, STANZA }, { "item", ROOT, STANZA }, { "param", STANZA, PARAM },
    { "param_list", STANZA, PARAM_LIST }, { "value", PARAM_LIST, VALUE }
};

struct config_reader {
    enum config_root root;
    xmlParserCtxtPtr xml;
    struct utf16     utf16;
    struct buf       utf8;          /* one feed's bytes on their way to the parser */
    size_t           fed;
    enum element     open[DEPTH_MOST + 1];
    int              depth;         /* open[depth] is the innermost */
    struct buf       text;          /* of the element that is being read */
    size_t           values;        /* read so far in the present param_list */
    struct config    config;
    bool             done, failed;
    struct err       err;           /* why, when failed */
};

static const char *root_name(enum config_root root)
{
    return root == CONFIG_INPUT ? "input" : "items";
}

/* Ends the reading; reader->err says why. */
static void stop(struct config_reader *reader)
{
    reader->failed = true;
    xmlStopParser(reader->xml);
}

/* Copy of an attribute's value. Entity substitution is off, which leaves each '&' as "&#38;", and only those. */
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

/* NULL: not there. libxml2's SAX2 hands over five pointers an attribute. */
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
                   ? SKIPPED : elements[i].element;
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
        stop(reader);
        return false;
    }
    config->stanzas = mem_grow(config->stanzas, config->count + 1, sizeof(*config->stanzas));
    config->stanzas[config->count++] = (struct raw_stanza){
        .name = name,
        .app = attribute(attributes, count, "app"),
    };
    return true;
}

/* False for one without a name, which is passed over. */
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
    else if (element != SKIPPED)        /* one inside a <param> does not undo the text before it */
        buf_clear(&reader->text);
    return element;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri UNUSED,
                     int namespace_count UNUSED, const xmlChar **namespaces UNUSED, int attribute_count,
                     int defaulted UNUSED, const xmlChar **attributes)
{
    struct config_reader *reader = ctx;
    enum element element;

    if (reader->failed || reader->done)
        return;
    if (reader->depth == DEPTH_MOST) {
        err_set(&reader->err, ERR_INPUT, "the XML on stdin is nested deeper than %d elements", DEPTH_MOST);
        stop(reader);
        return;
    }
    if (reader->depth == 0 && (prefix || strcmp((const char *)name, root_name(reader->root)) != 0)) {
        err_set(&reader->err, ERR_INPUT, "the XML on stdin should be an <%s> document, but its outermost element is "
                "<%.40s>", root_name(reader->root), (const char *)name);
        stop(reader);
        return;
    }
    element = reader->depth ? open_element(reader, (const char *)name, (const char *)prefix, attributes,
                                           attribute_count) : ROOT;
    reader->open[++reader->depth] = element;
}

static void take_header(struct config_reader *reader, char **slot)
{
    mem_free_secret(*slot);
    *slot = text_trimmed(buf_text(&reader->text));
}

static void take_param(struct config_reader *reader)
{
    struct raw_stanza *stanza = last_stanza(reader);

    stanza->params[stanza->count - 1].value = mem_text(buf_text(&reader->text));
}

static void on_end(void *ctx, const xmlChar *name UNUSED, const xmlChar *prefix UNUSED, const xmlChar *uri UNUSED)
{
    struct config_reader *reader = ctx;
    struct config *config = &reader->config;

    if (reader->failed || reader->done)
        return;
    switch (reader->open[reader->depth--]) {
    case SERVER_HOST: take_header(reader, &config->server_host); break;
    case SERVER_URI: take_header(reader, &config->server_uri); break;
    case SESSION_KEY: take_header(reader, &config->session_key); break;
    case CHECKPOINT_DIR: take_header(reader, &config->checkpoint_dir); break;
    case PARAM:
    case PARAM_LIST: take_param(reader); break;
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
    case SERVER_HOST: case SERVER_URI: case SESSION_KEY: case CHECKPOINT_DIR: case PARAM: case VALUE:
        buf_add(&reader->text, text, (size_t)len);
        break;
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
    stop(reader);
}

static void on_error(void *ctx UNUSED, xmlErrorPtr error UNUSED)
{
}

struct config_reader *config_reader_new(enum config_root root)
{
    static xmlSAXHandler sax = {
        .initialized = XML_SAX2_MAGIC, .startElementNs = on_start, .endElementNs = on_end, .characters = on_text,
        .ignorableWhitespace = on_text, .cdataBlock = on_text, .internalSubset = on_doctype, .serror = on_error
    };
    struct config_reader *reader = mem_alloc(sizeof(*reader));

    xmlMemSetup(free, mem_lib_alloc, mem_lib_grow, mem_lib_text);   /* the same each time, so a second call is harmless */
    reader->root = root;
    reader->open[0] = DOCUMENT;
    reader->text = BUF_INIT(CONFIG_MAX);
    reader->utf8 = BUF_INIT(2 * CONFIG_MAX);
    reader->xml = xmlCreatePushParserCtxt(&sax, reader, NULL, 0, NULL);
    if (!reader->xml)
        log_die("out of memory for reading the XML on stdin");
    xmlCtxtUseOptions(reader->xml, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    return reader;
}

void config_reader_free(struct config_reader *reader)
{
    if (!reader)
        return;
    xmlFreeParserCtxt(reader->xml);
    buf_free_secret(&reader->utf8);
    buf_free_secret(&reader->text);
    config_free(&reader->config);
    free(reader);
}

bool config_reader_done(const struct config_reader *reader)
{
    return reader->done;
}

/* libxml2's own words can repeat bytes of the document, secrets among them: only the kind and the line are said. */
static void describe(const struct config_reader *reader, struct err *err)
{
    const char *what;

    switch (reader->xml->lastError.code) {
    case XML_ERR_TAG_NAME_MISMATCH: what = "an end tag does not match its start tag"; break;
    case XML_ERR_UNDECLARED_ENTITY: what = "an entity that XML does not know is used"; break;
    case XML_ERR_INVALID_ENCODING:
    case XML_ERR_INVALID_CHAR: what = "a character is not allowed, or its bytes are no UTF-8"; break;
    case XML_ERR_INVALID_CHARREF: what = "a character reference names no character"; break;
    case XML_ERR_ATTRIBUTE_REDEFINED: what = "an attribute is given twice"; break;
    case XML_ERR_DOCUMENT_EMPTY:
    case XML_ERR_DOCUMENT_START: what = "it does not begin with an element"; break;
    case XML_ERR_NAME_TOO_LONG:
    case XML_ERR_INTERNAL_ERROR: what = "a part of it is absurdly large"; break;
    default: what = "it is not well-formed"; break;
    }
    err_set(err, ERR_INPUT, "the XML on stdin cannot be read at line %d: %s (libxml2 error %d)",
            reader->xml->lastError.line, what, reader->xml->lastError.code);
}

static void parse(struct config_reader *reader)
{
    xmlParseChunk(reader->xml, buf_text(&reader->utf8), (int)reader->utf8.len, 0);
    buf_clear(&reader->utf8);
    if (reader->done || reader->failed || (reader->xml->wellFormed && !reader->xml->disableSAX))
        return;
    describe(reader, &reader->err);
    stop(reader);
}

bool config_reader_feed(struct config_reader *reader, const char *bytes, size_t len, struct err *err)
{
    bool decoded;

    if (reader->done)
        return true;
    if (!reader->failed && len > CONFIG_MAX - reader->fed) {
        err_set(&reader->err, ERR_INPUT, "the XML on stdin is larger than %d bytes", CONFIG_MAX);
        stop(reader);
    }
    if (!reader->failed) {
        reader->fed += len;
        decoded = utf16_feed(&reader->utf16, bytes, len, &reader->utf8, err);
        if (reader->utf8.len)
            parse(reader);
        if (!decoded && !reader->done && !reader->failed) {     /* what follows the document may be anything */
            reader->err = *err;
            stop(reader);
        }
    }
    if (reader->failed)
        *err = reader->err;
    return !reader->failed;
}

static bool check_needed(const struct config_reader *reader, struct err *err)
{
    const struct config *config = &reader->config;
    const struct { const char *name, *value; } needed[] = {
        { "server_uri", config->server_uri }, { "session_key", config->session_key },
        { "checkpoint_dir", config->checkpoint_dir }
    };
    size_t i;

    if (reader->root == CONFIG_ITEMS)       /* a validation can do without splunkd's password store */
        return config->count == 1 ||
               err_set(err, ERR_INPUT, "the XML on stdin holds %zu <item> elements, but it should hold exactly one",
                       config->count);
    for (i = 0; i < COUNT_OF(needed); i++)
        if (text_empty(needed[i].value))
            return err_set(err, ERR_INPUT, "the XML on stdin has no <%s>, or an empty one", needed[i].name);
    return true;
}

bool config_reader_take(struct config_reader *reader, struct config *ret, struct err *err)
{
    char **const texts[] = { &reader->config.server_host, &reader->config.server_uri, &reader->config.session_key,
                             &reader->config.checkpoint_dir };
    size_t i;

    if (reader->failed) {
        *err = reader->err;
        return false;
    }
    if (!reader->done)
        return err_set(err, ERR_INPUT, "the XML on stdin %s",
                       reader->fed ? "ends before its outermost element is closed" : "is missing: nothing came at all");
    if (!check_needed(reader, err))
        return false;
    for (i = 0; i < COUNT_OF(texts); i++)
        if (!*texts[i])
            *texts[i] = mem_text("");
    *ret = reader->config;
    reader->config = (struct config){ 0 };
    return true;
}

/* Bytes read, 0 at the end; waits even if the descriptor does not. */
static ssize_t read_some(int fd, char *bytes, size_t len)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    ssize_t got;

    for (;;) {
        got = read(fd, bytes, len);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return got;
        if (errno == EAGAIN)
            poll(&wait, 1, -1);
    }
}

bool config_read(int fd, enum config_root root, struct config *ret, struct err *err)
{
    struct config_reader *reader = config_reader_new(root);
    char bytes[READ_BYTES];
    ssize_t got = 1;
    bool ok = true;

    while (ok && got && !config_reader_done(reader)) {
        got = read_some(fd, bytes, sizeof(bytes));
        if (got < 0)
            ok = err_set(err, ERR_INPUT, "stdin cannot be read: %s", strerror(errno));
        else
            ok = config_reader_feed(reader, bytes, (size_t)got, err);
    }
    ok = ok && config_reader_take(reader, ret, err);
    explicit_bzero(bytes, sizeof(bytes));
    config_reader_free(reader);
    return ok;
}

void config_free(struct config *config)
{
    size_t i;

    for (i = 0; i < config->count; i++)
        raw_stanza_free(&config->stanzas[i]);
    free(config->stanzas);
    free(config->server_host);
    free(config->server_uri);
    mem_free_secret(config->session_key);
    free(config->checkpoint_dir);
    *config = (struct config){ 0 };
}
