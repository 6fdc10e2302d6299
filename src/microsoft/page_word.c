/* Numbers, and the words true, false and null. */
#include "microsoft/page_private.h"

#define COUNT_MOST INT64_C(1000000000) /* records */

static enum number number_step(enum number from, unsigned char c)
{
    bool nought = c == '0', digit = c >= '0' && c <= '9', e = (c | 0x20) == 'e';

    switch (from) {
    case NUM_MINUS: return nought ? NUM_ZERO : digit ? NUM_INT : NUM_BAD;
    case NUM_ZERO: return c == '.' ? NUM_POINT : e ? NUM_E : NUM_BAD;
    case NUM_INT: return digit ? NUM_INT : c == '.' ? NUM_POINT : e ? NUM_E : NUM_BAD;
    case NUM_POINT: return digit ? NUM_FRACTION : NUM_BAD;
    case NUM_FRACTION: return digit ? NUM_FRACTION : e ? NUM_E : NUM_BAD;
    case NUM_E: return digit ? NUM_EXPONENT : c == '+' || c == '-' ? NUM_E_SIGN : NUM_BAD;
    case NUM_E_SIGN:
    case NUM_EXPONENT: return digit ? NUM_EXPONENT : NUM_BAD;
    default: return NUM_BAD;
    }
}

bool page_number_complete(const struct page *p)
{
    return p->token.number == NUM_ZERO || p->token.number == NUM_INT || p->token.number == NUM_FRACTION ||
           p->token.number == NUM_EXPONENT;
}

/* Returns true if the number is the count of all that match the query. */
static bool is_count(const struct page *p)
{
    return p->next.count && p->depth == 1;
}

void page_number_begin(struct page *p)
{
    unsigned char c = *p->at++;

    p->token.number = c == '-' ? NUM_MINUS : c == '0' ? NUM_ZERO : NUM_INT;
    p->token.start = p->out->len;
    if (is_count(p))
        p->found.counted = c == '-' ? -1 : c - '0';
    page_put(p, c);
    p->state = ST_NUMBER;
}

static void number_end(struct page *p)
{
    if (p->next.id) /* a number may be an id, but not a time */
        page_scalar_end(p);
    if (is_count(p) && p->token.number != NUM_ZERO && p->token.number != NUM_INT)
        p->found.counted = -1;
    p->next.time = p->next.link = p->next.records = false;
    value_end(p);
}

/* Takes a further digit of the count. One that is too large to be true is none. */
static void add_digit(struct page *p)
{
    int64_t counted = p->found.counted;

    p->found.counted = counted < 0 || counted > COUNT_MOST ? -1 : counted * 10 + (*p->at - '0');
}

void page_number_goes_on(struct page *p)
{
    enum number next;

    for (; p->at < p->end; p->at++) {
        next = number_step(p->token.number, *p->at);
        if (next == NUM_BAD) {
            if (page_number_complete(p))
                number_end(p);
            else
                page_bad(p, "a malformed number");
            return;
        }
        p->token.number = next;
        if (is_count(p))
            add_digit(p);
        page_put(p, *p->at);
    }
}

void page_word_begin(struct page *p, const char *word)
{
    p->token.literal = word;
    p->next.id = p->next.time = p->next.link = p->next.records = false;
    p->state = ST_LITERAL;
}

void page_word_goes_on(struct page *p)
{
    for (; p->at < p->end && *p->token.literal; p->at++, p->token.literal++) {
        if (*p->at != (unsigned char)*p->token.literal) {
            page_bad(p, "a word that is not true, false or null");
            return;
        }
        page_put(p, *p->at);
    }
    if (!*p->token.literal)
        value_end(p);
}
