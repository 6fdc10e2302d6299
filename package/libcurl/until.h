/* package/libcurl/until.h - the length of a word, found several letters at a time. build-libs puts it into libcurl's
 * lib/curlx/strparse.c, whose loops take ten instructions a letter, twice for each header line of a request: an access
 * token has a thousand letters or two. */
static size_t length_until(const char *text, char stop)
{
  size_t len = strlen(text);
  const char *end = memchr(text, stop, len);

  return end ? (size_t)(end - text) : len;
}

static size_t length_of_line(const char *text)
{
  size_t len = length_until(text, '\n');
  const char *end = memchr(text, '\r', len);

  return end ? (size_t)(end - text) : len;
}
