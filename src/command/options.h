/* command/options.h - the options of a command, by a table: "--name VALUE" or "--name=VALUE", "--flag". */
#pragma once

#include "base/compiler.h"
#include "base/err.h"

struct option_spec {
    const char  *name;          /* with its dashes; without any: the one plain argument */
    const char **value;         /* where the text goes; NULL for a flag */
    bool        *flag;
    const char  *argument;      /* what --help calls the value */
    const char  *help;
};

/* Reads argv[1..]; argv[0] is the command. False with a sentence; secrets never are arguments, so it may repeat
 * them. */
bool options_read(const struct option_spec *specs, size_t count, int argc, char **argv, struct err *err);
/* Is --help among them? */
bool options_want_help(int argc, char **argv);
void options_print(const char *usage, const struct option_spec *specs, size_t count);
