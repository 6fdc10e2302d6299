#include "command/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "collect/target.h"
#include "command/console.h"
#include "command/save_duplicates.h"
#include "command/save_notice.h"
#include "command/trial_sign_in.h"
#include "messages/log_events.h"
#include "microsoft/signin.h"
#include "splunk/validate.h"

/* A person waits, ten seconds at most: for the trial, then for splunkd, and for the start and the end. */
#define ALL_MOST_MS    9500
#define TRIAL_MOST_MS  6500
#define SPLUNKD_MOST_S 3 /* for an answer */

#define TEXT_MAX 65536

/* An input that is being saved. */
struct saving {
    const struct input *input;
    const struct config *config;
    int64_t started_ms;
};

static int refuse_input(const char *text)
{
    struct buf out = BUF_INIT(1 << 16);

    validate_print_refusal(&out, text);
    fwrite(buf_text(&out), 1, out.len, stdout);
    fflush(stdout);
    buf_free(&out);
    return 1;
}

/* Returns how long splunkd may take for an answer; 0: it is asked for nothing more. */
static int splunkd_most_s(const struct saving *saving)
{
    int64_t left_s = (saving->started_ms + ALL_MOST_MS - clock_ms()) / 1000;

    return left_s <= 0 ? 0 : left_s < SPLUNKD_MOST_S ? (int)left_s : SPLUNKD_MOST_S;
}

static void log_told(enum event event, const struct input *input, const char *why, const char *sentence)
{
    CLEANUP(mem_freep) char *label = input_label(input->name);

    log_event(event, "input=%s tenant=%s why=%s %s", label, input->tenant_id, QUOTED(why), sentence);
}

/* Shows the person who saves the input a notice in Splunk Web: "the input 'x' was saved, but <but>". Returns why: the
 * caller's, or with why splunkd does not take the notice. Caller frees. */
static char *show(const struct saving *saving, enum notice_kind kind, const char *why, const char *but)
{
    CLEANUP(mem_freep)
    char *text = mem_format("Microsoft Defender alerts: the input '%s' was saved, but %s", saving->input->name, but);
    int most_s = splunkd_most_s(saving);
    struct err err;

    utf8_make_line(text); /* Splunk Web shows it as it is */
    if (!most_s)
        err_set(&err, ERR_RETRY, "there was no time left");
    else if (save_notice_show(saving->config, most_s, kind, saving->input->name, text, &err))
        return mem_text(why);
    return text_same(err.text, why) ? mem_text(why)
                                    : mem_format("%s. Splunk Web does not show this: %s", why, err.text);
}

static void tell_not_tried(const struct saving *saving, const char *why)
{
    CLEANUP(mem_freep)
    char *but = mem_format("it could not be tried: %s. %s this message disappears when it works.", why,
                           saving->input->disabled ? "It is disabled;" : "The input keeps trying, and");
    CLEANUP(mem_freep) char *reason = show(saving, NOTICE_TRIAL, why, but);

    log_told(EVENT_NOT_TRIED, saving->input, reason, "the input could not be tried while saving");
}

/* Tells of a disabled input what an enabled one would be refused for. It may be prepared before the customer
 * consents. */
static void tell_disabled(const struct saving *saving, const char *why)
{
    CLEANUP(mem_freep)
    char *but = mem_format("only because it is disabled: %s. This message disappears when it works.", why);
    CLEANUP(mem_freep) char *reason = show(saving, NOTICE_TRIAL, why, but);

    log_told(EVENT_NOT_TRIED, saving->input, reason,
             "the input was saved because it is disabled; it does not work yet");
}

static void remove_notice(const struct saving *saving, enum notice_kind kind)
{
    int most_s = splunkd_most_s(saving);

    if (most_s)
        save_notice_remove(saving->config, most_s, kind, saving->input->name);
}

/* The input works, whatever the stored secrets are: removes what an earlier save told. */
static void accept_input(const struct saving *saving, const char *remark)
{
    if (remark)
        log_told(EVENT_NOT_TRIED, saving->input, remark,
                 "the secrets in Splunk's password store could not be tried while saving");
    else
        remove_notice(saving, NOTICE_TRIAL);
}

/* Tells if another input reads the same alerts, or removes what an earlier save told. */
static void look_for_duplicates(const struct saving *saving, const char *tenant)
{
    CLEANUP(mem_freep) char *sentence = NULL;
    CLEANUP(mem_freep) char *but = NULL;
    CLEANUP(mem_freep) char *why = NULL;
    int most_s = splunkd_most_s(saving);

    if (!most_s || !save_duplicates_find(saving->input, tenant, saving->config, most_s, &sentence))
        return;
    if (!sentence) {
        remove_notice(saving, NOTICE_DUPLICATE);
        return;
    }
    but = mem_format("%s, then save the input again or remove this message.", sentence);
    why = show(saving, NOTICE_DUPLICATE, sentence, but);
    log_told(EVENT_DUPLICATE, saving->input, why, "another input reads the same alerts");
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

/* Returns true unless the input is refused by what the trial found. */
static bool take_outcome(const struct saving *saving, const struct trial_outcome *outcome)
{
    switch (outcome->result) {
    case TRIAL_ACCEPTED: accept_input(saving, outcome->why); return true;
    case TRIAL_LEFT:
        if (outcome->why)
            log_told(EVENT_NOT_TRIED, saving->input, outcome->why, "the sign-in was not tried while saving");
        return true;
    case TRIAL_NOT_TRIED: tell_not_tried(saving, outcome->why); return true;
    case TRIAL_UNBOUND: return false;
    case TRIAL_REFUSED: break;
    }
    if (saving->input->disabled)
        tell_disabled(saving, outcome->why);
    return saving->input->disabled;
}

/* Returns true unless the input is refused; *ret_why then says why. */
static bool try_input(const struct saving *saving, char **ret_why)
{
    struct trial_outcome outcome;
    bool taken;

    if (!check_code(saving->input, ret_why))
        return false;
    outcome = trial_sign_in(saving->input, saving->config, SPLUNKD_MOST_S, TRIAL_MOST_MS);
    taken = take_outcome(saving, &outcome);
    if (!taken)
        *ret_why = mem_text(outcome.why);
    else if (!saving->input->disabled)
        look_for_duplicates(saving, outcome.tenant);
    trial_outcome_release(&outcome);
    return taken;
}

int validate_run(void)
{
    CLEANUP(mem_freep) char *why = NULL;
    struct config config;
    struct input input;
    struct saving saving = { &input, &config, clock_ms() };
    struct err err;
    int status = 0;

    console_tell_waiting("Waiting on stdin for the XML of one input, which Splunk sends when an input is saved; press "
                         "Ctrl-C to end.");
    if (!config_read(STDIN_FILENO, CONFIG_ITEMS, &config, &err))
        return refuse_input(err.text);
    if (!validate_items(&config, &input, &err)) {
        status = refuse_input(err.text);
    } else {
        if (!try_input(&saving, &why))
            status = refuse_input(why);
        input_free(&input);
    }
    config_free(&config);
    return status;
}
