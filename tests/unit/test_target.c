/* Where an input's requests go. */
#include "collect/target.h"

#include "base/mem.h"
#include "check.h"
#include "splunk/params.h"

/* The words of the parameter `api` and the names in microsoft/api_*.c are the same, in the same order. */
static void test_names(void **state UNUSED)
{
    const struct choice *choices = param_find("api")->choices;

    for (int i = 0; i < API_KINDS; i++)
        CHECK_TEXT(api_at(i)->name, choices[i].value);
    CHECK(!choices[API_KINDS].value, "more choices than APIs");
}

static void test_defaults(void **state UNUSED)
{
    for (int api = 0; api < API_KINDS; api++) {
        for (int cloud = 0; cloud < API_CLOUDS; cloud++) {
            struct input input = { .api = api, .cloud = cloud };
            struct target target;

            target_of(&input, &target);
            CHECK(target.api == api_at(api), "api %d", api);
            CHECK_TEXT(target.login_url, login_host(cloud));
            CHECK_TEXT(target.base_url, api_at(api)->host[cloud]);
            CHECK_TEXT(target.resource, api_at(api)->resource[cloud]);
        }
    }
}

static void test_own_values(void **state UNUSED)
{
    struct input input = { .login_url = (char[]){ "https://l" }, .api_url = (char[]){ "https://a" },
                           .resource = (char[]){ "r" } };
    struct target target;

    target_of(&input, &target);
    CHECK(target.login_url == input.login_url && target.base_url == input.api_url && target.resource == input.resource,
          "%s %s %s", target.login_url, target.base_url, target.resource);
}

static void test_sign_in_address(void **state UNUSED)
{
    struct input input = { .tenant_id = (char[]){ "t.example" }, .client_id = (char[]){ "c-1" },
                           .redirect_uri = (char[]){ "https://SiemMsspConnector" }, .cloud = CLOUD_GCC_HIGH };
    CLEANUP(mem_freep) char *address = target_sign_in_address(&input);

    CHECK(strstr(address, "https://login.microsoftonline.us/t.example/") == address &&
          strstr(address, "client_id=c-1") && strstr(address, "graph.microsoft.us"), "%s", address);
}

static void test_proxy(void **state UNUSED)
{
    static const struct { const char *proxy, *typed, *stored, *want; } rows[] = {
        { NULL, NULL, "s", NULL }, { "http://p:1", NULL, "s", "http://p:1" },
        { "http://u@p:1", NULL, NULL, "http://u@p:1" }, { "http://u@p:1", NULL, "s", "http://u:s@p:1" },
        { "http://u@p:1", "t", "s", "http://u:t@p:1" }
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct input input = { .proxy = mem_text(rows[i].proxy), .proxy_password = mem_text(rows[i].typed) };
        char *got = target_proxy(&input, rows[i].stored);

        CHECK((!got && !rows[i].want) || (got && rows[i].want && strcmp(got, rows[i].want) == 0), "row %zu: %s", i,
              got ? got : "none");
        mem_free_secret(got);
        mem_free_secret(input.proxy);
        mem_free_secret(input.proxy_password);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_names),
    cmocka_unit_test(test_defaults),
    cmocka_unit_test(test_own_values),
    cmocka_unit_test(test_sign_in_address),
    cmocka_unit_test(test_proxy),
};

UNIT(target, cases, NULL, NULL)
