#include "command/noted.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/store_file.h"

char *noted_text(const char *checkpoint_dir, const char *input_name, const char *member)
{
    CLEANUP(mem_freep) char *path = store_file_path(checkpoint_dir, input_name);
    CLEANUP(json_freep) cJSON *tree = NULL;
    struct buf text = BUF_INIT(STORE_FILE_MAX);
    struct err unread;

    if (!text_empty(checkpoint_dir) && file_read(path, &text, &unread))
        tree = json_parse(text.data, text.len);
    buf_free(&text);
    return json_text(tree, member) ? mem_text(json_text(tree, member)) : NULL;
}
