/* collect/worker_answer.h - what a response settles: a window read, a window split, a page of many, a broken record. */
#pragma once

#include "collect/classify.h"
#include "collect/reading.h"

/* Takes a response that classify() has looked at. page is the one that its body went to. now_ms is monotonic. */
struct next worker_answer(struct reading *reading, const struct page *page, const struct classified *classified,
                          int64_t now_ms);
