#include "splunk/stanza.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "splunk/app.h"
#include "splunk/params.h"
#include "splunk/value.h"
#include "splunk/value_refusal.h"

#define STANZA_PREFIX  SCHEME_NAME "://"
#define FILE_NAME_MOST 240 /* of a file system's 255 bytes; a checkpoint's endings take some */

void raw_stanza_free(struct raw_stanza *stanza)
{
    size_t i;

    for (i = 0; i < stanza->count; i++) {
        free(stanza->params[i].name);
        mem_free_secret(stanza->params[i].value);
    }
    free(stanza->params);
    free(stanza->name);
    free(stanza->app);
    *stanza = (struct raw_stanza){ 0 };
}

/* Returns true if the member of struct input is a string that it owns. */
static bool holds_text(enum param_type type)
{
    return type != PARAM_CHOICE && type != PARAM_START && type != PARAM_SECONDS;
}

void input_free(struct input *input)
{
    size_t i;

    if (!input)
        return;
    for (i = 0; i < params_count; i++)
        if (holds_text(params[i].type))
            mem_free_secret(*(char **)((char *)input + params[i].offset));
    mem_free_secret(input->proxy_password);
    free(input->name);
    free(input->app);
    memset(input, 0, sizeof(*input));
}

const char *stanza_value(const struct raw_stanza *stanza, const char *name)
{
    size_t i;

    for (i = stanza->count; i > 0; i--)
        if (strcmp(stanza->params[i - 1].name, name) == 0)
            return stanza->params[i - 1].value;
    return NULL;
}

bool stanza_truth(const char *text)
{
    static const char *const words[] = { "1", "true", "t", "yes", "y", "on" };
    CLEANUP(mem_freep) char *trimmed = text_trimmed(text ? text : "");
    size_t i;

    for (i = 0; i < COUNT_OF(words); i++)
        if (text_same_nocase(trimmed, words[i]))
            return true;
    return false;
}

const char *stanza_input_name(const struct raw_stanza *stanza)
{
    const char *name = stanza->name ? stanza->name : "";

    return text_starts(name, STANZA_PREFIX) ? name + strlen(STANZA_PREFIX) : name;
}

static bool take_name(const struct raw_stanza *stanza, struct input *input, struct err *err)
{
    struct buf file = BUF_INIT(FILE_NAME_MOST);
    const char *name = stanza_input_name(stanza);
    bool fits;

    if (!*name)
        return err_set(err, ERR_INPUT, "the input has no name; it should have one that identifies the customer");
    buf_add_file_name(&file, name);
    fits = !file.full;
    buf_free(&file);
    if (!fits)
        return err_set(err, ERR_INPUT,
                       "the input's name '%.60s...' is too long: it becomes a file name, in which "
                       "letters, digits, '-' and '_' take one byte and every other byte takes three; it should take %d "
                       "at most",
                       name, FILE_NAME_MOST);
    input->name = mem_text(name);
    input->app = mem_text(stanza->app ? stanza->app : "");
    return true;
}

bool stanza_is_disabled(const struct raw_stanza *stanza)
{
    return stanza_truth(stanza_value(stanza, "disabled"));
}

/* Reads the two of splunkd's own keys that matter here. splunkd falls back to a sourcetype named like the kind of
 * input, so that one is not an administrator's choice. */
static void take_own_keys(const struct raw_stanza *stanza, struct input *input)
{
    const char *sourcetype = stanza_value(stanza, "sourcetype");

    input->disabled = stanza_is_disabled(stanza);
    input->has_sourcetype = !text_empty(sourcetype) && strcmp(sourcetype, SCHEME_NAME) != 0;
}

static bool take_param(const struct raw_stanza *stanza, const struct param *param, enum file_check check,
                       struct input *input, struct err *err)
{
    const char *raw = stanza_value(stanza, param->name);
    CLEANUP(mem_free_secretp) char *value = text_trimmed(raw ? raw : "");

    if (*value)
        return value_parse(param, value, check, input, err);
    if (param->required)
        return err_set(err, ERR_INPUT, "%s is missing; it should be %s", param->name, value_wanted(param));
    return !param->default_text || value_parse(param, param->default_text, check, input, err);
}

static bool refuse_both(const char *one, const char *other, const char *value, struct err *err)
{
    return err_set(err, ERR_INPUT,
                   "%s and %s '%.200s' are both given, but the app signs in with one of them; one of the two should be "
                   "empty",
                   one, other, value);
}

static bool one_credential(const struct input *input, struct err *err)
{
    if (input->client_secret && input->client_certificate)
        return refuse_both("client_secret", "client_certificate", input->client_certificate, err);
    if (input->client_secret && input->client_assertion)
        return refuse_both("client_secret", "client_assertion", input->client_assertion, err);
    if (input->client_certificate && input->client_assertion)
        return refuse_both("client_certificate", "client_assertion", input->client_assertion, err);
    return true;
}

static bool check_together(const struct input *input, struct err *err)
{
    if (input->filter && input->api == API_SIEM)
        return err_set(err, ERR_INPUT,
                       "filter is given with api 'siem', but the alert exporter has no OData; filter "
                       "should be empty, or api should be graph, endpoint or incidents");
    return one_credential(input, err);
}

bool input_from_stanza(const struct raw_stanza *stanza, enum file_check check, struct input *ret, struct err *err)
{
    struct input input = { 0 };
    bool ok = take_name(stanza, &input, err);
    size_t i;

    for (i = 0; ok && i < params_count; i++)
        ok = take_param(stanza, &params[i], check, &input, err);
    if (!ok || !check_together(&input, err)) {
        input_free(&input);
        return false;
    }
    take_own_keys(stanza, &input);
    *ret = input;
    return true;
}

bool stanza_is_plain(const struct raw_stanza *stanza, struct err *err)
{
    static const char should[] = "should be UTF-8 without control characters, line ends, marks of text direction and "
                                 "invisible characters";
    size_t i;

    if (!utf8_is_plain(stanza_input_name(stanza)))
        return err_set(err, ERR_INPUT, "the input's name '%.200s' %s", stanza_input_name(stanza), should);
    for (i = 0; i < stanza->count; i++) {
        const struct raw_param *raw = &stanza->params[i];
        CLEANUP(mem_free_secretp) char *value = text_trimmed(raw->value ? raw->value : "");

        if (!utf8_is_plain(raw->name) || !utf8_is_plain(value))
            return err_set(err, ERR_INPUT, "%.80s %s", raw->name, should);
    }
    return true;
}
