#include "state/file_writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/file.h"
#include "base/mem.h"

#define STACK_BYTES (256 * 1024)

enum job_state {
    JOB_NONE,
    JOB_GIVEN,    /* the thread works on it, or is about to */
    JOB_GIVEN_UP, /* the same, and nobody waits for it */
    JOB_ENDED,
    JOB_OVER /* ended after it was given up */
};

struct file_writer {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t given;
    bool running; /* the thread exists */
    int fd;       /* an eventfd */

    /* Guarded by the mutex. The other members of the job belong to the thread while it is given. */
    enum job_state state;
    bool quit;

    char *path, *temp;
    struct buf text;
    bool sync;
    struct ledger_job ledger;
    int error;
    struct err err;
};

static struct file_writer *volatile stuck_writer; /* keeps the memory in sight of tools that look for leaks */

static enum job_state state_of(struct file_writer *writer)
{
    enum job_state state;

    pthread_mutex_lock(&writer->mutex);
    state = writer->state;
    pthread_mutex_unlock(&writer->mutex);
    return state;
}

static void wake_loop(const struct file_writer *writer)
{
    static const uint64_t one = 1;
    ssize_t ignored UNUSED = write(writer->fd, &one, sizeof(one));
}

/* Does the job. Files are replaced under the mutex, so that a job which was given up replaces nothing afterwards; what
 * it appends to a ledger, the job after it writes in the same place. A temporary file that is left is overwritten by the next job. Allocates no memory: the process must not run out of
 * it in this thread. */
static void do_job(struct file_writer *writer)
{
    int error = 0;

    ledger_job_write(&writer->ledger, writer->sync);
    if (!file_write(writer->temp, buf_text(&writer->text), writer->text.len, writer->sync, &writer->err))
        error = errno;
    pthread_mutex_lock(&writer->mutex);
    if (writer->state == JOB_GIVEN_UP) {
        writer->state = JOB_OVER;
    } else {
        ledger_job_commit(&writer->ledger);
        if (!error && !file_rename_kept(writer->temp, writer->path, writer->sync, &writer->err))
            error = errno;
        writer->error = error;
        writer->state = JOB_ENDED;
    }
    wake_loop(writer);
    pthread_mutex_unlock(&writer->mutex);
}

static bool is_given(const struct file_writer *writer)
{
    return writer->state == JOB_GIVEN || writer->state == JOB_GIVEN_UP;
}

static void *run(void *ctx)
{
    struct file_writer *writer = ctx;
    bool quit;

    for (;;) {
        pthread_mutex_lock(&writer->mutex);
        while (!writer->quit && !is_given(writer))
            pthread_cond_wait(&writer->given, &writer->mutex);
        quit = writer->quit;
        pthread_mutex_unlock(&writer->mutex);
        if (quit)
            return NULL;
        do_job(writer);
    }
}

/* Signals are for the thread of the event loop. */
static bool start_thread(struct file_writer *writer)
{
    pthread_attr_t attributes;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    writer->running = pthread_create(&writer->thread, &attributes, run, writer) == 0;
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return writer->running;
}

struct file_writer *file_writer_new(void)
{
    struct file_writer *writer = mem_alloc(sizeof(*writer));

    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->given, NULL);
    writer->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (writer->fd < 0)
        die("no descriptor for the thread that saves: %s", strerror(errno));
    return writer;
}

static void free_job(struct file_writer *writer)
{
    buf_free(&writer->text);
    ledger_job_release(&writer->ledger);
    mem_freep(&writer->path);
    mem_freep(&writer->temp);
}

void file_writer_free(struct file_writer *writer)
{
    bool stuck;

    pthread_mutex_lock(&writer->mutex);
    stuck = is_given(writer);
    if (writer->state == JOB_GIVEN)
        writer->state = JOB_GIVEN_UP;
    writer->quit = true;
    pthread_cond_signal(&writer->given);
    pthread_mutex_unlock(&writer->mutex);
    if (stuck) {
        pthread_detach(writer->thread);
        stuck_writer = writer;
        return;
    }
    if (writer->running)
        pthread_join(writer->thread, NULL);
    free_job(writer);
    close(writer->fd);
    pthread_cond_destroy(&writer->given);
    pthread_mutex_destroy(&writer->mutex);
    free(writer);
}

int file_writer_fd(const struct file_writer *writer)
{
    return writer->fd;
}

bool file_writer_idle(struct file_writer *writer)
{
    return state_of(writer) == JOB_NONE;
}

static void give(struct file_writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    writer->state = JOB_GIVEN;
    pthread_cond_signal(&writer->given);
    pthread_mutex_unlock(&writer->mutex);
    if (!writer->running && !start_thread(writer))
        do_job(writer);
}

void file_writer_start(struct file_writer *writer, const char *path, struct buf *text, bool sync,
                       struct ledger_job *ledger)
{
    free_job(writer);
    writer->path = mem_text(path);
    writer->temp = mem_format("%s.tmp", path);
    writer->text = *text;
    *text = BUF_INIT(text->limit);
    writer->sync = sync;
    if (ledger) {
        writer->ledger = *ledger;
        *ledger = (struct ledger_job){ .change = LEDGER_UNCHANGED };
    }
    give(writer);
}

const struct ledger_job *file_writer_ledger(const struct file_writer *writer)
{
    return &writer->ledger;
}

void file_writer_again(struct file_writer *writer)
{
    file_writer_take(writer);
    give(writer);
}

bool file_writer_wait(struct file_writer *writer, int64_t until_ms)
{
    struct pollfd pfd = { .fd = writer->fd, .events = POLLIN };
    int64_t left_ms;

    while (state_of(writer) != JOB_ENDED) {
        left_ms = until_ms - clock_ms();
        if (left_ms <= 0)
            return false;
        poll(&pfd, 1, (int)left_ms);
    }
    return true;
}

bool file_writer_ended(struct file_writer *writer, int *error, struct err *err)
{
    enum job_state state = state_of(writer);

    if (state == JOB_OVER)
        file_writer_take(writer);
    if (state != JOB_ENDED)
        return false;
    *error = writer->error;
    *err = writer->err;
    return true;
}

void file_writer_take(struct file_writer *writer)
{
    uint64_t count;
    ssize_t ignored UNUSED = read(writer->fd, &count, sizeof(count));

    pthread_mutex_lock(&writer->mutex);
    writer->state = JOB_NONE;
    pthread_mutex_unlock(&writer->mutex);
}

void file_writer_give_up(struct file_writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    if (writer->state == JOB_GIVEN)
        writer->state = JOB_GIVEN_UP;
    pthread_mutex_unlock(&writer->mutex);
    if (state_of(writer) == JOB_ENDED)
        file_writer_take(writer);
}
