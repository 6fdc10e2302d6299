/* json_verdict FILE... - a line for each: does the page reader take the file's text as a document, as the only record
 * of an answer, and as a member of its envelope? Each is read whole and byte by byte. */
#include "../unit/transcript.h"
#include "base/file.h"

static const struct page_shape bare = { NULL, NULL, NULL }, envelope = { "value", "id", "time" };

/* JSON that has no array of alerts is JSON all the same. */
static bool taken(const struct transcript *t, bool as_record)
{
    const char *text = buf_text(&t->text);

    if (t->bads)
        return false;
    if (as_record)
        return t->records == 1 && strstr(text, "\nend 1 ");
    return !strstr(text, "error ") || strstr(text, "error the answer is JSON but");
}

static const char *verdict(const struct page_shape *shape, const struct buf *json, bool as_record)
{
    struct transcript whole = transcript_of(shape, buf_text(json), json->len, 0, 0, 0, NULL);
    struct transcript bytes = transcript_of(shape, buf_text(json), json->len, 0, 0, 1, NULL);
    bool alike = !strcmp(buf_text(&whole.text), buf_text(&bytes.text)) && !whole.fault && !bytes.fault;
    bool ok = taken(&whole, as_record);

    transcript_free(&whole);
    transcript_free(&bytes);
    return !alike ? "unstable" : ok ? "taken" : "refused";
}

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        struct buf text = BUF_INIT(64 << 20), record = BUF_INIT(64 << 20), member = BUF_INIT(64 << 20);
        struct err err;

        if (!file_read(argv[i], &text, &err)) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        buf_add_text(&record, "[");
        buf_add(&record, buf_text(&text), text.len);
        buf_add_text(&record, "]");
        buf_add_text(&member, "{\"value\":[],\"x\":");
        buf_add(&member, buf_text(&text), text.len);
        buf_add_text(&member, "}");
        printf("%s %s %s\n", verdict(&bare, &text, false), verdict(&bare, &record, true),
               verdict(&envelope, &member, false));
        buf_free(&text);
        buf_free(&record);
        buf_free(&member);
    }
    return 0;
}
