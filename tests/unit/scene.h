/* A feed without network, for tests of what reads into it: records, answers, saver, worker. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "check.h"
#include "collect/feed.h"
#include "splunk/stanza.h"

#define SCENE_BEGIN "2026-11-01T00:00:00Z"
#define SCENE_DAY   "2026-11-01T"

/* A record with a name and a time of SCENE_DAY. */
#define RECORD(id, time) "{\"id\":\"" id "\",\"lastUpdateDateTime\":\"" SCENE_DAY time "\"}"

struct scene {
    struct env   env;
    struct input input;
    struct feed  feed;
    struct rate  rate;
    int          pipe[2];

    bool         not_writable;  /* what the feed's owner says */
    bool         elsewhere;     /* another forwarder may read the input by now */
    int          asked;         /* how often it was asked whether a checkpoint could be saved */
    int          changed, woken;    /* calls of the owner */
    size_t       audits;
};

static inline ticks scene_time(const char *text)
{
    ticks ret = 0;

    CHECK(ticks_parse(text, strlen(text), &ret), "%s is not a time", text);
    return ret;
}

static bool scene_may_read(void *ctx)
{
    const struct scene *scene = ctx;

    return !scene->elsewhere;
}

static bool scene_writable(void *ctx, struct err *err)
{
    struct scene *scene = ctx;

    scene->asked++;
    return !scene->not_writable || err_set(err, ERR_RETRY, "the disk is full");
}

static void scene_changed(void *ctx)
{
    ((struct scene *)ctx)->changed++;
}

static void scene_wake_others(void *ctx)
{
    ((struct scene *)ctx)->woken++;
}

/* An open input of this API that begins at SCENE_BEGIN. It must stay where it is. */
static inline void scene_open(struct scene *scene, const struct api *api)
{
    static const struct feed_owner owner = { scene_writable, scene_changed, scene_wake_others, scene_may_read };
    struct cursor cursor;

    *scene = (struct scene){ .asked = 0 };
    if (pipe(scene->pipe))
        abort();
    scene->env.outbox = outbox_new(scene->pipe[1]);
    scene->env.audits = &scene->audits;
    scene->input = (struct input){ .name = mem_text("c"), .tenant_id = mem_text("tenant"), .client_id = mem_text("app"),
                                   .poll_interval = 60, .overlap = 900 };
    scene->feed = (struct feed){ .env = &scene->env, .input = &scene->input, .label = "c", .api = api,
                                 .base_url = "https://api.example", .rate = &scene->rate,
                                 .frame = event_frame_new("defender_alerts://c", NULL), .open = true, .owner = &owner, .ctx = scene };
    rate_start(&scene->rate, rate_limits_for(api->per_minute, api->per_hour), 0);
    progress_init(&scene->feed.progress, scene->input.overlap);
    cursor_start(&cursor, scene_time(SCENE_BEGIN));
    progress_begin(&scene->feed.progress, &cursor, 0);
}

static inline void scene_close(struct scene *scene)
{
    progress_release(&scene->feed.progress);
    event_frame_free(scene->feed.frame);
    mem_freep(&scene->feed.sign_in_error);
    outbox_free(scene->env.outbox);
    input_free(&scene->input);
    close(scene->pipe[0]);
    close(scene->pipe[1]);
}
