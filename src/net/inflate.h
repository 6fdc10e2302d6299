/* net/inflate.h - decodes a gzip stream (RFC 1952) while it arrives.
 *
 * The decoder is chosen at build time: ISA-L with HAVE_ISAL, which decodes up to three times as fast as zlib, else
 * zlib. Both accept the same streams: one or more members one after another, then any number of zero bytes as padding.
 * The CRC and the length of each member are checked. One difference is left: ISA-L ignores the header flags that RFC
 * 1952 reserves, and zlib refuses them.
 *
 * An inflater has a fixed size: 90 KB with ISA-L, 40 KB with zlib, whatever the stream holds. */
#pragma once

#include "base/compiler.h"

#define INFLATE_SLICE 65536 /* most decoded bytes in one call of the sink */

struct inflater;

/* Creates an inflater that waits for the first byte. Never returns NULL. */
struct inflater *inflater_new(void);
void inflater_reset(struct inflater *inf); /* makes it as new; keeps its memory */
void inflater_free(struct inflater *inf);  /* NULL is allowed */

/* Takes 1 to INFLATE_SLICE decoded bytes, which are valid during the call. Returns false to stop. */
typedef bool inflate_fn(void *ctx, const char *bytes, size_t len);

enum inflate_result { INFLATE_OK, INFLATE_BROKEN, INFLATE_STOPPED };

/* Decodes the next bytes of the stream and gives the result to out(). Returns INFLATE_STOPPED after out() returned
 * false. After any result other than INFLATE_OK only inflater_reset() and inflater_free() may follow. */
enum inflate_result inflater_run(struct inflater *inf, const char *bytes, size_t len, inflate_fn *out, void *ctx);

/* Returns true if the stream may end here: at least one member, and the last one whole. */
bool inflater_done(const struct inflater *inf);
