/* command/consent.h - `consent`: each customer's consent link from the CSV file of `import`; --watch waits until the
 * customers have consented and creates their inputs. */
#pragma once

/* Returns the exit status: 0 if nothing was refused and, with --watch, every input is there; else 1. */
int consent_run(int argc, char **argv);
