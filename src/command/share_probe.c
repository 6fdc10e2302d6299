#include "command/share_probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "messages/diagnosis.h"

void share_explain(struct err *err)
{
    const struct remedy *remedy = &diagnosis_table[DIAGNOSIS_STORE_AWAY].remedy;

    if (!strstr(err->text, "administrator"))
        remedy_append(err->text, sizeof(err->text), remedy->responsible, remedy->advice);
}

static void tested(void *ctx, const struct share_self_test_result *result)
{
    struct share_probe *probe = ctx;

    probe->finished = true;
    probe->ok = result->ok;
    probe->unfit = result->unfit;
    probe->seen_ms = result->seen_ms;
    if (!result->ok)
        probe->err = *result->err;
    if (!result->ok)
        share_explain(&probe->err);
    probe->done(probe->ctx, probe);
}

void share_probe_start(struct share_probe *probe, const char *url, const char *token)
{
    uint64_t random;

    random_bytes(&random, sizeof(random));
    probe->url = mem_text(url);
    probe->link = share_link_new(&(struct share_link_spec){ .loop = probe->loop,
                                                            .http = probe->http,
                                                            .urls = url,
                                                            .ca_file = probe->ca_file,
                                                            .splunk_home = getenv("SPLUNK_HOME"),
                                                            .token = token });
    probe->test = share_self_test_new(probe->loop, probe->link, probe->group, random, tested, probe);
}

void share_probe_release(struct share_probe *probe)
{
    share_self_test_free(probe->test);
    share_link_free(probe->link);
    free(probe->url);
    probe->test = NULL;
    probe->link = NULL;
    probe->url = NULL;
}
