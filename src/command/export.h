/* command/export.h - `export`: the present inputs as a CSV file that `import` takes, never with a secret. */
#pragma once

/* Returns the exit status. */
int export_run(int argc, char **argv);
