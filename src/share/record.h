/* share/record.h - what forwarders that share customers keep in Splunk's KV store: collections, keys, times.
 *
 * A record is {"_key", "group", "kind", "number", "id", "input", "text"}; its text is JSON that only this program reads.
 *
 *   collection  kind    _key                            text
 *   share       member  <group>.member.<forwarder>      {"start", "beat", "follows", "held", "inputs", "well", "program",
 *                                                       "format"}; "inputs" is the version of its list
 *   share       table   <group>.table.<12 digits>       {"id", "after", "by", "members", "format"}; inserted, never replaced
 *   share       wish    <group>.wish.<forwarder>        {"drain": true} and/or {"take": ["*"] or [names]}
 *   share       start   <group>.start.<forwarder>       {"start"}: the process that took this name last; shows a twin
 *   places      inputs  <group>.inputs.<forwarder>      ["contoso", ...]: the enabled shared inputs of that forwarder;
 *                                                       "id" is the start of its writer, "number" its version
 *   places      body    <group>.body.<table's id>       {"contoso": ["hf1", "<since>", <number>], ...}; before its table
 *   places      place   <group>.place.<since>.<input>   a checkpoint (state/checkpoint.h), without what is one host's own
 *   places      piece   <key of the place>.<n>          some of its written versions
 *
 * `since` is the ID of the table that gave an input to its reader. IDs are 16 hex digits. Inputs and forwarders are
 * percent-encoded in keys as in file names, so that a key holds [A-Za-z0-9_.%-] only. */
#pragma once

#include "base/buf.h"
#include "base/compiler.h"

#define SHARE_COLLECTION  "defender_alerts_share"  /* some dozen small records, read by every round */
#define PLACES_COLLECTION "defender_alerts_places" /* written when changed */
#define SHARE_FORMAT      1                        /* a table of a higher one is not followed */

#define SHARE_ID_MAX 17 /* 16 hex digits and NUL */

#define SHARE_NUMBER_MOST INT64_C(999999999999) /* number of a table */

/* Milliseconds of this host's monotonic clock. A round is good for FENCE; a new reader waits a third longer, so clocks may
 * run a third apart. */
enum {
    SHARE_ROUND_MS = 5000,    /* between the beginnings of rounds */
    SHARE_CALL_MS = 4000,     /* for one call */
    SHARE_FENCE_MS = 15000,   /* after the beginning of a good round its confirmation ends */
    SHARE_WAIT_MS = 20000,    /* before a new reader begins */
    SHARE_SILENCE_MS = 20000, /* of good rounds without a heartbeat: the member counts as dead */
    SHARE_SETTLED_MS = 30000, /* a member that was heard for so long gets its share */
    SHARE_ALONE_MS = 60000,   /* without an answer from any address */
    SHARE_TABLE_MS = 60000,   /* between tables, except for the dead */
    SHARE_TURN_MS = 10000     /* each further member waits that much longer before it makes a table */
};

/* Appends a part of a key: everything but [A-Za-z0-9_-] is percent-encoded. */
void share_key_add(struct buf *to, const char *text);
/* Returns "<group>.<kind>.<name>", or without ".<name>" if that is NULL. The caller frees it. */
char *share_key(const char *group, const char *kind, const char *name);
/* Writes a random ID of 16 hex digits from 64 random bits. Returns ret. */
const char *share_id(uint64_t random, char ret[SHARE_ID_MAX]);
