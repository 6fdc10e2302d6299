#include "splunk/filter.h"

#include <string.h>

#include "base/text.h"

/* A part of a filter. */
struct span {
    const char *at;
    size_t len;
};

/* `property eq 'value'`. */
struct comparison {
    struct span property, value;
    bool equal; /* eq, not ne */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Follows quotes and parentheses. OData doubles a quote inside a text, so pairs stay pairs. */
struct nesting {
    bool quoted;
    int depth;
};

static void nesting_step(struct nesting *nesting, char c)
{
    if (c == '\'')
        nesting->quoted = !nesting->quoted;
    else if (!nesting->quoted)
        nesting->depth += (c == '(') - (c == ')');
}

/* Returns true if the first parenthesis is closed by the last character. */
static bool is_enclosed(struct span span)
{
    struct nesting nesting = { 0 };
    size_t i;

    if (span.len < 2 || span.at[0] != '(')
        return false;
    for (i = 0; i + 1 < span.len; i++) {
        nesting_step(&nesting, span.at[i]);
        if (!nesting.quoted && !nesting.depth)
            return false;
    }
    return span.at[i] == ')' && !nesting.quoted && nesting.depth == 1;
}

/* Returns the span without blanks and parentheses around it. */
static struct span bare(struct span span)
{
    for (;;) {
        if (span.len && is_blank(span.at[0]))
            span = (struct span){ span.at + 1, span.len - 1 };
        else if (span.len && is_blank(span.at[span.len - 1]))
            span.len--;
        else if (is_enclosed(span))
            span = (struct span){ span.at + 1, span.len - 2 };
        else
            return span;
    }
}

static bool has_word(struct span span, size_t at, const char *word)
{
    size_t len = strlen(word);

    return at > 0 && at + len < span.len && strncasecmp(span.at + at, word, len) == 0 &&
           (is_blank(span.at[at - 1]) || span.at[at - 1] == ')') &&
           (is_blank(span.at[at + len]) || span.at[at + len] == '(');
}

/* Cuts the first operand of `word` off the span. Returns false if the word is not at the top level. */
static bool cut(struct span *rest, const char *word, struct span *ret)
{
    struct nesting nesting = { 0 };
    size_t i, len = strlen(word);

    for (i = 0; i < rest->len; i++) {
        if (!nesting.quoted && !nesting.depth && has_word(*rest, i, word)) {
            *ret = bare((struct span){ rest->at, i });
            *rest = bare((struct span){ rest->at + i + len, rest->len - i - len });
            return true;
        }
        nesting_step(&nesting, rest->at[i]);
    }
    return false;
}

/* Takes a word, or a text in quotes, from the start of the span. Returns false for anything else. */
static bool take(struct span *rest, struct span *ret)
{
    size_t i = 0;

    if (rest->len && rest->at[0] == '\'') {
        for (i = 1; i < rest->len && (rest->at[i] != '\'' || (i + 1 < rest->len && rest->at[i + 1] == '\'')); i++)
            i += rest->at[i] == '\'';
        i++;
    } else {
        while (i < rest->len && !is_blank(rest->at[i]) && !strchr("()'", rest->at[i]))
            i++;
    }
    if (!i || i > rest->len)
        return false;
    *ret = (struct span){ rest->at, i };
    *rest = (struct span){ rest->at + i, rest->len - i };
    while (rest->len && is_blank(rest->at[0]))
        *rest = (struct span){ rest->at + 1, rest->len - 1 };
    return true;
}

static bool same(struct span a, struct span b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static bool same_nocase(struct span a, struct span b)
{
    return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

/* Returns true for a value that equals no other spelling of itself, as 1 and 1.0 do. */
static bool is_plain(struct span value)
{
    static const struct span words[] = { { "true", 4 }, { "false", 5 }, { "null", 4 } };
    size_t i;

    for (i = 0; i < COUNT_OF(words); i++)
        if (same_nocase(value, words[i]))
            return true;
    return value.at[0] == '\'';
}

static bool read_comparison(struct span span, struct comparison *ret)
{
    static const struct span eq = { "eq", 2 }, ne = { "ne", 2 };
    struct span word;

    if (!take(&span, &ret->property) || !take(&span, &word) || !take(&span, &ret->value) || span.len)
        return false;
    ret->equal = same_nocase(word, eq);
    return (ret->equal || same_nocase(word, ne)) && is_plain(ret->value);
}

/* Returns true if a record cannot meet both comparisons. Services may ignore the case of a value. */
static bool contradict(struct span a, struct span b)
{
    struct comparison one, other;

    if (!read_comparison(a, &one) || !read_comparison(b, &other) || !same_nocase(one.property, other.property))
        return false;
    if (one.equal && other.equal)
        return !same_nocase(one.value, other.value);
    return one.equal != other.equal && same(one.value, other.value);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the parentheses; a filter has 2,000 bytes at most. */
static bool exclude(struct span a, struct span b)
{
    struct span part;

    if (cut(&a, "or", &part))
        return exclude(part, b) && exclude(a, b);
    if (cut(&b, "or", &part))
        return exclude(a, part) && exclude(a, b);
    if (cut(&a, "and", &part))
        return exclude(part, b) || exclude(a, b);
    if (cut(&b, "and", &part))
        return exclude(a, part) || exclude(a, b);
    return contradict(a, b);
}

bool filters_exclude(const char *a, const char *b)
{
    if (text_empty(a) || text_empty(b))
        return false;
    return exclude(bare((struct span){ a, strlen(a) }), bare((struct span){ b, strlen(b) }));
}
