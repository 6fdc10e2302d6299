#include "command/options.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define COLUMN 30

/* Returns true if the argument names this option. *value is the text after '=', or NULL. */
static bool names_option(const struct option_spec *spec, const char *arg, const char **value)
{
    size_t len = strlen(spec->name);

    *value = NULL;
    if (*spec->name != '-') {
        *value = arg;
        return *arg != '-';
    }
    if (strncmp(arg, spec->name, len) || (arg[len] && arg[len] != '='))
        return false;
    if (arg[len])
        *value = arg + len + 1;
    return true;
}

static bool take_option(const struct option_spec *spec, const char *value, const char *next, int *used, struct err *err)
{
    if (spec->flag) {
        if (value)
            return err_set(err, ERR_INPUT, "%s takes no value", spec->name);
        *spec->flag = true;
        return true;
    }
    if (!value) {
        if (!next)
            return err_set(err, ERR_INPUT, "%s needs a value after it: %s", spec->name, spec->argument);
        value = next;
        ++*used;
    }
    if (*spec->value && *spec->name != '-')
        return err_set(err, ERR_INPUT, "one %s is expected, but two are given: '%.80s' and '%.80s'",
                       text_same(spec->argument, "FILE") ? "file" : spec->argument, *spec->value, value);
    if (*spec->value)
        return err_set(err, ERR_INPUT, "%s is given twice", spec->name);
    *spec->value = value;
    return true;
}

bool options_read(const struct option_spec *specs, size_t count, int argc, char **argv, struct err *err)
{
    const char *value;
    size_t k;
    int i;

    for (i = 1; i < argc; i++) {
        for (k = 0; k < count && !names_option(&specs[k], argv[i], &value); k++)
            ;
        if (k == count)
            return err_set(err, ERR_INPUT, "unknown argument '%.80s'; '%s -h' lists the options", argv[i], argv[0]);
        if (!take_option(&specs[k], value, i + 1 < argc ? argv[i + 1] : NULL, &i, err))
            return false;
    }
    return true;
}

bool options_is_help(const char *arg)
{
    return text_same(arg, "--help") || text_same(arg, "-h");
}

bool options_want_help(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++)
        if (options_is_help(argv[i]))
            return true;
    return false;
}

void options_print(const char *usage, const struct option_spec *specs, size_t count)
{
    size_t i;
    int used;

    printf("%s", usage);
    for (i = 0; i < count; i++) {
        used = printf("  %s%s%s", specs[i].name, specs[i].argument && *specs[i].name == '-' ? " " : "",
                      specs[i].argument && *specs[i].name == '-' ? specs[i].argument : "");
        printf("%*s %s\n", used < COLUMN ? COLUMN - used : 0, "", specs[i].help);
    }
}
