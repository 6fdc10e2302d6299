/* splunk/secret_name.h - the names of our entries in Splunk's password store. Caller frees. */
#pragma once

/* Returns "client_secret.<client_id>": one for all inputs of an app registration. */
char *secret_name_client(const char *client_id);
/* Returns "refresh_token.<tenant_id>.<client_id>". */
char *secret_name_refresh(const char *tenant_id, const char *client_id);
/* Returns "proxy_password.<input name>", the name escaped like a checkpoint's file name. */
char *secret_name_proxy(const char *input_name);
