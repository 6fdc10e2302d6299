#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/mem.h"
#include "messages/log_events.h"
#include "net/tls.h"
#include "net/transport.h"

#define WAIT_MAX_MS 60000
#define WATCHES_MAX 16

struct loop {
    CURLM *multi;
    struct timer **heap; /* binary heap: heap[1] is due first; heap[0] is unused, so that index 0 is "not set" */
    size_t timers;
    size_t heap_cap;
    struct watch *watches;
    bool stop;
    bool firing;
    int64_t now_ms;
    int64_t longest_ms;
    pid_t parent;
    struct timer parent_timer;
    void (*late)(void *ctx, int64_t now_ms);
    void *late_ctx;
    struct watch wake;
};

static volatile sig_atomic_t signaled;
static int wake_pipe[2] = { -1, -1 }; /* global, for the signal handler */

struct loop *loop_new(void)
{
    struct loop *loop = mem_alloc(sizeof(*loop));

    tls_forget_environment();
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_lib_alloc, mem_lib_free, mem_lib_grow, mem_lib_text,
                             mem_lib_calloc) ||
        !(loop->multi = curl_multi_init()))
        die("libcurl cannot be initialized");
    loop->now_ms = clock_ms();
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    curl_multi_cleanup(loop->multi);
    free(loop->heap);
    free(loop);
    curl_global_cleanup();
}

CURLM *loop_multi(struct loop *loop)
{
    return loop->multi;
}

void loop_stop(struct loop *loop)
{
    loop->stop = true;
}

bool loop_stopping(const struct loop *loop)
{
    return loop->stop;
}

int64_t loop_now(const struct loop *loop)
{
    return loop->now_ms;
}

int64_t loop_take_longest_round_ms(struct loop *loop)
{
    int64_t longest = loop->longest_ms;

    loop->longest_ms = 0;
    return longest;
}

void loop_tell_late(struct loop *loop, void (*late)(void *ctx, int64_t now_ms), void *ctx)
{
    loop->late = late;
    loop->late_ctx = ctx;
}

static void heap_put(struct loop *loop, size_t index, struct timer *timer)
{
    loop->heap[index] = timer;
    timer->heap_index = index;
}

static void heap_rise(struct loop *loop, size_t index)
{
    struct timer *timer = loop->heap[index];

    for (; index > 1 && loop->heap[index / 2]->due_ms > timer->due_ms; index /= 2)
        heap_put(loop, index, loop->heap[index / 2]);
    heap_put(loop, index, timer);
}

static void heap_sink(struct loop *loop, size_t index)
{
    struct timer *timer = loop->heap[index];
    size_t child;

    for (; (child = index * 2) <= loop->timers; index = child) {
        if (child < loop->timers && loop->heap[child + 1]->due_ms < loop->heap[child]->due_ms)
            child++;
        if (loop->heap[child]->due_ms >= timer->due_ms)
            break;
        heap_put(loop, index, loop->heap[child]);
    }
    heap_put(loop, index, timer);
}

void timer_cancel(struct loop *loop, struct timer *timer)
{
    size_t index = timer->heap_index;
    struct timer *last;

    if (!index)
        return;
    timer->heap_index = 0;
    last = loop->heap[loop->timers--];
    if (last == timer)
        return;
    heap_put(loop, index, last);
    heap_rise(loop, index);
    heap_sink(loop, last->heap_index);
}

bool timer_is_set(const struct timer *timer)
{
    return timer->heap_index != 0;
}

void timer_set(struct loop *loop, struct timer *timer, int64_t due_ms)
{
    timer_cancel(loop, timer);
    timer->due_ms = loop->firing && due_ms <= loop->now_ms ? loop->now_ms + 1 : due_ms;
    if (loop->timers + 2 > loop->heap_cap) {
        loop->heap_cap = loop->heap_cap * 2 + 64;
        loop->heap = mem_grow(loop->heap, loop->heap_cap, sizeof(*loop->heap));
    }
    loop->timers++;
    heap_put(loop, loop->timers, timer);
    heap_rise(loop, loop->timers);
}

/* Fires the timers that were due when the round started. timer_set() defers those that are set to now meanwhile to the
 * next round, so that a timer which sets itself again and again cannot starve transfers and descriptors. */
static void timers_fire(struct loop *loop)
{
    int64_t now_ms = loop->now_ms;
    struct timer *timer;

    loop->firing = true;
    while (!loop->stop && loop->timers && (timer = loop->heap[1])->due_ms <= now_ms) {
        timer_cancel(loop, timer);
        timer->fire(timer->ctx, now_ms);
    }
    loop->firing = false;
}

void watch_add(struct loop *loop, struct watch *watch)
{
    watch->next = loop->watches;
    loop->watches = watch;
}

void watch_remove(struct loop *loop, struct watch *watch)
{
    struct watch **slot;

    for (slot = &loop->watches; *slot; slot = &(*slot)->next) {
        if (*slot == watch) {
            *slot = watch->next;
            return;
        }
    }
}

/* Returns the time until the first timer is due. */
static int wait_ms(const struct loop *loop)
{
    int64_t wait = WAIT_MAX_MS;

    if (loop->timers && loop->heap[1]->due_ms - clock_ms() < wait)
        wait = loop->heap[1]->due_ms - clock_ms();
    return wait > 0 ? (int)wait : 0;
}

static short from_curl(short events)
{
    return (short)((events & CURL_WAIT_POLLIN ? POLLIN : 0) | (events & CURL_WAIT_POLLOUT ? POLLOUT : 0));
}

static void wait_for_events(struct loop *loop)
{
    struct curl_waitfd fds[WATCHES_MAX];
    struct watch *watched[WATCHES_MAX], *watch;
    unsigned count = 0, i;
    int64_t latest_ms;
    int wait;

    for (watch = loop->watches; watch && count < WATCHES_MAX; watch = watch->next) {
        fds[count] = (struct curl_waitfd){ .fd = watch->fd };
        fds[count].events = (short)((watch->events & POLLIN ? CURL_WAIT_POLLIN : 0) |
                                    (watch->events & POLLOUT ? CURL_WAIT_POLLOUT : 0));
        watched[count++] = watch;
    }
    wait = wait_ms(loop);
    curl_multi_poll(loop->multi, fds, count, wait, NULL);
    latest_ms = loop->now_ms + wait + LOOP_LATE_MS; /* also if the process stood still at its work */
    loop->now_ms = clock_ms();
    if (loop->late && loop->now_ms > latest_ms)
        loop->late(loop->late_ctx, loop->now_ms);
    for (i = 0; i < count; i++) /* curl reports an error or a hang-up as POLLIN or POLLOUT */
        if (fds[i].revents)
            watched[i]->ready(watched[i]->ctx, fds[i].events ? from_curl(fds[i].revents) : POLLERR);
}

/* curl_multi_perform() visits every transfer. curl_multi_socket_action() with epoll was measured against it with 500
 * tenants (make bench BENCH='tenants late'): no gain, because over HTTP/2 all transfers of a host have one socket. */
static void continue_transfers(struct loop *loop)
{
    struct transfer *transfer;
    CURLMsg *msg;
    int running, left;

    curl_multi_perform(loop->multi, &running);
    while ((msg = curl_multi_info_read(loop->multi, &left))) { /* one wake-up can end many */
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        transfer->ended(transfer, msg->easy_handle, msg->data.result);
    }
}

void loop_run(struct loop *loop)
{
    int64_t took_ms;

    while (!loop->stop) {
        wait_for_events(loop);
        if (loop->stop)
            break;
        continue_transfers(loop);
        timers_fire(loop);
        took_ms = clock_ms() - loop->now_ms;
        if (took_ms > loop->longest_ms)
            loop->longest_ms = took_ms;
    }
}

void loop_drain(struct loop *loop, int64_t until_ms, bool (*busy)(void *ctx), void *ctx)
{
    while (busy(ctx) && clock_ms() < until_ms) {
        curl_multi_poll(loop->multi, NULL, 0, (int)(until_ms - clock_ms()), NULL);
        loop->now_ms = clock_ms();
        continue_transfers(loop);
    }
}

static void on_signal(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t ignored UNUSED = write(wake_pipe[1], &byte, 1);

    signaled = 1;
    errno = saved;
}

bool loop_signaled(void)
{
    return signaled;
}

static void on_wake(void *ctx, short revents UNUSED)
{
    loop_stop(ctx);
}

static void check_parent(void *ctx, int64_t now_ms)
{
    struct loop *loop = ctx;

    if (getppid() != loop->parent) {
        log_event(EVENT_STOP, "reason=parent_gone the process that started this one has ended");
        loop_stop(loop);
        return;
    }
    timer_set(loop, &loop->parent_timer, clock_next(now_ms, CLOCK_IDLE_MS));
}

void loop_catch_signals(struct loop *loop)
{
    static const int stops[] = { SIGTERM, SIGINT, SIGHUP };
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    size_t i;

    if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK))
        die("no pipe for signals");
    signaled = 0; /* by a loop before this one */
    loop->wake = (struct watch){ .fd = wake_pipe[0], .events = POLLIN, .ready = on_wake, .ctx = loop };
    watch_add(loop, &loop->wake);
    for (i = 0; i < COUNT_OF(stops); i++)
        sigaction(stops[i], &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);

    loop->parent = getppid();
    loop->parent_timer = (struct timer){ .fire = check_parent, .ctx = loop };
    timer_set(loop, &loop->parent_timer, clock_next(clock_ms(), CLOCK_IDLE_MS));
}
