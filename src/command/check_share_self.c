/* What `check` finds on this forwarder of what it needs to share: the token, and the secrets of the inputs. */
#include "command/check_share_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command/share_end.h"
#include "command/share_notes.h"
#include "share/token.h"
#include "splunk/secret_name.h"

#define TEXT_MAX 1000

void check_share_find(struct host_section *section, const char *what, enum host_level level, const char *fmt, ...)
{
    struct host_finding *found;
    char text[TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    section->found = mem_grow(section->found, section->count + 1, sizeof(*section->found));
    found = &section->found[section->count++];
    *found = (struct host_finding){ .what = what, .level = level };
    err_set(&found->err, ERR_RETRY, "%s", text);
}

void check_share_find_token(struct check_share *share)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    struct err err;
    enum share_end end;

    if (!check_store_known(share->spec.store, &err) ||
        !(share->token = share_token_find(check_store_passwords(share->spec.store), share->inputs.group,
                                          share->inputs.urls, &err))) {
        check_share_find(&share->self, "token", HOST_BAD, "%s", err.text);
        return;
    }
    end = share_end_add(&text, share_token_ends_s(share->token), clock_wall_ms() / 1000);
    check_share_find(
        &share->self, "token",
        end == SHARE_END_PAST   ? HOST_BAD
        : end == SHARE_END_SOON ? HOST_NOTE
                                : HOST_FINE,
        "%s%s", buf_text(&text),
        end == SHARE_END_PAST || end == SHARE_END_SOON
            ? "; our administrator has to create a new one on the store and enter it here with 'defender_alerts share token'"
            : "");
    buf_free(&text);
}

/* Returns true if the input's app can sign in with what is on this forwarder. */
static bool has_secret(const struct check_share *share, const struct input *input)
{
    CLEANUP(mem_freep) char *client = secret_name_client(input->client_id);
    CLEANUP(mem_freep) char *refresh = secret_name_refresh(input->tenant_id, input->client_id);

    return input->client_secret || input->client_certificate || input->client_assertion || input->refresh_token ||
           input->authorization_code || check_store_secret(share->spec.store, client) ||
           check_store_secret(share->spec.store, refresh);
}

void check_share_find_secrets(struct check_share *share)
{
    const struct config *config = share->spec.config;
    struct share_names missing = { .list = NULL };
    struct buf text = BUF_INIT(TEXT_MAX);
    struct err err;
    size_t i;

    for (i = 0; i < config->count; i++) {
        struct input input = { .name = NULL };

        if (stanza_is_disabled(&config->stanzas[i]) ||
            !share_inputs_have(&share->inputs, stanza_input_name(&config->stanzas[i])) ||
            !input_from_stanza(&config->stanzas[i], CHECK_NO_FILES, &input, &err))
            continue;
        if (!has_secret(share, &input))
            share_names_add(&missing, input.name);
        input_free(&input);
    }
    share_add_names(&text, missing.list, missing.count);
    if (missing.count)
        check_share_find(
            &share->self, "secrets", HOST_BAD,
            "missing on this forwarder for %zu of %zu inputs (%s), which it can therefore not take over: our administrator "
            "has to enter them here, too",
            missing.count, share->inputs.count, buf_text(&text));
    else if (check_store_known(share->spec.store, &err))
        check_share_find(&share->self, "secrets", HOST_FINE, "there for all %zu shared inputs", share->inputs.count);
    buf_free(&text);
    share_names_free(&missing);
}
