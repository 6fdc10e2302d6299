/* state/file_writer.h - one thread that replaces files, so that a slow disk does not stop the event loop.
 *
 * It does one job at a time: text and names go in, a result comes out. Nothing else is shared with the thread. All
 * functions are called from one other thread. Private to state/store_file.c and its tests. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "state/ledger_file.h"

struct file_writer;

/* The thread starts with the first job. Never returns NULL. */
struct file_writer *file_writer_new(void);
/* Gives up a job in flight. If the thread is stuck in it, the thread keeps its memory: the process is about to end. */
void file_writer_free(struct file_writer *writer);

/* Returns a descriptor that is readable once a job has ended. */
int file_writer_fd(const struct file_writer *writer);
/* Returns true if a job may be started. A job that was given up keeps the thread busy until the disk answers and
 * file_writer_ended() has been called. */
bool file_writer_idle(struct file_writer *writer);

/* Starts to write the text to path.tmp and to rename it to path, after the change of the ledger (NULL: none): what the
 * text says of the ledger is then true. A ledger that cannot be changed does not keep the text from being written. Takes
 * over the text and the content of *ledger, and leaves them empty. Without a thread the work is done at once. */
void file_writer_start(struct file_writer *writer, const char *path, struct buf *text, bool sync,
                       struct ledger_job *ledger);
/* Returns the change of the ledger, with its result, until file_writer_start() is called again. */
const struct ledger_job *file_writer_ledger(const struct file_writer *writer);
/* Starts the job that has ended once more; call it in place of file_writer_take(). */
void file_writer_again(struct file_writer *writer);

/* Waits for the end of the job until the monotonic time until_ms. Returns true if it has ended. */
bool file_writer_wait(struct file_writer *writer, int64_t until_ms);
/* Returns true if the job has ended. *error is 0 or an errno with *err; both are set on true. */
bool file_writer_ended(struct file_writer *writer, int *error, struct err *err);
/* Takes note of the end; the writer is idle again. */
void file_writer_take(struct file_writer *writer);
/* Gives up the job: unless it has replaced the file already, it will not. */
void file_writer_give_up(struct file_writer *writer);
