/* command/import_clean.h - an imported file without its secrets.
 *
 * The columns client_secret and refresh_token go, and a password inside of the column proxy becomes eight asterisks.
 * All other cells keep their text, and the file its encoding and separator. It is replaced in one step and keeps its mode
 * and owner. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Returns true if the CSV text has a secret in a cell. */
bool import_has_secrets(const struct buf *text);

/* Removes the secrets from the file, if it still is the one with these bytes. */
bool import_clean(const char *path, const struct buf *read, struct err *err);
