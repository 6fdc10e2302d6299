/* bench/floor.c - the least that any collector has to do, for comparison.
 *
 * Asks for what the program had asked for (the server's log: same bytes), over libcurl and TLS, inflates with ISA-L (or
 * zlib), finds where the records begin and end, frames them and writes them to stdout. It checks no JSON, escapes
 * nothing, knows no ids, keeps no state, and its tokens come from the log.
 *
 * usage: floor [--zlib] [--http1] [--parallel N] CA LOG */
#include <curl/curl.h>
#include <immintrin.h>
#include <isa-l/igzip_lib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define SLICE   65536
#define OUT_MAX (128 * 1024)

static const char frame_open[] = "<event stanza=\"defender_alerts://bench0\" unbroken=\"1\"><time>1793522112.1333333</time>"
                                 "<sourcetype>ms:defender:atp:alerts</sourcetype><data>";
static const char frame_close[] = "</data><done/></event>\n";

struct transfer {
    CURL  *easy;
    struct curl_slist *headers;
    char  *body;
    bool   begun, gzip;
    struct inflate_state isal;
    z_stream zlib;
    bool   zlib_on;
    /* finding records */
    bool   in_string, escaped, in_record;
    int    depth;
};

struct request {
    char *method, *url, *authorization, *body;
};

static bool use_zlib, http1;
static const char *ca;
static char slice[SLICE], out[OUT_MAX + 65536];
static size_t out_len;
static struct request *requests;
static size_t request_count, next_request;

static void die(const char *what)
{
    fprintf(stderr, "floor: %s\n", what);
    exit(1);
}

static void flush(void)
{
    size_t at = 0;
    ssize_t done;

    for (; at < out_len; at += (size_t)done)
        if ((done = write(1, out + at, out_len - at)) <= 0)
            exit(0);
    out_len = 0;
}

static void add(const char *bytes, size_t len)
{
    size_t part;

    while (len) {
        part = len < sizeof(out) - out_len ? len : sizeof(out) - out_len;
        memcpy(out + out_len, bytes, part);
        out_len += part;
        bytes += part;
        len -= part;
        if (out_len >= OUT_MAX)
            flush();
    }
}

/* Records are the objects at depth 2 ({"value":[{). Only quotes, backslashes and brackets are looked at, 32 bytes a
 * step, one bit each. */
static void find_records(struct transfer *t, const char *bytes, size_t len)
{
    size_t i, from = 0;
    uint32_t marks;

    for (i = 0; i < len; i += 32) {
        size_t left = len - i;

        if (left >= 32) {
            __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + i));
            __m256i quotes = _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')), _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')));
            __m256i upper = _mm256_or_si256(v, _mm256_set1_epi8(0x20));     /* [ is {, ] is } with that bit */
            __m256i brackets = _mm256_or_si256(_mm256_cmpeq_epi8(upper, _mm256_set1_epi8('{')), _mm256_cmpeq_epi8(upper, _mm256_set1_epi8('}')));

            marks = (uint32_t)_mm256_movemask_epi8(t->in_string ? quotes : _mm256_or_si256(quotes, brackets));
            if (t->escaped)
                marks |= 1;
            if (t->in_string && !marks)
                continue;
            marks = (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(quotes, brackets)) | (t->escaped ? 1u : 0u);
        } else {
            marks = UINT32_MAX >> (32 - left);
        }
        for (; marks; marks &= marks - 1) {
            size_t at = i + (size_t)__builtin_ctz(marks);
            char c = bytes[at];

            if (t->escaped) {
                t->escaped = false;
                continue;
            }
            if (t->in_string) {
                if (c == '"') {
                    t->in_string = false;
                } else if (c == '\\') {
                    if (at + 1 < i + 32 && at + 1 < len)
                        marks &= ~(UINT32_C(1) << (at + 1 - i));
                    else
                        t->escaped = true;
                }
                continue;
            }
            if (c == '"') {
                t->in_string = true;
            } else if (c == '{' || c == '[') {
                if (++t->depth == 3 && c == '{') {
                    t->in_record = true;
                    add(frame_open, sizeof(frame_open) - 1);
                    from = at;
                }
            } else if (c == '}' || c == ']') {
                if (--t->depth == 2 && t->in_record) {
                    add(bytes + from, at + 1 - from);
                    add(frame_close, sizeof(frame_close) - 1);
                    t->in_record = false;
                }
            }
        }
    }
    if (t->in_record)
        add(bytes + from, len - from);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size * count;
    int code;

    if (!t->begun) {
        t->begun = true;
        t->in_string = t->escaped = t->in_record = false;
        t->depth = 0;
        t->gzip = bytes[0] == 0x1f;
        if (t->gzip && use_zlib) {
            if (t->zlib_on)
                inflateReset(&t->zlib);
            else
                inflateInit2(&t->zlib, 16 + MAX_WBITS);
            t->zlib_on = true;
        } else if (t->gzip) {
            isal_inflate_init(&t->isal);
            t->isal.crc_flag = ISAL_GZIP;
        }
    }
    if (!t->gzip)       /* a token */
        return len;
    t->isal.next_in = (uint8_t *)bytes;
    t->isal.avail_in = (uint32_t)len;
    t->zlib.next_in = (Bytef *)bytes;
    t->zlib.avail_in = (uInt)len;
    for (;;) {
        if (use_zlib) {
            t->zlib.next_out = (Bytef *)slice;
            t->zlib.avail_out = SLICE;
            code = inflate(&t->zlib, Z_NO_FLUSH);
            if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
                die("inflate");
            find_records(t, slice, SLICE - t->zlib.avail_out);
            if (t->zlib.avail_out)
                return len;
        } else {
            t->isal.next_out = (uint8_t *)slice;
            t->isal.avail_out = SLICE;
            if (isal_inflate(&t->isal))
                die("inflate");
            find_records(t, slice, SLICE - t->isal.avail_out);
            if (t->isal.avail_out)
                return len;
        }
    }
}

static void start(CURLM *multi, struct transfer *t)
{
    struct request *r = &requests[next_request++];
    char line[8192];

    curl_slist_free_all(t->headers);
    t->headers = curl_slist_append(NULL, "Accept-Encoding: gzip");
    if (strcmp(r->authorization, "-")) {
        snprintf(line, sizeof(line), "Authorization: %s", r->authorization);
        t->headers = curl_slist_append(t->headers, line);
    }
    t->begun = false;
    curl_easy_setopt(t->easy, CURLOPT_URL, r->url);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    if (!strcmp(r->method, "POST"))
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, r->body);
    else
        curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
    curl_multi_add_handle(multi, t->easy);
}

static void read_log(const char *path)
{
    char *line = NULL, *at;
    size_t cap = 0;
    FILE *file = fopen(path, "r");

    if (!file)
        die("log");
    while (getline(&line, &cap, file) > 0) {
        requests = realloc(requests, (request_count + 1) * sizeof(*requests));
        at = strdup(line);
        at[strcspn(at, "\n")] = '\0';
        requests[request_count].method = strsep(&at, "\t");
        requests[request_count].url = strsep(&at, "\t");
        requests[request_count].authorization = strsep(&at, "\t");
        requests[request_count++].body = at;
    }
    free(line);
    fclose(file);
}

int main(int argc, char **argv)
{
    struct transfer *transfers, *t;
    size_t parallel = 1, i, done = 0;
    CURLM *multi;
    CURLMsg *msg;
    int running, left;
    long status;

    for (i = 1; i < (size_t)argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "--zlib"))
            use_zlib = true;
        else if (!strcmp(argv[i], "--http1"))
            http1 = true;
        else if (!strcmp(argv[i], "--parallel"))
            parallel = strtoul(argv[++i], NULL, 10);
    }
    if (i + 2 != (size_t)argc)
        die("usage: floor [--zlib] [--http1] [--parallel N] CA LOG");
    ca = argv[i];
    read_log(argv[i + 1]);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    transfers = calloc(parallel, sizeof(*transfers));
    for (t = transfers; t < transfers + parallel; t++) {
        t->easy = curl_easy_init();
        curl_easy_setopt(t->easy, CURLOPT_CAINFO, ca);
        curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)(http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
        curl_easy_setopt(t->easy, CURLOPT_PIPEWAIT, 1L);
        curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
        curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
        if (next_request < request_count)
            start(multi, t);
    }
    while (done < request_count) {
        curl_multi_perform(multi, &running);
        while ((msg = curl_multi_info_read(multi, &left))) {
            if (msg->msg != CURLMSG_DONE)
                continue;
            curl_easy_getinfo(msg->easy_handle, CURLINFO_RESPONSE_CODE, &status);
            if (msg->data.result || status >= 500)
                die(curl_easy_strerror(msg->data.result));
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
            curl_multi_remove_handle(multi, t->easy);
            done++;
            if (next_request < request_count)
                start(multi, t);
        }
        if (done < request_count)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    flush();
    return 0;
}
