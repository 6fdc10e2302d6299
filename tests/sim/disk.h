/* disk.h - the disk: what disk.c (files, damage) and disk_calls.c (the system calls) share. */
#pragma once

#include "machine.h"

#define OPEN_MOST 16

struct inode {
    struct text bytes;
    size_t safe; /* so many bytes from its beginning are synced, and so is its length if there are no more */
    bool synced;
    int64_t written, made;
    ino_t number;
    int refs;
};

struct entry {
    struct entry *next; /* of those whose names have the same hash */
    char name[160];
    struct inode *inode; /* NULL: the entry is free */
};

struct disk {
    struct inode *open_files[OPEN_MOST];
    size_t read_at[OPEN_MOST];
    bool folder;
    int64_t folder_changed;
    ino_t folder_number, next_number;
    int failing; /* errno */
    int64_t failing_since;
    struct rng luck;
};
extern struct disk disk;

/* Returns the entry of that name; NULL: there is none. */
struct entry *disk_find(const char *path);
/* Changes what the name means, and notes how it was. */
void disk_change(const char *path, struct inode *inode);
struct inode *inode_new(void);
struct inode *inode_keep(struct inode *inode);
void inode_drop(struct inode *inode);
