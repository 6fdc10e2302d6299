/* net/inflate.h - gzip undone while it arrives.
 *
 * ISA-L (HAVE_ISAL) decodes up to three times as fast as zlib, but each dynamic block begins with tables that cost tens
 * of thousands of instructions, and its state takes 90 KB. Most answers are an empty page or an alert or two: zlib
 * decodes these. Once a body turns out to be larger, ISA-L starts again with its first byte, and what the sink has had
 * is not handed out twice. The caller sees none of this: bytes are decoded as they come, what is whole for one is whole
 * for the other, and a body that zlib refuses is broken only when ISA-L says so too. The CRC is always checked.
 * Without ISA-L zlib does all.
 *
 * An inflater is 10 KB, 40 KB from the first small body on that comes in pieces, 130 KB from the first large one on;
 * http_answer.c makes one when the first compressed bytes of an answer come and keeps a few for reuse. */
#pragma once

#include "base/compiler.h"

/* Compressed bytes of the largest body that zlib decodes. Instructions that it saves on pages of alerts: a tenth up to
 * 1,000 bytes, a quarter to a third from 1,300 to 4,500, next to none at 8,000. Beyond 4 KB little is left to save, and
 * more would be decoded twice of a larger body whose first pieces are small. */
#define INFLATE_SMALL 4096

struct inflater;

struct inflater *inflater_new(size_t small);        /* INFLATE_SMALL; tests want each decoder for itself */
void inflater_reset(struct inflater *inf);
void inflater_free(struct inflater *inf);

/* Takes decoded bytes; false stops. */
typedef bool inflate_fn(void *ctx, const char *bytes, size_t len);

enum inflate_result { INFLATE_OK, INFLATE_BROKEN, INFLATE_STOPPED };

/* Decodes the next bytes of the stream (several gzip members one behind the other are one stream), handing the result
 * out in slices of at most 64 KB. After another result than INFLATE_OK only inflater_reset() or inflater_free(). */
enum inflate_result inflater_run(struct inflater *inf, const char *bytes, size_t len, inflate_fn *out, void *ctx);

/* Has the stream come to its proper end? False after a cut-off. */
bool inflater_done(const struct inflater *inf);
