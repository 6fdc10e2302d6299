#include "splunk/secret_name.h"

#include "base/mem.h"
#include "base/text.h"

#define NAME_MAX_BYTES 8192

char *secret_name_client(const char *client_id)
{
    return mem_format("client_secret.%s", client_id);
}

char *secret_name_refresh(const char *tenant_id, const char *client_id)
{
    return mem_format("refresh_token.%s.%s", tenant_id, client_id);
}

char *secret_name_proxy(const char *input_name)
{
    struct buf name = BUF_INIT(NAME_MAX_BYTES);

    buf_add_text(&name, "proxy_password.");
    buf_add_file_name(&name, input_name);
    return buf_take(&name);
}
