/* collect/records.h - the records of a response become events: new versions are written, known ones are not. */
#pragma once

#include "collect/reading.h"
#include "microsoft/page.h"

/* Returns the callbacks for a page of this reading. The reading must outlive the page. */
struct page_handler records_handler(struct reading *reading);

/* Logs one line for what was unusual about the records of a response. */
void records_warn(const struct reading *reading);
