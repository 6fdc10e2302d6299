/* command/check.h - `check`: tries every input once, all side by side, and says how each one stands.
 *
 * Reads the <input> XML on stdin. Emits no event and touches no checkpoint. A refresh token is redeemed only when
 * Splunk's password store has just shown that it takes one, and the new one goes there before it is used. */
#pragma once

/* Exit status: 0 all good, 1 some not. */
int check_run(int argc, char **argv);
