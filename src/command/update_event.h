/* command/update_event.h - the result event of a try to change an alert or incident.
 *
 * A JSON object of our own, of the source type ms:defender:update. action_name, action_mode, action_status, sid, rid,
 * orig_sid, orig_rid, search_name and user are what Enterprise Security looks for in the result of a modular action. */
#pragma once

#include "base/buf.h"
#include "command/update_judge.h"
#include "splunk/action.h"

#define UPDATE_ACTION     "defender_mssp_update"
#define UPDATE_SOURCETYPE "ms:defender:update"

struct update_try {
    const struct action *action;
    const char *customer, *tenant_id; /* NULL: not known */
    const struct change *change;      /* NULL: what was asked for is no change */
    bool comment;                     /* this try adds the comment */
    int number;                       /* 0: nothing was sent */
    int status;                       /* HTTP; 0: no answer */
    enum update_result result;
    const char *why; /* NULL: it worked */
};

/* Appends the event. now_ms: Unix milliseconds. */
void update_event(const struct update_try *try, int64_t now_ms, struct buf *ret);
