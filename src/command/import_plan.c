/* The plan: what each row of an imported file needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "collect/target.h"
#include "command/import_rows.h"
#include "splunk/params.h"
#include "splunk/proxy.h"
#include "splunk/secret_hosts.h"
#include "splunk/secret_name.h"

/* The existing inputs and secrets, with which rows are compared. */
struct plan {
    struct import_rows *rows;
    const cJSON *inputs;
    const struct passwords *passwords;
};

/* Secrets. */

#define HOSTS_MAX (64 * 1024)

struct secret_of_row {
    const char *parameter, *name, *value, *hosts;
    bool replaces; /* another stored value; a refresh token in a file is older than the stored one */
};

static void note_change(struct import_row *row, const char *name)
{
    buf_add_format(&row->changes, "%s%s", row->changes.len ? ", " : "", name);
}

static struct upload *upload_named(const struct import_rows *rows, const char *name)
{
    struct upload *upload;

    for (upload = rows->uploads; upload && !text_same(upload->name, name); upload = upload->next)
        ;
    return upload;
}

static struct upload *upload_new(struct plan *plan, const struct import_row *row, const struct secret_of_row *secret)
{
    const char *stored = passwords_get(plan->passwords, secret->name);
    struct upload *upload = mem_alloc(sizeof(*upload));

    *upload = (struct upload){ .name = mem_text(secret->name),
                               .value = secret->value,
                               .hosts = BUF_INIT(HOSTS_MAX),
                               .line = row->line,
                               .due = !stored || (secret->replaces && !text_same(stored, secret->value)),
                               .next = plan->rows->uploads };
    return plan->rows->uploads = upload;
}

/* Adds the row's hosts to those that the secret may go to. A value that is stored already is stored again for them. */
static void add_hosts(const struct plan *plan, struct upload *upload, const char *hosts)
{
    const char *bound = passwords_hosts(plan->passwords, upload->name);
    CLEANUP(mem_freep) char *copy = mem_text(hosts);
    char *rest = copy, *host;

    while ((host = strsep(&rest, " "))) {
        if (!*host || secret_hosts_hold(buf_text(&upload->hosts), host))
            continue;
        buf_add_format(&upload->hosts, "%s%s", upload->hosts.len ? " " : "", host);
        upload->due |= text_same(passwords_get(plan->passwords, upload->name), upload->value) &&
                       !secret_hosts_hold(bound, host);
    }
}

/* Plans an upload. A secret that is stored already needs no upload but is kept for comparison, or a contradicting row
 * would win at the second run. */
static void add_upload(struct plan *plan, struct import_row *row, const struct secret_of_row *secret)
{
    struct upload *upload = upload_named(plan->rows, secret->name);
    struct err err;

    if (!upload)
        upload = upload_new(plan, row, secret);
    if (!text_same(upload->value, secret->value)) {
        err_set(&err, ERR_INPUT,
                "%s differs from the one in line %zu, but both are for the same %s; one of them "
                "should be empty",
                secret->parameter, upload->line,
                text_same(secret->parameter, "client_secret") ? "client_id" : "sign-in");
        import_refuse(row, &err);
        return;
    }
    if (row->action == ACTION_REFUSED)
        return;
    add_hosts(plan, upload, secret->hosts);
    if (!upload->due)
        return;
    row->uploads[row->upload_count++] = upload;
    note_change(row, secret->parameter);
}

static void add_uploads(struct plan *plan, struct import_row *row)
{
    const struct input *input = &row->input;
    struct target target;
    struct destination to;
    CLEANUP(mem_freep) char *client = secret_name_client(input->client_id);
    CLEANUP(mem_freep) char *refresh = secret_name_refresh(input->tenant_id, input->client_id);
    CLEANUP(mem_freep) char *proxy = secret_name_proxy(input->name);
    CLEANUP(mem_freep) char *proxy_hosts = binding_proxy_hosts(input->proxy);
    CLEANUP(mem_freep) char *hosts = NULL;

    target_of(input, &target);
    to = target_destination(&target);
    hosts = binding_hosts(&to);
    if (input->client_secret)
        add_upload(plan, row,
                   &(struct secret_of_row){ "client_secret", client, input->client_secret, hosts, .replaces = true });
    if (input->refresh_token)
        add_upload(plan, row,
                   &(struct secret_of_row){ "refresh_token", refresh, input->refresh_token, hosts, .replaces = false });
    if (input->proxy_password)
        add_upload(plan, row,
                   &(struct secret_of_row){ "proxy_password", proxy, input->proxy_password, proxy_hosts,
                                            .replaces = true });
}

/* Refuses a row whose addresses the stored secrets may not go to. Secrets of the file are bound to what their own rows
 * name. An address that the row leaves as it is is no news. */
static void check_binding(const struct plan *plan, struct import_row *row)
{
    const struct input *input = &row->input;
    CLEANUP(mem_freep) char *client = secret_name_client(input->client_id);
    CLEANUP(mem_freep) char *refresh = secret_name_refresh(input->tenant_id, input->client_id);
    struct target target;
    struct destination to;
    struct err err;

    target_of(input, &target);
    to = target_destination(&target);
    if (row->action == ACTION_REFUSED || row->action == ACTION_NONE || upload_named(plan->rows, client) ||
        upload_named(plan->rows, refresh) || binding_allows_input(plan->passwords, input, &to, &err))
        return;
    import_refuse(row, &err);
}

/* Comparing, and what to send. */

static const cJSON *existing(const cJSON *list, const char *name)
{
    const cJSON *entry;

    if (list)
        cJSON_ArrayForEach(entry, list) if (text_same(json_text(entry, "name"), name)) return entry;
    return NULL;
}

/* Returns true if the input has that value. splunkd writes booleans and numbers in its own ways. */
static bool is_in_place(const cJSON *content, const char *name, const char *value)
{
    const cJSON *item = json_member(content, name);
    char number[32];
    bool truth = text_same(value, "1") || text_same_nocase(value, "true");

    if (cJSON_IsBool(item))
        return cJSON_IsTrue(item) == truth;
    if (cJSON_IsNumber(item)) {
        snprintf(number, sizeof(number), "%.15g", item->valuedouble);
        return text_same(number, value);
    }
    if (text_same(name, "disabled") && cJSON_IsString(item))
        return truth == (text_same(item->valuestring, "1") || text_same_nocase(item->valuestring, "true"));
    return cJSON_IsString(item) && text_same(item->valuestring, value);
}

static void add_to_list(struct import_row *row, const char *name, const char *value)
{
    row->list = mem_grow(row->list, row->list_len + 3, sizeof(*row->list));
    row->list[row->list_len++] = name;
    row->list[row->list_len++] = value;
    row->list[row->list_len] = NULL;
}

static void plan_parameters(struct import_row *row, const cJSON *content)
{
    size_t i;

    for (i = 0; i < row->stanza.count; i++) {
        const struct raw_param *raw = &row->stanza.params[i];
        const struct param *param = param_find(raw->name);
        const char *value = raw->value;

        if (param && param->type == PARAM_SECRET)
            continue;
        if (param && param->type == PARAM_PROXY && row->input.proxy_password)
            value = row->proxy = proxy_masked(row->input.proxy);
        if (content && is_in_place(content, raw->name, value))
            continue;
        add_to_list(row, raw->name, value);
        if (content)
            note_change(row, raw->name);
    }
}

static void plan_row(struct plan *plan, struct import_row *row)
{
    const cJSON *entry = existing(plan->inputs, row->stanza.name);
    const char *app = json_text(json_member(entry, "acl"), "app");

    if (row->action == ACTION_REFUSED)
        return;
    add_uploads(plan, row);
    if (row->action == ACTION_REFUSED)
        return;
    if (entry) {
        row->app = mem_text(app ? app : "");
        plan_parameters(row, json_member(entry, "content"));
        row->action = row->list_len || row->upload_count ? ACTION_UPDATE : ACTION_NONE;
        return;
    }
    add_to_list(row, "name", row->stanza.name);
    plan_parameters(row, NULL);
    row->action = ACTION_CREATE;
}

void import_plan(struct import_rows *rows, const cJSON *inputs, const struct passwords *passwords)
{
    struct plan plan = { rows, inputs, passwords };
    size_t i;

    for (i = 0; i < rows->count; i++)
        plan_row(&plan, &rows->list[i]);
    for (i = 0; i < rows->count; i++)
        check_binding(&plan, &rows->list[i]);
}
