#include "state/ledger_again.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "state/ledger_private.h"

#define REQUEST_MAX 4096
#define DAY_LEN     10

bool ledger_read_day(const char *text, size_t len, uint32_t *ret)
{
    ticks time;

    if (len != DAY_LEN || !ticks_parse(text, len, &time) || ledger_day_begin(ledger_day_of(time)) != time)
        return false;
    *ret = ledger_day_of(time);
    return *ret != LEDGER_NO_DAY;
}

bool ledger_again_ask(const char *path, uint32_t day, struct err *err)
{
    CLEANUP(mem_freep) char *name = mem_format("%s.again", path);
    CLEANUP(buf_free) struct buf text = BUF_INIT(REQUEST_MAX);
    char line[LEDGER_DAY_TEXT];
    struct stat st;

    if (!file_read(name, &text, err) && errno != ENOENT)
        return false;
    buf_add_format(&text, "%s\n", ledger_day_text(day, line));
    if (!file_replace(name, buf_text(&text), text.len, true, err))
        return false;
    if (stat(path, &st) || st.st_uid == geteuid() || !chown(name, st.st_uid, st.st_gid))
        return true;
    unlink(name); /* the process could not read it */
    return err_set(err, ERR_RETRY, "run this as the user that Splunk runs as, who owns '%s'", path);
}

bool ledger_again_take(struct ledger *ledger)
{
    CLEANUP(mem_freep) char *name = mem_format("%s.again", ledger->path);
    CLEANUP(mem_freep) char *taken = mem_format("%s.taken", ledger->path);
    CLEANUP(buf_free) struct buf text = BUF_INIT(REQUEST_MAX);
    const char *at, *end;
    bool ret = false;
    struct err err;
    uint32_t day;

    if (access(taken, F_OK) && !file_rename(name, taken, &err))
        return false;
    if (!file_read(taken, &text, &err))
        return false;
    for (at = buf_text(&text); *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, "\n");
        if (ledger_read_day(at, (size_t)(end - at), &day))
            ret = ledger_begin_again(ledger, day) || ret;
    }
    if (!ret)
        unlink(taken);
    return ret;
}

void ledger_again_done(const struct ledger *ledger)
{
    CLEANUP(mem_freep) char *taken = mem_format("%s.taken", ledger->path);

    unlink(taken);
}
