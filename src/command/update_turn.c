#include "command/update_turn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define LOCK     "var/run/splunk/defender_mssp_update.lock"
#define PAUSE_MS 2000
#define LOOK_MS  100

static void sleep_ms(int64_t ms)
{
    if (ms > 0)
        nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* Waits until the turn before ours is PAUSE_MS old, by the time of the file. */
static void pause_after_last(int fd)
{
    int64_t age_ms;
    struct stat st;

    if (fstat(fd, &st) || !st.st_size)
        return;
    age_ms = clock_wall_ms() - ((int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
    if (age_ms >= 0 && age_ms < PAUSE_MS) /* a clock that was set back is no reason to wait */
        sleep_ms(PAUSE_MS - age_ms);
}

bool update_turn_take(const char *splunk_home, int64_t most_ms, struct err *err)
{
    CLEANUP(mem_freep) char *path = splunk_home ? mem_format("%s/" LOCK, splunk_home) : NULL;
    int64_t until_ms = clock_ms() + most_ms;
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

    if (fd < 0) /* a person who tries it by hand, or a full disk: the update matters more than the pause */
        return true;
    while (flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return true;
        if (clock_ms() >= until_ms)
            return err_set(err, ERR_RETRY, "other updates of this host took all of %lld s; run the action again",
                           (long long)(most_ms / 1000));
        sleep_ms(LOOK_MS);
    }
    pause_after_last(fd);
    (void)!pwrite(fd, "1", 1, 0); /* its time is when our turn began; the descriptor stays open, and the lock with it */
    return true;
}
