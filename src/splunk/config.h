/* splunk/config.h - the XML that splunkd writes to our stdin.
 *
 * Read as it arrives and done at the closing root tag: stdin may stay open for ever. UTF-8 or UTF-16 with BOM, header
 * elements in any order, unknown elements and attributes skipped, at most CONFIG_MAX bytes. No DTD, entity or network
 * access: a DOCTYPE is refused. */
#pragma once

#include "base/err.h"
#include "splunk/stanza.h"

#define CONFIG_MAX (4 * 1024 * 1024)

enum config_root { CONFIG_INPUT, CONFIG_ITEMS };    /* <input> of a run, <items> of a validation */

struct config {
    char *server_host;          /* each "" when absent */
    char *server_uri;
    char *session_key;          /* secret */
    char *checkpoint_dir;
    struct raw_stanza *stanzas;
    size_t count;
};

struct config_reader;

/* Push parser for tests, fuzzers and for config_read(). feed returns false on an error (then err is set) ; done() is
 * true once the root element has been closed; what is fed after that is ignored. */
struct config_reader *config_reader_new(enum config_root root);
void config_reader_free(struct config_reader *reader);
bool config_reader_feed(struct config_reader *reader, const char *bytes, size_t len, struct err *err);
bool config_reader_done(const struct config_reader *reader);
/* After done: hands the result over. False if something needed is missing (no server_uri, ...: the text says what). */
bool config_reader_take(struct config_reader *reader, struct config *ret, struct err *err);

/* Reads fd until the root element ends. False with a sentence for the log. */
bool config_read(int fd, enum config_root root, struct config *ret, struct err *err);
void config_free(struct config *config);    /* the members; session key and values are overwritten */
