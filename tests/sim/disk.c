/* The disk: a folder of files whose writes tear, fail, come late and are lost.
 *
 * What a process wrote survives its death. When the power is lost, what was not synced is lost in part: of a file's
 * bytes a beginning remains, and of the changes of the folder (new, renamed and removed files) the last ones within
 * five seconds are undone, as by a journal that was not written yet. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

#define FILES_MOST   (8 * CUSTOMERS_MOST)
#define BUCKETS      4096
#define CHANGES_MOST 4096
#define JOURNAL      (5 * SECOND)
#define WRITEBACK    (30 * SECOND)

struct change {
    int64_t time;
    char name[160];
    struct inode *before; /* NULL: there was none */
};

static struct entry entries[FILES_MOST];
static size_t entry_count; /* those after it were never used */
static size_t first_free;  /* those before it are in use */
static struct entry *buckets[BUCKETS];
static struct change changes[CHANGES_MOST];
static size_t change_count;
struct disk disk = { .next_number = 100 };

void disk_init(void)
{
    disk.luck = rng_of(plan.seed, "disk", 0);
}

void inode_drop(struct inode *inode)
{
    if (!inode || --inode->refs)
        return;
    text_drop(&inode->bytes);
    free(inode);
}

struct inode *inode_keep(struct inode *inode)
{
    if (inode)
        inode->refs++;
    return inode;
}

struct entry *disk_find(const char *path)
{
    struct entry *entry = buckets[text_hash(path) % BUCKETS];

    while (entry && strcmp(entry->name, path) != 0)
        entry = entry->next;
    return entry;
}

bool disk_has_file(const char *path)
{
    return disk_find(path) != NULL;
}

static struct entry *use_entry(const char *path)
{
    struct entry *entry, **bucket = &buckets[text_hash(path) % BUCKETS];

    while (first_free < FILES_MOST && entries[first_free].inode)
        first_free++;
    if (first_free == FILES_MOST)
        broken("files", "the program has made more than %d files, the last is %s", FILES_MOST, path);
    entry = &entries[first_free];
    if (entry_count <= first_free)
        entry_count = first_free + 1;
    snprintf(entry->name, sizeof(entry->name), "%s", path);
    entry->next = *bucket;
    return *bucket = entry;
}

static void forget_entry(struct entry *entry)
{
    struct entry **at = &buckets[text_hash(entry->name) % BUCKETS];

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    if ((size_t)(entry - entries) < first_free)
        first_free = (size_t)(entry - entries);
}

static void set_entry(const char *path, struct inode *inode)
{
    struct entry *entry = disk_find(path);

    if (!entry && inode)
        entry = use_entry(path);
    if (!entry)
        return;
    inode_keep(inode);
    inode_drop(entry->inode);
    entry->inode = inode;
    if (!inode)
        forget_entry(entry);
    disk.folder_changed = now();
}

static void forget_changes(void)
{
    size_t old = 0;

    while (old < change_count && (changes[old].time < now() - JOURNAL || change_count - old > CHANGES_MOST / 2))
        inode_drop(changes[old++].before);
    memmove(changes, changes + old, (change_count - old) * sizeof(*changes));
    change_count -= old;
}

/* Changes what the name means, and notes how it was. */
void disk_change(const char *path, struct inode *inode)
{
    struct entry *entry = disk_find(path);

    if (change_count == CHANGES_MOST || (change_count > 64 && changes[0].time < now() - JOURNAL))
        forget_changes();
    changes[change_count].time = now();
    strncpy(changes[change_count].name, path, sizeof(changes[0].name) - 1);
    changes[change_count++].before = inode_keep(entry ? entry->inode : NULL);
    set_entry(path, inode);
}

struct inode *inode_new(void)
{
    struct inode *inode = calloc(1, sizeof(*inode));

    inode->number = disk.next_number++;
    inode->made = inode->written = now();
    return inode;
}

/* Damage. */

void disk_process_ends(void)
{
    for (size_t i = 0; i < OPEN_MOST; i++) {
        inode_drop(disk.open_files[i]);
        disk.open_files[i] = NULL;
    }
}

static void tear(const char *name, struct inode *inode)
{
    size_t whole = inode->bytes.len;

    if (inode->synced || inode->written < now() - WRITEBACK || !whole || rng_chance(&disk.luck, 0.3))
        return;
    inode->bytes.len = (size_t)rng_between(&disk.luck, (int64_t)(inode->safe < whole ? inode->safe : whole), (int64_t)whole);
    if (rng_chance(&disk.luck, 0.5)) { /* the length was written, the bytes were not */
        memset(inode->bytes.data + inode->bytes.len, 0, whole - inode->bytes.len);
        inode->bytes.len = whole;
    }
    trace("disk: %s is torn", name);
}

void disk_power_loss(void)
{
    int64_t until = now() - rng_between(&disk.luck, 0, JOURNAL);
    size_t undone = 0;

    for (; change_count && changes[change_count - 1].time > until; undone++) {
        change_count--;
        set_entry(changes[change_count].name, changes[change_count].before);
        inode_drop(changes[change_count].before);
    }
    for (size_t i = 0; i < entry_count; i++)
        if (entries[i].inode)
            tear(entries[i].name, entries[i].inode);
    trace("disk: %zu changes of the folder are lost", undone);
}

int64_t disk_failing_since(void)
{
    return disk.failing ? disk.failing_since : NEVER - DAY;
}

void disk_fails(int error)
{
    if (error && !disk.failing)
        disk.failing_since = now();
    disk.failing = error;
}

void disk_each(void (*fn)(const char *path, struct text *bytes, void *ctx), void *ctx)
{
    for (size_t i = 0; i < entry_count; i++)
        if (entries[i].inode)
            fn(entries[i].name, &entries[i].inode->bytes, ctx);
}

void disk_wipe(bool all)
{
    for (size_t i = 0; i < entry_count; i++) {
        if (!entries[i].inode || (!all && strstr(entries[i].name, ".lock")))
            continue;
        inode_drop(entries[i].inode);
        entries[i].inode = NULL;
        forget_entry(&entries[i]);
    }
    disk.folder = disk.folder && !all;
    disk.folder_changed = now();
}
