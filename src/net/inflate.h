/* net/inflate.h - gzip undone while it arrives.
 *
 * ISA-L where it is built in (HAVE_ISAL), zlib otherwise; both check the CRC. One inflater takes about 90 KB, so
 * http_answer.c makes one when the first compressed bytes of an answer come and keeps a few for reuse. */
#pragma once

#include "base/compiler.h"

struct inflater;

struct inflater *inflater_new(void);
void inflater_reset(struct inflater *inf);
void inflater_free(struct inflater *inf);

/* Takes decoded bytes; false stops. */
typedef bool inflate_fn(void *ctx, const char *bytes, size_t len);

enum inflate_result { INFLATE_OK, INFLATE_BROKEN, INFLATE_STOPPED };

/* Decodes the next bytes of the stream (several gzip members one behind the other are one stream), handing the result
 * out in slices of at most 64 KB. */
enum inflate_result inflater_run(struct inflater *inf, const char *bytes, size_t len, inflate_fn *out, void *ctx);

/* Has the stream come to its proper end? False after a cut-off. */
bool inflater_done(const struct inflater *inf);
