/* command/run.h - `defender_alerts` without arguments, as splunkd starts it: collects until it is stopped. */
#pragma once

/* Reads the <input> XML on stdin and writes the <stream> XML to stdout. Returns the exit status: 0 when it was stopped
 * or has no input, 1 when the XML is bad. */
int run_inputs(void);
