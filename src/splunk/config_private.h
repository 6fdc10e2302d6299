/* splunk/config_private.h - the reader, shared by config.c (bytes in, result out) and config_elements.c (stanzas and
 * parameters from the elements that libxml2 finds). */
#pragma once

#include <libxml/parser.h>

#include "splunk/config.h"
#include "splunk/utf16.h"

#define DEPTH_MOST 16 /* splunkd's own documents are five deep */

/* An element is known by its name and its parent. SKIPPED ones are skipped with everything in them. */
enum element {
    SKIPPED,
    DOCUMENT,
    ROOT,
    SERVER_HOST,
    SERVER_URI,
    SESSION_KEY,
    CHECKPOINT_DIR,
    CONFIGURATION,
    STANZA,
    PARAM,
    PARAM_LIST,
    VALUE
};

struct config_reader {
    enum config_root root;
    xmlParserCtxtPtr xml;
    struct utf16 utf16;
    struct buf utf8; /* the bytes of one feed, decoded */
    size_t fed;
    enum element open[DEPTH_MOST + 1];
    int depth;       /* open[depth] is the innermost */
    struct buf text; /* of the element that is being read */
    size_t values;   /* read so far of the current param_list */
    struct config config;
    bool done, failed;
    struct err err; /* why, when failed */
};

/* Returns the callbacks for libxml2. Their context is the reader. */
xmlSAXHandler *config_sax(void);

/* Stops the parser. reader->err says why. */
void config_stop(struct config_reader *reader);
