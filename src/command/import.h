/* command/import.h - `import`: many inputs from a CSV file, through splunkd's REST interface.
 *
 * Secrets go to Splunk's password store first and never into inputs.conf. It is safe to run again: inputs that match
 * their row are left alone, and a stored refresh token is never replaced, since it may have been renewed. */
#pragma once

/* Returns the exit status: 0 if every row is in place, else 1. */
int import_run(int argc, char **argv);
