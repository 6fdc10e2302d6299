#include "collect/bad_input.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "messages/log_events.h"

#define TODO_MAX 400

struct bad_input {
    const struct env *env;
    char *name, *why;
    struct state_record record;
};

static void facts_of(const struct bad_input *input, int64_t now_ms, struct condition_facts *ret)
{
    *ret = (struct condition_facts){ .state = HEALTH_WAITING,
                                     .needs_somebody = true,
                                     .read_age_s = -1,
                                     .up_s = (now_ms - input->env->started_ms) / 1000,
                                     .lag_s = -1 };
}

static void look(void *ctx, int64_t now_ms, struct state_look *ret)
{
    struct condition_facts facts;

    facts_of(ctx, now_ms, &facts);
    ret->condition = condition_of(&facts);
    ret->rank = condition_rank(ret->condition, &facts);
    ret->counts = (struct history_counts){ .new_events = 0 };
}

static void add_facts(void *ctx, struct fields *fields, int64_t now_ms)
{
    const struct bad_input *input = ctx;
    struct remedy remedy = event_table[EVENT_BAD_INPUT].remedy;
    CLEANUP(buf_free) struct buf todo = BUF_INIT(TODO_MAX);
    struct condition_facts facts;

    facts_of(input, now_ms, &facts);
    buf_add_format(&todo, "%s: %s", responsible_text(remedy.responsible), remedy.advice);
    fields_text(fields, "todo", buf_text(&todo));
    fields_word(fields, "state", health_word(facts.state));
    fields_number(fields, "up_s", facts.up_s);
    fields_word(fields, "cause", event_table[EVENT_BAD_INPUT].word);
    fields_text(fields, "who", responsible_text(remedy.responsible));
    fields_text(fields, "remedy", remedy.advice);
    fields_text(fields, "why", input->why);
}

static const struct state_source source = { look, add_facts };

struct bad_input *bad_input_new(const struct env *env, const struct raw_stanza *stanza, const struct err *err)
{
    struct bad_input *input = mem_alloc(sizeof(*input));
    CLEANUP(mem_freep) char *label = input_label(stanza_input_name(stanza));

    log_event(EVENT_BAD_INPUT, "input=%s why=%s this input does not run until it is corrected", label,
              QUOTED(err->text));
    input->env = env;
    input->name = mem_text(stanza_input_name(stanza));
    input->why = mem_text(err->text);
    input->record = (struct state_record){ .input_name = input->name, .source = &source, .ctx = input };
    state_writer_add(env->states, &input->record);
    return input;
}

void bad_input_free(struct bad_input *input)
{
    if (!input)
        return;
    free(input->name);
    free(input->why);
    free(input);
}
