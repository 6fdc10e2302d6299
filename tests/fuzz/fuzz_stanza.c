/* One parameter of an input, as the inputs page, a conf file or a CSV gives it. The first byte picks the parameter. */
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "splunk/params.h"
#include "splunk/stanza.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct raw_stanza stanza = { .name = mem_text("defender_alerts://x"), .params = mem_alloc(3 * sizeof(*stanza.params)) };
    size_t i = size ? data[0] % params_count : 0;
    struct input input;
    struct err err = { 0 };

    stanza.params[0] = (struct raw_param){ mem_text("tenant_id"), mem_text("contoso.onmicrosoft.com") };
    stanza.params[1] = (struct raw_param){ mem_text("client_id"), mem_text("01234567-89ab-cdef-0123-456789abcdef") };
    stanza.params[2] = (struct raw_param){ mem_text(params[i].name),
                                           size ? mem_text_n((const char *)data + 1, size - 1) : mem_text("") };
    stanza.count = 3;
    if (input_from_stanza(&stanza, CHECK_NO_FILES, &input, &err)) {
        need(input.poll_interval >= 1 && input.poll_interval <= 86400 && input.overlap >= 0 && input.overlap <= 86400,
             "numbers within their bounds");
        need(input.start_time.relative ? input.start_time.back_s >= 0 : input.start_time.time >= 0, "a time since 1970");
        input_free(&input);
    } else {
        need(*err.text && utf8_is_plain(err.text), "a refusal is one plain line");
    }
    if (!stanza_is_plain(&stanza, &err))
        need(*err.text && utf8_is_plain(err.text), "a refusal is one plain line");
    raw_stanza_free(&stanza);
    return 0;
}
