/* splunk/config_private.h - what config.c and config_elements.c share: the reader. config.c takes bytes and hands the
 * result over; config_elements.c makes stanzas and parameters of the elements that libxml2 finds. */
#pragma once

#include <libxml/parser.h>

#include "splunk/config.h"
#include "splunk/utf16.h"

#define DEPTH_MOST 16       /* splunkd's own documents are five deep */

/* Where an element may stand is what its parent says. SKIPPED ones take all below them along. */
enum element {
    SKIPPED, DOCUMENT, ROOT, SERVER_HOST, SERVER_URI, SESSION_KEY, CHECKPOINT_DIR, CONFIGURATION, STANZA, PARAM,
    PARAM_LIST, VALUE
};

struct config_reader {
    enum config_root root;
    xmlParserCtxtPtr xml;
    struct utf16     utf16;
    struct buf       utf8;          /* one feed's bytes on their way to the parser */
    size_t           fed;
    enum element     open[DEPTH_MOST + 1];
    int              depth;         /* open[depth] is the innermost */
    struct buf       text;          /* of the element that is being read */
    size_t           values;        /* read so far in the present param_list */
    struct config    config;
    bool             done, failed;
    struct err       err;           /* why, when failed */
};

/* The callbacks for libxml2; their context is the reader. */
xmlSAXHandler *config_sax(void);

/* Ends the reading; reader->err says why. */
void config_stop(struct config_reader *reader);
