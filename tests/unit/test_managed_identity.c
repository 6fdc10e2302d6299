/* Where a managed identity's tokens come from, what the answers mean, and token files. */
#include "microsoft/managed_identity.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64url.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "microsoft/token_file.h"
#include "net/url.h"

#define VM      "http://169.254.169.254/metadata/identity/oauth2/token"
#define ARC     "http://localhost:40342/metadata/identity/oauth2/token"
#define WHO     "01234567-89ab-cdef-0123-456789abcdef"

static void test_place(void **state UNUSED)
{
    static const struct { struct identity_hints hints; const char *url; bool arc; } rows[] = {
        { { NULL, NULL, false }, VM, false },
        { { NULL, NULL, true }, ARC, true },
        { { ARC, "http://localhost:40342", false }, ARC, true },
        { { "http://127.0.0.1:5/x", "http://127.0.0.1:5", true }, "http://127.0.0.1:5/x", true },
        { { "http://localhost:1/msi", NULL, false }, VM, false },   /* App Service's, with IDENTITY_HEADER */
        { { "", "", false }, VM, false },
        { { "http://10.0.0.1/x", "http://10.0.0.1", false }, NULL, true },
        { { "https://evil.example/x", "y", true }, NULL, true },
        { { "http://localhost@evil.example/", "y", true }, NULL, true },
        { { "http://localhost.evil.example/", "y", true }, NULL, true },
        { { "http://localhost:1/x?resource=y", "y", true }, NULL, true },
    };
    struct identity_service service;
    struct err err;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        bool ok = identity_find(&rows[i].hints, &service, &err);

        CHECK(ok == (rows[i].url != NULL), "row %zu", i);
        CHECK(service.arc == rows[i].arc, "row %zu", i);
        if (ok)
            CHECK_TEXT(service.url, rows[i].url);
        else
            CHECK(err.kind == ERR_AUTH && strstr(err.text, "IDENTITY_ENDPOINT") && !strstr(err.text, "evil"), "%s",
                  err.text);
    }
}

static void test_address(void **state UNUSED)
{
    struct buf url = BUF_INIT(1000);

    identity_address(&(struct identity_service){ .url = VM }, identity_audience("https://login.microsoftonline.com"),
                     NULL, &url);
    CHECK_TEXT(buf_text(&url), VM "?api-version=2018-02-01&resource=api%3A%2F%2FAzureADTokenExchange");
    buf_clear(&url);
    identity_address(&(struct identity_service){ .url = ARC, .arc = true },
                     identity_audience("https://login.microsoftonline.us"), WHO, &url);
    CHECK_TEXT(buf_text(&url),
               ARC "?api-version=2020-06-01&resource=api%3A%2F%2FAzureADTokenExchangeUSGov&client_id=" WHO);
    buf_free(&url);
    CHECK(url_is_metadata(VM) && !url_is_metadata("http://169.254.169.254.evil/") && !url_is_metadata(NULL) &&
          !url_is_metadata("https://169.254.169.254/") && !url_is_metadata("http://169.254.169.254:81/"), "%s", VM);
}

static void put(const char *path, const char *bytes)
{
    struct err err;

    unlink(path);
    CHECK(file_write(path, bytes, strlen(bytes), false, &err), "%s", err.text);
}

/* promise: Secrets: The Azure Arc agent is shown keys of its own folder only */
static void test_key(void **state UNUSED)
{
    char folder[] = "/tmp/unit-keys-XXXXXX";
    static const struct { const char *challenge, *content, *want; } rows[] = {
        { "Basic realm=%s/a.key", "k1\n", "Basic k1" },
        { "basic realm=\"%s/a.key\"", "k1", "Basic k1" },
        { "Basic realm=%s/none.key", "k1", NULL },
        { "Basic realm=%s/a.txt", "k1", NULL },
        { "Basic realm=%s/.key", "k1", NULL },
        { "Basic realm=%s/../a.key", "k1", NULL },
        { "Basic realm=%s/sub/a.key", "k1", NULL },
        { "Basic realm=%sx/a.key", "k1", NULL },
        { "Basic realm=/etc/shadow%.0s", "k1", NULL },
        { "Bearer realm=%s/a.key", "k1", NULL },
        { "%.0s", "k1", NULL },
        { "Basic realm=%s/a.key", "", NULL },
        { "Basic realm=%s/a.key", "two lines\nx", NULL },
    };
    CLEANUP(mem_freep) char *path = NULL;
    CLEANUP(mem_freep) char *large = mem_alloc(4098);
    struct identity_service service = { .arc = true, .url = ARC };
    struct err err;
    size_t i;

    CHECK(mkdtemp(folder), "%s", folder);
    service.key_folder = folder;
    path = mem_format("%s/a.key", folder);
    for (i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(mem_free_secretp) char *got = NULL;
        char challenge[200];

        put(path, rows[i].content);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(challenge, sizeof(challenge), rows[i].challenge, folder);
#pragma GCC diagnostic pop
        CHECK(identity_key(&service, challenge, &got, &err) == (rows[i].want != NULL), "row %zu", i);
        CHECK(text_same(got, rows[i].want), "row %zu: %s", i, got ? got : "none");
        CHECK(rows[i].want || (err.kind == ERR_AUTH && strstr(err.text, "Our administrator")), "row %zu", i);
    }
    memset(large, 'x', 4097);
    put(path, large);
    {
        CLEANUP(mem_freep) char *challenge = mem_format("Basic realm=%s", path);
        char *got = NULL;

        CHECK(!identity_key(&service, challenge, &got, &err) && strstr(err.text, "himds"), "%s", err.text);
    }
    unlink(path);
    rmdir(folder);
}

/* Returns a JWT with this body; caller frees. */
static char *jwt(const char *claims)
{
    struct buf text = BUF_INIT(30000);

    base64url_add(&text, "{\"alg\":\"RS256\"}", 15);
    buf_add_char(&text, '.');
    base64url_add(&text, claims, strlen(claims));
    buf_add_text(&text, ".c2ln");
    return buf_take(&text);
}

static void test_answers(void **state UNUSED)
{
    CLEANUP(mem_freep) char *token = jwt("{}");
    CLEANUP(mem_freep) char *plain = mem_format("{\"access_token\":\"%s\",\"expires_in\":\"600\"}", token);
    CLEANUP(mem_freep) char *named = mem_format("{\"access_token\":\"%s\",\"expires_in\":600,\"client_id\":\"%s\"}", token,
                                                "01234567-89AB-cdef-0123-456789abcdef");
    CLEANUP(mem_freep) char *other = mem_format("{\"access_token\":\"%s\",\"expires_in\":600,\"client_id\":\"x\"}", token);
    CLEANUP(mem_freep) char *endless = mem_format("{\"access_token\":\"%s\"}", token);
    CLEANUP(mem_freep) char *past = mem_format("{\"access_token\":\"%s\",\"expires_on\":\"1000\"}", token);
    static const char lost[] = "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}";
    const struct { bool arc; const char *who; int status; const char *body; int kind; const char *words; } rows[] = {
        { false, NULL, 200, plain, -1, NULL },
        { false, WHO, 200, plain, -1, NULL },
        { false, WHO, 200, named, -1, NULL },
        { true, NULL, 200, plain, -1, NULL },
        { true, WHO, 200, named, -1, NULL },
        { true, WHO, 200, plain, ERR_AUTH, "with another one" },
        { false, WHO, 200, other, ERR_AUTH, "with another one" },
        { false, NULL, 200, endless, ERR_RETRY, "how long" },
        { false, NULL, 200, past, ERR_RETRY, "how long" },
        { false, NULL, 200, "{\"access_token\":\"x\",\"expires_in\":600}", ERR_RETRY, "no token in it" },
        { false, NULL, 200, "<html>", ERR_RETRY, "no token in it" },
        { false, NULL, 400, lost, ERR_AUTH, "'Identity not found'. Our administrator" },
        { false, NULL, 403, "", ERR_AUTH, "HTTP 403" },
        { false, NULL, 404, "", ERR_RETRY, "HTTP 404" },
        { false, NULL, 410, "", ERR_RETRY, "70 s at most" },
        { false, NULL, 429, "", ERR_RETRY, "HTTP 429" },
        { false, NULL, 500, lost, ERR_RETRY, "HTTP 500" },
        { false, NULL, 302, "", ERR_AUTH, "HTTP 302" },
        { true, NULL, 401, "", ERR_RETRY, "HTTP 401" },
    };
    struct err err = { .kind = ERR_FATAL };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        struct identity_service service = { .arc = rows[i].arc, .url = rows[i].arc ? ARC : VM };
        struct identity_token got = { 0 };
        struct http_result result = { .status = rows[i].status, .body = rows[i].body,
                                      .body_len = strlen(rows[i].body), .retry_after_ms = -1 };
        bool ok = identity_read(&service, rows[i].who, &result, 1000, &got, &err);

        CHECK(ok == (rows[i].kind < 0), "row %zu: %s", i, err.text);
        CHECK(ok || ((int)err.kind == rows[i].kind && strstr(err.text, rows[i].words)), "row %zu: %s", i, err.text);
        CHECK(!ok || (text_same(got.text, token) && got.expires_ms == 601000), "row %zu", i);
        mem_free_secret(got.text);
    }
    CHECK(!identity_read(&(struct identity_service){ .url = VM }, NULL,
                         &(struct http_result){ .fault = HTTP_NO_CONNECTION, .reason = "nobody", .body = "" }, 0,
                         &(struct identity_token){ 0 }, &err) && err.kind == ERR_RETRY && strstr(err.text, "Azure VM"),
          "%s", err.text);
}

/* promise: Secrets: Of a token file, only a JSON Web Token that is valid leaves this host */
static void test_file(void **state UNUSED)
{
    char path[] = "/tmp/unit-token-XXXXXX";
    CLEANUP(mem_freep) char *good = jwt("{\"exp\":2000}");
    CLEANUP(mem_freep) char *old = jwt("{\"exp\":999}");
    CLEANUP(mem_freep) char *early = jwt("{\"exp\":9000,\"nbf\":1400}");
    CLEANUP(mem_freep) char *soon = jwt("{\"exp\":9000,\"nbf\":1299}");
    CLEANUP(mem_freep) char *endless = jwt("{}");
    CLEANUP(mem_freep) char *list = jwt("[]");
    CLEANUP(mem_freep) char *blank = mem_format("\n %s\r\n", good);
    CLEANUP(mem_freep) char *two = mem_format("%s\n%s", good, good);
    CLEANUP(mem_freep) char *more = mem_format("%s.x", good);
    CLEANUP(mem_freep) char *long_claims = mem_format("{\"exp\":2000,\"x\":\"%015000d\"}", 1);
    CLEANUP(mem_freep) char *large = jwt(long_claims);
    const struct { const char *content, *words; } rows[] = {
        { good, NULL }, { blank, NULL }, { soon, NULL },
        { old, "expired at 1970-01-01T00:16:39Z" }, { early, "not valid before 1970-01-01T00:23:20Z" },
        { endless, "does not say when it expires" }, { list, "holds no JSON Web Token" },
        { two, "holds no JSON Web Token" }, { more, "holds no JSON Web Token" }, { "", "is empty" },
        { "root:x:0:0::/root:/bin/sh\n", "so nothing of it is sent" }, { "a.b.c", "holds no JSON Web Token" },
        { "eyJ.eyJ", "holds no JSON Web Token" }, { "..", "holds no JSON Web Token" }, { large, "is larger than" },
    };
    CLEANUP(mem_freep) char *link = mem_format("%s.link", path);
    struct err err;
    char *got = NULL;
    size_t i;

    close(mkstemp(path));
    for (i = 0; i < COUNT_OF(rows); i++) {
        bool ok;

        put(path, rows[i].content);
        ok = token_file_read(path, 1000 * 1000, &got, &err);
        CHECK(ok == !rows[i].words, "row %zu: %s", i, ok ? "taken" : err.text);
        CHECK(ok || (err.kind == ERR_AUTH && strstr(err.text, rows[i].words) && strstr(err.text, path) &&
                     strstr(err.text, "Our administrator")), "row %zu: %s", i, err.text);
        CHECK(ok || !*rows[i].content || !strstr(err.text, rows[i].content), "the content is in '%s'", err.text);
        CHECK(!ok || strstr(rows[i].content, got), "row %zu", i);
        if (ok)
            mem_free_secret(got);
    }
    put(path, good);
    CHECK(symlink(path, link) == 0 && token_file_read(link, 0, &got, &err), "a link is followed: %s", err.text);
    mem_free_secret(got);
    unlink(link);
    CHECK(mkfifo(link, 0600) == 0 && !token_file_read(link, 0, &got, &err) && strstr(err.text, "a named pipe"), "%s",
          err.text);
    unlink(link);
    unlink(path);
    CHECK(!token_file_read(path, 0, &got, &err) && strstr(err.text, "No such file"), "%s", err.text);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_place),
    cmocka_unit_test(test_address),
    cmocka_unit_test(test_key),
    cmocka_unit_test(test_answers),
    cmocka_unit_test(test_file),
};

UNIT(managed_identity, cases, NULL, NULL)
