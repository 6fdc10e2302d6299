/* Messages of sign-in that name options. */
#include "command/sign_in_words.h"

#include <stdlib.h>

#include "check.h"

/* promise: Calls: The messages of `sign-in` name options as they are typed */
static void test_rows(void **state UNUSED)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "tenant_id is missing; it should be a GUID", "--tenant is missing; it should be a GUID" },
        { "client_id is 'x', but it should be a GUID", "--client-id is 'x', but it should be a GUID" },
        { "api is 'x', but it should be one of graph", "--api is 'x', but it should be one of graph" },
        { "cloud is 'api', but it should be one of", "--cloud is 'api', but it should be one of" },
        { "proxy is 'ftp://x', but it should be http://", "--proxy is 'ftp://x', but it should be http://" },
        { "check tenant_id and client_id in the input", "check --tenant and --client-id" },
        { "check client_id and client_secret (or client_certificate) in the input",
          "check --client-id and the client secret (or --client-certificate)" },
        { "set ca_file to a PEM file, or set proxy: then the proxy looks the name up",
          "set --ca-file to a PEM file, or set --proxy: then the proxy looks the name up" },
        { "its address in proxy (or in the environment)", "its address in --proxy (or in the environment)" },
        { "set proxy (if proxy is set: check its address)", "set --proxy (if --proxy is set: check its address)" },
        { "no connection to the proxy on the way", "no connection to the proxy on the way" },
        { "the reset proxy", "the reset proxy" },
        { "make redirect_uri in the input and the redirect URI in the app the same",
          "make --redirect-uri and the redirect URI in the app the same" },
        { "sign in again and enter the new authorization_code in the input", "sign in again and enter the new code" },
        { "the stored client_secret may go to https://x: enter client_secret again",
          "the stored client_secret may go to https://x: enter the client secret again" },
        { "tokens may not go to https://x (api_url)", "tokens may not go to https://x (--api-url)" },
        { "Entra says 'client_id' and https://a/?client_id=1&redirect_uri=2 and tenant_id=3",
          "Entra says 'client_id' and https://a/?client_id=1&redirect_uri=2 and tenant_id=3" },
        { "my_tenant_id and tenant_ids and in the inputs", "my_tenant_id and tenant_ids and in the inputs" },
        { "", "" },
        { "tenant_id", "--tenant" },
        { "check cloud", "check --cloud" },
        { "Zürich tenant_id", "Zürich --tenant" },
    };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        char *words = sign_in_words(rows[i].text);

        CHECK_TEXT(words, rows[i].want);
        free(words);
    }
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_rows) };

UNIT(sign_in_words, cases, NULL, NULL)
