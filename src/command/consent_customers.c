#include "command/consent_customers.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "command/csv.h"
#include "microsoft/signin.h"
#include "splunk/params.h"

#define RULE "----------------------------------------------------------------------"

static const char *redirect_of(const struct import_row *row, const char *otherwise)
{
    return !otherwise || !text_empty(stanza_value(&row->stanza, "redirect_uri")) ? row->input.redirect_uri : otherwise;
}

void customers_of(struct import_rows *rows, const char *redirect_uri, struct customers *ret)
{
    size_t i;

    *ret = (struct customers){ .list = mem_alloc((rows->count + 1) * sizeof(*ret->list)), .count = rows->count };
    for (i = 0; i < rows->count; i++) {
        struct customer *customer = &ret->list[i];
        const struct input *input = &rows->list[i].input;

        customer->row = &rows->list[i];
        if (customer->row->action == ACTION_REFUSED) {
            customer->state = CUSTOMER_REFUSED;
            continue;
        }
        target_of(input, &customer->target);
        customer->link = signin_consent_address(customer->target.login_url, input->tenant_id, input->client_id,
                                                redirect_of(customer->row, redirect_uri));
    }
}

void customers_release(struct customers *customers)
{
    size_t i;

    for (i = 0; i < customers->count; i++)
        free(customers->list[i].link);
    free(customers->list);
}

const char *customer_word(const struct customer *customer)
{
    switch (customer->state) {
    case CUSTOMER_WAITS: return "waiting";
    case CUSTOMER_IN_TROUBLE: return "trouble";
    case CUSTOMER_CONSENTED: return "consented";
    case CUSTOMER_REFUSED: return "refused";
    case CUSTOMER_DONE: break;
    }
    return customer->row->action == ACTION_CREATE   ? "created"
           : customer->row->action == ACTION_UPDATE ? "updated"
                                                    : "unchanged";
}

size_t customers_in(const struct customers *customers, enum customer_state state)
{
    size_t i, count = 0;

    for (i = 0; i < customers->count; i++)
        count += customers->list[i].state == state;
    return count;
}

static const char *why_of(const struct customer *customer)
{
    return customer->state == CUSTOMER_REFUSED ? customer->row->err.text
           : customer->state == CUSTOMER_DONE  ? ""
                                               : customer->why;
}

/* Text. */

static void add_plain(struct buf *to, const char *text)
{
    CLEANUP(mem_freep) char *plain = mem_text(text);

    utf8_make_line(plain);
    buf_add_text(to, plain);
}

static void add_text(const struct customer *customer, struct buf *to)
{
    if (!customer->link)
        return;
    add_plain(to, customer->row->stanza.name);
    buf_add_format(to, " (%s)\n", customer->row->input.tenant_id);
    buf_add_format(to, "  %s\n", customer->link); /* whole, to be copied */
}

/* Tables and JSON. */

static const char *cloud_of(const struct input *input)
{
    return param_find("cloud")->choices[input->cloud].value;
}

static const char *permission_of(const struct customer *customer)
{
    const char *permission = customer->target.api->permissions ? customer->target.api->permission : NULL;

    return permission ? permission : "";
}

static void add_csv_row(const struct customer *customer, bool states, struct buf *to)
{
    const struct input *input = &customer->row->input;
    const char *cells[] = { customer->row->stanza.name,
                            input->tenant_id,
                            input->client_id,
                            customer->link ? cloud_of(input) : "",
                            customer->link ? customer->target.api->name : "",
                            customer->link ? permission_of(customer) : "",
                            customer->link,
                            customer_word(customer),
                            why_of(customer) };
    size_t i, count = COUNT_OF(cells) - (states ? 0 : 2);

    if (!states && !customer->link)
        return;
    for (i = 0; i < count; i++) {
        if (i)
            buf_add_char(to, ',');
        csv_add_guarded(to, cells[i] ? cells[i] : "");
    }
    buf_add_char(to, '\n');
}

static void add_member(struct buf *to, const char *name, const char *text)
{
    buf_add_format(to, ",\"%s\":", name);
    if (text_empty(text))
        buf_add_text(to, "null");
    else
        buf_add_json(to, text);
}

static void add_json_object(const struct customer *customer, bool states, struct buf *to)
{
    const struct input *input = &customer->row->input;
    bool refused = customer->state == CUSTOMER_REFUSED;

    buf_add_format(to, "{\"line\":%zu", customer->row->line);
    add_member(to, "name", customer->row->stanza.name);
    add_member(to, "tenant_id", input->tenant_id);
    add_member(to, "client_id", input->client_id);
    add_member(to, "cloud", customer->link ? cloud_of(input) : NULL);
    add_member(to, "api", customer->link ? customer->target.api->name : NULL);
    add_member(to, "permission", customer->link ? permission_of(customer) : NULL);
    add_member(to, "link", customer->link);
    if (states || refused)
        add_member(to, "state", customer_word(customer));
    if (states || refused)
        add_member(to, "why", why_of(customer));
    buf_add_char(to, '}');
}

/* Mails. */

/* Returns true if an earlier customer of the list has the same link. */
static bool is_repeated(const struct customers *customers, size_t at)
{
    size_t i;

    for (i = 0; i < at; i++)
        if (text_same(customers->list[i].link, customers->list[at].link))
            return true;
    return false;
}

/* Adds the permissions of all customers with this link, each once. */
static void add_permissions(const struct customers *customers, const char *link, struct buf *to)
{
    const char *added[API_KINDS] = { NULL };
    size_t i, j, count = 0;

    for (i = 0; i < customers->count && count < API_KINDS; i++) {
        const struct customer *customer = &customers->list[i];

        if (!text_same(customer->link, link) || !*permission_of(customer))
            continue;
        for (j = 0; j < count && !text_same(added[j], permission_of(customer)); j++)
            ;
        if (j < count)
            continue;
        added[count++] = permission_of(customer);
        buf_add_format(to, "    %s\n", permission_of(customer));
    }
    if (!count)
        buf_add_text(to, "    what the page of the consent lists\n");
}

/* Returns true if a customer with this link lets alerts be updated. */
static bool lets_update(const struct customers *customers, const char *link)
{
    size_t i;

    for (i = 0; i < customers->count; i++)
        if (text_same(customers->list[i].link, link) && customers->list[i].row->input.allow_update == ALLOW_UPDATE_YES)
            return true;
    return false;
}

static void add_mail(const struct customers *customers, size_t at, struct buf *to)
{
    const struct customer *customer = &customers->list[at];
    const struct input *input = &customer->row->input;
    bool updates = customer->link && lets_update(customers, customer->link);

    if (!customer->link || is_repeated(customers, at))
        return;
    if (to->len)
        buf_add_text(to, "\n" RULE "\n\n");
    buf_add_format(to, "Subject: Your consent to the collection of Microsoft Defender alerts (%s)\n\n",
                   input->tenant_id);
    buf_add_text(to, "Hello,\n\n"
                     "we collect the security alerts of Microsoft Defender for your organization\n");
    buf_add_format(to, "(%s). Once, before we can begin, our application needs your\n", input->tenant_id);
    buf_add_text(to, "consent. Please let a Global Administrator or a Privileged Role Administrator of\n"
                     "your tenant open this address, sign in and accept:\n\n");
    buf_add_format(to, "%s\n\nThe application may then read%s:\n\n", customer->link,
                   updates ? "" : ", and change nothing");
    add_permissions(customers, customer->link, to);
    if (updates)
        buf_add_text(to, "\nand set status, owner, classification and comments of alerts and incidents:\n\n"
                         "    SecurityAlert.ReadWrite.All, SecurityIncident.ReadWrite.All\n");
    buf_add_format(to,
                   "\nIts application ID is %s.\n"
                   "You find it under Enterprise applications in the Microsoft Entra admin center,\n"
                   "where you can take the consent back at any time. The sign-in ends on a page of\n"
                   "ours; if that page does not load, the consent counts all the same. If a page of\n"
                   "Microsoft shows an error (AADSTS...), please send us its text.\n\nKind regards\n",
                   input->client_id);
}

/* All. */

static void add_json(const struct customers *customers, bool states, struct buf *to)
{
    size_t i;

    buf_add_text(to, "{\"customers\":[");
    for (i = 0; i < customers->count; i++) {
        buf_add_text(to, i ? ",\n" : "\n");
        add_json_object(&customers->list[i], states, to);
    }
    buf_add_text(to, "\n]}\n");
}

void customers_write(const struct customers *customers, enum consent_format format, bool states, struct buf *ret)
{
    size_t i;

    if (format == CONSENT_JSON) {
        add_json(customers, states, ret);
        return;
    }
    if (format == CONSENT_CSV)
        buf_add_format(ret, "name,tenant_id,client_id,cloud,api,permission,link%s\n", states ? ",state,why" : "");
    for (i = 0; i < customers->count; i++) {
        switch (format) {
        case CONSENT_CSV: add_csv_row(&customers->list[i], states, ret); break;
        case CONSENT_MAIL: add_mail(customers, i, ret); break;
        default: add_text(&customers->list[i], ret); break;
        }
    }
}
