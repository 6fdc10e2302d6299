/* collect/joined.h - the checkpoint of the store that forwarders share, joined with that of one's own file.
 *
 * Each is true for ever: what is before its cursor is in Splunk, and so are the versions that it names. The result has the
 * cursor of the one that has read farther, and the versions of both. */
#pragma once

#include "base/buf.h"

/* text: of the shared store; becomes the result. own: of the file; NULL: there is none. What is this host's own stays as
 * its file has it. Returns false if one of them is no checkpoint. */
bool joined_checkpoint(struct buf *text, const struct buf *own);
