#include "share/record.h"

#include <stdio.h>

#include "base/text.h"

#define KEY_MAX 4096

void share_key_add(struct buf *to, const char *text)
{
    buf_add_file_name(to, text);
}

char *share_key(const char *group, const char *kind, const char *name)
{
    struct buf key = BUF_INIT(KEY_MAX);

    share_key_add(&key, group);
    buf_add_char(&key, '.');
    share_key_add(&key, kind);
    if (name) {
        buf_add_char(&key, '.');
        share_key_add(&key, name);
    }
    return buf_take(&key);
}

const char *share_id(uint64_t random, char ret[SHARE_ID_MAX])
{
    snprintf(ret, SHARE_ID_MAX, "%016llx", (unsigned long long)random);
    return ret;
}
