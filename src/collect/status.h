/* collect/status.h - the status line of an input: every five minutes, and whenever its state changes. */
#pragma once

#include "collect/feed.h"
#include "collect/health.h"

/* What the line says that the feed does not know. Seconds; -1: unknown. */
struct status {
    const struct feed *feed;
    enum health_state state;
    const struct err *problem; /* why it is not ok; "": see waits_for */
    const char *waits_for;     /* said if there is no other reason */
    int64_t next_s;            /* to the next request */
    int64_t token_s;           /* until the access token expires */
    int64_t certificate_days; /* as its file or the app registration says, whichever is sooner */
    int64_t secret_days;      /* as the app registration says (auth/expiry.h) */
    const char *credential;   /* what the input signs in with (auth/principal.h); NULL: not known yet */
    bool has_token, has_certificate, has_secret;
};

void status_log(const struct status *status, int64_t now_ms);

/* Returns when the next regular line of input number n is due: not within the first minute of the process, which logs
 * each state anyway. Each input has its own moment of the five minutes, whatever it logged in between: hundreds of lines
 * at once would not fit the pipe that the log goes to. */
int64_t status_next_ms(size_t number, int64_t started_ms, int64_t now_ms);
