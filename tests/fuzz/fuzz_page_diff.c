/* The page reader against cJSON, which has nothing in common with it: they must agree on which texts are JSON, on how
 * many records there are, on each record's content and on the next link.
 *
 * cJSON 1.7 is no exact judge of RFC 8259. Where it differs, and what is done about it here:
 *  - Control characters inside strings pass in cJSON. A judge of our own (refused) refuses them first.
 *  - \u with anything behind it but four hex digits is a zero character to cJSON. The same judge.
 *  - Any byte up to 0x20 between tokens is white space to cJSON; to RFC 8259 only four are. The same judge.
 *  - Broken UTF-8 passes in both; the page reader puts U+FFFD in its place, so contents are compared only where the
 *    text is UTF-8. (RFC 3629's own tests are in tests/unit/test_text.c.)
 *  - A number is taken by cJSON as the longest run of [0-9+-eE.] that strtod() likes: "01", "1.", "-.5" and "1e5-3"
 *    pass
 *    or are cut short, and the 64th character of a number ends it. Texts with numbers that break the grammar, that are
 *    so long or that no double holds are left out (odd_number).
 *  - \u escapes of lone surrogates are refused by cJSON and allowed by RFC 8259's grammar; \u0000 ends cJSON's string
 *    early. Texts with \ud8.. to \udf.. or \u0000 are left out.
 *  - cJSON nests up to 1000 levels, the page reader up to 512: texts with more than 500 brackets are left out.
 *  - A byte order mark is skipped by both.
 *  - cJSON stops behind the first value; base/json.c's json_parse() refuses what follows, so that is what is called. A
 *    zero byte inside the text is just another byte to both.
 *  - Numbers become doubles in cJSON, so contents are compared as trees: both texts are parsed by cJSON. */
#include <ctype.h>
#include <math.h>

#include "../unit/transcript.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "fuzz.h"

static void agree(bool ok, const char *what, const char *bytes, size_t size)
{
    if (ok)
        return;
    fprintf(stderr, "the readers differ: %s: '%.*s'\n", what, (int)size, bytes);
    abort();
}

/* What the text has, found by a look at its tokens that knows nothing of nesting. */
struct traits {
    bool   refused;         /* no JSON: a control character in a string, or one that is no white space elsewhere; or
                               \u without four hex digits */
    bool   odd_number;      /* a run of number characters that is no JSON number */
    bool   odd_escape;      /* \u0000, or a surrogate */
    bool   odd_utf8;
    size_t brackets;
};

static bool strict_number(const char *at, const char *end)
{
    char text[64] = "";

    if (end - at >= (ptrdiff_t)sizeof(text))
        return false;
    memcpy(text, at, (size_t)(end - at));
    if (!isfinite(strtod(text, NULL)))
        return false;
    if (at < end && *at == '-')
        at++;
    if (at == end || !isdigit((unsigned char)*at))
        return false;
    if (*at++ != '0')
        while (at < end && isdigit((unsigned char)*at))
            at++;
    if (at < end && *at == '.') {
        if (++at == end || !isdigit((unsigned char)*at))
            return false;
        while (at < end && isdigit((unsigned char)*at))
            at++;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        if (at == end || !isdigit((unsigned char)*at))
            return false;
        while (at < end && isdigit((unsigned char)*at))
            at++;
    }
    return at == end;
}

static bool odd_escape(const char *at, const char *end)
{
    return end - at >= 6 && at[1] == 'u' && (!memcmp(at + 2, "0000", 4) ||
                                             ((at[2] | 0x20) == 'd' && strchr("89aAbBcCdDeEfF", at[3]) && at[3]));
}

static bool four_digits(const char *at, const char *end)
{
    return end - at >= 6 && isxdigit((unsigned char)at[2]) && isxdigit((unsigned char)at[3]) &&
           isxdigit((unsigned char)at[4]) && isxdigit((unsigned char)at[5]);
}

static void look(const char *at, const char *end, struct traits *ret)
{
    bool string = false;

    *ret = (struct traits){ .brackets = 0 };
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;
        const char *run = at;

        if (c >= 0x80) {
            size_t n = utf8_length((const unsigned char *)at, (size_t)(end - at));

            ret->odd_utf8 |= !n || (n == 3 && c == 0xEF && (unsigned char)at[1] == 0xBF &&
                                    (unsigned char)at[2] >= 0xBE);
            at += n ? n - 1 : 0;
        } else if (string) {
            ret->refused |= c < 0x20;
            if (c == '\\') {
                ret->odd_escape |= odd_escape(at, end);
                ret->refused |= at + 1 < end && ((unsigned char)at[1] < 0x20 ||
                                                 (at[1] == 'u' && !four_digits(at, end)));
                at += at + 1 < end && (unsigned char)at[1] < 0x80;
            }
            string = c != '"';
        } else if (c == '"') {
            string = true;
        } else if (!c || (c < 0x20 && !strchr(" \t\r\n", c))) {
            ret->refused = true;
        } else if (strchr("0123456789+-.", c)) {
            while (at < end && *at && strchr("0123456789+-eE.", *at))
                at++;
            ret->odd_number |= !strict_number(run, at);
            at--;
        } else if (c == '[' || c == '{') {
            ret->brackets++;
        }
    }
}

/* The records that cJSON sees, one after the other, for compare(). */
static const cJSON *due;
static bool comparing;

static void compare(const char *data, size_t len)
{
    struct buf plain = BUF_INIT((size_t)1 << 30);
    cJSON *mine;
    size_t i;

    if (!comparing)
        return;
    for (i = 0; i < len; i++) {
        if (data[i] == '&') {
            buf_add_char(&plain, data[i + 1] == 'a' ? '&' : data[i + 1] == 'l' ? '<' : '>');
            i += data[i + 1] == 'a' ? 4 : 3;
        } else {
            buf_add_char(&plain, data[i]);
        }
    }
    mine = json_parse(plain.data, plain.len);
    agree(due && mine && cJSON_Compare(mine, due, true), "a record's content", data, len);
    cJSON_Delete(mine);
    buf_free(&plain);
    due = due->next;
}

static bool has_error(const cJSON *tree)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, tree)
        if (item->string && strlen(item->string) >= 5 && !strcasecmp(item->string + strlen(item->string) - 5, "error") &&
            !cJSON_IsNull(item))
            return true;
    return false;
}

/* cJSON_Compare() finds members by name, so a name that comes twice in one object compares only with itself. */
static bool names_twice(const cJSON *item)
{
    const cJSON *child, *other;

    for (child = item->child; child; child = child->next) {
        if (names_twice(child))
            return true;
        for (other = child->next; cJSON_IsObject(item) && other; other = other->next)
            if (!strcmp(child->string, other->string))
                return true;
    }
    return false;
}

static void judge(const char *bytes, size_t size, const struct page_shape *shape)
{
    struct traits traits;
    cJSON *tree;
    const cJSON *list, *link;
    struct transcript t;
    const char *end;
    bool whole;

    look(bytes, bytes + size, &traits);
    if (traits.odd_number || traits.odd_escape || traits.brackets > 500)
        return;
    tree = traits.refused ? NULL : json_parse(bytes, size);
    list = shape->array ? json_member(tree, shape->array) : tree;
    due = cJSON_IsArray(list) ? list->child : NULL;
    link = json_member(tree, "@odata.nextLink");
    comparing = tree && cJSON_IsArray(list) && !traits.odd_utf8 && !names_twice(tree);

    t = transcript_of(shape, bytes, size, 0, 0, 0, compare);
    end = strrchr(t.text.len > 1 ? (t.text.data[t.text.len - 1] = '\0', t.text.data) : "", '\n');
    end = end ? end + 1 : buf_text(&t.text);
    whole = !strncmp(end, "end ", 4) && !t.bads;
    if (strstr(end, "it holds an error"))       /* an error next to the records: never a whole page */
        agree(!tree || has_error(tree), "only the page reader finds an error", bytes, size);
    else if (!tree)
        agree(!whole, "only the page reader takes it", bytes, size);
    else if (!cJSON_IsArray(list))      /* of two members of one name cJSON looks at the first, the page at any array */
        agree(strstr(end, "has no array") || strstr(end, "a next link") || names_twice(tree),
              "only the page reader finds an array", bytes, size);
    else if (link && !cJSON_IsString(link) && !cJSON_IsNull(link))
        agree(strstr(end, "a next link") != NULL, "a next link that is no text", bytes, size);
    else if (!traits.odd_utf8) {
        agree(whole, "only cJSON takes it", bytes, size);
        agree(t.records == (size_t)cJSON_GetArraySize(list) || names_twice(tree), "the number of records", bytes, size);
        agree(!link || cJSON_IsNull(link) || !strcmp(strchr(end + 4, ' ') + 1, link->valuestring) ||
             names_twice(tree), "the next link", bytes, size);
    }
    transcript_free(&t);
    cJSON_Delete(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct page_shape envelope = { "value", "id", "time" }, bare = { NULL, NULL, NULL };

    judge((const char *)data, size, &envelope);
    judge((const char *)data, size, &bare);
    return 0;
}
