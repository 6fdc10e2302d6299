/* collect/stream.h - what the program does when splunkd starts it: run, or validate one input. */
#pragma once

/* Reads <input> from stdin and collects until it is stopped. Exit status. */
int stream_run(void);

/* Reads <items> from stdin; silent if good, else the refusal on stdout. Exit status. At most ten seconds: what cannot
 * be tried within that time is said in a WARN line and not refused. */
int stream_validate(void);
