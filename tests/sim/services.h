/* services.h - Microsoft: what services.c, sign_in.c and pages.c share. */
#pragma once

#include "sim.h"

#define LOGIN_HOST "login.microsoftonline.com"

struct service {
    const char *host, *path, *audience;
    int most; /* records in a page; 0: all of them */
    int per_minute, per_hour;
};
extern const struct service services[API_COUNT];

/* Begins a reply: its status and the headers that every reply has. customer NULL: its Date is right. */
void reply_head(struct reply *reply, struct customer *customer, int status, const char *type);
void reply_end_head(struct reply *reply);
/* Makes the whole reply an error. */
void reply_refuse(struct reply *reply, struct customer *customer, int status, const char *code);
/* Returns true if there is a reply already, be it none. */
bool reply_is_there(const struct reply *reply);

void sign_in(const struct request *request, struct reply *reply);

/* What a page request asks for. */
struct query {
    int64_t lo, hi; /* ticks; hi is outside */
    size_t top, skip;
    bool evidence, ordered, counted;
    bool selected, refused; /* $select is kept; it is not allowed */
};
/* Returns false if the service would not understand the path. */
bool query_read(const struct customer *customer, const char *path, struct query *query);
/* Writes the page. partial: every other record is left out, and there is an error next to the others. Returns true if
 * nothing is wrong with it. */
bool page_write(struct customer *customer, const struct request *request, const struct query *query,
                struct reply *reply, bool partial);
