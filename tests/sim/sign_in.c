/* Entra: tokens for those who have the right secret. */
#include "services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct customer *customer_of_client(const char *client)
{
    for (int i = 0; client && i < plan.customers; i++)
        if (!strcmp(customers[i].client, client))
            return &customers[i];
    return NULL;
}

static void token_fault(struct reply *reply, struct customer *customer)
{
    if (login_down_until > now()) {
        reply_refuse(reply, NULL, 503, "temporarily_unavailable");
    } else if (fault_strikes(FAULT_token_500, customer)) {
        reply_refuse(reply, NULL, 500, "server_error");
    } else if (fault_strikes(FAULT_token_429, customer)) {
        reply_head(reply, NULL, 429, "text/plain");
        text_say(&reply->headers, "Retry-After: 60\r\n\r\n");
        text_say(&reply->body, "Too Many Requests");
    } else if (fault_strikes(FAULT_token_cut, customer)) {
        reply->end = REPLY_CUT;
        reply->cut_at = (size_t)rng_between(&customer->luck, 0, 60);
    }
}

void secret_write(char ret[80], const struct customer *customer, int number)
{
    snprintf(ret, 80, "secret~%d.%d+/=", customer->number, number);
}

/* Returns false if the secret is one that was replaced. */
static bool check_credentials(const struct request *request, const struct customer *customer)
{
    char *secret = form_get(request->form, "client_secret"), *tenant = NULL, expected[80];
    int number = -1;

    if (secret)
        sscanf(secret, "secret~%*d.%d", &number);
    secret_write(expected, customer, number);
    if (!secret || strcmp(secret, expected) != 0 || number > customer->secret)
        broken("credentials", "%s: client_secret is not one that was entered", customer->name);
    if (!strstr(request->path, customer->tenant))
        broken("credentials", "%s signs in to another tenant: %s", customer->name, request->path);
    free(secret);
    free(tenant);
    return number == customer->secret;
}

void refresh_write(struct text *ret, const struct customer *customer, uint64_t number)
{
    text_say(ret, "r3fresh.%d.%llu.", customer->number, (unsigned long long)number);
    for (int i = 0; i < customer->long_refresh; i++)
        text_put(ret, &"0123456789abcdefghijklmnopqrstuvwxyz-_.~"[(i + (int)number) % 40], 1);
}

static bool is_whole(const struct customer *customer, const char *refresh, uint64_t number)
{
    struct text right = { 0 };
    bool ret;

    refresh_write(&right, customer, number);
    ret = !strcmp(right.data, refresh);
    text_drop(&right);
    return ret;
}

static void check_refresh(const struct request *request, const struct customer *customer)
{
    char *refresh = form_get(request->form, "refresh_token");
    int number = -1;
    unsigned long long which = 0;

    if (!refresh || sscanf(refresh, "r3fresh.%d.%llu", &number, &which) != 2 || number != customer->number ||
        which > customer->refresh || !is_whole(customer, refresh, which))
        broken("credentials", "%s: refresh_token '%s' is not its own", customer->name, refresh ? refresh : "");
    free(refresh);
}

void sign_in(const struct request *request, struct reply *reply)
{
    char *client = form_get(request->form, "client_id"), *scope = form_get(request->form, "scope"),
         *resource = form_get(request->form, "resource");
    struct customer *customer = customer_of_client(client);
    bool accepted;
    int64_t life;

    if (!customer)
        broken("credentials", "nobody has the client_id '%s'", client ? client : "");
    accepted = check_credentials(request, customer);
    if (customer->user)
        check_refresh(request, customer);
    counts->tokens++;
    token_fault(reply, customer);
    if (!reply_is_there(reply) && !accepted) {
        reply_head(reply, NULL, 401, "application/json; charset=utf-8");
        reply_end_head(reply);
        text_say(&reply->body, "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client "
                               "secret provided.\",\"error_codes\":[7000215]}");
    }
    if (!reply_is_there(reply)) {
        life = fault_strikes(FAULT_token_short, customer) ? rng_between(&customer->luck, 20, 400)
                                                          : rng_between(&customer->luck, 3599, 5400);
        reply_head(reply, customer, 200, "application/json; charset=utf-8");
        reply_end_head(reply);
        text_say(&reply->body,
                 "{\"token_type\":\"Bearer\",\"expires_in\":%lld,\"access_token\":\"acc3ss.%d.%llu.%lld.%.*s\"",
                 (long long)life, customer->number, (unsigned long long)++customer->token,
                 (long long)(now() + life * SECOND), (int)strcspn(scope ? scope + 8 : resource + 8, "/"),
                 scope ? scope + 8 : resource + 8);
        if (customer->user) {
            text_say(&reply->body, ",\"refresh_token\":\"");
            refresh_write(&reply->body, customer, ++customer->refresh);
            text_say(&reply->body, "\"");
        }
        text_say(&reply->body, "}");
    }
    free(client);
    free(scope);
    free(resource);
}
