/* command/validate.h - `--validate-arguments`, as splunkd runs it when a person saves an input. */
#pragma once

/* Reads the <items> XML on stdin, checks the values and tries the sign-in. Prints nothing if the input is good, else
 * <error> on stdout for Splunk Web. Takes at most ten seconds; a sign-in that could not be tried is logged and not
 * refused. Returns the exit status: 0 good, 1 refused. */
int validate_run(void);
