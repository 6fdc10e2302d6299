#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "net/http_private.h"

/* Copies the organization, else the common name, of "C = US, O = DigiCert Inc, CN = ...". Blanks around '=' are
 * optional. */
static void name_issuer(const char *line, char *to, size_t size)
{
    static const char *const keys[] = { "O", "CN" };
    const char *at, *end;
    size_t i;

    for (i = 0; i < COUNT_OF(keys) && !*to; i++) {
        for (at = line; at; at = (at = strchr(at, ',')) ? at + 1 : NULL) {
            at += strspn(at, " ");
            if (strncmp(at, keys[i], strlen(keys[i])) || !strchr(" =", at[strlen(keys[i])]))
                continue;
            at += strlen(keys[i]);
            at += strspn(at, " =");
            end = *at == '"' ? strchr(at + 1, '"') : strchr(at, ',');
            at += *at == '"';
            snprintf(to, size, "%.*s", end ? (int)(end - at) : (int)strlen(at), at);
            utf8_make_line(to);
            break;
        }
    }
}

static void read_issuer(CURL *easy, struct http_trace *trace)
{
    static const char prefix[] = "Issuer:";
    struct curl_certinfo *chain = NULL;
    struct curl_slist *line;

    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) || !chain || chain->num_of_certs < 1)
        return;
    for (line = chain->certinfo[0]; line; line = line->next)
        if (text_starts(line->data, prefix))
            name_issuer(line->data + strlen(prefix), trace->issuer, sizeof(trace->issuer));
}

/* Returns the time from the start to the end of a phase, rounded up; -1 if it was not reached. */
static int phase_ms(CURL *easy, CURLINFO phase)
{
    curl_off_t us = 0;

    return !curl_easy_getinfo(easy, phase, &us) && us > 0 ? (int)((us + 999) / 1000) : -1;
}

void http_trace_read(CURL *easy, struct http_trace *trace)
{
    char *address = NULL;

    *trace = (struct http_trace){ .name_ms = phase_ms(easy, CURLINFO_NAMELOOKUP_TIME_T),
                                  .connect_ms = phase_ms(easy, CURLINFO_CONNECT_TIME_T),
                                  .tls_ms = phase_ms(easy, CURLINFO_APPCONNECT_TIME_T) };
    if (!curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address) && address)
        snprintf(trace->address, sizeof(trace->address), "%s", address);
    read_issuer(easy, trace);
}
