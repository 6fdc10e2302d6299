#include "auth/certificate.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "messages/log_events.h"

/* Differs after a file was replaced or written again. */
struct stamp {
    struct timespec changed;
    off_t size;
    ino_t inode;
};

struct certificate {
    struct certificate *next;
    char *path;
    struct assertion_key *key;
    struct stamp stamp;  /* of the file when it was last read */
    int64_t warned_days; /* see certificate_end_is_news() */
};

struct certificate *certificate_get(struct certificate **list, const char *path)
{
    struct certificate *cert;

    for (cert = *list; cert; cert = cert->next)
        if (text_same(cert->path, path))
            return cert;
    cert = mem_alloc(sizeof(*cert));
    cert->path = mem_text(path);
    cert->next = *list;
    return *list = cert;
}

void certificates_free(struct certificate **list)
{
    struct certificate *cert;

    while ((cert = *list)) {
        *list = cert->next;
        assertion_key_free(cert->key);
        free(cert->path);
        free(cert);
    }
}

static struct stamp stamp_of(const char *path)
{
    struct stat st;

    if (stat(path, &st))
        return (struct stamp){ .size = -1 };
    return (struct stamp){ .changed = st.st_mtim, .size = st.st_size, .inode = st.st_ino };
}

static bool changed(const struct certificate *cert)
{
    struct stamp now = stamp_of(cert->path);

    return now.size != cert->stamp.size || now.inode != cert->stamp.inode ||
           now.changed.tv_sec != cert->stamp.changed.tv_sec || now.changed.tv_nsec != cert->stamp.changed.tv_nsec;
}

bool certificate_days(const struct certificate *cert, int64_t *ret)
{
    if (!cert->key)
        return false;
    *ret = assertion_days_left(cert->key, clock_wall_ms());
    return true;
}

static void read_again(struct certificate *cert, struct err *err)
{
    struct assertion_key *key;

    cert->stamp = stamp_of(cert->path);
    key = assertion_key_read(cert->path, clock_wall_ms(), err);
    if (!key) {
        if (cert->key)
            log_event(EVENT_CERTIFICATE_UNUSABLE,
                      "why=%s the changed file cannot be used, the key that was read before goes on",
                      QUOTED(err->text));
        return;
    }
    if (file_is_shared(cert->path))
        log_event(EVENT_FILE_SHARED, "file=%s others on this host can use its private key", QUOTED(cert->path));
    if (cert->key)
        log_event(EVENT_CERTIFICATE_READ, "file=%s the changed file was read", QUOTED(cert->path));
    assertion_key_free(cert->key);
    cert->key = key;
    cert->warned_days = 0;
}

bool certificate_end_is_news(int64_t days_left, int64_t *warned_days)
{
    static const int64_t ahead_days[] = { 1, 7, 30 };
    size_t i;

    for (i = 0; i < COUNT_OF(ahead_days) && days_left > ahead_days[i]; i++)
        ;
    if (i == COUNT_OF(ahead_days) || (*warned_days && *warned_days <= ahead_days[i]))
        return false;
    *warned_days = ahead_days[i];
    return true;
}

static void warn_of_end(struct certificate *cert)
{
    int64_t left = assertion_days_left(cert->key, clock_wall_ms());

    if (!certificate_end_is_news(left, &cert->warned_days))
        return;
    log_event(EVENT_CERTIFICATE_ENDS, "days=%lld file=%s the certificate ends in %lld days", (long long)left,
              QUOTED(cert->path), (long long)left);
}

bool certificate_renewed(struct certificate *cert)
{
    struct err err;

    if (!changed(cert))
        return false;
    read_again(cert, &err);
    return cert->key != NULL;
}

struct certificate *certificate_next(const struct certificate *cert)
{
    return cert->next;
}

const struct assertion_key *certificate_key(struct certificate *cert, struct err *err)
{
    if (!cert->key || changed(cert))
        read_again(cert, err);
    if (cert->key)
        warn_of_end(cert);
    return cert->key;
}
