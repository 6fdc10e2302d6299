/* microsoft/change.h - a change of one alert or incident at Microsoft Graph: its members by PATCH, a comment by POST.
 *
 * Values, paths and permissions: Microsoft's pages "Update alert", "Create comment for alert", "Update incident" and
 * "Create comment for incident" (Graph v1.0). Pure: nothing is sent from here. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum change_kind { CHANGE_ALERT, CHANGE_INCIDENT };

/* What a person asks for. NULL or "": not said. */
struct change_words {
    const char *kind; /* "alert" or "incident"; not said: an ID of digits alone is an incident's */
    const char *id;
    const char *status, *classification, *determination;
    const char *assigned_to;
    const char *comment;
};

/* What Microsoft is asked for. NULL: stays as it is. */
struct change {
    enum change_kind kind;
    char *id;
    const char *status, *classification, *determination; /* Microsoft's own words; static */
    char *assigned_to;
    char *comment;
};

/* Reads the words: values in any case, with blanks, dashes and underscores or without ("In progress"). Returns false with
 * nothing in *ret if one of them cannot be used or nothing is to be changed; err is ERR_INPUT and says what would be
 * right. Free *ret with change_release(). */
bool change_read(const struct change_words *words, struct change *ret, struct err *err);
void change_release(struct change *change); /* frees the members */

const char *change_kind_word(enum change_kind kind);
/* Returns the permission that the app, or the user who signed in, needs. */
const char *change_permission(enum change_kind kind);

/* Returns true if there is something to PATCH; a change may be only a comment. */
bool change_has_members(const struct change *change);
/* Appends the URL. base: scheme://host[:port]. comment: that of the comments. */
void change_url(const struct change *change, const char *base, bool comment, struct buf *ret);
/* Appends the JSON body of the PATCH, or of the comment. */
void change_body(const struct change *change, bool comment, struct buf *ret);
