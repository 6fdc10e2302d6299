#include "command/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "collect/target.h"
#include "command/trial_sign_in.h"
#include "messages/log_events.h"
#include "microsoft/signin.h"
#include "splunk/validate.h"

#define TRIAL_MOST_MS 8000 /* of the ten seconds; starting and ending take some */

static int refuse_input(const char *text)
{
    struct buf out = BUF_INIT(1 << 16);

    validate_print_refusal(&out, text);
    fwrite(buf_text(&out), 1, out.len, stdout);
    fflush(stdout);
    buf_free(&out);
    return 1;
}

static void log_not_tried(const struct input *input, const char *verb, const char *why)
{
    CLEANUP(mem_freep) char *label = input_label(input->name);

    log_event(EVENT_NOT_TRIED, "input=%s tenant=%s the sign-in %s tried while saving: %s", label, input->tenant_id,
              verb, why);
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
    if (input->refresh_token || input->authorization_code) {
        log_not_tried(input, "was not",
                      input->refresh_token ? "a refresh token can be used only once"
                                           : "an authorization code can be used only once");
        return true;
    }
    switch (trial_sign_in(input, config, TRIAL_MOST_MS, ret_why)) {
    case TRIAL_ACCEPTED: return true;
    case TRIAL_NOT_TRIED: log_not_tried(input, "could not be", *ret_why); return true;
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
