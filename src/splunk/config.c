#include "splunk/config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/die.h"
#include "base/mem.h"
#include "base/text.h"
#include "splunk/config_private.h"

#define READ_BYTES 16384

struct config_reader *config_reader_new(enum config_root root)
{
    struct config_reader *reader = mem_alloc(sizeof(*reader));

    /* Sets the same functions each time, so a second call is harmless. */
    xmlMemSetup(mem_lib_free, mem_lib_alloc, mem_lib_grow, mem_lib_text);
    reader->root = root;
    reader->open[0] = DOCUMENT;
    reader->text = BUF_INIT(CONFIG_MAX);
    reader->utf8 = BUF_INIT(2 * CONFIG_MAX);
    reader->xml = xmlCreatePushParserCtxt(config_sax(), reader, NULL, 0, NULL);
    if (!reader->xml)
        die("out of memory for reading the XML on stdin");
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

/* Says the kind of error and the line. libxml2's own message can repeat bytes of the document, such as secrets. */
static void describe_xml_error(const struct config_reader *reader, struct err *err)
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
    case XML_ERR_INTERNAL_ERROR: what = "a part of it is too large"; break;
    default: what = "it is not well-formed"; break;
    }
    err_set(err, ERR_INPUT, "the XML on stdin cannot be read at line %d: %s (libxml2 error %d)",
            reader->xml->lastError.line, what, reader->xml->lastError.code);
}

static void parse_bytes(struct config_reader *reader)
{
    xmlParseChunk(reader->xml, buf_text(&reader->utf8), (int)reader->utf8.len, 0);
    buf_clear(&reader->utf8);
    if (reader->done || reader->failed || (reader->xml->wellFormed && !reader->xml->disableSAX))
        return;
    describe_xml_error(reader, &reader->err);
    config_stop(reader);
}

bool config_reader_feed(struct config_reader *reader, const char *bytes, size_t len, struct err *err)
{
    bool decoded;

    if (reader->done)
        return true;
    if (!reader->failed && len > CONFIG_MAX - reader->fed) {
        err_set(&reader->err, ERR_INPUT, "the XML on stdin is larger than %d bytes", CONFIG_MAX);
        config_stop(reader);
    }
    if (!reader->failed) {
        reader->fed += len;
        decoded = utf16_feed(&reader->utf16, bytes, len, &reader->utf8, err);
        if (reader->utf8.len)
            parse_bytes(reader);
        if (!decoded && !reader->done && !reader->failed) { /* anything may follow the document */
            reader->err = *err;
            config_stop(reader);
        }
    }
    if (reader->failed)
        *err = reader->err;
    return !reader->failed;
}

static bool check_needed(const struct config_reader *reader, struct err *err)
{
    const struct config *config = &reader->config;
    const struct {
        const char *name, *value;
    } needed[] = { { "server_uri", config->server_uri },
                   { "session_key", config->session_key },
                   { "checkpoint_dir", config->checkpoint_dir } };
    size_t i;

    if (reader->root == CONFIG_ITEMS) /* a validation works without splunkd's password store */
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

/* Returns the number of bytes read, 0 at the end. Waits even if the descriptor does not block. */
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
