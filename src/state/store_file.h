/* state/store_file.h - a store that is a folder of checkpoint files.
 *
 * <folder>/<input name, percent-encoded>.json: mode 0600, replaced atomically. Text that cannot be used is kept as
 * <file>.bad. Claims are locks on bytes of <folder>/defender_alerts.lock (state/lock.h). A folder that was removed
 * while the process runs is made again, and every claim is told that its file has vanished.
 *
 * <folder>/ledger/<input name, percent-encoded> is the input's ledger (state/ledger.h). It changes with a save, before
 * the checkpoint does. */
#pragma once

#include "state/store.h"

#define LEDGER_FOLDER  "ledger"
#define STORE_FILE_MAX (256u * 1024 * 1024) /* bytes of one checkpoint, written or read */

/* Never NULL. Opens nothing yet: the first claim does, and again while the folder cannot be used. Copies the folder. */
struct store *store_file_new(const char *folder, const struct store_watcher *watcher);

/* Tries to become the one process of this host that shares inputs with other forwarders; true also if it is. To be asked
 * again from time to time: a folder that was cleaned has a new lock file. */
bool store_file_claim_host(struct store *store, struct err *err);

/* Returns the path of an input's file. The caller frees it. */
char *store_file_path(const char *folder, const char *input_name);
/* Returns the path of an input's ledger. The caller frees it. */
char *store_file_ledger_path(const char *folder, const char *input_name);
