/* command/check_host.h - what `check` finds on this host, apart from the inputs: the checkpoint folder, disk space, the
 * clock. Reads only. */
#pragma once

#include "base/err.h"

enum host_level {
    HOST_FINE,
    HOST_NOTE, /* a person may want to know */
    HOST_BAD   /* inputs cannot work */
};

struct host_finding {
    const char *what;
    enum host_level level;
    struct err err; /* the text is there with HOST_FINE, too */
};

/* Findings under a heading. */
struct host_section {
    char *name;
    struct host_finding *found;
    size_t count;
};
/* Returns true if one of the findings is bad. */
bool host_section_is_bad(const struct host_section *section);

/* Returns whether this process can use the folder and what is in it, and whom they belong to. */
void host_look_at_folder(const char *folder, struct host_finding *ret);
/* Returns whether there is room on the folder's disk. */
void host_look_at_disk(const char *folder, struct host_finding *ret);
/* The same for a disk that has that much left. */
void host_judge_disk(int64_t bytes, bool has_room_for_files, struct host_finding *ret);
/* offset_ms: the services' clock minus ours. */
void host_judge_clock(int64_t offset_ms, struct host_finding *ret);
