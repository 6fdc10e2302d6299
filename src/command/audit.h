/* command/audit.h - `audit`: compares what Microsoft lists with what was written. */
#pragma once

int audit_run(int argc, char **argv);
