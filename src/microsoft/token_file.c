#include "microsoft/token_file.h"

#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/ticks.h"
#include "messages/remedy.h"

#define FILE_MAX_BYTES 16384
#define SLACK_MS       (5 * 60 * 1000) /* Entra's tolerance for a token that is not valid yet */
#define TIME_MOST_S    (INT64_C(1) << 36)

static const char base64url_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Returns the JSON object in a part of a JWT, NULL: it is none. Sets *at after the part and its dot. */
static cJSON *object_of(const char **at)
{
    CLEANUP(buf_free_secret) struct buf bytes = BUF_INIT(FILE_MAX_BYTES);
    size_t len = strspn(*at, base64url_characters);
    cJSON *root;

    if (!len || (*at)[len] != '.' || !base64url_decode(*at, len, &bytes))
        return NULL;
    root = json_parse(bytes.data, bytes.len);
    *at += len + 1;
    if (cJSON_IsObject(root))
        return root;
    json_freep(&root);
    return NULL;
}

/* Returns the claims of a JWT; NULL: it is none. Caller frees. */
static cJSON *claims_of(const char *text)
{
    CLEANUP(json_freep) cJSON *header = object_of(&text);
    cJSON *claims = header ? object_of(&text) : NULL;
    size_t len = claims ? strspn(text, base64url_characters) : 0;

    if (len && !text[len])
        return claims;
    json_freep(&claims);
    return NULL;
}

bool token_is_jwt(const char *text)
{
    CLEANUP(json_freep) cJSON *claims = claims_of(text);

    return claims != NULL;
}

static bool refuse(struct err *err, const char *path, const char *what)
{
    err_set(err, ERR_AUTH,
            "the token file '%.200s' of client_assertion %s. Our administrator: let the file hold a valid token, which "
            "has to be renewed by what writes it",
            path, what);
    return remedy_set(err, "token_file", ACT_PROVIDER, "let the file of client_assertion hold a valid token");
}

/* Reads seconds since 1970. They may have a fraction (RFC 7519 section 2, NumericDate). */
static bool read_time(const cJSON *claims, const char *name, int64_t *ret)
{
    const cJSON *item = json_member(claims, name);

    if (!cJSON_IsNumber(item))
        return json_int64(claims, name, 0, TIME_MOST_S, ret);
    if (!(item->valuedouble >= 0 && item->valuedouble < (double)TIME_MOST_S))
        return false;
    *ret = (int64_t)item->valuedouble;
    return true;
}

/* Refuses a token outside of its time, and one without an end, which no service that renews its tokens issues. */
static bool is_current(const cJSON *claims, const char *path, int64_t now_unix_ms, struct err *err)
{
    char date[TICKS_TEXT_MAX], what[80];
    int64_t seconds;

    if (!read_time(claims, "exp", &seconds))
        return refuse(err, path, "holds a token that does not say when it expires");
    if (seconds * 1000 <= now_unix_ms) {
        ticks_text_digits(ticks_from_ms(seconds * 1000), 0, date);
        snprintf(what, sizeof(what), "holds a token that expired at %s", date);
        return refuse(err, path, what);
    }
    if (read_time(claims, "nbf", &seconds) && seconds * 1000 > now_unix_ms + SLACK_MS) {
        ticks_text_digits(ticks_from_ms(seconds * 1000), 0, date);
        snprintf(what, sizeof(what), "holds a token that is not valid before %s", date);
        return refuse(err, path, what);
    }
    return true;
}

/* Returns why the file could not be read, as the end of a sentence that begins with its name. Caller frees. */
static char *why_unread(const struct err *why, size_t limit)
{
    if (why->kind == ERR_INPUT)
        return mem_format("is larger than the %zu bytes that a token may have", limit);
    return mem_format("cannot be read (%s)", why->text);
}

bool token_file_read(const char *path, int64_t now_unix_ms, char **ret, struct err *err)
{
    CLEANUP(buf_free_secret) struct buf file = BUF_INIT(FILE_MAX_BYTES);
    CLEANUP(mem_free_secretp) char *text = NULL;
    CLEANUP(json_freep) cJSON *claims = NULL;
    struct err why;

    if (!file_read(path, &file, &why)) {
        CLEANUP(mem_freep) char *unread = why_unread(&why, file.limit);

        return refuse(err, path, unread);
    }
    text = text_trimmed(buf_text(&file));
    claims = strlen(buf_text(&file)) == file.len ? claims_of(text) : NULL;
    if (!claims)
        return refuse(err, path, *text ? "holds no JSON Web Token, so nothing of it is sent" : "is empty");
    if (!is_current(claims, path, now_unix_ms, err))
        return false;
    *ret = mem_take(&text);
    return true;
}
