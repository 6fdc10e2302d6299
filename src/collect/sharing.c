#include "collect/sharing.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/store_file.h"

#define STUCK_MS (5 * 60 * 1000)

static bool claim_host(void *ctx, struct err *err)
{
    const struct sharing *sharing = ctx;

    return store_file_claim_host(sharing->env->store, err);
}

static bool is_stuck(void *ctx)
{
    struct sharing *sharing = ctx;
    struct outbox *outbox = sharing->env->outbox;
    uint64_t taken = outbox_taken(outbox);
    int64_t now_ms = clock_ms();

    if (taken != sharing->taken || taken == outbox_end(outbox))
        sharing->moved_ms = now_ms;
    sharing->taken = taken;
    return now_ms - sharing->moved_ms >= STUCK_MS;
}

static void late(void *ctx, int64_t now_ms)
{
    share_look(ctx, now_ms);
}

static void begin(struct sharing *sharing, const struct config *config, const struct input *input)
{
    struct env *env = sharing->env;

    sharing->first = mem_text(input->name);
    sharing->url = mem_text(input->share_url);
    sharing->group = mem_text(input->share_group);
    sharing->ca_file = input->share_ca_file ? mem_text(input->share_ca_file) : NULL;
    sharing->lost = input->share_lost;
    sharing->moved_ms = clock_ms();
    env->share = share_new(&(struct share_spec){ .loop = env->loop,
                                                 .http = env->http,
                                                 .passwords = env->passwords,
                                                 .urls = sharing->url,
                                                 .group = sharing->group,
                                                 .ca_file = sharing->ca_file,
                                                 .stops = sharing->lost == SHARE_LOST_STOP,
                                                 .forwarder = config->server_host,
                                                 .checkpoint_folder = config->checkpoint_dir,
                                                 .splunk_home = getenv("SPLUNK_HOME"),
                                                 .claim_host = claim_host,
                                                 .is_stuck = is_stuck,
                                                 .ctx = sharing });
    loop_tell_late(env->loop, late, env->share);
}

static bool differ(const struct sharing *sharing, const char *param, const char *value, const char *first,
                   struct err *err)
{
    return err_set(
        err, ERR_INPUT,
        "%s is '%.200s', but input '%.200s' has '%.200s'; the inputs of a forwarder that have share_url should "
        "all have the same, in the stanza [defender_alerts]",
        param, value ? value : "", sharing->first, first ? first : "");
}

static const char *lost_word(int lost)
{
    return lost == SHARE_LOST_STOP ? "stop" : "continue";
}

bool sharing_take(struct sharing *sharing, struct env *env, const struct config *config, const struct input *input,
                  struct err *err)
{
    sharing->env = env;
    if (text_empty(config->server_host))
        return err_set(err, ERR_INPUT,
                       "share_url is given, but splunkd does not say this forwarder's name (server_host)");
    if (!env->share)
        begin(sharing, config, input);
    if (!text_same(input->share_url, sharing->url))
        return differ(sharing, "share_url", input->share_url, sharing->url, err);
    if (!text_same(input->share_group, sharing->group))
        return differ(sharing, "share_group", input->share_group, sharing->group, err);
    if (!text_same(input->share_ca_file, sharing->ca_file))
        return differ(sharing, "share_ca_file", input->share_ca_file, sharing->ca_file, err);
    if (input->share_lost != sharing->lost)
        return differ(sharing, "share_lost", lost_word(input->share_lost), lost_word(sharing->lost), err);
    return true;
}

void sharing_release(struct sharing *sharing)
{
    if (!sharing->env)
        return;
    loop_tell_late(sharing->env->loop, NULL, NULL);
    share_free(sharing->env->share);
    free(sharing->first);
    free(sharing->url);
    free(sharing->group);
    free(sharing->ca_file);
}

/* One batch may follow another. */
static bool sends(void *ctx)
{
    share_ends(ctx);
    return share_is_busy(ctx);
}

void sharing_end(struct sharing *sharing, int64_t until_ms)
{
    if (sharing->env && sharing->env->share)
        loop_drain(sharing->env->loop, until_ms, sends, sharing->env->share);
}
