/* splunkd's JSON: its list of stored passwords and its list of inputs, which other apps and users fill as well. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "command/import_rows.h"
#include "fuzz.h"
#include "splunk/app.h"
#include "splunk/passwords_private.h"
#include "splunk/passwords_pieces.h"

/* Every entry of our realm is found with its last value, and no other. */
static void check_passwords(const uint8_t *data, size_t size)
{
    struct buf body = { .data = (char *)(uintptr_t)data, .len = size };
    struct secret_list list = { 0 };
    struct manifest manifest;
    size_t i;

    if (passwords_read_entries(&body, &list)) {
        for (i = 0; i < list.count; i++) {
            need(!i || strcmp(list.items[i - 1].name, list.items[i].name) < 0, "sorted, and each name once");
            need(secret_list_get(&list, list.items[i].name) == list.items[i].value, "found by its name");
            if (manifest_parse(list.items[i].value, &manifest) == MANIFEST_GOOD)
                mem_free_secret(pieces_join(&list, list.items[i].name, &manifest));
        }
    } else {
        need(!list.count, "no list, no entries");
    }
    secret_list_clear(&list);
}

/* A row is compared with what splunkd says of an input of its name. Carrying the plan out would send it name and value
 * pairs, so there are pairs. */
static void check_inputs(const uint8_t *data, size_t size)
{
    static char *const texts[][2] = { { "tenant_id", "contoso.onmicrosoft.com" },
                                      { "client_id", "01234567-89ab-cdef-0123-456789abcdef" },
                                      { "poll_interval", "60" },
                                      { "disabled", "1" } };
    cJSON *tree = json_parse((const char *)data, size);
    const cJSON *list = json_member(tree, "entry");
    struct import_rows rows = { .list = mem_alloc(sizeof(*rows.list)), .count = 1 };
    struct import_row *row = rows.list;
    struct passwords *passwords = passwords_new(NULL);
    struct err err;
    size_t i;

    row->changes = BUF_INIT(1024);
    row->stanza = (struct raw_stanza){ .name = mem_text("a"), .params = mem_alloc(4 * sizeof(*row->stanza.params)) };
    for (i = 0; i < COUNT_OF(texts); i++)
        row->stanza.params[row->stanza.count++] = (struct raw_param){ mem_text(texts[i][0]), mem_text(texts[i][1]) };
    need(input_from_stanza(&row->stanza, CHECK_FILES, &row->input, &err), "the row is good");
    if (cJSON_IsArray(list)) {
        import_plan(&rows, list, passwords);
        need(row->action == ACTION_CREATE || row->action == ACTION_UPDATE || row->action == ACTION_NONE, "an action");
        need(row->list_len % 2 == 0 && (row->action != ACTION_NONE || !row->list_len), "pairs");
        need(row->action != ACTION_CREATE || row->list_len == 10, "a new input gets its name and all parameters");
        need(utf8_is_plain(buf_text(&row->changes)), "a plain report");
    }
    import_rows_release(&rows);
    passwords_free(passwords);
    cJSON_Delete(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_passwords(data, size);
    check_inputs(data, size);
    return 0;
}
