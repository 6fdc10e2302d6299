/* libcurl, as far as the program uses it. URLs and lists of headers are the real libcurl's. */
#include "wire.h"

#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#undef curl_share_setopt

CURLcode __wrap_curl_global_init_mem(long flags, curl_malloc_callback m, curl_free_callback f, curl_realloc_callback r,
                                     curl_strdup_callback s, curl_calloc_callback c)
{
    (void)flags, (void)m, (void)f, (void)r, (void)s, (void)c;
    return CURLE_OK;
}

void __wrap_curl_global_cleanup(void)
{
}

CURLM *__wrap_curl_multi_init(void)
{
    return (CURLM *)&transfer_count;
}

CURLMcode __wrap_curl_multi_cleanup(CURLM *multi)
{
    (void)multi;
    if (transfer_count)
        broken("transfers", "%zu transfers are left in the multi handle at its end", transfer_count);
    return CURLM_OK;
}

CURLMcode __wrap_curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
    (void)multi, (void)option;
    return CURLM_OK;
}

CURLSH *__wrap_curl_share_init(void)
{
    return (CURLSH *)&wire;
}

CURLSHcode __wrap_curl_share_setopt(CURLSH *share, CURLSHoption option, ...)
{
    (void)share, (void)option;
    return CURLSHE_OK;
}

CURLSHcode __wrap_curl_share_cleanup(CURLSH *share)
{
    (void)share;
    return CURLSHE_OK;
}

CURL *__wrap_curl_easy_init(void)
{
    return calloc(1, sizeof(struct easy));
}

static void set_text(char **slot, const char *text)
{
    free(*slot);
    *slot = text ? strdup(text) : NULL;
}

CURLcode __wrap_curl_easy_setopt(CURL *handle, CURLoption option, ...)
{
    struct easy *easy = handle;
    va_list args;

    va_start(args, option);
    switch ((int)option) {
    case CURLOPT_URL: set_text(&easy->url, va_arg(args, char *)); break;
    case CURLOPT_POSTFIELDS: easy->form = va_arg(args, char *); break; /* stays the program's, as in libcurl */
    case CURLOPT_CUSTOMREQUEST: set_text(&easy->method, va_arg(args, char *)); break;
    case CURLOPT_CAINFO: set_text(&easy->ca_file, va_arg(args, char *)); break;
    case CURLOPT_HTTPHEADER: easy->headers = va_arg(args, struct curl_slist *); break;
    case CURLOPT_HEADERFUNCTION: easy->on_header = va_arg(args, data_fn *); break;
    case CURLOPT_WRITEFUNCTION: easy->on_body = va_arg(args, data_fn *); break;
    case CURLOPT_HEADERDATA: easy->header_ctx = va_arg(args, void *); break;
    case CURLOPT_WRITEDATA: easy->body_ctx = va_arg(args, void *); break;
    case CURLOPT_PRIVATE: easy->private = va_arg(args, void *); break;
    case CURLOPT_ERRORBUFFER: easy->error = va_arg(args, char *); break;
    case CURLOPT_TIMEOUT: easy->timeout_s = va_arg(args, long); break;
    case CURLOPT_LOW_SPEED_TIME: easy->silence_s = va_arg(args, long); break;
    case CURLOPT_CONNECTTIMEOUT: easy->connect_s = va_arg(args, long); break;
    case CURLOPT_FRESH_CONNECT: easy->fresh = va_arg(args, long) != 0; break;
    case CURLOPT_CONNECT_ONLY: easy->connect_only = va_arg(args, long) != 0; break;
    default: break;
    }
    va_end(args);
    return CURLE_OK;
}

CURLcode __wrap_curl_easy_getinfo(CURL *handle, CURLINFO info, ...)
{
    struct easy *easy = handle;
    va_list args;
    void *ret;

    va_start(args, info);
    ret = va_arg(args, void *);
    va_end(args);
    switch ((int)info) {
    case CURLINFO_PRIVATE: *(void **)ret = easy->private; break;
    case CURLINFO_RESPONSE_CODE: *(long *)ret = easy->told ? easy->reply.status : 0; break;
    case CURLINFO_NUM_CONNECTS: *(long *)ret = easy->opened; break;
    case CURLINFO_REQUEST_SIZE: *(long *)ret = easy->sent ? 500 : 0; break;
    case CURLINFO_HTTP_CONNECTCODE: *(long *)ret = 0; break;
    case CURLINFO_NAMELOOKUP_TIME_T: *(curl_off_t *)ret = easy->opened ? 900 : 0; break;
    case CURLINFO_CONNECT_TIME_T: *(curl_off_t *)ret = easy->opened && easy->sent ? 20000 : 0; break;
    default: return CURLE_UNKNOWN_OPTION;
    }
    return CURLE_OK;
}

CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *handle)
{
    struct easy *easy = handle;

    (void)multi;
    if (easy->number)
        broken("curl", "a transfer was added twice");
    if (transfer_count == TRANSFERS_MOST)
        broken("requests_in_flight", "more than %d transfers at a time", TRANSFERS_MOST);
    wire_send(easy);
    return CURLM_OK;
}

CURLMcode __wrap_curl_multi_remove_handle(CURLM *multi, CURL *handle)
{
    struct easy *easy = handle;

    (void)multi;
    for (size_t i = 0; i < transfer_count; i++) {
        if (transfers[i] != easy)
            continue;
        memmove(transfers + i, transfers + i + 1, (transfer_count - i - 1) * sizeof(*transfers));
        transfer_count--;
        break;
    }
    easy->number = 0;
    return CURLM_OK;
}

void __wrap_curl_easy_cleanup(CURL *handle)
{
    struct easy *easy = handle;

    if (easy->number)
        broken("curl", "a transfer was freed while it was in the multi handle");
    wire_forget_reply(easy);
    free(easy->url);
    free(easy->method);
    free(easy->ca_file);
    free(easy);
}

CURLcode __wrap_curl_easy_pause(CURL *handle, int what)
{
    ((struct easy *)handle)->paused = what != CURLPAUSE_CONT;
    return CURLE_OK;
}

CURLMcode __wrap_curl_multi_poll(CURLM *multi, struct curl_waitfd extra[], unsigned count, int wait, int *ready)
{
    struct pollfd fds[32];

    (void)multi, (void)ready;
    check_round();
    for (unsigned i = 0; i < count; i++)
        fds[i] = (struct pollfd){ .fd = extra[i].fd,
                                  .events = (short)((extra[i].events & CURL_WAIT_POLLIN ? POLLIN : 0) |
                                                    (extra[i].events & CURL_WAIT_POLLOUT ? POLLOUT : 0)) };
    machine_wait(fds, count, wait, true);
    for (unsigned i = 0; i < count; i++)
        extra[i].revents = (short)((fds[i].revents & (POLLIN | POLLERR) ? CURL_WAIT_POLLIN : 0) |
                                   (fds[i].revents & (POLLOUT | POLLERR) ? CURL_WAIT_POLLOUT : 0));
    return CURLM_OK;
}

CURLMcode __wrap_curl_multi_perform(CURLM *multi, int *running)
{
    int64_t turn[TRANSFERS_MOST];
    size_t count = transfer_count, i;

    (void)multi;
    for (i = 0; i < count; i++)
        turn[i] = transfers[i]->number;
    for (i = 0; i < count && !machine_dead(); i++) {
        struct easy *easy = wire_find(turn[i]);

        if (easy && easy->ready && !easy->paused)
            wire_deliver(easy);
    }
    *running = (int)transfer_count;
    return CURLM_OK;
}

CURLMsg *__wrap_curl_multi_info_read(CURLM *multi, int *left)
{
    (void)multi;
    *left = 0;
    for (size_t i = 0; i < transfer_count && !machine_dead(); i++) {
        struct easy *easy = transfers[i];

        if (easy->stage != ENDED || easy->reported)
            continue;
        easy->reported = true;
        easy->message = (CURLMsg){ .msg = CURLMSG_DONE, .easy_handle = easy };
        easy->message.data.result = easy->code;
        return &easy->message;
    }
    return NULL;
}
