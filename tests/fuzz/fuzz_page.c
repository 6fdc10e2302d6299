/* Answers of the alert APIs. The first three bytes pick the shape and where the bytes are cut, the rest is the answer.
 * Whatever comes: the result does not depend on the cuts, a record is text that XML can carry, and it is JSON. */
#include "../unit/transcript.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "fuzz.h"

/* &amp; &lt; &gt; and nothing else behind an ampersand; no raw < or >; what XML 1.0 forbids is not there. Writes the
 * text that a reader of the XML sees to plain. */
static void check_xml(const char *data, size_t len, struct buf *plain)
{
    static const struct { const char *entity; char c; } entities[] = { { "&amp;", '&' }, { "&lt;", '<' },
                                                                       { "&gt;", '>' } };
    const unsigned char *at = (const unsigned char *)data, *end = at + len;
    size_t i, n;

    while (at < end) {
        if (*at == '&') {
            for (i = 0; i < COUNT_OF(entities); i++) {
                n = strlen(entities[i].entity);
                if ((size_t)(end - at) >= n && !memcmp(at, entities[i].entity, n))
                    break;
            }
            need(i < COUNT_OF(entities), "an ampersand is escaped");
            buf_add_char(plain, entities[i].c);
            at += n;
            continue;
        }
        n = utf8_length(at, (size_t)(end - at));
        need(n > 0, "UTF-8 is whole");
        need(*at != '<' && *at != '>', "< and > are escaped");
        need(*at >= 0x20, "a record has no control characters, so it is one line");
        need(n != 3 || at[0] != 0xEF || at[1] != 0xBF || at[2] < 0xBE, "no U+FFFE, U+FFFF");
        buf_add(plain, at, n);
        at += n;
    }
}

/* A record that was handed out is JSON: read as the only member of an array, it comes out as it went in. */
static void again(const char *data, size_t len)
{
    static const struct page_shape bare = { NULL, NULL, NULL };
    struct buf plain = BUF_INIT((size_t)1 << 30);
    struct transcript t;

    buf_add_text(&plain, "[");
    check_xml(data, len, &plain);
    buf_add_text(&plain, "]");
    t = transcript_of(&bare, plain.data, plain.len, 0, 0, 0, NULL);
    need(t.records == 1 && !t.bads, "a record is one JSON value");
    need(t.text.len > 11 + len && !memcmp(t.text.data + 11, data, len), "a record is stable");
    transcript_free(&t);
    buf_free(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct page_shape shapes[] = { { "value", "id", "lastUpdateDateTime" },
                                                { NULL, NULL, "LastProcessedTimeUtc" } };
    const struct page_shape *shape;
    const char *bytes = (const char *)data + 3;
    struct transcript whole, cut;
    size_t one, two;

    if (size < 3)
        return 0;
    size -= 3;
    shape = &shapes[data[0] & 1];
    whole = transcript_of(shape, bytes, size, 0, 0, 0, again);
    need(!whole.fault, whole.fault);
    one = size ? data[1] * size / 256 : 0;
    two = size ? data[2] * size / 256 : 0;
    cut = transcript_of(shape, bytes, size, one, two < one ? one : two, data[0] & 2 ? 1 + data[1] % 8 : 0, NULL);
    need(!cut.fault, cut.fault);
    need(!strcmp(buf_text(&whole.text), buf_text(&cut.text)) && whole.text.len == cut.text.len,
         "the result does not depend on the slices");
    need(whole.bad.len == cut.bad.len && (!cut.bad.len || !memcmp(whole.bad.data, cut.bad.data, cut.bad.len)),
         "the bytes of bad records do not depend on the slices");
    transcript_free(&whole);
    transcript_free(&cut);
    return 0;
}
