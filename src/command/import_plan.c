/* The plan: what each row of an imported file needs. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/import_rows.h"
#include "splunk/params.h"
#include "splunk/proxy.h"
#include "splunk/secret_name.h"

/* The existing inputs and secrets, with which rows are compared. */
struct plan {
    struct import_rows *rows;
    const cJSON *inputs;
    const struct passwords *passwords;
};

/* Secrets. */

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

static struct upload *upload_new(struct plan *plan, const struct import_row *row, const char *name, const char *value,
                                 bool replace)
{
    const char *stored = passwords_get(plan->passwords, name);
    struct upload *upload = mem_alloc(sizeof(*upload));

    *upload = (struct upload){ .ctx = row->ctx,
                               .name = mem_text(name),
                               .value = value,
                               .line = row->line,
                               .due = !stored || (replace && !text_same(stored, value)),
                               .next = plan->rows->uploads };
    return plan->rows->uploads = upload;
}

/* Plans an upload. Takes name over. A secret that is stored already needs no upload but is kept for comparison, or a
 * contradicting row would win at the second run. replace: overwrite another stored value. */
static void add_upload(struct plan *plan, struct import_row *row, char *name, const char *value, bool replace,
                       const char *parameter)
{
    struct upload *upload = upload_named(plan->rows, name);
    struct err err;

    if (!upload)
        upload = upload_new(plan, row, name, value, replace);
    free(name);
    if (!text_same(upload->value, value)) {
        err_set(&err, ERR_INPUT,
                "%s differs from the one in line %zu, but both are for the same %s; one of them "
                "should be empty",
                parameter, upload->line, text_same(parameter, "client_secret") ? "client_id" : "sign-in");
        import_refuse(row, &err);
    }
    if (!upload->due || row->action == ACTION_REFUSED)
        return;
    row->uploads[row->upload_count++] = upload;
    note_change(row, parameter);
}

static void add_uploads(struct plan *plan, struct import_row *row)
{
    const struct input *input = &row->input;

    if (input->client_secret)
        add_upload(plan, row, secret_name_client(input->client_id), input->client_secret, true, "client_secret");
    if (input->refresh_token)
        add_upload(plan, row, secret_name_refresh(input->tenant_id, input->client_id), input->refresh_token, false,
                   "refresh_token");
    if (input->proxy_password)
        add_upload(plan, row, secret_name_proxy(input->name), input->proxy_password, true, "proxy_password");
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
}
