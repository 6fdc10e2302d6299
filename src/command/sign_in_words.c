#include "command/sign_in_words.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "command/sign_in_options.h"

#define TEXT_MAX   65536
#define WORD_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* Parameters that are no options: they are typed where they are asked for. */
static const struct {
    const char *parameter, *typed;
} asked_for[] = { { "client_secret", "the client secret" }, { "authorization_code", "code" } };

/* Parts of messages that are about the page or the file of an input. */
static const char *const left_out[] = { " in the input", " of the input", " in this input" };

/* Words before the name of a parameter that is an English word, too: "set proxy", but "the proxy". */
static const char *const before_names[] = { "set", "in", "if", "check", "correct" };

static bool is_word(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && !memcmp(word, name, len);
}

static bool follows(const char *text, const char *word, const char *before)
{
    size_t len = strlen(before) + 1, start = (size_t)(word - text);

    return start >= len && word[-1] == ' ' && !memcmp(word - len, before, len - 1) &&
           (start == len || !strchr(WORD_CHARS, *(word - len - 1)));
}

/* Returns true if an English word is the name of a parameter where it is. */
static bool is_named_at(const char *text, const char *word)
{
    size_t i;

    if (word == text)
        return true;
    for (i = 0; i < COUNT_OF(before_names); i++)
        if (follows(text, word, before_names[i]))
            return true;
    return false;
}

/* Returns what a word becomes; NULL: it stays. */
static const char *typed_word(const char *text, const char *word, size_t len)
{
    const char *option = sign_in_option_of(word, len);
    size_t i;

    if (word > text && strchr("'=?&/-.", word[-1]))
        return NULL;
    if (word[len] && strchr("'=", word[len]))
        return NULL;
    if (option)
        return memchr(word, '_', len) || is_named_at(text, word) ? option : NULL;
    if (follows(text, word, "stored")) /* it is named so in the password store */
        return NULL;
    for (i = 0; i < COUNT_OF(asked_for); i++)
        if (is_word(word, len, asked_for[i].parameter))
            return asked_for[i].typed;
    return NULL;
}

static size_t left_out_length(const char *at)
{
    size_t i, len;

    for (i = 0; i < COUNT_OF(left_out); i++) {
        len = strlen(left_out[i]);
        if (text_starts(at, left_out[i]) && (!at[len] || !strchr(WORD_CHARS, at[len])))
            return len;
    }
    return 0;
}

char *sign_in_words(const char *text)
{
    struct buf out = BUF_INIT(TEXT_MAX);
    const char *at = text, *typed;
    size_t len;

    while (*at) {
        len = strspn(at, WORD_CHARS);
        typed = len ? typed_word(text, at, len) : NULL;
        if (typed)
            buf_add_text(&out, typed);
        else if (len)
            buf_add(&out, at, len);
        else
            len = left_out_length(at);
        if (!len)
            buf_add_char(&out, *at);
        at += len ? len : 1;
    }
    return buf_take(&out);
}
