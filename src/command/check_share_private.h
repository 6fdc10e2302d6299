/* command/check_share_private.h - the state of check_share.c (addresses) and check_share_self.c (this forwarder). */
#pragma once

#include "command/check_share.h"
#include "command/share_inputs.h"
#include "command/share_probe.h"

struct place {
    struct check_share *share;
    struct host_section section;
    const struct endpoint *endpoint;
    struct share_probe probe;
    struct share_reader *reader;
    int64_t watched_since_ms;
    bool done;
};

struct check_share {
    struct check_share_spec spec;
    struct share_inputs inputs;
    char *ca_file;     /* share_ca_file, or Splunk's own */
    const char *token; /* secret, of the password store; NULL: there is none that may be used */
    struct place *places;
    size_t count;
    struct host_section *sections; /* of the places, and this forwarder's */
    struct host_section self;
    struct timer deadline;
    bool noted, done;
};

/* Adds a finding. */
void check_share_find(struct host_section *section, const char *what, enum host_level level, const char *fmt, ...)
    PRINTF(4, 5);

/* Find the token, which is taken if it may be used, and the secrets of the shared inputs. */
void check_share_find_token(struct check_share *share);
void check_share_find_secrets(struct check_share *share);
