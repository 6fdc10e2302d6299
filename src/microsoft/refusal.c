#include "microsoft/refusal.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

#define CODE_MAX  60
#define QUOTE_MAX 200 /* bytes of the service's message that ours repeats */

void refusal_words(const struct http_result *result, char ret[REFUSAL_WORDS_MAX])
{
    CLEANUP(json_freep) cJSON *root = json_parse(result->body, result->body_len);
    const cJSON *error = json_member(root, "error");
    const char *code = json_text(error, "code"), *message = json_text(error, "message");
    struct buf words = BUF_INIT(REFUSAL_WORDS_MAX - 1);

    ret[0] = '\0';
    if (cJSON_IsString(error))
        message = error->valuestring;
    if (!code && !message)
        return;
    buf_add_text(&words, ": ");
    buf_add_foreign(&words, code ? code : "", CODE_MAX);
    buf_add_text(&words, text_empty(code) ? "'" : " '");
    buf_add_foreign(&words, message ? message : "", QUOTE_MAX);
    buf_add_char(&words, '\'');
    snprintf(ret, REFUSAL_WORDS_MAX, "%s", buf_text(&words));
    buf_free(&words);
}

void refusal_set(const struct http_result *result, enum diagnosis diagnosis, const char *permission, struct err *err)
{
    char words[REFUSAL_WORDS_MAX], status[16], detail[REFUSAL_WORDS_MAX + 160];
    bool has_id = *result->request_id;

    refusal_words(result, words);
    snprintf(status, sizeof(status), "%d", result->status);
    snprintf(detail, sizeof(detail), "%s%s%s%s", words, has_id ? " (request-id " : "", result->request_id,
             has_id ? ")" : "");
    diagnosis_set(err, ERR_AUTH, diagnosis,
                  &(struct diagnosis_facts){ .text = diagnosis == DIAGNOSIS_HTTP_4XX ? status : permission,
                                             .detail = detail,
                                             .advice = permission });
}
