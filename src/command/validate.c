#include "command/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "collect/target.h"
#include "command/console.h"
#include "command/save_notice.h"
#include "command/trial_sign_in.h"
#include "messages/log_events.h"
#include "microsoft/signin.h"
#include "splunk/validate.h"

/* A person waits, ten seconds at most: for the trial, then for the notice, and for the start and the end. */
#define TRIAL_MOST_MS  6500
#define SPLUNKD_MOST_S 3 /* for an answer */

#define TEXT_MAX 65536

static int refuse_input(const char *text)
{
    struct buf out = BUF_INIT(1 << 16);

    validate_print_refusal(&out, text);
    fwrite(buf_text(&out), 1, out.len, stdout);
    fflush(stdout);
    buf_free(&out);
    return 1;
}

static void log_not_tried(const struct input *input, const char *what, const char *why)
{
    CLEANUP(mem_freep) char *label = input_label(input->name);

    log_event(EVENT_NOT_TRIED, "input=%s tenant=%s why=%s %s tried while saving", label, input->tenant_id, QUOTED(why),
              what);
}

/* Tells the person who saves the input, in Splunk Web if splunkd takes the notice and in the log in any case. */
static void tell_not_tried(const struct input *input, const struct config *config, const char *why)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    struct err err;

    buf_add_format(&text,
                   "Microsoft Defender alerts: the input '%s' was saved, but its sign-in could not be tried: %s. The "
                   "input keeps trying, and this message disappears when it works.",
                   input->name, why);
    utf8_make_line(text.data); /* Splunk Web shows it as it is */
    if (!save_notice_show(config, SPLUNKD_MOST_S, input->name, buf_text(&text), &err) && !text_same(err.text, why)) {
        buf_clear(&text);
        buf_add_format(&text, "%s. Splunk Web does not show this: %s", why, err.text);
        why = buf_text(&text);
    }
    log_not_tried(input, "the sign-in could not be", why);
    buf_free(&text);
}

/* The sign-in works, whatever the stored secrets are: removes what an earlier save told. */
static void accept_input(const struct input *input, const struct config *config, const char *remark)
{
    if (remark)
        log_not_tried(input, "the secrets in Splunk's password store could not be", remark);
    else
        save_notice_remove(config, SPLUNKD_MOST_S, input->name);
}

/* Returns true if authorization_code is empty or has a code, which the running input redeems. Otherwise *ret_why tells
 * how to sign in; caller frees. */
static bool check_code(const struct input *input, char **ret_why)
{
    CLEANUP(mem_free_secretp) char *code = NULL;
    CLEANUP(mem_freep) char *address = NULL;
    struct err err;

    if (!input->authorization_code || signin_code(input->authorization_code, &code, &err))
        return true;
    address = target_sign_in_address(input);
    if (text_same(input->authorization_code, SIGNIN_WISH))
        *ret_why = mem_format("To sign in, " TRIAL_HOW, address);
    else
        *ret_why = mem_format("authorization_code: %s. To sign in, " TRIAL_HOW, err.text, address);
    return false;
}

/* Returns true unless the input is refused; *ret_why then says why. */
static bool try_input(const struct input *input, const struct config *config, char **ret_why)
{
    if (!check_code(input, ret_why))
        return false;
    switch (trial_sign_in(input, config, SPLUNKD_MOST_S, TRIAL_MOST_MS, ret_why)) {
    case TRIAL_ACCEPTED: accept_input(input, config, *ret_why); return true;
    case TRIAL_LEFT: log_not_tried(input, "the sign-in was not", *ret_why); return true;
    case TRIAL_NOT_TRIED: tell_not_tried(input, config, *ret_why); return true;
    case TRIAL_REFUSED: break;
    }
    return false;
}

int validate_run(void)
{
    CLEANUP(mem_freep) char *why = NULL;
    struct config config;
    struct input input;
    struct err err;
    int status = 0;

    console_tell_waiting("Waiting on stdin for the XML of one input, which Splunk sends when an input is saved; press "
                         "Ctrl-C to end.");
    if (!config_read(STDIN_FILENO, CONFIG_ITEMS, &config, &err))
        return refuse_input(err.text);
    if (!validate_items(&config, &input, &err)) {
        status = refuse_input(err.text);
    } else {
        if (!try_input(&input, &config, &why))
            status = refuse_input(why);
        input_free(&input);
    }
    config_free(&config);
    return status;
}
