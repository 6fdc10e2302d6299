#include "command/share_probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "messages/diagnosis.h"

#define TEXT_MAX 4096

void share_explain(struct err *err)
{
    const struct remedy *remedy = &diagnosis_table[DIAGNOSIS_STORE_AWAY].remedy;

    if (!strstr(err->text, "administrator"))
        remedy_append(err->text, sizeof(err->text), remedy->responsible, remedy->advice);
}

/* err NULL: all is well. */
static void finish(struct share_probe *probe, const struct err *err)
{
    probe->finished = true;
    probe->ok = !err;
    if (err)
        probe->err = *err;
    if (err)
        share_explain(&probe->err);
    probe->done(probe->ctx, probe);
}

/* The collection of checkpoints: a record is written and deleted. */

static void deleted(void *ctx, const struct kvstore_answer *answer)
{
    finish(ctx, answer->fault == KVSTORE_OK ? NULL : answer->err);
}

static void saved(void *ctx, const struct kvstore_answer *answer)
{
    struct share_probe *probe = ctx;
    struct buf *query = &probe->text;

    if (answer->fault != KVSTORE_OK) {
        finish(probe, answer->err);
        return;
    }
    buf_clear(query);
    buf_add_text(query, "{\"_key\":");
    buf_add_json(query, probe->key);
    buf_add_char(query, '}');
    probe->call = (struct share_call){ .kind = SHARE_CALL_DELETE,
                                       .collection = PLACES_COLLECTION,
                                       .query = buf_text(query) };
    share_link_call(probe->link, &probe->call, deleted, probe);
}

static void save(struct share_probe *probe)
{
    struct buf *body = &probe->text;

    buf_clear(body);
    buf_add_text(body, "[{\"_key\":");
    buf_add_json(body, probe->key);
    buf_add_text(body, ",\"group\":");
    buf_add_json(body, probe->group);
    buf_add_text(body, ",\"kind\":\"test\",\"input\":\"\",\"number\":0,\"id\":\"\",\"text\":\"\"}]");
    probe->call = (struct share_call){ .kind = SHARE_CALL_SAVE,
                                       .collection = PLACES_COLLECTION,
                                       .body = buf_text(body) };
    share_link_call(probe->link, &probe->call, saved, probe);
}

static void tested(void *ctx, const struct share_self_test_result *result)
{
    struct share_probe *probe = ctx;

    probe->unfit = result->unfit;
    probe->seen_ms = result->seen_ms;
    if (result->ok)
        save(probe);
    else
        finish(probe, result->err);
}

void share_probe_start(struct share_probe *probe, const char *url, const char *token)
{
    char id[SHARE_ID_MAX];
    uint64_t random;

    random_bytes(&random, sizeof(random));
    probe->url = mem_text(url);
    probe->key = share_key(probe->group, "test", share_id(random, id));
    probe->text = BUF_INIT(TEXT_MAX);
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
    if (probe->link)
        share_link_forget(probe->link, probe);
    share_link_free(probe->link);
    buf_free(&probe->text);
    free(probe->key);
    free(probe->url);
    probe->test = NULL;
    probe->link = NULL;
    probe->url = probe->key = NULL;
}
