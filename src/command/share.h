/* command/share.h - `share`: what the administrator does where several forwarders share the customers: token, status,
 * take, drain, undrain. */
#pragma once

/* argv[0] is "share". Returns the exit status: 0 if it is done, else 1. */
int share_run(int argc, char **argv);
