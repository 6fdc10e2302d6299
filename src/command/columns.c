#include "command/columns.h"

#include <string.h>

#include "base/text.h"
#include "command/csv.h"
#include "splunk/params.h"

#define LINE_MOST 100

/* splunkd's own keys that a column may name. */
static const char *const own_keys[] = { "index", "sourcetype", "source", "host", "disabled" };

/* Returns true for a parameter that a file cannot have: a code is used up at once, and what forwarders share by is not a
 * customer's. */
static bool is_left_out(const struct param *param)
{
    return text_same(param->name, "authorization_code") || param->group == GROUP_SHARED;
}

const char *column_name(size_t at)
{
    size_t i;

    if (!at--)
        return "name";
    for (i = 0; i < params_count; i++)
        if (!is_left_out(&params[i]) && !at--)
            return params[i].name;
    return at < COUNT_OF(own_keys) ? own_keys[at] : NULL;
}

bool column_is_known(const char *name)
{
    const char *known;
    size_t i;

    for (i = 0; (known = column_name(i)); i++)
        if (text_same(known, name))
            return true;
    return false;
}

char *column_of_cell(const char *cell)
{
    char *name = text_trimmed(cell), *at;

    for (at = name; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return name;
}

struct example {
    const char *column, *values[2];
};

static const struct example examples[] = {
    { "name", { "contoso", "fabrikam" } },
    { "tenant_id", { "contoso.onmicrosoft.com", "fabrikam.onmicrosoft.com" } },
    { "client_id", { "01234567-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdef" } },
    { "api", { "graph", "endpoint" } },
    { "index", { "customer_contoso", "customer_fabrikam" } },
};

/* Returns the text of the example; number 0 is the header. */
static const char *example_text(const char *column, size_t number)
{
    size_t i;

    for (i = 0; number && i < COUNT_OF(examples); i++)
        if (text_same(examples[i].column, column))
            return examples[i].values[number - 1];
    return number ? "" : column;
}

void columns_add_template(struct buf *ret)
{
    size_t row, at;
    const char *name;

    for (row = 0; row <= COUNT_OF(examples[0].values); row++) {
        for (at = 0; (name = column_name(at)); at++) {
            const struct param *param = param_find(name);

            if (param ? param->group != GROUP_MAIN : at && !text_same(name, "index"))
                continue;
            if (at)
                buf_add_char(ret, ',');
            csv_add_guarded(ret, example_text(name, row));
        }
        buf_add_char(ret, '\n');
    }
}

void columns_add_list(struct buf *ret)
{
    size_t at, used = 0;
    const char *name;

    for (at = 0; (name = column_name(at)); at++) {
        bool last = !column_name(at + 1);

        if (used + strlen(name) > LINE_MOST) {
            buf_add_char(ret, '\n');
            used = 0;
        }
        used += strlen(name) + 2;
        buf_add_format(ret, "%s%s%s", used == strlen(name) + 2 ? "  " : " ", name, last ? "\n" : ",");
    }
}
