#include "base/base64url.h"

#include <openssl/evp.h>

#define TEXT_MAX 65536

void base64url_add(struct buf *to, const void *bytes, size_t len)
{
    size_t start = to->len, i;
    char *out = buf_room(to, (len + 2) / 3 * 4 + 1);

    if (!out)
        return;
    to->len += (size_t)EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
    while (to->len > start && to->data[to->len - 1] == '=')
        to->len--;
    to->data[to->len] = '\0';
    for (i = start; i < to->len; i++)
        to->data[i] = to->data[i] == '+' ? '-' : to->data[i] == '/' ? '_' : to->data[i];
}

bool base64url_decode(const char *text, size_t len, struct buf *ret)
{
    struct buf padded = BUF_INIT(TEXT_MAX);
    size_t i, quads = (len + 3) / 4;
    int got = -1;
    char *to;

    for (i = 0; i < len && !padded.full; i++)
        buf_add_char(&padded, text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    while (padded.len < quads * 4 && buf_add_char(&padded, '='))
        ;
    to = padded.full || !len ? NULL : buf_room(ret, quads * 3);
    if (to)
        got = EVP_DecodeBlock((unsigned char *)to, (const unsigned char *)padded.data, (int)padded.len);
    if (got >= 0)
        ret->len += (size_t)got - (quads * 4 - len);
    buf_free_secret(&padded);
    return got >= 0;
}
