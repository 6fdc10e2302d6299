/* share/versions.h - written versions as a sorted list: those of a checkpoint's "written", or of one of its pieces. */
#pragma once

#include "base/buf.h"
#include "base/digest.h"
#include "base/ticks.h"

struct version {
    ticks time;
    struct hash128 key;
};

/* Owns its list. All zeros is an empty one. */
struct versions {
    struct version *list;
    size_t count, capacity;
};

void versions_free(struct versions *versions); /* the members */
void versions_add(struct versions *versions, struct version version);
void versions_add_all(struct versions *versions, const struct versions *more);
/* Sorts by time, then by key, and leaves one of each. */
void versions_sort(struct versions *versions);
int version_compare(const void *a, const void *b);

/* Adds "time hash", as in state/checkpoint.h. Returns false if the text is none. */
bool versions_add_text(struct versions *versions, const char *text, size_t len);
/* The same for many, separated by commas. On failure none is added. "" holds none. */
bool versions_add_texts(struct versions *versions, const char *text);
/* Appends "time hash", always as many bytes. */
void version_format(const struct version *version, struct buf *to);
