/* splunk/config.h - the XML that splunkd writes to our stdin.
 *
 * It is parsed as it arrives and ends at the closing root tag, since stdin may stay open. UTF-8 or UTF-16 with BOM,
 * header elements in any order, unknown elements and attributes skipped, at most CONFIG_MAX bytes. No DTD, entity or
 * network access: a DOCTYPE is refused. Of a disabled <stanza> only its name and the parameter `disabled` are kept. */
#pragma once

#include "base/err.h"
#include "splunk/stanza.h"

#define CONFIG_MAX (64 * 1024 * 1024) /* about 67,000 inputs */

enum config_root { CONFIG_INPUT, CONFIG_ITEMS }; /* <input> of a run, <items> of a validation */

struct config {
    char *server_host; /* each "" when absent */
    char *server_uri;
    char *session_key; /* secret */
    char *checkpoint_dir;
    struct raw_stanza *stanzas;
    size_t count, capacity;
};

struct config_reader;

/* A push parser, for tests, fuzzers and config_read(). feed() returns false on an error and sets err. done() returns
 * true once the root element has been closed; bytes after that are ignored. */
struct config_reader *config_reader_new(enum config_root root);
void config_reader_free(struct config_reader *reader);
bool config_reader_feed(struct config_reader *reader, const char *bytes, size_t len, struct err *err);
bool config_reader_done(const struct config_reader *reader);
/* Returns the result after done(). False if something is missing (no server_uri, ...), which err names. */
bool config_reader_take(struct config_reader *reader, struct config *ret, struct err *err);

/* Reads fd until the root element ends. On false err is a sentence for the log. */
bool config_read(int fd, enum config_root root, struct config *ret, struct err *err);
void config_free(struct config *config); /* frees the members; secrets are overwritten */
