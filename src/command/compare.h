/* command/compare.h - what another alert API would bring for an input, compared with what its present one brings.
 *
 * Lists the IDs of the last days at both services, with the input's own sign-in and filter. An alert counts if one of
 * them updated it within these days; the services may date an update differently, so each is searched a day further
 * back. IDs of the last quarter of an hour are left out: one service may show an alert before the other. Writes
 * nothing. */
#pragma once

#include "auth/principal.h"
#include "collect/target.h"
#include "command/alert_listing.h"

enum compare_result {
    COMPARE_NOT,           /* the input reads that API already, or its records have no IDs that could be compared */
    COMPARE_SAME,          /* the other service lists every alert that the present one lists */
    COMPARE_ANSWERS,       /* the other service answers; the present one could not be listed, and err says why */
    COMPARE_LACKS,         /* alerts are listed by the present service only */
    COMPARE_NO_PERMISSION, /* the other service refuses for want of its permission */
    COMPARE_REFUSED,       /* a person has to act; err says so */
    COMPARE_UNKNOWN        /* transient, or too much to compare; err says why */
};

struct compared {
    const struct api *present, *other;
    enum compare_result result;
    struct err err;
    int days;
    ticks from;                              /* compared from this time on */
    bool cut;                                /* ... and not for all of the days */
    size_t both, present_count, other_count; /* IDs on both sides, and on one of them */
    char **only_present, **only_other;       /* those on one side */
};

/* Returns "same", "answers", "lacks alerts", ...: a word for the result. */
const char *compared_word(enum compare_result result);
/* Returns true if the input may be moved to the other API without losing anything that is known of. */
bool compared_is_ready(const struct compared *compared);
void compared_release(struct compared *compared); /* frees the members */

struct compare_spec {
    struct loop *loop;
    struct http *http;
    struct principal *principal;
    const struct http_route *route;
    const struct target *present; /* borrowed until the end, as are filter and route */
    const struct target *other;
    const char *filter; /* NULL: none */
    int days;
    ticks now; /* of the service's clock */
};

struct compare;
/* Starts. *ret is filled in before done is called, once, from the loop. */
struct compare *compare_start(const struct compare_spec *spec, struct compared *ret, void (*done)(void *ctx),
                              void *ctx);
/* The caller's time is up: ends with what is known. */
void compare_stop(struct compare *compare);
void compare_free(struct compare *compare); /* before http and principals; NULL is allowed */

/* Reads the options --compare (NULL: *api_kind becomes -1) and --days (NULL: 7). On false err is a sentence. */
bool compare_options(const char *api, const char *days, int *api_kind, int *ret_days, struct err *err);

/* Compares two lists, for compare.c and its test. settled: only updates before this time count. */
void compare_lists(const struct listed_alerts *present, const struct listed_alerts *other, ticks from, ticks settled,
                   struct compared *ret);
