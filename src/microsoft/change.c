#include "microsoft/change.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define ID_MOST      256   /* bytes */
#define OWNER_MOST   512   /* bytes: a user's principal name has at most 113 characters */
#define COMMENT_MOST 10000 /* bytes */

static const char *const alert_states[] = { "new", "inProgress", "resolved", NULL };
static const char *const incident_states[] = { "active", "inProgress", "resolved", NULL };
static const char *const classifications[] = { "unknown", "falsePositive", "truePositive",
                                               "informationalExpectedActivity", NULL };
static const char *const determinations[] = { "unknown",
                                              "apt",
                                              "malware",
                                              "securityPersonnel",
                                              "securityTesting",
                                              "unwantedSoftware",
                                              "other",
                                              "multiStagedAttack",
                                              "compromisedAccount",
                                              "phishing",
                                              "maliciousUserActivity",
                                              "notMalicious",
                                              "notEnoughDataToValidate",
                                              "confirmedActivity",
                                              "lineOfBusinessApplication",
                                              NULL };

static const struct kind {
    const char *word, *path, *permission;
    const char *const *states;
} kinds[] = { [CHANGE_ALERT] = { "alert", "/v1.0/security/alerts_v2/", "SecurityAlert.ReadWrite.All", alert_states },
              [CHANGE_INCIDENT] = { "incident", "/v1.0/security/incidents/", "SecurityIncident.ReadWrite.All",
                                    incident_states } };

const char *change_kind_word(enum change_kind kind)
{
    return kinds[kind].word;
}

const char *change_permission(enum change_kind kind)
{
    return kinds[kind].permission;
}

/* Reading. */

static const char *skip_gaps(const char *text)
{
    return text + strspn(text, " \t-_");
}

static bool is_word(const char *text, const char *word)
{
    for (text = skip_gaps(text); *text && *word; text = skip_gaps(text + 1), word++)
        if (tolower((unsigned char)*text) != tolower((unsigned char)*word))
            return false;
    return !*text && !*word;
}

/* Sets *ret to the word that is meant; NULL: none was said. */
static bool read_word(const char *name, const char *text, const char *const *words, const char **ret, struct err *err)
{
    struct buf list = BUF_INIT(4096);
    size_t i;

    *ret = NULL;
    if (text_empty(text))
        return true;
    for (i = 0; words[i] && !*ret; i++)
        *ret = is_word(text, words[i]) ? words[i] : NULL;
    if (*ret)
        return true;
    for (i = 0; words[i]; i++)
        buf_add_format(&list, "%s%s", i ? ", " : "", words[i]);
    err_set(err, ERR_INPUT, "%s is '%.64s'; it should be one of %s, or empty to leave it as it is", name, text,
            buf_text(&list));
    buf_free(&list);
    return false;
}

static bool is_id(const char *text)
{
    return strlen(text) <= ID_MOST && !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                                         "0123456789._-!~:{}")];
}

static bool is_number(const char *text)
{
    return *text && !text[strspn(text, "0123456789")];
}

static bool read_kind(const struct change_words *words, enum change_kind *ret, struct err *err)
{
    if (text_empty(words->kind)) {
        *ret = is_number(words->id) ? CHANGE_INCIDENT : CHANGE_ALERT;
        return true;
    }
    for (*ret = CHANGE_ALERT; *ret <= CHANGE_INCIDENT; ++*ret)
        if (is_word(words->kind, kinds[*ret].word))
            return true;
    return err_set(err, ERR_INPUT, "kind is '%.64s'; it should be alert or incident", words->kind);
}

static bool read_id(const struct change_words *words, struct change *ret, struct err *err)
{
    if (text_empty(words->id))
        return err_set(err, ERR_INPUT, "id is empty; it should be the ID of an alert or incident, such as $result.id$");
    if (!read_kind(words, &ret->kind, err))
        return false;
    if (ret->kind == CHANGE_INCIDENT && !is_number(words->id))
        return err_set(err, ERR_INPUT, "id is '%.64s'; the ID of an incident has digits only", words->id);
    if (!is_id(words->id))
        return err_set(err, ERR_INPUT,
                       "id is '%.64s'; an ID has at most %d letters, digits, dashes, dots and underscores", words->id,
                       ID_MOST);
    return true;
}

static bool read_length(const char *name, const char *text, size_t most, struct err *err)
{
    if (text && strlen(text) > most)
        return err_set(err, ERR_INPUT, "%s has %zu bytes; it should have at most %zu", name, strlen(text), most);
    return true;
}

static char *copy(const char *text)
{
    return text_empty(text) ? NULL : mem_text(text);
}

bool change_read(const struct change_words *words, struct change *ret, struct err *err)
{
    *ret = (struct change){ .kind = CHANGE_ALERT };
    if (!read_id(words, ret, err) || !read_word("status", words->status, kinds[ret->kind].states, &ret->status, err) ||
        !read_word("classification", words->classification, classifications, &ret->classification, err) ||
        !read_word("determination", words->determination, determinations, &ret->determination, err) ||
        !read_length("assigned_to", words->assigned_to, OWNER_MOST, err) ||
        !read_length("comment", words->comment, COMMENT_MOST, err))
        return false;
    ret->assigned_to = copy(words->assigned_to);
    ret->comment = copy(words->comment);
    if (!change_has_members(ret) && !ret->comment)
        return err_set(err, ERR_INPUT,
                       "there is nothing to change; set status, assigned_to, classification, "
                       "determination or comment");
    ret->id = mem_text(words->id);
    return true;
}

void change_release(struct change *change)
{
    mem_freep(&change->id);
    mem_freep(&change->assigned_to);
    mem_freep(&change->comment);
}

/* Writing. */

bool change_has_members(const struct change *change)
{
    return change->status || change->classification || change->determination || change->assigned_to;
}

void change_url(const struct change *change, const char *base, bool comment, struct buf *ret)
{
    buf_add_format(ret, "%s%s", base, kinds[change->kind].path);
    buf_add_url(ret, change->id);
    if (comment)
        buf_add_text(ret, "/comments");
}

static void add_member(struct buf *ret, const char *name, const char *value)
{
    if (!value)
        return;
    buf_add_format(ret, "%s\"%s\":", ret->data[ret->len - 1] == '{' ? "" : ",", name);
    buf_add_json(ret, value);
}

void change_body(const struct change *change, bool comment, struct buf *ret)
{
    buf_add_char(ret, '{');
    if (comment) {
        add_member(ret, "@odata.type", "microsoft.graph.security.alertComment");
        add_member(ret, "comment", change->comment);
    } else {
        add_member(ret, "status", change->status);
        add_member(ret, "assignedTo", change->assigned_to);
        add_member(ret, "classification", change->classification);
        add_member(ret, "determination", change->determination);
    }
    buf_add_char(ret, '}');
}
