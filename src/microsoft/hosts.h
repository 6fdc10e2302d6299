/* microsoft/hosts.h - Microsoft's own hosts of the supported clouds: where secrets and tokens may go in any case.
 *
 * The address must be https at the default port. Regional hosts are covered: the table has patterns. */
#pragma once

#include "base/compiler.h"

/* Returns true if the URL is of a sign-in service. */
bool hosts_sign_in(const char *url);
/* Returns true if the URL is of an alert API that tokens of this audience are for. An audience that is no URL of an
 * API, such as the GUID of an app or "https://graph.windows.net", does not tell: each alert API counts then. */
bool hosts_serve(const char *url, const char *audience);
