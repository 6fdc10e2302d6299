#include "collect/health.h"

#include "check.h"

#define NOW INT64_C(1000000)

static const struct err refused = { .kind = ERR_AUTH, .text = "AADSTS7000215" };
static const struct err fails = { .kind = ERR_RETRY, .text = "HTTP 500" };
static const struct err throttles = { .kind = ERR_RETRY, .text = "HTTP 429", .wait_ms = 5000 };

static const struct row {
    const char *name;
    struct health_facts facts;
    const struct err *sign_in;      /* why the sign-in fails */
    bool token_fails;               /* the last try to get a token failed */
    enum health_state want;
} rows[] = {
    { "not opened yet", { .token = TOKEN_READY, .polled = true }, NULL, false, HEALTH_WAITING },
    { "not opened yet, although something failed before", { .token = TOKEN_FAILED, .failures = 3 }, &fails, true,
      HEALTH_WAITING },
    { "a stored secret may not go there", { .held = &refused, .token = TOKEN_READY, .polled = true }, &refused, false,
      HEALTH_REFUSED },
    { "no poll was complete yet", { .reading = true, .token = TOKEN_READY }, NULL, false, HEALTH_WAITING },
    { "a poll was complete", { .reading = true, .polled = true, .token = TOKEN_READY }, NULL, false, HEALTH_OK },
    { "a failure", { .reading = true, .polled = true, .failures = 1, .token = TOKEN_READY }, NULL, false,
      HEALTH_FAILING },
    { "a refusal that may pass", { .reading = true, .polled = true, .refusals = 1, .token = TOKEN_READY }, NULL, false,
      HEALTH_FAILING },
    { "the last of the quick repetitions is under way", { .reading = true, .refusals = 3, .token = TOKEN_READY }, NULL,
      false, HEALTH_FAILING },
    { "a refusal", { .reading = true, .polled = true, .refusals = 4, .token = TOKEN_READY }, NULL, false,
      HEALTH_REFUSED },
    { "a refusal counts more than failures",
      { .reading = true, .failures = 9, .refusals = 4, .hold_until_ms = NOW + 1, .token = TOKEN_READY }, NULL, false,
      HEALTH_REFUSED },
    { "told to wait", { .reading = true, .failures = 1, .hold_until_ms = NOW + 1, .token = TOKEN_READY }, NULL, false,
      HEALTH_THROTTLED },
    { "the wait is over, and it was not throttled before",
      { .reading = true, .failures = 1, .hold_until_ms = NOW, .token = TOKEN_READY, .before = HEALTH_OK }, NULL, false,
      HEALTH_FAILING },
    { "the wait is over, its response is still to come",
      { .reading = true, .failures = 1, .hold_until_ms = NOW - 29999, .token = TOKEN_READY,
        .before = HEALTH_THROTTLED }, NULL, false, HEALTH_THROTTLED },
    { "the wait is over for long",
      { .reading = true, .failures = 1, .hold_until_ms = NOW - 30000, .token = TOKEN_READY,
        .before = HEALTH_THROTTLED }, NULL, false, HEALTH_FAILING },
    { "another input of the tenant was told to wait, this one has no failure",
      { .reading = true, .polled = true, .hold_until_ms = NOW + 1, .token = TOKEN_READY }, NULL, false, HEALTH_OK },
    { "the sign-in is refused", { .reading = true, .polled = true, .token = TOKEN_FAILED }, &refused, true,
      HEALTH_REFUSED },
    { "the sign-in fails", { .reading = true, .polled = true, .token = TOKEN_FAILED }, &fails, true, HEALTH_FAILING },
    { "the sign-in is throttled", { .reading = true, .polled = true, .token = TOKEN_FAILED }, &throttles, true,
      HEALTH_THROTTLED },
    { "a first token is fetched", { .reading = true, .token = TOKEN_BUSY }, NULL, false, HEALTH_WAITING },
    { "a token is renewed", { .reading = true, .polled = true, .token = TOKEN_BUSY }, NULL, false, HEALTH_OK },
    { "the store does not take the new refresh token",
      { .reading = true, .polled = true, .token = TOKEN_BUSY, .store_fails = true, .before = HEALTH_OK }, NULL, false,
      HEALTH_FAILING },
    { "another try after a refusal is under way",
      { .reading = true, .polled = true, .token = TOKEN_BUSY, .before = HEALTH_REFUSED }, &refused, true,
      HEALTH_REFUSED },
};

static void test_states(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        struct token_view view = { .err = row->sign_in, .fails = row->token_fails };
        struct health_facts facts = row->facts;
        struct health got;

        facts.view = &view;
        got = health_of(&facts, NOW);
        CHECK(got.state == row->want, "%s: %s", row->name, health_word(got.state));
        CHECK(got.sign_in == ((facts.reading && facts.token == TOKEN_FAILED) || facts.held ? row->sign_in : NULL), "%s: sign-in",
              row->name);
    }
}

static void test_words(void **state UNUSED)
{
    static const char *const words[] = { "waiting", "ok", "throttled", "failing", "refused" };

    for (size_t i = 0; i < COUNT_OF(words); i++)
        CHECK_TEXT(health_word((enum health_state)i), words[i]);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_states),
    cmocka_unit_test(test_words),
};

UNIT(health, cases, NULL, NULL)
