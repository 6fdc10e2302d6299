#include "microsoft/aad.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define CODE_MOST        INT64_C(999999999)
#define CODE_PREFIX      "AADSTS"
#define DIGITS           "0123456789"
#define QUOTE_MAX        200             /* bytes of Entra's message that ours repeats */
#define LOOP_WAIT_MS     (5 * 60 * 1000) /* 50196: "same request repeated"; Microsoft says minutes */
#define THROTTLE_WAIT_MS (60 * 1000)     /* 90055 without Retry-After: what Entra asks for with 429 */

/* The parts of an error response that matter here. Texts are borrowed. */
struct answer {
    const char *error;       /* "invalid_client"; NULL: none, or not printable */
    const char *description; /* NULL: none */
    const char *trace, *correlation;
    int code; /* 0: none */
    const struct aad_code *known;
};

const struct aad_code *aad_find(int code)
{
    size_t i;

    for (i = 0; i < aad_codes_count; i++)
        if (aad_codes[i].code == code)
            return &aad_codes[i];
    return NULL;
}

/* Returns true for codes that wrap a more specific one in the same response: [70002, 70008]. */
static bool wraps(int code)
{
    return code == 70002 || code == 70000;
}

/* Keeps the most useful code: known before unknown, specific before wrapping, and of equals the later one, which is the
 * more specific in Entra's responses. */
static int rank(int code)
{
    return !code ? 0 : !aad_find(code) ? 1 : wraps(code) ? 2 : 3;
}

static void offer(struct answer *answer, int64_t code)
{
    if (code <= 0 || code > CODE_MOST || rank((int)code) < rank(answer->code))
        return;
    answer->code = (int)code;
    answer->known = aad_find(answer->code);
}

static void codes_of_array(struct answer *answer, const cJSON *codes)
{
    const cJSON *item;
    int64_t code;

    if (!cJSON_IsArray(codes))
        return;
    cJSON_ArrayForEach(item, codes)
    {
        if (cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble <= (double)CODE_MOST)
            offer(answer, (int64_t)item->valuedouble);
        else if (cJSON_IsString(item) && text_int64(item->valuestring, 1, CODE_MOST, &code))
            offer(answer, code);
    }
}

static void codes_of_text(struct answer *answer, const char *text)
{
    const char *at;
    int64_t code;

    for (at = text ? strstr(text, CODE_PREFIX) : NULL; at; at = strstr(at, CODE_PREFIX)) {
        at += strlen(CODE_PREFIX);
        if (text_number(at, strspn(at, DIGITS), 1, CODE_MOST, &code))
            offer(answer, code);
    }
}

/* Returns the error name if it looks like one, else NULL. */
static const char *name_or_null(const char *error)
{
    size_t len = error ? strspn(error, "abcdefghijklmnopqrstuvwxyz_") : 0;

    return len && len <= 40 && !error[len] ? error : NULL;
}

static bool is(const struct answer *answer, const char *error)
{
    return text_same(answer->error, error);
}

static bool passes_by_itself(const struct answer *answer, int status)
{
    if (status >= 500 || status == 429 || status == 408)
        return true;
    if (answer->known)
        return answer->known->responsible == ACT_NOBODY;
    return is(answer, "temporarily_unavailable") || is(answer, "server_error") || is(answer, "slow_down") ||
           is(answer, "authorization_pending");
}

/* Returns who has to act on a response that has no code. */
static enum responsible responsible_by_error(const struct answer *answer)
{
    if (is(answer, "invalid_grant") || is(answer, "interaction_required") || is(answer, "login_required") ||
        is(answer, "expired_token") || is(answer, "bad_verification_code"))
        return ACT_SIGN_IN;
    if (is(answer, "consent_required") || is(answer, "access_denied") || is(answer, "authorization_declined"))
        return ACT_CUSTOMER;
    return ACT_PROVIDER;
}

/* Appends Entra's message, without the code before it and the ids after it. */
static void add_quote(struct buf *to, const char *text)
{
    const char *ids = strstr(text, "Trace ID:");
    CLEANUP(mem_freep) char *words = ids ? mem_text_n(text, (size_t)(ids - text)) : mem_text(text);
    const char *start = words;

    if (text_starts(start, CODE_PREFIX)) {
        start += strlen(CODE_PREFIX);
        start += strspn(start, DIGITS);
        start += strspn(start, ": ");
    }
    buf_add_foreign(to, start, QUOTE_MAX);
}

static void add_ids(struct buf *to, const struct answer *answer)
{
    bool trace = text_is_guid(answer->trace), correlation = text_is_guid(answer->correlation);

    if (!trace && !correlation)
        return;
    buf_add_format(to, " (%s%s%s%s%s)", trace ? "trace ID " : "", trace ? answer->trace : "",
                   trace && correlation ? ", " : "", correlation ? "correlation ID " : "",
                   correlation ? answer->correlation : "");
}

/* Appends what Entra says about it; nothing without a description. */
static void add_words(struct buf *to, const char *before, const struct answer *answer)
{
    if (text_empty(answer->description))
        return;
    buf_add_text(to, before);
    buf_add_text(to, "Entra says '");
    add_quote(to, answer->description);
    buf_add_char(to, '\'');
}

/* Appends a refusal whose code the table does not have: who has to act is not known, so nobody is named. */
static void add_unknown_code(struct buf *to, const struct answer *answer)
{
    buf_add_format(to, CODE_PREFIX "%d: a code that is unknown here", answer->code);
    if (answer->error)
        buf_add_format(to, " (%s)", answer->error);
    add_words(to, ". ", answer);
    buf_add_text(to, ". Look it up at https://login.microsoftonline.com/error");
}

/* Returns true if the table's row fits: one code may come with a refusal and with an error that passes. */
static bool is_known(const struct answer *answer, bool passes)
{
    return answer->known && (answer->known->responsible == ACT_NOBODY) == passes;
}

/* Returns true for a refusal whose code the table does not have. */
static bool is_unknown_code(const struct answer *answer, bool passes)
{
    return answer->code && !answer->known && !passes;
}

static struct remedy remedy_by_name(const struct answer *answer, bool passes)
{
    if (passes)
        return (struct remedy){ ACT_NOBODY, "tried again automatically" };
    if (responsible_by_error(answer) == ACT_SIGN_IN)
        return (struct remedy){ ACT_SIGN_IN, "sign in again and enter the new authorization_code in the input" };
    if (responsible_by_error(answer) == ACT_CUSTOMER)
        return (struct remedy){ ACT_CUSTOMER,
                                "grant admin consent to the app in this tenant, or accept it when signing "
                                "in" };
    return (struct remedy){ ACT_PROVIDER, "check the input and the app registration" };
}

static struct remedy remedy_of(const struct answer *answer, bool passes)
{
    if (is_known(answer, passes))
        return (struct remedy){ answer->known->responsible, answer->known->advice };
    if (is_unknown_code(answer, passes))
        return (struct remedy){ ACT_AS_SAID, "look the code up at https://login.microsoftonline.com/error" };
    return remedy_by_name(answer, passes);
}

/* Appends a refusal or a passing error by its error name and Entra's own words. */
static void add_by_name(struct buf *to, const struct answer *answer)
{
    if (answer->code)
        buf_add_format(to, CODE_PREFIX "%d: ", answer->code);
    buf_add_text(to, answer->error ? answer->error : "the request was refused");
    add_words(to, ", ", answer);
}

/* Notes the code, or the error, and what to do. */
static void blame(struct err *err, const struct answer *answer, const struct remedy *remedy)
{
    char cause[sizeof(err->cause)];

    if (answer->code)
        snprintf(cause, sizeof(cause), CODE_PREFIX "%d", answer->code);
    else
        snprintf(cause, sizeof(cause), "%s", answer->error ? answer->error : "sign_in");
    remedy_set(err, cause, remedy->responsible, remedy->advice);
}

static bool explain_answer(const struct answer *answer, bool passes, struct err *err)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
    struct remedy remedy = remedy_of(answer, passes);

    if (is_known(answer, passes))
        buf_add_format(&text, CODE_PREFIX "%d: %s", answer->code, answer->known->meaning);
    else if (is_unknown_code(answer, passes))
        add_unknown_code(&text, answer);
    else
        add_by_name(&text, answer);
    if (!is_unknown_code(answer, passes)) /* its text says it already */
        remedy_add(&text, remedy.responsible, remedy.advice);
    add_ids(&text, answer);
    err_set(err, passes ? ERR_RETRY : ERR_AUTH, "%s", buf_text(&text));
    blame(err, answer, &remedy);
    if (passes && answer->code == 50196)
        err->wait_ms = LOOP_WAIT_MS;
    if (passes && answer->code == 90055)
        err->wait_ms = THROTTLE_WAIT_MS;
    return false;
}

bool aad_read_error(const char *body, size_t len, int status, struct err *err)
{
    CLEANUP(json_freep) cJSON *root = json_parse(body, len);
    const char *error = json_text(root, "error");
    struct answer answer = { .error = name_or_null(error),
                             .description = json_text(root, "error_description"),
                             .trace = json_text(root, "trace_id"),
                             .correlation = json_text(root, "correlation_id") };

    codes_of_array(&answer, json_member(root, "error_codes"));
    if (!answer.known)
        codes_of_text(&answer, answer.description);
    if (!error && !answer.code)
        return false;
    explain_answer(&answer, passes_by_itself(&answer, status), err);
    return true;
}

bool aad_set_error(const char *error, const char *description, struct err *err)
{
    struct answer answer = { .error = name_or_null(error), .description = description };

    codes_of_text(&answer, description);
    return explain_answer(&answer, false, err);
}

int aad_code_in(const struct err *err)
{
    const char *at = err->text + strlen(CODE_PREFIX);
    int64_t code;

    if (!text_starts(err->text, CODE_PREFIX))
        return 0;
    return text_number(at, strspn(at, DIGITS), 1, CODE_MOST, &code) ? (int)code : 0;
}

bool aad_customer_left(int code)
{
    static const int codes[] = {
        500011,  /* the API's service principal is gone */
        500014,  /* ... is disabled: the subscription has lapsed */
        650054,  /* the API was removed */
        650052,  /* ... is not there without a subscription */
        65001,   /* nobody consents any more */
        700016,  /* the app's service principal is gone */
        7000229, /* the same, by another check */
        7000112, /* it is disabled */
        90002    /* the tenant is gone */
    };
    size_t i;

    for (i = 0; i < COUNT_OF(codes); i++)
        if (codes[i] == code)
            return true;
    return false;
}
