#include "collect/page_size.h"

#define SMALLEST                1
#define SUCCESSES_BEFORE_GROWTH 20 /* pages in a row before a size that failed is tried again */
#define CAP_LEAST               20 /* a response with fewer records was cut for another reason than its size */

size_t page_size_top(const struct page_size *page, size_t most)
{
    return page->size && page->size < most ? page->size : most;
}

bool page_size_can_shrink(const struct page_size *page, size_t most)
{
    return page_size_top(page, most) > SMALLEST;
}

void page_size_shrink(struct page_size *page, size_t most)
{
    size_t top = page_size_top(page, most);

    if (top > SMALLEST)
        page->size = top / 4 > SMALLEST ? top / 4 : SMALLEST;
}

bool page_size_failed(struct page_size *page, int failures, bool may_be_size)
{
    bool just_grown = may_be_size && failures == 1 && page->size && page->successes;

    if (just_grown)
        page->too_large = page->size;
    page->successes = 0;
    return just_grown;
}

bool page_size_refused(struct page_size *page, size_t top, size_t sure)
{
    if (top <= sure)
        return false;
    page->too_large = top;
    page->size = sure;
    page->successes = 0;
    return true;
}

bool page_size_raise(struct page_size *page, size_t top, size_t most)
{
    if (top >= most)
        return false;
    if (page_size_top(page, most) <= top)
        page->size = top * 2 < most ? top * 2 : 0;
    return true;
}

void page_size_worked(struct page_size *page, size_t most)
{
    if (++page->successes > SUCCESSES_BEFORE_GROWTH)
        page->too_large = 0;
    if (!page->too_large || page->size * 2 < page->too_large)
        page->size *= 2;
    if (page->size >= most)
        page->size = 0;
}

void page_size_learn(struct page_size *page, size_t count, bool has_more)
{
    size_t cap = count > CAP_LEAST ? count : CAP_LEAST;

    if (has_more && count && (!page->cap || cap > page->cap))
        page->cap = cap;
    else if (!has_more && page->cap && cap > page->cap)
        page->cap = 0;
}

size_t page_size_capacity(const struct page_size *page, size_t most)
{
    return page->cap && page->cap < most ? page->cap : most;
}
