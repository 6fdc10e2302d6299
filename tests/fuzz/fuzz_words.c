/* Words of others on their way into a line: however they are made, the line stays one line with the fields that we gave
 * it. The numbers in them, too. */
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "splunk/input.h"

/* Returns the end of the value in quotes at text, for a reader who knows escapes, or for one who does not. */
static const char *value_end(const char *text, bool escapes)
{
    const char *at;

    for (at = text + 1; *at && *at != '"'; at++)
        if (escapes && *at == '\\' && at[1])
            at++;
    return at;
}

static void check_quoted(const char *text)
{
    char quoted[LOG_QUOTED_MAX];
    const char *end = log_quoted(text, quoted) + strlen(quoted) - 1;

    need(quoted[0] == '"' && end > quoted && *end == '"', "in quotes");
    need(value_end(quoted, true) == end && value_end(quoted, false) == end, "one value, for any reader");
    need(utf8_is_plain(quoted), "plain");
}

static void check_label(const char *text)
{
    char *label = input_label(text);

    if (*label == '"')
        need(value_end(label, true) == label + strlen(label) - 1, "one value");
    else
        need(*text && !strpbrk(label, " \t=\"'\\,;") && utf8_is_plain(label), "one plain word");
    free(label);
}

static void check_err(const char *text)
{
    struct buf words = BUF_INIT(1 << 16);
    struct err err;
    const char *c;
    size_t len = 0;

    buf_add_foreign(&words, text, 200);
    need(words.len <= 200, "no more than asked for");
    for (c = buf_text(&words); *c; c++)
        need((len = *c == ' ' ? 0 : len + 1) <= 30, "no long word is repeated");
    err_set(&err, ERR_INPUT, "the service says '%s'", buf_text(&words));
    need(utf8_is_plain(err.text), "a message is plain");
    err_set(&err, ERR_INPUT, "%s", text);
    err_prefix(&err, "%s", text);
    need(utf8_is_plain(err.text), "a message with a prefix is plain");
    buf_free(&words);
}

/* JSON keeps every character that is well-formed, and shows none that is hidden. */
static void check_json(const char *text)
{
    struct buf json = BUF_INIT(1 << 26);
    cJSON *tree;

    buf_add_json(&json, text);
    need(utf8_is_plain(buf_text(&json)), "plain");
    tree = json_parse(json.data, json.len);
    need(cJSON_IsString(tree), "a string");
    if (utf8_is_plain(text))
        need(!strcmp(tree->valuestring, text), "the same text");
    cJSON_Delete(tree);
    buf_free(&json);
}

/* Compares with arithmetic that cannot overflow on any text that is short enough. */
static void check_number(const char *text)
{
    size_t len = strlen(text), i;
    __extension__ __int128 want = 0;
    bool good = len > 0 && len < 30;
    int64_t got = -7;

    for (i = 0; i < len && good; i++) {
        good = text[i] >= '0' && text[i] <= '9';
        want = want * 10 + (text[i] - '0');
    }
    if (len >= 30)
        return;
    good = good && want <= INT64_MAX;
    need(text_int64(text, 0, INT64_MAX, &got) == good && got == (good ? (int64_t)want : -7), "the number, or none");
    if (good && want)
        need(!text_int64(text, 0, (int64_t)want - 1, &got) && !text_int64(text, (int64_t)want + (want < INT64_MAX), 0, &got),
             "the bounds count");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_text_n((const char *)data, size);

    check_quoted(text);
    check_label(text);
    check_err(text);
    check_json(text);
    check_number(text);
    free(text);
    return 0;
}
