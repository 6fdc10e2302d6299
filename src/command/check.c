#include "command/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/check_duplicates.h"
#include "command/check_rows.h"
#include "command/console.h"
#include "command/options.h"

/* What was asked for. */
struct asked {
    const char *only; /* the input's name; NULL: all */
    const char *compare, *days;
    int compare_with, compare_days;
    bool as_json, only_bad;
};

/* Finds out what is not about one input. Returns how many findings there are. */
static size_t look_at_host(const struct check_rows *rows, const struct config *config, struct host_finding *ret)
{
    struct host_finding *store = &ret[0];
    size_t i;

    *store = (struct host_finding){ .what = "password store" };
    if (check_rows_know_store(rows, &store->err))
        err_set(&store->err, ERR_RETRY, "read, from splunkd at %s", config->server_uri);
    else
        store->level = HOST_BAD;
    host_look_at_folder(config->checkpoint_dir, &ret[1]);
    host_look_at_disk(config->checkpoint_dir, &ret[2]);
    for (i = 0; i < check_rows_count(rows); i++) {
        const struct outcome *outcome = row_outcome(check_rows_list(rows)[i]);

        if (!outcome->has_clock)
            continue;
        host_judge_clock(outcome->clock_offset_ms, &ret[3]);
        return 4;
    }
    return 3;
}

static int print_report(const struct check_rows *rows, const struct config *config, const struct asked *asked)
{
    size_t i, count = check_rows_count(rows);
    const struct outcome **outcomes = mem_alloc((count + 1) * sizeof(const struct outcome *));
    struct host_finding host[4];
    struct report report = { .rows = outcomes,
                             .count = count,
                             .host = host,
                             .host_count = count ? look_at_host(rows, config, host) : 0,
                             .only_bad = asked->only_bad,
                             .compared_with = asked->compare ? api_at(asked->compare_with) : NULL,
                             .compared_days = asked->compare_days };
    struct wrap to = { .to = stdout, .width = wrap_width(STDOUT_FILENO), .colors = wrap_colors(STDOUT_FILENO) };
    bool good;

    report.share = check_rows_share(rows, &report.share_count);
    for (i = 0; i < count; i++)
        outcomes[i] = row_outcome(check_rows_list(rows)[i]);
    if (asked->as_json)
        report_json(&report, stdout);
    else if (count)
        report_table(&report, &to);
    else
        puts("There is no enabled input.");
    good = report_is_good(&report) && report_all_ready(&report);
    free(outcomes);
    return fflush(stdout) == 0 && good ? 0 : 1;
}

static int check_all(const struct config *config, const struct asked *asked)
{
    struct check_rows *rows = check_rows_new(asked->compare_with, asked->compare_days);
    int status = 1;

    log_set_level(LOG_ERROR); /* the report has everything else */
    check_rows_with_share(rows);
    check_rows_fill(rows, config, asked->only);
    check_rows_try(rows, config);
    check_duplicates_note(check_rows_list(rows), check_rows_count(rows), config);
    if (asked->only && !check_rows_count(rows))
        log_error("there is no enabled input '%.200s' in the XML on stdin", asked->only);
    else
        status = print_report(rows, config, asked);
    check_rows_free(rows);
    return status;
}

static const char usage[] =
    "usage: splunk cmd splunkd print-modinput-config defender_alerts | defender_alerts check [OPTION ...]\n"
    "Tries every input once: name lookup, connection or proxy, TLS, token, permission, newest alert. Looks at the\n"
    "checkpoint folder, its disk, the password store and the clock, too, and at the store that forwarders share, if\n"
    "they do. Inputs that are not ok come first.\n"
    "Writes no event and no checkpoint. Exit status 0: all inputs are good; 1: some are not, or\n"
    "none can work on this host.\n";

static bool read_config(struct config *config, struct err *err)
{
    console_tell_waiting("Waiting on stdin for the XML of the inputs, from 'splunk cmd splunkd print-modinput-config "
                         "defender_alerts | defender_alerts check'; 'check -h' says more.");
    return config_read(STDIN_FILENO, CONFIG_INPUT, config, err);
}

int check_run(int argc, char **argv)
{
    struct asked asked = { .only = NULL };
    const struct option_spec specs[] = { { "--input", &asked.only, NULL, "NAME", "only the input of this name" },
                                         { "--bad", NULL, &asked.only_bad, NULL, "only inputs that are not ok" },
                                         { "--json", NULL, &asked.as_json, NULL, "the findings as JSON" },
                                         { "--compare", &asked.compare, NULL, "API",
                                           "lists too what 'graph' (or 'endpoint') would bring in place of the "
                                           "present API, and which IDs only one of them has" },
                                         { "--days", &asked.days, NULL, "N",
                                           "with --compare: of the last N days, 1 to 30; default 7" } };
    struct config config;
    struct err err;
    int status;

    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return 0;
    }
    if (!options_read(specs, COUNT_OF(specs), argc, argv, &err) ||
        !compare_options(asked.compare, asked.days, &asked.compare_with, &asked.compare_days, &err) ||
        !read_config(&config, &err)) {
        log_error("%s", err.text);
        return 1;
    }
    status = check_all(&config, &asked);
    config_free(&config);
    return status;
}
