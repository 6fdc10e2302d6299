/* What the commands of `share` and `check` say of a group of forwarders. */
#include "command/share_change.h"
#include "command/share_end.h"
#include "command/share_inputs.h"
#include "command/share_report.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "check.h"

#define OUT_MAX 65536

/* A group in a few words, for share_view_take(). */
struct scene {
    const char *members; /* "hf1 1 a,b;hf2 1 a": name, beat, inputs; more words: unwell, start=x, format=2, drain, take=a */
    const char *body;    /* "a:hf1 b:hf2"; NULL: no table */
};

static void add_record(struct buf *rows, const char *kind, const char *name, int number, const char *text)
{
    CLEANUP(mem_freep) char *key = share_key("g", kind, name);

    buf_add_format(rows, "%s{\"_key\":", rows->len ? "," : "[");
    buf_add_json(rows, key);
    buf_add_format(rows, ",\"group\":\"g\",\"kind\":\"%s\",\"number\":%d,\"text\":", kind, number);
    buf_add_json(rows, text);
    buf_add_char(rows, '}');
}

/* Adds the names between commas as a JSON array. */
static char *array_of(const char *names)
{
    struct buf text = BUF_INIT(4096);
    size_t len;

    buf_add_char(&text, '[');
    for (; *names; names += len + (names[len] == ','))  {
        CLEANUP(mem_freep) char *name = mem_text_n(names, len = strcspn(names, ","));

        buf_add_text(&text, text.len > 1 ? "," : "");
        buf_add_json(&text, name);
    }
    buf_add_char(&text, ']');
    return buf_take(&text);
}

static void add_member(struct buf *rows, struct buf *inputs, char *words)
{
    const char *name = strsep(&words, " "), *beat = strsep(&words, " "), *has = strsep(&words, " ");
    const char *start = "a", *format = "1", *held = "0", *well = "true", *word;
    CLEANUP(mem_freep) char *array = NULL, *text = NULL;
    struct buf wish = BUF_INIT(4096);

    while ((word = strsep(&words, " "))) {
        CLEANUP(mem_freep) char *takes = text_starts(word, "take=") ? array_of(word + 5) : NULL;

        if (takes)
            buf_add_format(&wish, "%s\"take\":%s", wish.len ? "," : "{", takes);
        if (text_same(word, "drain"))
            buf_add_format(&wish, "%s\"drain\":true", wish.len ? "," : "{");
        start = text_starts(word, "start=") ? word + 6 : start;
        format = text_starts(word, "format=") ? word + 7 : format;
        held = text_starts(word, "held=") ? word + 5 : held;
        well = text_same(word, "unwell") ? "false" : well;
    }
    text = mem_format("{\"start\":\"%016x\",\"beat\":%s,\"follows\":\"\",\"held\":%s,\"well\":%s,\"program\":\"1.1.0\","
                      "\"format\":%s}", (unsigned)start[0], beat, held, well, format);
    add_record(rows, "member", name, 1, text);
    buf_add_char(&wish, '}');
    if (wish.len > 1)
        add_record(rows, "wish", name, 0, buf_text(&wish));
    buf_free(&wish);
    array = has && *has ? array_of(has) : mem_text("[]");
    add_record(inputs, "inputs", name, 0, array);
}

static char *body_of(const char *pairs)
{
    struct buf text = BUF_INIT(4096);
    size_t len, name;

    buf_add_char(&text, '{');
    for (; *pairs; pairs += len + (pairs[len] == ' ')) {
        len = strcspn(pairs, " ");
        name = strcspn(pairs, ":");
        buf_add_format(&text, "%s\"%.*s\":[\"%.*s\",\"0123456789abcdef\",1]", text.len > 1 ? "," : "", (int)name, pairs,
                       (int)(len - name - 1), pairs + name + 1);
    }
    buf_add_char(&text, '}');
    return buf_take(&text);
}

/* One reading of the scene. table: its number; 0: there is none. */
static void take_scene(struct share_view *view, const struct scene *scene, int table, int format)
{
    struct buf rows = BUF_INIT(OUT_MAX), inputs = BUF_INIT(OUT_MAX), record = BUF_INIT(OUT_MAX);
    CLEANUP(mem_freep) char *members = mem_text(scene->members);
    CLEANUP(mem_freep) char *number = mem_format("%012d", table);
    CLEANUP(mem_freep) char *text = mem_format("{\"id\":\"%016d\",\"by\":\"hf1\",\"format\":%d}", table, format);
    CLEANUP(mem_freep) char *body = scene->body ? body_of(scene->body) : NULL;
    CLEANUP(json_freep) cJSON *tree = NULL, *more = NULL, *one = NULL;
    char *rest = members, *member;

    while ((member = strsep(&rest, ";")) && *member)
        add_member(&rows, &inputs, member);
    if (table)
        add_record(&rows, "table", number, table, text);
    buf_add_text(&rows, rows.len ? "]" : "[]");
    buf_add_text(&inputs, inputs.len ? "]" : "[]");
    tree = json_parse(rows.data, rows.len);
    more = json_parse(inputs.data, inputs.len);
    CHECK(tree && more, "the scene '%s' is no JSON", scene->members);
    share_view_take(view, tree);
    share_view_take_inputs(view, more);
    if (table && body) {
        add_record(&record, "body", view->id, 0, body);
        one = json_parse(record.data + 1, record.len - 1);
        share_view_take_body(view, one);
    }
    buf_free(&rows);
    buf_free(&inputs);
    buf_free(&record);
}

/* Two readings: what moves is alive. */
static void view_of(struct share_view *view, const char *first, const char *then, const char *body)
{
    share_view_init(view, "g");
    take_scene(view, &(struct scene){ first, body }, body ? 7 : 0, 1);
    take_scene(view, &(struct scene){ then, body }, body ? 7 : 0, 1);
}

/* Notes. */

static void add_note(void *ctx, bool is_trouble, const char *text)
{
    buf_add_format(ctx, "%s: %s\n", is_trouble ? "trouble" : "note", text);
}

/* promise: Sharing: `share status` says what is odd about a group, and who has to act. */
static void test_notes(void **state UNUSED)
{
    static const struct { const char *name, *first, *then, *body, *want; } rows[] = {
        { "two that are alive", "hf1 1 a,b;hf2 1 a,b", "hf1 2 a,b;hf2 2 a,b", "a:hf1 b:hf2", "" },
        { "one is silent and has inputs", "hf1 1 a,b;hf2 1 a,b", "hf1 2 a,b;hf2 1 a,b", "a:hf1 b:hf2",
          "trouble: 'hf2' was not heard within 7 s and has 1 input: " },
        { "one is gone and has inputs", "hf1 1 a,b", "hf1 2 a,b", "a:hf1 b:hf2", "trouble: 'hf2' was not heard" },
        { "all are silent", "hf1 1 a,b;hf2 1 a,b", "hf1 1 a,b;hf2 1 a,b", "a:hf1 b:hf2",
          "trouble: None of 2 forwarders that have inputs was heard within 7 s: " },
        { "one is silent and has none", "hf1 1 a,b;hf2 1 a,b", "hf1 2 a,b;hf2 1 a,b", "a:hf1 b:hf1",
          "note: 'hf2' was not heard within 7 s and has no input. If it is gone for good, our administrator may" },
        { "one is not well", "hf1 1 a;hf2 1 a unwell", "hf1 2 a;hf2 2 a unwell", "a:hf1",
          "trouble: 'hf2' can do no work " },
        { "a restart is no twin", "hf1 1 a start=x", "hf1 2 a start=y", "a:hf1", "" },
        { "inputs differ", "hf1 1 a,b;hf2 1 a", "hf1 2 a,b;hf2 2 a", "a:hf1 b:hf1",
          "note: 'hf2' has not 1 of the 2 inputs that the group has (b): " },
        { "nobody reads one", "hf1 1 a,b;hf2 1 a,b", "hf1 2 a,b;hf2 2 a,b", "a:hf1", "trouble: Nobody reads 1 input (b): " },
        { "all drain", "hf1 1 a drain", "hf1 2 a drain", "a:hf1", "note: All forwarders that are heard are to be drained" },
        { "a newer member", "hf1 1 a;hf2 1 a format=2", "hf1 2 a;hf2 2 a format=2", "a:hf1",
          "trouble: 'hf2' has a newer program (format 2; this one knows 1): our administrator " },
        { "two wish for the same", "hf1 1 a,b take=a;hf2 1 a,b take=*", "hf1 2 a,b take=a;hf2 2 a,b take=*", "a:hf1 b:hf2",
          "note: 'hf1' and 'hf2' are both to take 1 input (a): " },
        { "two wish for others", "hf1 1 a,b take=a;hf2 1 a,b take=b", "hf1 2 a,b take=a;hf2 2 a,b take=b", "a:hf1 b:hf2",
          "" },
        { "this one is missing", "hf2 1 a", "hf2 2 a", "a:hf2", "note: This forwarder ('hf1') is not among them: " },
    };
    char *names[] = { (char[]){ "a" } };
    struct share_inputs own = { .names = names, .count = 1 };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf got = BUF_INIT(OUT_MAX);
        struct share_view view;
        struct share_report report = { .view = &view, .own = &own, .name = "hf1", .store = "s", .watched_s = 7 };

        view_of(&view, rows[i].first, rows[i].then, rows[i].body);
        share_notes(&report, add_note, &got);
        CHECK(*rows[i].want ? text_starts(buf_text(&got), rows[i].want) : !got.len, "%s: %s", rows[i].name,
              buf_text(&got));
        CHECK(!strchr(buf_text(&got), '\n') || !strchr(buf_text(&got), '\n')[1], "%s: more than one: %s", rows[i].name,
              buf_text(&got));
        buf_free(&got);
        share_view_free(&view);
    }
}

/* promise: Sharing: A table of a newer program is not followed, and said. */
static void test_newer_table(void **state UNUSED)
{
    struct share_inputs own = { .count = 0 };
    struct share_view view;
    struct share_report report = { .view = &view, .own = &own, .store = "s" };
    struct buf got = BUF_INIT(OUT_MAX);

    share_view_init(&view, "g");
    take_scene(&view, &(struct scene){ "hf1 1 a", NULL }, 7, 2);
    CHECK(share_view_is_newer(&view) && !share_view_has_body(&view), "the table counts");
    share_notes(&report, add_note, &got);
    CHECK(text_starts(buf_text(&got), "trouble: Table 7 was made by a newer program (format 2; this one knows 1), "),
          "%s", buf_text(&got));
    buf_free(&got);
    share_view_free(&view);
}

/* promise: Sharing: Two processes of one host name are told from a restart. */
static void test_twin(void **state UNUSED)
{
    static const char *const readings[] = { "hf1 1 a start=x", "hf1 1 a start=y", "hf1 2 a start=x" };
    struct share_view view;

    share_view_init(&view, "g");
    for (size_t i = 0; i < COUNT_OF(readings); i++) {
        CHECK(!i || !share_view_is_twin(&view.members[0]), "reading %zu", i);
        take_scene(&view, &(struct scene){ readings[i], NULL }, 0, 1);
    }
    CHECK(share_view_is_twin(&view.members[0]), "it was not seen");
    CHECK_TEXT(share_state_word(&view.members[0]), "twin");
    share_view_free(&view);
}

/* Whatever is in the store. */
static void test_hostile_records(void **state UNUSED)
{
    static const char *const rows[] = {
        "[]", "[1,null,\"x\",[]]", "[{}]", "[{\"_key\":1}]", "[{\"_key\":\"g.member.\",\"kind\":\"member\",\"text\":\"{}\"}]",
        "[{\"_key\":\"g.member.%\",\"kind\":\"member\",\"text\":\"{}\"}]",
        "[{\"_key\":\"g.member.x\",\"kind\":\"member\",\"text\":\"{\\\"beat\\\":-1}\"}]",
        "[{\"_key\":\"g.member.x\",\"kind\":\"member\",\"text\":\"{\\\"beat\\\":1,\\\"start\\\":[[]],\\\"program\\\":7}\"}]",
        "[{\"_key\":\"g.member.x\",\"kind\":\"member\"}]", "[{\"_key\":\"g.wish.x\",\"kind\":\"wish\",\"text\":\"[]\"}]",
        "[{\"_key\":\"g.wish.x\",\"kind\":\"wish\",\"text\":\"{\\\"take\\\":1}\"}]",
        "[{\"_key\":\"g.table.1\",\"kind\":\"table\",\"number\":1e300,\"text\":\"{}\"}]",
        "[{\"_key\":\"g.table.1\",\"kind\":\"table\",\"number\":1,\"text\":\"{\\\"id\\\":\\\"0123456789abcdef0\\\"}\"}]",
        "[{\"_key\":\"g.start.x\",\"kind\":\"start\",\"text\":\"{\\\"start\\\":{}}\"}]",
        "[{\"_key\":\"h.member.x\",\"kind\":\"member\",\"text\":\"{\\\"beat\\\":1}\"}]", "{\"a\":1}", "7",
    };
    struct wrap to = { .to = fopen("/dev/null", "w"), .width = 80 };
    struct share_inputs own = { .count = 0 };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(json_freep) cJSON *tree = json_parse(rows[i], strlen(rows[i]));
        struct share_view view;
        struct share_report report = { .view = &view, .own = &own, .store = "s" };

        share_view_init(&view, "g");
        share_view_take(&view, tree);
        share_view_take_inputs(&view, tree);
        share_view_take_body(&view, tree);
        share_report_print(&report, &to);
        share_report_json(&report, to.to);
        CHECK(!view.table && view.readings == 1, "%s", rows[i]);
        share_view_free(&view);
    }
    fclose(to.to);
}

/* Records that the core refuses count for nothing here, either, and are named. */
static void test_refused_records(void **state UNUSED)
{
    static const struct {
        const char *kind, *name, *text;
        bool ok;
    } rows[] = {
        { "member", "x", "{\"start\":\"0123456789abcdef\",\"beat\":1}", true },
        { "member", "x", "{\"start\":\"a\",\"beat\":1}", false },
        { "member", "x", "{\"start\":\"0123456789abcdef\"}", false },
        { "wish", "x", "{\"take\":[\"a\"]}", true },
        { "wish", "x", "{\"take\":[\"a\",\"\"]}", false },
        { "start", "x", "{\"start\":\"0123456789abcdef\"}", true },
        { "start", "x", "{\"start\":\"\"}", false },
        { "table", "000000000007", "{\"id\":\"0123456789abcdef\",\"format\":1}", true },
        { "table", "7", "{\"id\":\"0123456789abcdef\",\"format\":1}", false },
        { "table", "000000000007", "{\"id\":\"0123456789abcdef\"}", false },
        { "table", "000000000007", "{\"id\":\"x\",\"format\":1}", false },
        { "table", "000000000007", "{\"format\":2}", true }, /* of a newer program */
        { "table", "999999999998", "{\"id\":\"0123456789abcdef\",\"format\":1}", false }, /* no group comes so far */
        { "inputs", "x", "[\"a\"]", true },
        { "inputs", "x", "[\"a\",\"\"]", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf text = BUF_INIT(OUT_MAX);
        CLEANUP(json_freep) cJSON *tree = NULL;
        struct share_view view;

        add_record(&text, rows[i].kind, rows[i].name, 7, rows[i].text);
        buf_add_char(&text, ']');
        tree = json_parse(text.data, text.len);
        share_view_init(&view, "g");
        if (text_same(rows[i].kind, "inputs"))
            share_view_take_inputs(&view, tree);
        else
            share_view_take(&view, tree);
        CHECK((view.bad == NULL) == rows[i].ok, "row %zu: %s", i, view.bad ? view.bad : "taken");
        CHECK(rows[i].ok || !view.table, "row %zu: table %lld", i, (long long)view.table);
        share_view_free(&view);
        buf_free(&text);
    }
}

/* Reports. */

static char *print(const struct share_report *report, bool as_json)
{
    char *text = NULL;
    size_t len;
    FILE *file = open_memstream(&text, &len);
    struct wrap to = { .to = file, .width = 60 };

    if (as_json)
        share_report_json(report, file);
    else
        share_report_print(report, &to);
    fclose(file);
    return text;
}

static void test_report(void **state UNUSED)
{
    struct share_inputs own = { .count = 0 };
    struct share_view view;
    struct share_report report = { .view = &view, .own = &own, .name = "hf1", .store = "https://s:8089", .watched_s = 7 };
    CLEANUP(json_freep) cJSON *tree = NULL;
    char *text;

    view_of(&view, "hf1 1 a,b,c;hf2 1 a,b,c take=a,b", "hf1 2 a,b,c;hf2 2 a,b,c take=a,b drain", "a:hf1 b:hf2 c:hf2");
    text = print(&report, false);
    CHECK_TEXT(text, "Group g, by the KV store at https://s:8089: table 7, made by\n"
                     "    hf1, gives out 3 inputs; forwarders that are heard: 2.\n\n"
                     "Inputs\n  a  hf1\n  b  hf2\n  c  hf2\n\n"
                     "Forwarders\n"
                     "  hf1  member    1 of 3 inputs, version 1.1.0; this\n"
                     "                 forwarder\n"
                     "  hf2  draining  2 of 3 inputs, version 1.1.0, is to take a\n"
                     "                 and b, is to have none\n");
    free(text);
    text = print(&report, true);
    tree = json_parse(text, strlen(text));
    CHECK(tree, "no JSON: %s", text);
    CHECK(cJSON_GetArraySize(json_member(tree, "forwarders")) == 2, "%s", text);
    CHECK(cJSON_GetArraySize(json_member(tree, "inputs")) == 3, "%s", text);
    CHECK_TEXT(json_text(cJSON_GetArrayItem(json_member(tree, "inputs"), 2), "forwarder"), "hf2");
    free(text);
    share_view_free(&view);
}

static void test_moves(void **state UNUSED)
{
    static const struct { const char *before, *after, *want; } rows[] = {
        { "a:hf1", "a:hf1", "" },
        { "a:hf1 b:hf1", "a:hf1 b:hf2", "1 input from hf1 to hf2: b\n" },
        { "", "a:hf1", "1 input to hf1: a\n" },
        { "a:hf1", "", "1 input from hf1 to nobody: a\n" },
        { "a:hf1 b:hf1 c:hf1 d:hf1 e:hf1 f:hf1 g:hf1", "a:hf2 b:hf2 c:hf2 d:hf2 e:hf2 f:hf2 g:hf2",
          "7 inputs from hf1 to hf2: a, b, c, d, e and 2 more\n" },
        { "a:hf1 b:hf2", "a:hf2 b:hf1", "1 input from hf1 to hf2: a\n1 input from hf2 to hf1: b\n" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(mem_freep) char *one = body_of(rows[i].before), *two = body_of(rows[i].after);
        struct share_body before, after;
        struct buf got = BUF_INIT(OUT_MAX);
        struct err err;

        CHECK(share_body_parse(one, &before, &err) && share_body_parse(two, &after, &err), "row %zu", i);
        share_add_moves(&got, &before, &after);
        CHECK_TEXT(buf_text(&got), rows[i].want);
        buf_free(&got);
        share_body_free(&before);
        share_body_free(&after);
    }
}

/* promise: Sharing: `share take`, `drain` and `undrain` say when the wish is fulfilled, and when nobody can fulfill it. */
static void test_change(void **state UNUSED)
{
    static const struct { const char *name; enum share_wish wish; const char *wanted, *members, *body;
                          enum share_progress want; } rows[] = {
        { "drained", SHARE_DRAIN, "", "hf1 1 a,b;hf2 1 a,b", "a:hf2 b:hf2", SHARE_DONE },
        { "not let go yet", SHARE_DRAIN, "", "hf1 1 a,b held=1;hf2 1 a,b", "a:hf2 b:hf2", SHARE_NOT_YET },
        { "not drained yet", SHARE_DRAIN, "", "hf1 1 a,b;hf2 1 a,b", "a:hf1 b:hf2", SHARE_NOT_YET },
        { "nobody else has it", SHARE_DRAIN, "", "hf1 1 a,b;hf2 1 b", "a:hf1 b:hf2", SHARE_NOBODY },
        { "the other one drains, too", SHARE_DRAIN, "", "hf1 1 a;hf2 1 a drain", "a:hf1", SHARE_NOBODY },
        { "alone", SHARE_DRAIN, "", "hf1 1 a", "a:hf1", SHARE_NOBODY },
        { "took all", SHARE_TAKE, "", "hf1 1 a,b;hf2 1 a,b,c", "a:hf1 b:hf1 c:hf2", SHARE_DONE },
        { "took some", SHARE_TAKE, "", "hf1 1 a,b;hf2 1 a,b", "a:hf1 b:hf2", SHARE_NOT_YET },
        { "took what it was to take", SHARE_TAKE, "b", "hf1 1 a,b;hf2 1 a,b", "a:hf2 b:hf1", SHARE_DONE },
        { "took the other one", SHARE_TAKE, "b", "hf1 1 a,b;hf2 1 a,b", "a:hf1 b:hf2", SHARE_NOT_YET },
        { "no table", SHARE_TAKE, "b", "hf1 1 a,b", NULL, SHARE_NOT_YET },
        { "even", SHARE_UNDRAIN, "", "hf1 1 a,b;hf2 1 a,b", "a:hf1 b:hf2", SHARE_DONE },
        { "not even", SHARE_UNDRAIN, "", "hf1 1 a,b;hf2 1 a,b", "a:hf2 b:hf2", SHARE_NOT_YET },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct share_names wanted = { .list = NULL };
        struct share_view view;
        struct share_change change = { .wish = rows[i].wish, .name = "hf1", .wanted = &wanted, .id = "0000000000000007" };
        enum share_progress got;

        if (*rows[i].wanted)
            share_names_add(&wanted, rows[i].wanted);
        view_of(&view, rows[i].members, rows[i].members, rows[i].body);
        got = share_change_look(&change, &view, false);
        CHECK(got == rows[i].want, "%s: %d", rows[i].name, got);
        change.id = "";
        CHECK(rows[i].wish != SHARE_UNDRAIN || share_change_look(&change, &view, false) == SHARE_DONE, "%s: a new table",
              rows[i].name);
        share_view_free(&view);
        share_names_free(&wanted);
    }
}

/* Inputs. */

static struct raw_stanza stanza_of(char *name, struct raw_param *params, size_t count)
{
    return (struct raw_stanza){ .name = name, .params = params, .count = count };
}

/* promise: Sharing: Inputs of a forwarder that disagree about the shared store are named, with what they say. */
static void test_inputs(void **state UNUSED)
{
    static char url[] = "share_url", group[] = "share_group", lost[] = "share_lost", disabled[] = "disabled";
    static char one[] = " https://s:8089 ", two[] = "https://t:8089", named[] = "default", stop[] = "stop", yes[] = "1";
    struct raw_param plain[] = { { url, one } }, full[] = { { url, one }, { group, named } }, other[] = { { url, two } };
    struct raw_param stops[] = { { url, one }, { lost, stop } }, off[] = { { url, two }, { disabled, yes } };
    struct raw_stanza stanzas[] = {
        stanza_of((char[]){ "defender_alerts://off" }, off, COUNT_OF(off)),
        stanza_of((char[]){ "defender_alerts://own" }, NULL, 0),
        stanza_of((char[]){ "defender_alerts://b" }, plain, COUNT_OF(plain)),
        stanza_of((char[]){ "defender_alerts://a" }, full, COUNT_OF(full)),
        stanza_of((char[]){ "defender_alerts://c" }, other, COUNT_OF(other)),
        stanza_of((char[]){ "defender_alerts://d" }, stops, COUNT_OF(stops)),
    };
    struct config config = { .stanzas = stanzas, .count = COUNT_OF(stanzas) };
    struct share_inputs got;

    share_inputs_read(&config, &got);
    CHECK_TEXT(got.urls, "https://s:8089");
    CHECK_TEXT(got.group, "default");
    CHECK(!got.ca_file, "%s", got.ca_file);
    CHECK(got.count == 2 && share_inputs_have(&got, "a") && share_inputs_have(&got, "b"), "%zu", got.count);
    CHECK(!share_inputs_have(&got, "own") && !share_inputs_have(&got, "c"), "another one");
    CHECK(got.odd_count == 2, "%zu", got.odd_count);
    CHECK(strstr(got.odd[0], "'c' has share_url 'https://t:8089', but 'b', which comes first, has 'https://s:8089'"), "%s",
          got.odd[0]);
    CHECK(strstr(got.odd[1], "'d' has share_lost 'stop', but 'b', which comes first, has 'continue'"), "%s", got.odd[1]);
    share_inputs_free(&got);
    config.count = 2;
    share_inputs_read(&config, &got);
    CHECK(!got.urls && !got.count && text_same(got.group, "default"), "shared without share_url");
    share_inputs_free(&got);
}

static void test_addresses(void **state UNUSED)
{
    static const struct { const char *urls, *group; bool good; } rows[] = {
        { "https://s:8089", "default", true }, { "https://s:8089, https://t:8089/", "a-b_C9", true },
        { "http://127.0.0.1:8089", "g", true }, { "http://s:8089", "g", false }, { "", "g", false }, { " , ", "g", false },
        { "s:8089", "g", false }, { "https://s:8089/x", "g", false }, { "https://s:8089 x", "g", false },
        { "https://s:8089", "", false }, { "https://s:8089", "a b", false }, { "https://s:8089", "a.b", false },
        { "https://s:8089", "12345678901234567890123456789012345678901", false },
        { "https://a:1 https://b:1 https://c:1 https://d:1 https://e:1 https://f:1 https://g:1 https://h:1", "g", true },
        { "https://a:1 https://b:1 https://c:1 https://d:1 https://e:1 https://f:1 https://g:1 https://h:1 https://i:1",
          "g", false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err err = { .text = "" };

        CHECK(share_inputs_check("share_url", rows[i].urls, "share_group", rows[i].group, &err) == rows[i].good,
              "row %zu: %s", i, err.text);
        CHECK(rows[i].good || strstr(err.text, "but it should be 1 to "), "row %zu: %s", i, err.text);
    }
}

static void test_end(void **state UNUSED)
{
    static const struct { int64_t ends_s; enum share_end want; const char *text; } rows[] = {
        { 0, SHARE_END_NEVER, "has no end" }, { 1700000000, SHARE_END_PAST, "ended on 2023-11-14" },
        { 1800000000, SHARE_END_PAST, "ended on 2027-01-15" }, { 1800000001, SHARE_END_SOON, "(in 0 days)" },
        { 1800000000 + 86400, SHARE_END_SOON, "ends on 2027-01-16 (in 1 day)" },
        { 1800000000 + 30 * 86400, SHARE_END_SOON, "(in 30 days)" }, { 1800000000 + 31 * 86400, SHARE_END_FAR, "(in 31 days)" },
        { INT64_MAX, SHARE_END_FAR, "ends on " },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf got = BUF_INIT(200);

        CHECK(share_end_add(&got, rows[i].ends_s, 1800000000) == rows[i].want, "row %zu", i);
        CHECK(strstr(buf_text(&got), rows[i].text), "row %zu: %s", i, buf_text(&got));
        buf_free(&got);
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_refused_records),
    cmocka_unit_test(test_notes),      cmocka_unit_test(test_newer_table), cmocka_unit_test(test_twin),
    cmocka_unit_test(test_hostile_records), cmocka_unit_test(test_report), cmocka_unit_test(test_moves),
    cmocka_unit_test(test_change),     cmocka_unit_test(test_inputs),      cmocka_unit_test(test_addresses),
    cmocka_unit_test(test_end),
};

UNIT(share_commands, cases, NULL, NULL)
