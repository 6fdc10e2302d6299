#include "splunk/notices.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "splunk/app.h"
#include "splunk/rest_call.h"

#define ENDPOINT     "messages"
#define NAME_START   APP_NAME "."
#define NAME_MAX_LEN 8192
#define TEXT_MAX     2000 /* a few lines of the menu */
#define FORM_MAX     (64 * 1024)
#define LISTING_MAX  (4 * 1024 * 1024)

struct notice_call {
    struct notices *notices;
    struct notice_call *next;
    struct rest_call call;
    rest_done_fn *done; /* NULL: nobody waits */
    void *ctx;
};

struct names {
    char **items;
    size_t count;
};

struct notices {
    struct rest *rest;
    struct notice_call *calls; /* in flight */
    bool asked, listed;        /* for the list of notices; it has come, or will not */
    struct names shown;        /* the notices of the list, by the names that splunkd knows */
    struct names works;        /* inputs that work, until the list comes */
    struct buf listing;
};

/* Sets of names. */

static void names_add(struct names *names, char *name)
{
    names->items = mem_grow(names->items, names->count + 1, sizeof(*names->items));
    names->items[names->count++] = name;
}

static bool names_remove(struct names *names, const char *name)
{
    size_t i;

    for (i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) != 0)
            continue;
        free(names->items[i]);
        names->items[i] = names->items[--names->count];
        return true;
    }
    return false;
}

static void names_free(struct names *names)
{
    while (names->count)
        free(names->items[--names->count]);
    mem_freep(&names->items);
}

/* Calls. */

struct notices *notices_new(struct rest *rest)
{
    struct notices *notices = mem_alloc(sizeof(*notices));

    notices->rest = rest;
    notices->listing = BUF_INIT(LISTING_MAX);
    return notices;
}

static struct notice_call *notice_call_new(struct notices *notices, rest_call_fn *ended, rest_done_fn *done, void *ctx)
{
    struct notice_call *call = mem_alloc(sizeof(*call));

    *call = (struct notice_call){
        .notices = notices,
        .next = notices->calls,
        .done = done,
        .ctx = ctx,
        .call = { .rest = notices->rest, .done = ended, .ctx = call, .rights = "edit_messages" }
    };
    return notices->calls = call;
}

static void notice_call_free(struct notice_call *call)
{
    struct notice_call **slot = &call->notices->calls;

    while (*slot != call)
        slot = &(*slot)->next;
    *slot = call->next;
    rest_call_stop(&call->call);
    free(call);
}

static void notice_call_end(struct notice_call *call, bool ok, const struct err *err)
{
    rest_done_fn *done = call->done;
    void *ctx = call->ctx;

    notice_call_free(call);
    if (done)
        done(ctx, ok, err);
}

void notices_free(struct notices *notices)
{
    if (!notices)
        return;
    while (notices->calls)
        notice_call_free(notices->calls);
    names_free(&notices->shown);
    names_free(&notices->works);
    buf_free(&notices->listing);
    free(notices);
}

/* Returns the name. That of an input has no '.' in it, so no other input's name ends like a topic. */
static char *notice_name(const char *topic, const char *input_name)
{
    struct buf name = BUF_INIT(NAME_MAX_LEN);

    buf_add_text(&name, NAME_START);
    buf_add_file_name(&name, input_name);
    if (topic)
        buf_add_format(&name, ".%s", topic);
    return buf_take(&name);
}

/* Showing and removing. */

/* Returns the text as one line that Splunk Web shows letter by letter: "[[" would begin a link (messages.conf.spec), and
 * "<" might begin markup. Caller frees. */
static char *plain_text(const char *text)
{
    char *plain = mem_text_n(text, strnlen(text, TEXT_MAX)), *at;

    utf8_make_line(plain);
    for (at = plain; *at; at++) {
        if (*at == '<' || (at[0] == '[' && at[1] == '['))
            *at = '(';
        else if (*at == '>')
            *at = ')';
    }
    return plain;
}

static void on_changed(void *ctx, const struct http_result *result UNUSED, bool ok, const struct err *err)
{
    notice_call_end(ctx, ok, err);
}

static void on_removed(void *ctx, const struct http_result *result, bool ok, const struct err *err)
{
    notice_call_end(ctx, ok || (result->fault == HTTP_DONE && result->status == 404), err);
}

void notices_show(struct notices *notices, const char *topic, const char *input_name, const char *text,
                  rest_done_fn *done, void *ctx)
{
    struct notice_call *call = notice_call_new(notices, on_changed, done, ctx);
    CLEANUP(mem_freep) char *name = notice_name(topic, input_name);
    CLEANUP(mem_freep) char *plain = plain_text(text);
    struct buf form = BUF_INIT(FORM_MAX);

    buf_add_form(&form, "name", name);
    buf_add_form(&form, "value", plain);
    buf_add_form(&form, "severity", "warn");
    buf_add_form(&form, "capability", "edit_modinput_" SCHEME_NAME);
    rest_call_start(&call->call, NULL, rest_url(notices->rest, NULL, ENDPOINT, NULL, NULL), buf_take(&form));
}

void notices_remove(struct notices *notices, const char *topic, const char *input_name, rest_done_fn *done, void *ctx)
{
    struct notice_call *call = notice_call_new(notices, on_removed, done, ctx);
    CLEANUP(mem_freep) char *name = notice_name(topic, input_name);

    rest_call_start(&call->call, "DELETE", rest_url(notices->rest, NULL, ENDPOINT, name, NULL), NULL);
}

/* The list of notices. */

static void remove_if_shown(struct notices *notices, const char *input_name)
{
    CLEANUP(mem_freep) char *name = notice_name(NULL, input_name);

    if (names_remove(&notices->shown, name))
        notices_remove(notices, NULL, input_name, NULL, NULL);
}

static void take_list(struct notices *notices)
{
    CLEANUP(json_freep) cJSON *tree = json_parse(notices->listing.data, notices->listing.len);
    const cJSON *entry;

    cJSON_ArrayForEach(entry, json_member(tree, "entry"))
    {
        const char *name = json_text(entry, "name");

        if (name && text_starts(name, NAME_START))
            names_add(&notices->shown, mem_text(name));
    }
}

static void on_listed(void *ctx, const struct http_result *result UNUSED, bool ok, const struct err *err)
{
    struct notice_call *call = ctx;
    struct notices *notices = call->notices;
    size_t i;

    notices->listed = true;
    if (ok)
        take_list(notices);
    notice_call_end(call, ok, err);
    for (i = 0; i < notices->works.count; i++)
        remove_if_shown(notices, notices->works.items[i]);
    names_free(&notices->works);
    buf_free(&notices->listing);
}

void notices_input_works(struct notices *notices, const char *input_name)
{
    struct notice_call *call;

    if (notices->listed) {
        remove_if_shown(notices, input_name);
        return;
    }
    names_add(&notices->works, mem_text(input_name));
    if (notices->asked)
        return;
    notices->asked = true;
    call = notice_call_new(notices, on_listed, NULL, NULL);
    call->call.body = &notices->listing;
    rest_call_start(&call->call, NULL, rest_url(notices->rest, NULL, ENDPOINT, NULL, "count=0"), NULL);
}
