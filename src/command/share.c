#include "command/share.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "command/options.h"
#include "command/share_private.h"

static const struct {
    const char *name, *called; /* called: in sentences about its arguments */
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    { "token", "share token", share_token_run,
      "store this forwarder's authentication token for the shared KV store, after a test" },
    { "status", "share status", share_status_run, "print the forwarders, and who reads which input" },
    { "take", "share take", share_wish_run, "let this forwarder read all of its inputs, or those that are named" },
    { "drain", "share drain", share_wish_run, "let others read this forwarder's inputs, before work on it" },
    { "undrain", "share undrain", share_wish_run, "end that: the inputs are spread evenly again" },
    { "forget", "share forget", share_forget_run, "remove the records of a forwarder that is gone for good" }
};

static int print_help(void)
{
    size_t i;

    puts(
        "usage: " SHARE_PIPE "COMMAND [OPTION ...]\n"
        "For inputs that several forwarders share (share_url): each of them has the same inputs, and a table in Splunk's\n"
        "KV store says who reads which. 'share COMMAND -h' lists the options of a command. Exit status 0: done; 1: not.");
    for (i = 0; i < COUNT_OF(commands); i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].help);
    return fflush(stdout) ? 1 : 0;
}

int share_run(int argc, char **argv)
{
    size_t i;

    for (i = 0; argc > 1 && i < COUNT_OF(commands); i++)
        if (text_same(argv[1], commands[i].name)) {
            argv[1] = (char *)commands[i].called;
            return commands[i].run(argc - 1, argv + 1);
        }
    if (options_want_help(argc, argv))
        return print_help();
    /* What is not known is not repeated: it may be a token. */
    log_error("%s; it is token, status, take, drain, undrain or forget; 'share -h' says more",
              argc > 1 ? "share does not know this command" : "share needs a command after it");
    return 1;
}
