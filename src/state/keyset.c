#include "state/keyset.h"

#define PAGES_MOST   8 /* pages of a part before it is counted */
#define UPDATED_PART 8 /* one in so many records may have been updated since the part was read */

void keyset_forget(struct keyset *keyset)
{
    keyset->from = keyset->at = 0;
    keyset->seen = 0;
    keyset->pages = 0;
    keyset->check = false;
}

void keyset_add(struct keyset *keyset, const struct keyset_page *page)
{
    if (!keyset->at) {
        keyset_forget(keyset);
        keyset->from = page->lo;
        keyset->sent_at = page->sent_at;
        keyset->variant = page->variant;
    }
    keyset->at = page->cut;
    keyset->seen += page->before;
    keyset->rest = page->counted - (int64_t)page->before;
    keyset->check = ++keyset->pages >= PAGES_MOST || page->counted <= (int64_t)page->count; /* or just of the page */
}

bool keyset_agrees(const struct keyset *keyset, int64_t counted)
{
    return keyset->pages == 1 && keyset->rest == counted;
}

bool keyset_is_counted(const struct keyset *keyset, int64_t counted)
{
    int64_t seen = (int64_t)keyset->seen;

    return counted >= 0 && counted <= seen && seen - counted <= seen / UPDATED_PART;
}
