/* The line about the process as a whole. */
#include "collect/collector_private.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "messages/log_events.h"

static unsigned long resident_kb(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file)
        return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
}

static unsigned open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    if (!dir)
        return 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count > 3 ? count - 3 : 0;       /* ".", ".." and the folder itself */
}

void collector_metrics(struct collector *col, int64_t now_ms)
{
    uint64_t events = 0, bytes = 0, requests = 0;
    struct rusage usage;
    size_t i;

    for (i = 0; i < col->count; i++) {
        events += col->tenants[i]->tally.new_events;
        bytes += col->tenants[i]->tally.bytes;
        requests += col->tenants[i]->tally.requests;
    }
    getrusage(RUSAGE_SELF, &usage);
    log_event(EVENT_METRICS, "inputs=%zu rss_kb=%lu descriptors=%u loop_ms=%lld events=%llu events_per_s=%.2f "
              "requests=%llu bytes=%llu pending_bytes=%zu cpu_s=%.2f uptime_s=%lld", col->count, resident_kb(),
              open_descriptors(), (long long)loop_take_longest_round_ms(col->loop), (unsigned long long)events,
              (double)(events - col->metrics_events) * 1000 / COLLECTOR_METRICS_MS, (unsigned long long)requests,
              (unsigned long long)bytes, outbox_pending(col->outbox),
              (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
              (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
              (long long)(now_ms - col->started_ms) / 1000);
    col->metrics_events = events;
    col->metrics_due_ms = now_ms + COLLECTOR_METRICS_MS;
}
