/* command/share_private.h - the commands of `share`. argv[0] is the command's name. */
#pragma once

int share_token_run(int argc, char **argv);
int share_status_run(int argc, char **argv);
/* take, drain, undrain */
int share_wish_run(int argc, char **argv);

int share_forget_run(int argc, char **argv);

#define SHARE_PIPE "splunk cmd splunkd print-modinput-config defender_alerts | defender_alerts share "
