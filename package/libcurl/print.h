/* package/libcurl/print.h - a text printed in one go. build-libs puts it into libcurl's lib/mprintf.c, below OUTCHAR.
 *
 * libcurl prints letter by letter, ninety instructions each where the text goes into a buffer that grows: addresses and
 * header lines of a request, one of them an access token. That was a third of an idle poll. Nothing else changes: a
 * text that is longer than the buffer may become fails as before, and other outputs are still fed letter by letter. */
static int alloc_addbyter(unsigned char outc, void *f);

/* As OUTCHAR: TRUE when there is no going on. */
static bool out_bytes(void *userp, int (*stream)(unsigned char, void *), const char *str, size_t len, int *donep)
{
  size_t i;

  if(stream == alloc_addbyter && len) {
    struct asprintf *to = userp;
    CURLcode result = curlx_dyn_addn(to->b, str, len);

    if(result) {
      to->merr = result == CURLE_TOO_LARGE ? MERR_TOO_LARGE : MERR_MEM;
      return TRUE;
    }
    *donep += (int)len;
    return FALSE;
  }
  for(i = 0; i < len; i++)
    OUTCHAR(str[i]);
  return FALSE;
}
