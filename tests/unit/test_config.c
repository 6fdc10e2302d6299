/* The reader of splunkd's XML: every document in three encodings and in pieces of one, three and all bytes. */
#include "splunk/config.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "check.h"

#define HEADER "<server_host>h</server_host><server_uri>https://127.0.0.1:8089</server_uri>" \
               "<session_key>k^_1</session_key><checkpoint_dir>/cp</checkpoint_dir>"
#define INPUT(inside) "<input>" HEADER "<configuration>" inside "</configuration></input>"
#define ONE(inside)   INPUT("<stanza name=\"defender_alerts://x\">" inside "</stanza>")
#define ITEMS(inside) "<items>" HEADER inside "</items>"

enum form { UTF8, UTF8_BOM, UTF16LE, UTF16BE, UTF16LE_BARE, UTF16BE_BARE, FORMS };

/* A document of UTF-8 in the form asked for. */
static void encode(const char *xml, enum form form, struct buf *ret)
{
    static const char *const boms[FORMS] = { "", "\xEF\xBB\xBF", "\xFF\xFE", "\xFE\xFF", "", "" };
    bool little = form == UTF16LE || form == UTF16LE_BARE;
    const unsigned char *at = (const unsigned char *)xml;

    buf_add_text(ret, boms[form]);
    if (form == UTF8 || form == UTF8_BOM) {
        buf_add_text(ret, xml);
        return;
    }
    while (*at) {
        size_t len = utf8_length(at, strlen((const char *)at)), i;
        uint32_t point = len == 1 ? *at : *at & (0x7Fu >> len), units[2], count = 1;

        for (i = 1; i < len; i++)
            point = point << 6 | (at[i] & 0x3F);
        units[0] = point;
        if (point > 0xFFFF) {
            count = 2;
            units[0] = 0xD800 + ((point - 0x10000) >> 10);
            units[1] = 0xDC00 + ((point - 0x10000) & 0x3FF);
        }
        for (i = 0; i < count; i++) {
            buf_add_char(ret, (char)(little ? units[i] & 0xFF : units[i] >> 8));
            buf_add_char(ret, (char)(little ? units[i] >> 8 : units[i] & 0xFF));
        }
        at += len;
    }
}

static bool read_bytes(const char *bytes, size_t len, size_t step, enum config_root root, struct config *ret,
                       struct err *err)
{
    struct config_reader *reader = config_reader_new(root);
    bool ok = true;
    size_t at, part;

    for (at = 0; ok && at < len; at += part) {
        part = len - at < step ? len - at : step;
        ok = config_reader_feed(reader, bytes + at, part, err);
    }
    ok = ok && config_reader_take(reader, ret, err);
    config_reader_free(reader);
    return ok;
}

/* "name@app{a=v,b=w}..." of everything that was read. */
static void summarize(const struct config *config, struct buf *ret)
{
    size_t i, k;

    buf_add_format(ret, "%s %s %s %s", config->server_host, config->server_uri, config->session_key,
                   config->checkpoint_dir);
    for (i = 0; i < config->count; i++) {
        const struct raw_stanza *stanza = &config->stanzas[i];

        buf_add_format(ret, " %s@%s{", stanza->name, stanza->app ? stanza->app : "");
        for (k = 0; k < stanza->count; k++)
            buf_add_format(ret, "%s%s=%s", k ? ";" : "", stanza->params[k].name, stanza->params[k].value);
        buf_add_char(ret, '}');
    }
}

#define HEAD_TEXT "h https://127.0.0.1:8089 k^_1 /cp"

static const struct {
    const char *xml;
    enum config_root root;
    const char *want;
} good[] = {
    { INPUT(""), CONFIG_INPUT, HEAD_TEXT },
    { "<input>" HEADER "<configuration/></input>", CONFIG_INPUT, HEAD_TEXT },
    { "<input>" HEADER "</input>", CONFIG_INPUT, HEAD_TEXT },
    { ONE("<param name=\"a\">v</param><param name=\"b\"></param><param name=\"c\"/>"), CONFIG_INPUT,
      HEAD_TEXT " defender_alerts://x@{a=v;b=;c=}" },
    { INPUT("<stanza name=\"defender_alerts://Müller &amp; Söhne 日本 😀\" app=\"a&#38;#38;&lt;\"><param name=\"host\">"
      "$decideOnStartup"
            "</param></stanza><stanza name=\"b\" app=\"\"/>"), CONFIG_INPUT,
      HEAD_TEXT " defender_alerts://Müller & Söhne 日本 😀@a&#38;<{host=$decideOnStartup} b@{}" },
    { "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n<!-- c --><input "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
      " xsi:schemaLocation=\"u v\">\n <configuration>\n  <stanza name=\"x\" odd=\"1\">\n   <param name=\"p\" x=\"y\">"
      " a&lt;b\n"
      "</param>\n  </stanza>\n </configuration>\n <checkpoint_dir>\n  /cp\n </checkpoint_dir><session_key> k^_1 "
      "</session_key>"
      "<server_uri>https://127.0.0.1:8089</server_uri><server_host>h</server_host>\n</input>\n", CONFIG_INPUT,
      HEAD_TEXT " x@{p= a<b\n}" },
    { ONE("<param_list name=\"l\"><value>1</value>\n<value/><value>a,b</value></param_list>"
          "<param_list name=\"m\"/><param_list name=\"n\"><value>z</value></param_list>"), CONFIG_INPUT,
      HEAD_TEXT " defender_alerts://x@{l=1,,a,b;m=;n=z}" },
    { ONE("<param name=\"a\">1<![CDATA[<&]]>&#x41;&#233;<odd>no<deep>er</deep></odd>2<!-- c -->3<?pi x?>4</param>"
          "<param>nameless</param><odd><param name=\"no\">no</param></odd>text<s:param xmlns:s=\"u\" name=\"no\">"
          "n</s:param>"),
      CONFIG_INPUT, HEAD_TEXT " defender_alerts://x@{a=1<&Aé234}" },
    { ONE("<param name=\"undeclared\"><y:z>1</y:z>2</param>"), CONFIG_INPUT, HEAD_TEXT " "
      "defender_alerts://x@{undeclared=2}" },
    { "<input><odd>" HEADER "</odd>" HEADER "<stanza name=\"astray\"/><item name=\"astray\"/><configuration>"
      "<param name=\"astray\">1</param></configuration></input>", CONFIG_INPUT, HEAD_TEXT },
    { ITEMS("<item name=\"x\"><param name=\"a\">v</param></item>"), CONFIG_ITEMS, HEAD_TEXT " x@{a=v}" },
    { ITEMS("<configuration><stanza name=\"no\"/></configuration><item name=\"defender_alerts://x\"/>"), CONFIG_ITEMS,
      HEAD_TEXT " defender_alerts://x@{}" },
    { "<items><item name=\"x\"/></items>", CONFIG_ITEMS, "    x@{}" },
    { INPUT("<stanza name=\"off\"><param name=\"a\">v</param><param name=\"disabled\">1</param>"
            "<param name=\"b\">w</param></stanza><stanza name=\"on\"><param name=\"disabled\">0</param><param name=\"a\">v</param></stanza>"
            "<stanza name=\"off\"><param name=\"disabled\">true</param></stanza>"), CONFIG_INPUT,
      HEAD_TEXT " off@{disabled=1} on@{disabled=0;a=v} off@{disabled=true}" },
    { ITEMS("<item name=\"x\"><param name=\"a\">v</param><param name=\"disabled\">1</param></item>"), CONFIG_ITEMS,
      HEAD_TEXT " x@{a=v;disabled=1}" },
    { INPUT("") "trailing <junk", CONFIG_INPUT, HEAD_TEXT },
    { "<input xmlns=\"urn:x\">" HEADER "</input>", CONFIG_INPUT, HEAD_TEXT },
    { "<input><server_host>old</server_host>" HEADER "</input>", CONFIG_INPUT, HEAD_TEXT },
};

/* promise: Calls: XML of every encoding and order is understood. What is unknown is skipped. */
static void test_good(void **state UNUSED)
{
    static const size_t steps[] = { 1, 3, 1 << 20 };
    size_t i, form, s;

    for (i = 0; i < COUNT_OF(good); i++) {
        for (form = 0; form < FORMS; form++) {
            struct buf bytes = BUF_INIT(1 << 20);

            encode(good[i].xml, (enum form)form, &bytes);
            for (s = 0; s < COUNT_OF(steps); s++) {
                struct buf got = BUF_INIT(1 << 20);
                struct config config = { 0 };
                struct err err = { 0 };
                bool ok = read_bytes(bytes.data, bytes.len, steps[s], good[i].root, &config, &err);

                CHECK(ok, "good row %zu, form %zu, step %zu: %s", i, form, steps[s], err.text);
                if (ok)
                    summarize(&config, &got);
                CHECK_TEXT(buf_text(&got), good[i].want);
                buf_free(&got);
                config_free(&config);
            }
            buf_free(&bytes);
        }
    }
}

static const struct {
    const char *xml;
    enum config_root root;
    const char *want;       /* part of the message */
} bad[] = {
    { "", CONFIG_INPUT, "nothing came" },
    { "   \n", CONFIG_INPUT, "ends before" },
    { "hello", CONFIG_INPUT, "does not begin with an element" },
    { "{\"a\":1}\n", CONFIG_INPUT, "does not begin with an element" },
    { "<input>", CONFIG_INPUT, "ends before" },
    { "<input>" HEADER "<configuration></configuration></input", CONFIG_INPUT, "ends before" },
    { "<items/>", CONFIG_INPUT, "should be an <input> document, but its outermost element is <items>" },
    { INPUT(""), CONFIG_ITEMS, "should be an <items> document, but its outermost element is <input>" },
    { "<x:input xmlns:x=\"u\">" HEADER "</x:input>", CONFIG_INPUT, "should be an <input>" },
    { "<input/>", CONFIG_INPUT, "no <server_uri>" },
    { "<input><server_uri>u</server_uri><session_key> </session_key><checkpoint_dir>/</checkpoint_dir></input>",
      CONFIG_INPUT, "no <session_key>" },
    { "<input><server_uri>u</server_uri><session_key>k</session_key></input>", CONFIG_INPUT, "no <checkpoint_dir>" },
    { INPUT("<stanza><param name=\"a\">v</param></stanza>"), CONFIG_INPUT, "an input without a name" },
    { INPUT("<stanza name=\"\"/>"), CONFIG_INPUT, "an input without a name" },
    { ITEMS(""), CONFIG_ITEMS, "0 <item> elements" },
    { ITEMS("<item name=\"a\"/><item name=\"b\"/>"), CONFIG_ITEMS, "2 <item> elements" },
    { "<input><server_uri>u</input>", CONFIG_INPUT, "line 1: an end tag does not match" },
    { ONE("<param name=\"a\">\n\nR&D </param> ;"), CONFIG_INPUT, "line 3: it is not well-formed" },
    { ONE("<param name=\"a\">R&D</param>"), CONFIG_INPUT, "ends before" },     /* an entity may still be coming */
    { ONE("<param name=\"a\">&secret;</param>"), CONFIG_INPUT, "an entity that XML does not know" },
    { ONE("<param name=\"a\" name=\"b\">v</param>"), CONFIG_INPUT, "an attribute is given twice" },
    { ONE("<param name=\"a\">\x01</param>"), CONFIG_INPUT, "cannot be read" },
    { ONE("<param name=\"a\">&#0;</param>"), CONFIG_INPUT, "a character is not allowed" },
    { "<!DOCTYPE input><input>" HEADER "</input>", CONFIG_INPUT, "DOCTYPE" },
    { "<!DOCTYPE input SYSTEM \"file:///etc/passwd\"><input/>", CONFIG_INPUT, "DOCTYPE" },
    { "<!DOCTYPE input SYSTEM \"http://127.0.0.1:9/x.dtd\" [<!ENTITY % a SYSTEM \"http://127.0.0.1:9/y\"> %a;]>"
      "<input/>",
      CONFIG_INPUT, "DOCTYPE" },
    { "<?xml version=\"1.0\"?><!DOCTYPE i [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><input><server_uri>&x;"
      "</server_uri></input>",
      CONFIG_INPUT, "DOCTYPE" },
    { "<!DOCTYPE lolz [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;"
      "&b;&b;&b;\">"
      "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;\">]><input><server_uri>&e;"
      "</server_uri></input>",
      CONFIG_INPUT, "DOCTYPE" },
    { "<input><a><b><c><d><e><f><g><h><i><j><k><l><m><n><o><p><q/></p></o></n></m></l></k></j></i></h></g></f></e>"
      "</d></c></b></a>"
      "</input>", CONFIG_INPUT, "nested deeper" },
};

static void test_bad(void **state UNUSED)
{
    static const size_t steps[] = { 1, 3, 1 << 20 };
    size_t i, form, s;

    for (i = 0; i < COUNT_OF(bad); i++) {
        for (form = 0; form < UTF16LE_BARE; form++) {
            struct buf bytes = BUF_INIT(1 << 20);

            if (form == UTF8 || *bad[i].xml)
                encode(bad[i].xml, (enum form)form, &bytes);
            for (s = 0; s < COUNT_OF(steps); s++) {
                struct config config = { 0 };
                struct err err = { 0 };
                bool ok = read_bytes(bytes.data, bytes.len, steps[s], bad[i].root, &config, &err);

                CHECK(!ok && strstr(err.text, bad[i].want), "bad row %zu, form %zu, step %zu: ok %d '%s'", i, form,
                      steps[s], ok, err.text);
                CHECK(!ok && !strstr(err.text, "secret"), "bad row %zu tells document text: %s", i, err.text);
            }
            buf_free(&bytes);
        }
    }
}

/* Bytes that no encoding of ours makes. */
static void test_raw(void **state UNUSED)
{
#define RAW(bytes) { bytes, sizeof(bytes) - 1 }
    static const struct { const char *bytes; size_t len; } rows[] = {
        RAW("<input>\xFF</input>"), RAW("<input>\xC3(</input>"), RAW("\xFF\xFE<\0i\0\0\xDC"),
        RAW("\xFF\xFE<\0\0\xD8i\0"),
        RAW("\xFF\xFE<\0\0\0"), RAW("<\0\0\0i\0\0\0"), RAW("\0\0\0<\0\0\0i"), RAW("<inp\0ut/>"),
        RAW("\x4C\x6F\xA7\x94\x93"),
        RAW("<?xml version='1.0' encoding='ISO-8859-1'?><input>\xE9</input>"), RAW("\xEF\xBB"), RAW("\xEF\xBBx"),
        RAW("\x1F\x8B\x08\x00\x00"), RAW("\xFE")
    };
    static const size_t steps[] = { 1, 2, 1000 };
    size_t i, s;

    for (i = 0; i < COUNT_OF(rows); i++) {
        for (s = 0; s < COUNT_OF(steps); s++) {
            struct config config = { 0 };
            struct err err = { 0 };

            CHECK(!read_bytes(rows[i].bytes, rows[i].len, steps[s], CONFIG_INPUT, &config, &err) && *err.text,
                  "raw row %zu is taken", i);
        }
    }
}

/* Anything may stand behind the document, in the same piece too. */
static void test_behind(void **state UNUSED)
{
    static const struct { const char *bytes; size_t len; } rows[] = {
        RAW("\0\0"), RAW("\xFF\xFF\xFF"), RAW("\0\xDC\0\xDC"), RAW("<\0x\0>\0"), RAW("\n\0")
    };
    size_t i, form;

    for (i = 0; i < COUNT_OF(rows); i++) {
        for (form = 0; form < FORMS; form++) {
            struct buf bytes = BUF_INIT(1 << 20);
            struct config config = { 0 };
            struct err err = { 0 };

            encode(ONE(""), (enum form)form, &bytes);
            buf_add(&bytes, rows[i].bytes, rows[i].len);
            CHECK(read_bytes(bytes.data, bytes.len, bytes.len, CONFIG_INPUT, &config, &err), "row %zu, form %zu: %s", i,
                  form, err.text);
            config_free(&config);
            buf_free(&bytes);
        }
    }
}

/* Just under the limit is read, more is refused, and a large document costs no quadratic time. */
static void test_size(void **state UNUSED)
{
    static const size_t steps[] = { 61, 4096 };
    size_t s, fill;

    for (s = 0; s < COUNT_OF(steps); s++) {
        for (fill = CONFIG_MAX - 1000; fill <= CONFIG_MAX; fill += 1000) {
            struct buf xml = BUF_INIT(2 * CONFIG_MAX);
            struct config config = { 0 };
            struct err err = { 0 };
            bool ok, fits = fill < CONFIG_MAX;

            buf_add_text(&xml, "<input>" HEADER "<configuration><stanza name=\"x\"><param name=\"big\">");
            memset(buf_room(&xml, fill), 'x', fill);
            xml.len += fill;
            buf_add_text(&xml, "</param></stanza></configuration></input>");
            ok = read_bytes(xml.data, xml.len, steps[s], CONFIG_INPUT, &config, &err);
            CHECK(ok == fits, "fill %zu: %s", fill, err.text);
            if (ok)
                CHECK(strlen(config.stanzas[0].params[0].value) == fill, "value cut");
            else
                CHECK(strstr(err.text, "larger than"), "%s", err.text);
            config_free(&config);
            buf_free(&xml);
        }
    }
}

/* Five hundred inputs of forty parameters each. */
static void test_many(void **state UNUSED)
{
    struct buf xml = BUF_INIT(CONFIG_MAX);
    struct config config = { 0 };
    struct err err = { 0 };
    int i, k;

    buf_add_text(&xml, "<input>" HEADER "<configuration>");
    for (i = 0; i < 500; i++) {
        buf_add_format(&xml, "<stanza name=\"defender_alerts://c%d\" app=\"search\">", i);
        for (k = 0; k < 40; k++)
            buf_add_format(&xml, "<param name=\"p%d\">value %d of %d</param>", k, k, i);
        buf_add_text(&xml, "</stanza>");
    }
    buf_add_text(&xml, "</configuration></input>");
    CHECK(!xml.full && read_bytes(xml.data, xml.len, 777, CONFIG_INPUT, &config, &err), "%s", err.text);
    CHECK(config.count == 500 && config.stanzas[499].count == 40, "%zu stanzas", config.count);
    CHECK_TEXT(config.stanzas[499].params[39].value, "value 39 of 499");
    config_free(&config);
    buf_free(&xml);
}

/* The document's end is enough: the pipe stays open. */
static void test_pipe(void **state UNUSED)
{
    static const char xml[] = ONE("<param name=\"a\">v</param>");
    struct config config = { 0 };
    struct err err = { 0 };
    int ends[2];

    CHECK(pipe(ends) == 0 && write(ends[1], xml, sizeof(xml) - 1) == (ssize_t)sizeof(xml) - 1, "no pipe");
    CHECK(config_read(ends[0], CONFIG_INPUT, &config, &err), "%s", err.text);
    CHECK(config.count == 1, "%zu stanzas", config.count);
    config_free(&config);
    CHECK(write(ends[1], "<input>", 7) == 7 && close(ends[1]) == 0, "no pipe");
    CHECK(!config_read(ends[0], CONFIG_INPUT, &config, &err) && strstr(err.text, "ends before"), "%s", err.text);
    close(ends[0]);
    CHECK(!config_read(ends[0], CONFIG_INPUT, &config, &err) && strstr(err.text, "cannot be read"), "%s", err.text);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_good),
    cmocka_unit_test(test_bad),
    cmocka_unit_test(test_raw),
    cmocka_unit_test(test_behind),
    cmocka_unit_test(test_size),
    cmocka_unit_test(test_many),
    cmocka_unit_test(test_pipe),
};

UNIT(config, cases, NULL, NULL)
