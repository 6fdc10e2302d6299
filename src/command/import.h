/* command/import.h - `import`: many inputs at once, from a CSV file, through splunkd's REST interface.
 *
 * Secrets go to Splunk's password store first and never into inputs.conf. Safe to run again: what is as it should be
 * is left alone, and a refresh token that is stored already is never replaced, since it may have been renewed. */
#pragma once

/* Exit status: 0 every row is in place, 1 some not. */
int import_run(int argc, char **argv);
