/* command/options.h - the options of a command, by a table: "--name VALUE" or "--name=VALUE", "--flag". */
#pragma once

#include "base/compiler.h"
#include "base/err.h"

struct option_spec {
    const char *name;   /* with its dashes; without dashes: the one positional argument */
    const char **value; /* where the text goes; NULL: a flag */
    bool *flag;
    const char *argument; /* name of the value in --help */
    const char *help;
};

/* Parses argv[1..]; argv[0] is the command. On false err is a sentence. It may repeat arguments: secrets are never
 * among them. */
bool options_read(const struct option_spec *specs, size_t count, int argc, char **argv, struct err *err);
/* Returns true for --help and -h. */
bool options_is_help(const char *arg);
/* Returns true if one of those is among them. */
bool options_want_help(int argc, char **argv);
/* Prints the usage and one line for each option. */
void options_print(const char *usage, const struct option_spec *specs, size_t count);
