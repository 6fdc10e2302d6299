#include "collect/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"
#include "messages/log_events.h"

static unsigned long resident_kb(void)
{
    char line[128] = "";
    const char *resident = NULL;
    FILE *file = fopen("/proc/self/statm", "re");
    int64_t pages = 0;

    if (!file)
        return 0;
    if (fgets(line, sizeof(line), file)) /* "total resident ...", in pages */
        resident = strchr(line, ' ');
    fclose(file);
    if (resident)
        text_number(resident + 1, strcspn(resident + 1, " \n"), 0, INT32_MAX, &pages);
    return (unsigned long)pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
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
    return count > 3 ? count - 3 : 0; /* ".", ".." and the folder itself */
}

static double cpu_s(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void metrics_log(const struct metrics *metrics)
{
    double events_per_s = (double)(metrics->events - metrics->events_before) * 1000 / (double)metrics->every_ms;

    log_event(EVENT_METRICS,
              "inputs=%zu rss_kb=%lu descriptors=%u loop_ms=%lld events=%llu events_per_s=%.2f "
              "requests=%llu bytes=%llu pending_bytes=%zu cpu_s=%.2f uptime_s=%lld",
              metrics->inputs, resident_kb(), open_descriptors(), (long long)metrics->loop_ms,
              (unsigned long long)metrics->events, events_per_s, (unsigned long long)metrics->requests,
              (unsigned long long)metrics->bytes, metrics->pending_bytes, cpu_s(), (long long)metrics->up_ms / 1000);
}
