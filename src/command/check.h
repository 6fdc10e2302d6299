/* command/check.h - `check`: tries every input once, in parallel, and reports what works.
 *
 * Reads the <input> XML on stdin. Emits no event and writes no checkpoint. A refresh token is redeemed only after a
 * write to Splunk's password store has just succeeded, and the new one is stored before it is used. */
#pragma once

/* Returns the exit status: 0 if all inputs are good, else 1. */
int check_run(int argc, char **argv);
