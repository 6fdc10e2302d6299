/* The reader of splunkd's XML on any bytes. What comes out may not depend on how they were cut into pieces. */
#include "fuzz.h"
#include "splunk/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Everything that was read, or "-". */
static void outcome(const uint8_t *data, size_t size, size_t step, enum config_root root, struct buf *ret)
{
    struct config_reader *reader = config_reader_new(root);
    struct config config = { 0 };
    struct err err = { 0 };
    size_t at, part, i, k;
    bool ok = true;

    for (at = 0; ok && at < size; at += part) {
        part = size - at < step ? size - at : step;
        ok = config_reader_feed(reader, (const char *)data + at, part, &err);
    }
    ok = ok && config_reader_take(reader, &config, &err);
    if (!ok && !*err.text)
        abort();        /* a refusal without a reason */
    buf_add_char(ret, ok ? '+' : '-');
    for (i = 0; i < config.count; i++) {
        buf_add_format(ret, "[%s]%s", config.stanzas[i].name, config.stanzas[i].app ? config.stanzas[i].app : "");
        for (k = 0; k < config.stanzas[i].count; k++)
            buf_add_format(ret, "(%s)%s", config.stanzas[i].params[k].name, config.stanzas[i].params[k].value);
    }
    config_free(&config);
    config_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum config_root roots[] = { CONFIG_INPUT, CONFIG_ITEMS };
    size_t i;

    for (i = 0; i < COUNT_OF(roots); i++) {
        struct buf whole = BUF_INIT(2 * CONFIG_MAX), pieces = BUF_INIT(2 * CONFIG_MAX);

        outcome(data, size, size ? size : 1, roots[i], &whole);
        outcome(data, size, 1 + size % 7, roots[i], &pieces);
        if (strcmp(buf_text(&whole), buf_text(&pieces)) != 0)
            abort();
        buf_free(&whole);
        buf_free(&pieces);
    }
    return 0;
}
