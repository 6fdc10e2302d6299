#include "splunk/action.h"

#include <string.h>

#include "base/text.h"
#include "splunk/rest_call.h"

#define TOKEN "$result."

static const char *or_nothing(const char *text)
{
    return text ? text : "";
}

bool action_read(const char *bytes, size_t len, struct action *ret, struct err *err)
{
    *ret = (struct action){ .tree = json_parse(bytes, len) };
    if (!cJSON_IsObject(ret->tree)) {
        action_release(ret);
        return err_set(err, ERR_INPUT,
                       "stdin has no JSON object; splunkd starts this command for the alert action, with "
                       "payload_format = json");
    }
    ret->server_uri = json_text(ret->tree, "server_uri");
    ret->session_key = json_text(ret->tree, "session_key");
    ret->owner = or_nothing(json_text(ret->tree, "owner"));
    ret->search_name = or_nothing(json_text(ret->tree, "search_name"));
    ret->sid = or_nothing(json_text(ret->tree, "sid"));
    if (!text_empty(ret->server_uri) && !text_empty(ret->session_key))
        return true;
    action_release(ret);
    return err_set(err, ERR_INPUT, "the JSON on stdin has no server_uri or no session_key; both come from splunkd");
}

void action_release(struct action *action)
{
    rest_json_freep(&action->tree);
    *action = (struct action){ .tree = NULL };
}

const char *action_param(const struct action *action, const char *name)
{
    return or_nothing(json_text(json_member(action->tree, "configuration"), name));
}

const char *action_field(const struct action *action, const char *name)
{
    const cJSON *value = json_member(json_member(action->tree, "result"), name);

    if (cJSON_IsArray(value))
        value = cJSON_GetArrayItem(value, 0);
    return cJSON_IsString(value) ? value->valuestring : "";
}

bool action_is_filled(const struct action *action, struct err *err)
{
    const cJSON *param;

    cJSON_ArrayForEach(param, json_member(action->tree, "configuration"))
    {
        if (!cJSON_IsString(param) && !cJSON_IsNull(param))
            return err_set(err, ERR_INPUT,
                           "%.64s is no text in the JSON on stdin; splunkd writes each parameter of an action as one, "
                           "in quotes",
                           param->string);
        if (cJSON_IsString(param) && strstr(param->valuestring, TOKEN))
            return err_set(err, ERR_INPUT,
                           "%.64s is '%.128s', but the results of the search have no such field; add it to the search, "
                           "or enter a value",
                           param->string, param->valuestring);
    }
    return true;
}
