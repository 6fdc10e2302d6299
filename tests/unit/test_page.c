/* Each answer is read whole, cut in two and in three at every place, and byte by byte: the records, the errors and
 * their places must be the same. */
#include "check.h"
#include "transcript.h"

static const struct page_shape graph = { "value", "id", "time" };
static const struct page_shape siem = { NULL, NULL, "LastProcessedTimeUtc" };

#define V(records) "{\"value\":[" records "]}"
#define U "\xEF\xBF\xBD"
#define T "2026-11-01T08:35:12"

struct row {
    const char *json;
    const char *want;
    size_t      len;        /* 0: up to the zero */
};

/* The envelope. */
static const struct row envelope_rows[] = {
    { "{\"value\":[]}", "end 0 -\n", 0 },
    { " \t\r\n{ \"value\" :\n[ ] } \r\n", "end 0 -\n", 0 },
    { "{\"@odata.context\":\"x\",\"@odata.count\":3,\"a\":[{\"value\":[1]}],\"value\":[{}],\"b\":{\"value\":[2]}}",
      "record - - {}\nend 1 -\n", 0 },
    { "{\"n\":{\"value\":[{\"id\":\"x\"}],\"@odata.nextLink\":\"y\"}}",
      "error the answer is JSON but has no array \"value\"\n", 0 },
    { "{\"value\":{\"value\":[1]}}", "error the answer is JSON but has no array \"value\"\n", 0 },
    { "{\"value\":null}", "error the answer is JSON but has no array \"value\"\n", 0 },
    { "{\"value\":[1],\"value\":[2]}", "record - - 1\nrecord - - 2\nend 2 -\n", 0 },
    { "[1]", "error the answer is JSON but has no array \"value\"\n", 0 },
    { "12", "error the answer is JSON but has no array \"value\"\n", 0 },
    { "\"value\"", "error the answer is JSON but has no array \"value\"\n", 0 },
    { "{\"\\u0076alue\":[1]}", "error the answer is JSON but has no array \"value\"\n", 0 },
    { "", "error the answer is empty\n", 0 },
    { " \n", "error the answer ends inside its JSON, after 2 bytes\n", 0 },
    { "<html>", "error the answer is not JSON: not a JSON value at byte 0\n", 0 },
    { "{\"value\":[1]} x",
      "record - - 1\nerror the answer is not JSON: something after the end of the JSON text at byte 14\n", 0 },
    { "{\"value\":[1]}{\"value\":[2]}",
      "record - - 1\nerror the answer is not JSON: something after the end of the JSON text at byte 13\n", 0 },
    { "{\"value\":[1]}\0",
      "record - - 1\nerror the answer is not JSON: something after the end of the JSON text at byte 13\n", 14 },
    { "{\"value\":[1]]", "record - - 1\nerror the answer is not JSON: neither ',' nor '}' after a member at byte 12\n",
      0 },
    { "{\"value\" [1]}", "error the answer is not JSON: no ':' after a member's name at byte 9\n", 0 },
    { "{\"value\":[1],}", "record - - 1\nerror the answer is not JSON: no member name in quotes at byte 13\n", 0 },
    { "{\"a\":\"\x01\",\"value\":[1]}", "error the answer is not JSON: a control character inside a string at byte 6\n",
      0 },
    { "\xEF\xBB\xBF{\"value\":[1]}", "record - - 1\nend 1 -\n", 0 },
    { "\xEF{\"value\":[1]}", "error the answer is not JSON: half a byte order mark at byte 1\n", 0 },
    { "\xEF\xBB{\"value\":[1]}", "error the answer is not JSON: half a byte order mark at byte 2\n", 0 },
    { "\xEF\xBB\xBF\xEF\xBB\xBF{}", "error the answer is not JSON: not a JSON value at byte 3\n", 0 },
    { "\xEF\xBB\xBF", "error the answer ends inside its JSON, after 3 bytes\n", 0 },
    { " \xEF\xBB\xBF{\"value\":[1]}", "error the answer is not JSON: not a JSON value at byte 1\n", 0 },
    { "\xFF\xFE[\0]\0", "error the answer is not JSON: not a JSON value at byte 0\n", 6 },        /* UTF-16 */
    { "\0[\0]", "error the answer is not JSON: not a JSON value at byte 0\n", 4 },
};

/* The next link. */
static const struct row link_rows[] = {
    { "{\"@odata.nextLink\":\"https:\\/\\/h\\u002fp?a=1\\u0026b=<&>\\\"\",\"value\":[]}",
      "end 0 https://h/p?a=1&b=<&>\"\n", 0 },
    { "{\"value\":[],\"@odata.nextLink\":\"\xC3\xBC\\u00fc\"}", "end 0 \xC3\xBC\xC3\xBC\n", 0 },
    { "{\"value\":[],\"@odata.nextLink\":null}", "end 0 -\n", 0 },
    { "{\"value\":[],\"@odata.nextLink\":\"\"}", "end 0 \n", 0 },
    { "{\"value\":[],\"@odata.nextLink\":7}", "error the answer is not JSON: a next link that is not a string at byte 30\n",
      0 },
    { "{\"value\":[],\"@odata.nextLink\":{}}", "error the answer is not JSON: a next link that is not a string at byte 30\n",
      0 },
    { "{\"value\":[],\"@odata.nextLink\":\"\\uD800\"}",
      "error the answer is not JSON: a next link that cannot be read at byte 38\n", 0 },
    { "{\"value\":[],\"\\u0040odata.next\\u004cink\":\"x\"}", "end 0 x\n", 0 },
    { V("{\"@odata.nextLink\":\"in a record\"}"), "record - - {\"@odata.nextLink\":\"in a record\"}\nend 1 -\n", 0 },
};

/* An error next to the records: they are good, the page is not whole. null is no error, and in a record it is data. */
#define PARTIAL "error the answer is not complete, it holds an error: "
static const struct row error_rows[] = {
    { "{\"value\":[1],\"error\":{\"code\":\"Timeout\",\"message\":\"Some are\\nmissing.\"}}",
      "record - - 1\n" PARTIAL "'Timeout Some are missing.'\n", 0 },
    { "{\"error\":{\"code\":\"Timeout\"},\"value\":[1]}", "record - - 1\n" PARTIAL "'Timeout'\n", 0 },
    { "{\"@odata.nextLink\":\"x\",\"error\":\"Some are missing.\",\"value\":[]}", PARTIAL "'Some are missing.'\n", 0 },
    { "{\"value\":[1],\"error\":{}}", "record - - 1\n" PARTIAL "''\n", 0 },
    { "{\"value\":[1],\"error\":[]}", "record - - 1\n" PARTIAL "''\n", 0 },
    { "{\"value\":[1],\"error\":false}", "record - - 1\n" PARTIAL "''\n", 0 },
    { "{\"value\":[1],\"error\":0}", "record - - 1\n" PARTIAL "''\n", 0 },
    { "{\"value\":[1],\"err\\u006fr\":{}}", "record - - 1\n" PARTIAL "''\n", 0 },
    { "{\"value\":[1],\"Error\":{}}", "record - - 1\n" PARTIAL "''\n", 0 },
    { "{\"value\":[1],\"odata.error\":{}}", "record - - 1\n" PARTIAL "''\n", 0 },
    { "{\"value\":[1],\"@odata.error\":{}}", "record - - 1\n" PARTIAL "''\n", 0 },
    { "{\"error\":{\"value\":[1]},\"value\":[2]}", "record - - 2\n" PARTIAL "''\n", 0 },
    { "{\"error\":null,\"value\":[1]}", "record - - 1\nend 1 -\n", 0 },
    { "{\"value\":[1],\"error\":null}", "record - - 1\nend 1 -\n", 0 },
    { "{\"errors\":[],\"x\":{\"error\":{}},\"value\":[1]}", "record - - 1\nend 1 -\n", 0 },
    { "{\"a\":\"error\",\"value\":[\"error\"]}", "record - - \"error\"\nend 1 -\n", 0 },
    { V("{\"error\":{\"code\":\"x\"}}"), "record - - {\"error\":{\"code\":\"x\"}}\nend 1 -\n", 0 },
    { "{\"error\":{\"code\":\"NotFound\"}}", PARTIAL "'NotFound'\n", 0 },
};

/* Records: white space goes, all else stays. */
static const struct row record_rows[] = {
    { V(" { \"a b\" : [ 1 , -0.50e+7 , true,false ,null ] ,\n\"c\\n\\\" \\u00E9\\/\":\t{ } } , [ ] ,\"s t\", 0.0 "),
      "record - - {\"a b\":[1,-0.50e+7,true,false,null],\"c\\n\\\" \\u00E9\\/\":{}}\nrecord - - []\n"
      "record - - \"s t\"\nrecord - - 0.0\nend 4 -\n", 0 },
    { V("{\"k<&>\":\"a<b>&c ' ]]>\"}"),
      "record - - {\"k&lt;&amp;&gt;\":\"a&lt;b&gt;&amp;c ' ]]&gt;\"}\nend 1 -\n", 0 },
    { V("\"\x7F \xC2\x80 \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF \xEF\xBF\xBD\""),
      "record - - \"\x7F \xC2\x80 \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF \xEF\xBF\xBD\"\nend 1 -\n",
      0 },
};

/* Id and time: members of the record itself, the first that will do. */
static const struct row id_and_time_rows[] = {
    { V("{\"id\":\"a<1\",\"time\":\"" T ".5Z\"}"),
      "record a&lt;1 2026-11-01T08:35:12.5000000Z {\"id\":\"a&lt;1\",\"time\":\"" T ".5Z\"}\nend 1 -\n", 0 },
    { V("{\"x\":{\"id\":\"no\",\"time\":\"" T "\"},\"y\":[{\"id\":\"no\"}],\"id\":7.50}"),
      "record 7.50 - {\"x\":{\"id\":\"no\",\"time\":\"" T "\"},\"y\":[{\"id\":\"no\"}],\"id\":7.50}\nend 1 -\n", 0 },
    { V("{\"id\":{\"id\":\"no\"},\"time\":[\"" T "\"]},[{\"id\":\"no\"}],[\"id\",\"no\"]"),
      "record - - {\"id\":{\"id\":\"no\"},\"time\":[\"" T "\"]}\nrecord - - [{\"id\":\"no\"}]\n"
      "record - - [\"id\",\"no\"]\nend 3 -\n", 0 },
    { V("{\"id\":null,\"id\":true,\"id\":\"a\",\"id\":\"b\",\"time\":1,\"time\":\"later\",\"time\":\"2026-11-01\"}"),
      "record a 2026-11-01T00:00:00.0000000Z {\"id\":null,\"id\":true,\"id\":\"a\",\"id\":\"b\","
      "\"time\":1,\"time\":\"later\",\"time\":\"2026-11-01\"}\nend 1 -\n", 0 },
    { V("{\"time\":\"" T "\\u002B02:00\"},{\"time\":\"" T "\\u00\xC3\xA9\"}"),
      "record - 2026-11-01T06:35:12.0000000Z {\"time\":\"" T "\\u002B02:00\"}\n"
      "bad 1 52 an incomplete \\u escape inside a string\nend 2 -\n", 0 },
    { V("{\"time\":\"" T "\\uD800\"},{\"id\":\"\",\"ID\":\"x\",\" id\":\"y\"}"),
      "record - - {\"time\":\"" T "\\uD800\"}\nrecord  - {\"id\":\"\",\"ID\":\"x\",\" id\":\"y\"}\nend 2 -\n", 0 },
};

/* The same ID, however it is written. */
static const struct { const char *name, *one, *other; } same_id_rows[] = {
    { "a plus sign", "a\\u002Bb", "a+b" },
    { "hex digits in any case", "a\\u002bb", "a+b" },
    { "a slash", "a\\/b", "a/b" },
    { "escaped for XML in both forms", "a\\u0026\\u003c\\u003E", "a&<>" },
    { "next to one that XML escapes", "&\\u002B<", "&+<" },
    { "all short escapes", "\\b\\f\\n\\r\\t\\\"\\\\", "\\u0008\\u000c\\u000A\\u000d\\u0009\\u0022\\u005c" },
    { "two bytes of UTF-8", "\\u00e9", "\xC3\xA9" },
    { "three bytes", "\\u20AC", "\xE2\x82\xAC" },
    { "a pair of surrogates", "\\uD83d\\uDE00", "\xF0\x9F\x98\x80" },
    { "half a pair", "\\uD83D\\u0041", "\\ud83dA" },
    { "a character that XML cannot carry", "\\uFFFE", "\xEF\xBF\xBE" },
};
static const struct { const char *name, *one, *other; } different_id_rows[] = {
    { "an escaped backslash", "a\\\\u002Bb", "a+b" },
    { "zero bytes", "a\\u0000b", "a\\u0000c" },
    { "a zero byte at the end", "a\\u0000", "a" },
    { "halves of pairs", "\\uD83D", "\\uD83E" },
    { "a pair and its halves in the wrong order", "\\uDE00\\uD83D", "\\uD83D\\uDE00" },
};

/* Broken UTF-8: each lost byte is one U+FFFD, what follows is not touched. */
static const struct row utf8_rows[] = {
#define R "\xEF\xBF\xBD"
    { V("\"\xE2\",\"\xE2\x82\",\"\xF0\x9F\x98\",\"\xC3\""),
      "record - - \"" R "\" replaced\nrecord - - \"" R R "\" replaced\nrecord - - \"" R R R "\" replaced\n"
      "record - - \"" R "\" replaced\nend 4 -\n", 0 },
    { V("\"\xE2\x41\xF0\x9F<\xF0\x41\xC3\\n\xE2\x82\\\"\""),
      "record - - \"" R "A" R R "&lt;" R "A" R "\\n" R R "\\\"\" replaced\nend 1 -\n", 0 },
    { V("\"\x80\xBF\xC0\xAF\xC1\xBF\xF5\x80\xFE\xFF\""), "record - - \"" R R R R R R R R R R "\" replaced\nend 1 -\n",
      0 },
    { V("\"\xE0\x80\xAF \xED\xA0\x80 \xF0\x80\x80\xAF \xF4\x90\x80\x80\""),
      "record - - \"" R R R " " R R R " " R R R R " " R R R R "\" replaced\nend 1 -\n", 0 },
    { V("\"\xEF\xBF\xBE \xEF\xBF\xBF \xEF\xB7\x90 \xF0\x9F\xBF\xBE\""),       /* XML minds only the first two */
      "record - - \"" R " " R " \xEF\xB7\x90 \xF0\x9F\xBF\xBE\" replaced\nend 1 -\n", 0 },
    { V("{\"i\xE2\x82\":1,\"\xE2\x82\xC3\xA9\":2}"),
      "record - - {\"i" R R "\":1,\"" R R "\xC3\xA9\":2} replaced\nend 1 -\n", 0 },
    { V("{\"id\":\"\xF0\x9F\"},{}"), "record " R R " - {\"id\":\"" R R "\"} replaced\nrecord - - {}\nend 2 -\n", 0 },
    { "{\"va\xFFlue\":[1],\"@odata.nextLink\xE2\":\"x\"}", "error the answer is JSON but has no array \"value\"\n", 0 },
    { "{\"\xE2\x82\":\"\xF0\x9F\",\"value\":[1]}", "record - - 1\nend 1 -\n", 0 },
};

/* A bad record is left behind and what follows is read. */
static const struct row bad_rows[] = {
    { V("{\"a\":01},2"), "bad 0 10 neither ',' nor '}' after a member\nrecord - - 2\nend 2 -\n", 0 },
    { V("{\"a\":\"\x1F]},\"},2"), "bad 0 10 a control character inside a string\nrecord - - 2\nend 2 -\n", 0 },
    { V("{\"a\":\"\\x\\\"]},\"},2"), "bad 0 10 an unknown escape inside a string\nrecord - - 2\nend 2 -\n", 0 },
    { V("{\"a\":\"\\\x01\"},2"), "bad 0 10 an unknown escape inside a string\nrecord - - 2\nend 2 -\n", 0 },
    { V("{\"a\":\"\\u12\"},2"), "bad 0 10 an incomplete \\u escape inside a string\nrecord - - 2\nend 2 -\n", 0 },
    { V("{\"a\":\"\\u12\\\"\"},2"), "bad 0 10 an incomplete \\u escape inside a string\nrecord - - 2\nend 2 -\n", 0 },
    { V("{a:[1,2],b:\"]\"},2"), "bad 0 10 no member name in quotes\nrecord - - 2\nend 2 -\n", 0 },
    { V("{\"a\" 1},2"), "bad 0 10 no ':' after a member's name\nrecord - - 2\nend 2 -\n", 0 },
    { V("{\"a\":1 \"b\":2},2"), "bad 0 10 neither ',' nor '}' after a member\nrecord - - 2\nend 2 -\n", 0 },
    { V("{\"a\":1,},2"), "bad 0 10 no member name in quotes\nrecord - - 2\nend 2 -\n", 0 },
    { V("[1,],[,1],[1 2],{\"a\":[}]},2"),
      "bad 0 10 not a JSON value\nbad 1 15 not a JSON value\nbad 2 20 neither ',' nor ']' after a value\n"
      "bad 3 26 not a JSON value\nerror the answer is not JSON: a bracket that nothing opened at byte 34\n", 0 },
    { V("{\"a\":.5},{\"a\":+1},{\"a\":-},{\"a\":1.},{\"a\":1e},{\"a\":1e+},{\"a\":-01},{\"a\":0x1},9"),
      "bad 0 10 not a JSON value\nbad 1 19 not a JSON value\nbad 2 28 a malformed number\nbad 3 36 a malformed number\n"
      "bad 4 45 a malformed number\nbad 5 54 a malformed number\nbad 6 64 neither ',' nor '}' after a member\n"
      "bad 7 74 neither ',' nor '}' after a member\nrecord - - 9\nend 9 -\n", 0 },
    { V("{\"a\":truE},{\"a\":nul},{\"a\":NaN},{\"a\":falsee},9"),
      "bad 0 10 a word that is not true, false or null\nbad 1 21 a word that is not true, false or null\n"
      "bad 2 31 not a JSON value\nbad 3 41 neither ',' nor '}' after a member\nrecord - - 9\nend 5 -\n", 0 },
    { V("{\"a\":1]},2"),
      "bad 0 10 neither ',' nor '}' after a member\n"
      "error the answer is not JSON: a bracket that nothing opened at byte 17\n", 0 },
    { V("1,,2,"), "record - - 1\nbad 1 12 not a JSON value\nrecord - - 2\nbad 3 15 not a JSON value\nend 4 -\n", 0 },
    { V("-,2"), "bad 0 10 a malformed number\nrecord - - 2\nend 2 -\n", 0 },
    { V("{\"id\":\"x\",\"time\":\"" T "\",\"b\":\"\x01\"},{}"),
      "bad 0 10 a control character inside a string\nrecord - - {}\nend 2 -\n", 0 },
};

/* After a missing comma no next record can be told from the end of this one. */
static const struct row comma_rows[] = {
    { V("{\"a\":1}{\"b\":2}"),
      "record - - {\"a\":1}\nerror the answer is not JSON: neither ',' nor ']' after a value at byte 17\n", 0 },
    { V("1 2"), "record - - 1\nerror the answer is not JSON: neither ',' nor ']' after a value at byte 12\n", 0 },
    { V("{}}"), "record - - {}\nerror the answer is not JSON: neither ',' nor ']' after a value at byte 12\n", 0 },
};

static const struct row bare_rows[] = {
    { "[]", "end 0 -\n", 0 },
    { " [ {\"id\":\"x\",\"LastProcessedTimeUtc\":\"2026-11-01\"} , [ 1 ] ] ",
      "record - 2026-11-01T00:00:00.0000000Z {\"id\":\"x\",\"LastProcessedTimeUtc\":\"2026-11-01\"}\nrecord - - [1]\n"
      "end 2 -\n", 0 },
    { "{\"value\":[1]}", "error the answer is JSON but has no array of alerts\n", 0 },
    { "\"\"", "error the answer is JSON but has no array of alerts\n", 0 },
    { "[1,{\"value\":[2]}]", "record - - 1\nrecord - - {\"value\":[2]}\nend 2 -\n", 0 },
    { "[1}", "record - - 1\nerror the answer is not JSON: neither ',' nor ']' after a value at byte 2\n", 0 },
    { "[", "error the answer ends inside its JSON, after 1 bytes\n", 0 },
};

static void check_cuts(const struct page_shape *shape, const char *bytes, size_t len, const char *want)
{
    size_t one, two, wrong = 0;
    struct transcript t;

    for (one = 0; one <= len && wrong < 3; one++) {
        for (two = one; two <= len && wrong < 3; two++) {
            t = transcript_of(shape, bytes, len, one, two, 0, NULL);
            wrong += strcmp(buf_text(&t.text), want) != 0 || t.fault;
            CHECK(!strcmp(buf_text(&t.text), want) && !t.fault, "'%s' cut at %zu and %zu gives '%s', not '%s' (%s)",
                  bytes, one,
                  two, buf_text(&t.text), want, t.fault ? t.fault : "no fault");
            transcript_free(&t);
        }
    }
    t = transcript_of(shape, bytes, len, 0, 0, 1, NULL);
    CHECK(!strcmp(buf_text(&t.text), want) && !t.fault, "'%s' byte by byte gives '%s'", bytes, buf_text(&t.text));
    transcript_free(&t);
}

static void check_rows(const struct page_shape *shape, const struct row *row, size_t count)
{
    for (; count--; row++)
        check_cuts(shape, row->json, row->len ? row->len : strlen(row->json), row->want);
}

static void test_envelope(void **state UNUSED)
{
    check_rows(&graph, envelope_rows, COUNT_OF(envelope_rows));
}

/* promise: Trouble: A response with an error next to its records does not count as complete. */
static void test_error_next_to_the_records(void **state UNUSED)
{
    check_rows(&graph, error_rows, COUNT_OF(error_rows));
}

static void test_next_link(void **state UNUSED)
{
    check_rows(&graph, link_rows, COUNT_OF(link_rows));
}

static void drop_record(void *ctx UNUSED, struct buf *out, const struct page_record *record)
{
    out->len = record->start;
}

static void test_count(void **state UNUSED)
{
    static const struct page_handler handler = { .record = drop_record };
    static const struct { const char *json; int64_t counted; } rows[] = {
        { "{\"value\":[]}", -1 },
        { "{\"@odata.count\":0,\"value\":[]}", 0 },
        { "{\"@odata.count\":120,\"value\":[{\"id\":1}]}", 120 },
        { "{\"value\":[{\"id\":7},{\"@odata.count\":5}],\"@odata.count\" : 12 }", 12 },
        { "{\"@odata.c\\u006funt\":34,\"value\":[]}", 34 },
        { "{\"@odata.count\":34,\"n\":5,\"o\":{\"@odata.count\":6},\"value\":[[8]]}", 34 },
        { "{\"@odata.count\":[3],\"value\":[]}", -1 },
        { "{\"@odata.count\":-3,\"value\":[]}", -1 },
        { "{\"@odata.count\":3.5,\"value\":[]}", -1 },
        { "{\"@odata.count\":3e2,\"value\":[]}", -1 },
        { "{\"@odata.count\":\"3\",\"value\":[]}", -1 },
        { "{\"@odata.count\":null,\"value\":[]}", -1 },
        { "{\"@odata.count\":123456789012345678901234567890,\"value\":[]}", -1 },
        { "{\"count\":3,\"@odata.counted\":4,\"value\":[]}", -1 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t cut = 0; cut <= strlen(rows[i].json); cut++) {
            CLEANUP(buf_free) struct buf out = BUF_INIT(1000);
            struct page *page = page_new(&graph, &handler);
            struct err err;

            CHECK(page_feed(page, rows[i].json, cut, &out) &&
                      page_feed(page, rows[i].json + cut, strlen(rows[i].json) - cut, &out) && page_end(page, &err),
                  "%s: %s", rows[i].json, err.text);
            CHECK(page_counted(page) == rows[i].counted, "%s cut at %zu: %lld", rows[i].json, cut, (long long)page_counted(page));
            page_free(page);
        }
}

static void test_records(void **state UNUSED)
{
    check_rows(&graph, record_rows, COUNT_OF(record_rows));
}

static void test_id_and_time(void **state UNUSED)
{
    check_rows(&graph, id_and_time_rows, COUNT_OF(id_and_time_rows));
}

/* Returns the ID of a record as the handler gets it. */
static struct buf id_of(const char *id)
{
    struct buf json = BUF_INIT(1000), ret = BUF_INIT(1000);
    struct transcript t;
    const char *blank;

    buf_add_format(&json, "{\"value\":[{\"id\":\"%s\"}]}", id);
    t = transcript_of(&graph, json.data, json.len, 0, 0, 0, NULL);
    blank = memmem(t.text.data, t.text.len, " - {", 4);
    CHECK(blank, "%s gives '%s'", id, buf_text(&t.text));
    if (blank)
        buf_add(&ret, t.text.data + strlen("record "), (size_t)(blank - t.text.data) - strlen("record "));
    transcript_free(&t);
    buf_free(&json);
    return ret;
}

static bool same_ids(const char *one, const char *other)
{
    CLEANUP(buf_free) struct buf left = id_of(one);
    CLEANUP(buf_free) struct buf right = id_of(other);

    return left.len == right.len && !memcmp(left.data, right.data, left.len);
}

/* promise: Events: An alert is known by its id and its update time. */
static void test_ids_with_escapes(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(same_id_rows); i++)
        CHECK(same_ids(same_id_rows[i].one, same_id_rows[i].other), "%s", same_id_rows[i].name);
    for (size_t i = 0; i < COUNT_OF(different_id_rows); i++)
        CHECK(!same_ids(different_id_rows[i].one, different_id_rows[i].other), "%s", different_id_rows[i].name);
}

static void test_broken_utf8(void **state UNUSED)
{
    check_rows(&graph, utf8_rows, COUNT_OF(utf8_rows));
}

static void test_bad_records(void **state UNUSED)
{
    check_rows(&graph, bad_rows, COUNT_OF(bad_rows));
}

/* What is handed over of a bad record. Both texts may hold a zero. */
struct kept_row {
    const char *json;
    size_t len;
    const char *want;
    size_t want_len;
};

#define KEPT(records, want) { V(records), sizeof(V(records)) - 1, want, sizeof(want) - 1 }

static const struct kept_row kept_rows[] = {
    KEPT("{\"id\":\"a\", \"time\" : \"" T "Z\" ,\"x\": -,  \"y\":[1, 2] } ,2",
         "a 2026-11-01T08:35:12.0000000Z 65 {\"id\":\"a\",\"time\":\"" T "Z\",\"x\":-,  \"y\":[1, 2] }\n"),
    KEPT("{\"id\":\"a\\u0026<\",\"x\":\"<\x01&>\"}",
         "a&amp;&lt; - 28 {\"id\":\"a\\u0026&lt;\",\"x\":\"&lt;\x01&amp;&gt;\"}\n"),
    KEPT("{\"x\":01,\"id\":\"late\"}", "- - 20 {\"x\":01,\"id\":\"late\"}\n"),
    KEPT("{\"id\":\"a\x02\"},\"b\"", "- - 11 {\"id\":\"a\x02\"}\n"),
    KEPT("{\"id\":7,\"x\":\"\\q\xFF\xC3\"\t} ,1", "7 - 20 {\"id\":7,\"x\":\"\\q\xFF\xC3\"\t}\n"),
    KEPT("{\"u\":\"\xFF\xC3\xA9\",\"x\":\"\\q\xC3\xA9\"}", "- - 22 {\"u\":\"" U "\xC3\xA9\",\"x\":\"\\q\xC3\xA9\"}\n"),
    KEPT("{\"x\":\"\0\"}", "- - 9 {\"x\":\"\0\"}\n"),
    KEPT("-,tru,[1 2],{},+", "- - 1 -\n- - 3 tru\n- - 5 [1 2]\n- - 1 +\n"),
    KEPT("- ,{\"a\":\"b\\u12\"}\n", "- - 1 -\n- - 13 {\"a\":\"b\\u12\"}\n"),
    KEPT("{\"a\":oops},1", "- - 10 odd {\"a\":oops}\n"),
    KEPT("{\"a\":-,\"b\":\"never closed}", "- - 27 open {\"a\":-,\"b\":\"never closed}]}\n"),
    KEPT("{]", "- - 2 {]\n"),
    KEPT("{]}", "- - 2 open {]\n"),
    KEPT("{\"a\":1 \"b\":2},{\"a\" \n\t1}", "- - 13 {\"a\":1 \"b\":2}\n- - 9 {\"a\" 1}\n"),
};

/* promise: Events: A record that is not JSON is written as it came, as an event of its own source type */
static void test_kept_of_bad_records(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(kept_rows); i++) {
        const struct kept_row *row = &kept_rows[i];
        size_t a, b;

        for (a = 0; a <= row->len; a++) {
            for (b = a; b <= row->len; b++) {
                struct transcript t = transcript_of(&graph, row->json, row->len, a, b, 0, NULL);
                bool same = t.bad.len == row->want_len && !memcmp(t.bad.data, row->want, row->want_len);

                CHECK(!t.fault && same, "row %zu, cut at %zu and %zu: %s '%s'", i, a, b, t.fault ? t.fault : "",
                      buf_text(&t.bad));
                if (!same)
                    a = b = row->len;
                transcript_free(&t);
            }
        }
    }
}

static void test_missing_comma(void **state UNUSED)
{
    check_rows(&graph, comma_rows, COUNT_OF(comma_rows));
}

static void test_bare_array(void **state UNUSED)
{
    check_rows(&siem, bare_rows, COUNT_OF(bare_rows));
}

/* Cut off at every byte: never a whole page, and no record that the whole page does not have. */
static void test_truncated(void **state UNUSED)
{
    static const char json[] = "{\"a\":[\"\\u00e9\xC3\xA9\"],\"value\":[{\"id\":\"x\",\"n\":-1.5e3},"
                               "{\"id\":\"y\",\"t\":true}],"
                               "\"@odata.nextLink\":\"https://h/p\"}";
    struct transcript whole = transcript_of(&graph, json, strlen(json), 0, 0, 0, NULL), t;
    size_t len;

    for (len = 0; len < strlen(json); len++) {
        size_t same;

        t = transcript_of(&graph, json, len, 0, 0, 0, NULL);
        same = (size_t)(strstr(buf_text(&t.text), "error ") - buf_text(&t.text));
        CHECK(strstr(buf_text(&t.text), "error the answer ") &&
              !strncmp(buf_text(&t.text), buf_text(&whole.text), same),
              "the first %zu bytes give '%s'", len, buf_text(&t.text));
        transcript_free(&t);
    }
    CHECK(whole.records == 2, "%zu records", whole.records);
    transcript_free(&whole);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_envelope),
    cmocka_unit_test(test_error_next_to_the_records),
    cmocka_unit_test(test_next_link),
    cmocka_unit_test(test_count),
    cmocka_unit_test(test_records),
    cmocka_unit_test(test_id_and_time),
    cmocka_unit_test(test_ids_with_escapes),
    cmocka_unit_test(test_broken_utf8),
    cmocka_unit_test(test_bad_records),
    cmocka_unit_test(test_kept_of_bad_records),
    cmocka_unit_test(test_missing_comma),
    cmocka_unit_test(test_bare_array),
    cmocka_unit_test(test_truncated),
};

UNIT(page, cases, NULL, NULL)
