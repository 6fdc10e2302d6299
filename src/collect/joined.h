/* collect/joined.h - the checkpoint of the store that forwarders share, joined with that of one's own file.
 *
 * Each is true for ever: what is before its cursor is in Splunk, and so are the versions that it names. The result has
 * the cursor of the one that has read farther, and the versions of both. While an edit of an input reaches one
 * forwarder after the other, they may be of different tenants or APIs: then that of the input as it is now is taken,
 * however far the other one has read. */
#pragma once

#include "base/buf.h"
#include "microsoft/api.h"

struct joined_input {
    const char *tenant_id;
    const struct api *api;
};

/* text: of the shared store; becomes the result. own: of the file; NULL: there is none. What is this host's own stays as
 * its file has it. Returns false if one of them is no checkpoint. */
bool joined_checkpoint(struct buf *text, const struct buf *own, const struct joined_input *input);
