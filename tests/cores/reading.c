/* Alerts are numbers. Who may read an input reads the next ones; what splunkd has for good goes into the file and, as a
 * checkpoint under the reader's since, into the store. */
#include <stdio.h>

#include "world.h"

static void save(struct world *w, struct host *host, size_t input)
{
    const struct reading *reading = &host->readings[input];
    int value = w->broken.unsafe ? reading->at : reading->safe;
    char *body = mem_format("[{\"_key\":\"g.place.%s.%zu\",\"group\":\"g\",\"kind\":\"place\",\"input\":\"%zu\","
                            "\"number\":%lld,\"id\":\"%s\",\"text\":\"%d\"}]",
                            reading->since, input, input, (long long)reading->number, reading->since, value);

    host->kept[input].value = value;
    flight_start(w, host,
                 &(struct share_call){ .kind = SHARE_CALL_SAVE, .collection = PLACES_COLLECTION, .body = body }, false);
    free(body);
}

/* Returns the checkpoint of the highest number that a node has; -1: there is none. */
static int load(const struct store_node *node, size_t input)
{
    char name[32];
    double best = -1;
    int value = -1;

    snprintf(name, sizeof(name), "%zu", input);
    for (size_t i = 0; i < node->count; i++) {
        const cJSON *json = node->records[i]->json;
        const char *of = json_text(json, "input");
        int64_t text;

        if (!of || strcmp(of, name) != 0 || json_member(json, "number")->valuedouble <= best)
            continue;
        best = json_member(json, "number")->valuedouble;
        if (json_int64(json, "text", 0, ALERTS_MOST, &text))
            value = (int)text;
    }
    return value;
}

static void begin(struct world *w, struct host *host, size_t input)
{
    struct reading *reading = &host->readings[input];
    bool gone_on = !strcmp(reading->since, host->kept[input].since) && reading->since[0];
    bool lags = w->plan.behind_ms || (w->plan.faults[FAULT_LAG] && world_chance(w, 0.4)),
         reached = host->cut_ms <= w->now_ms;
    int value = gone_on || !reached ? -1 : load(lags ? &w->store.lag : &w->store.prime, input);

    if (value < 0)
        value = host->kept[input].value;
    for (int i = 1; i <= value; i++)
        if (!w->kept[input][i])
            world_fail(w, "%s begins input %zu after alert %d, but %d is not in Splunk", host->name, input, value, i);
    if (reading->at > value && gone_on)
        return;
    reading->at = reading->noted = reading->safe = value;
    reading->noted_ms = w->now_ms;
    world_trace(w, "%s begins input %zu after alert %d of %d", host->name, input, value, w->alerts);
}

static void becomes_safe(struct world *w, struct host *host, size_t input, int value)
{
    struct reading *reading = &host->readings[input];

    for (int i = reading->safe + 1; i <= value; i++) {
        w->result.repeats += w->kept[input][i];
        w->kept[input][i] = true;
    }
    reading->safe = value;
}

void reading_step(struct world *w, struct host *host, size_t input)
{
    struct reading *reading = &host->readings[input];
    bool reads = share_may_read(host_state(w, host, input));
    int64_t number = 0;
    const char *since = host->has[input] ? share_core_since(host->core, host->number[input], &number) : "";

    if (reading->since[0] && strcmp(since, reading->since) != 0) { /* let go, with the last checkpoint */
        becomes_safe(w, host, input, reading->at);
        save(w, host, input);
        *reading = (struct reading){ 0 };
    }
    if (reads && !reading->reads && !reading->since[0]) {
        memcpy(reading->since, since, SHARE_ID_MAX);
        reading->number = number;
        begin(w, host, input);
    }
    reading->reads = reading->since[0] != '\0';
    if (reads)
        reading->at = w->alerts;
    if (!reading->reads || w->now_ms - reading->noted_ms < CHECKPOINT_MS)
        return;
    becomes_safe(w, host, input, reading->noted);
    reading->noted = reading->at;
    reading->noted_ms = w->now_ms;
    save(w, host, input);
}

void reading_dies(struct world *w, struct host *host, size_t input)
{
    struct reading *reading = &host->readings[input];

    if (reading->reads && world_chance(w, 0.3)) /* splunkd had more than it was known to have */
        becomes_safe(w, host, input, (int)world_between(w, reading->safe, reading->at));
}
