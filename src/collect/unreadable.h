/* collect/unreadable.h - the event of a record that cannot be read.
 *
 * One line, a JSON object of our own, of the source type ms:defender:unreadable whatever the stanza says: it is no
 * alert. Its member raw is the record: up to the damage as it would be in an alert's event, from there on byte by byte. A
 * character that must not be in a line is \uXXXX, a byte that is no UTF-8 is \udcXX (as Python's surrogateescape has
 * it), so that no byte from the damage on is lost. */
#pragma once

#include "collect/reading.h"
#include "microsoft/page.h"

#define UNREADABLE_SOURCETYPE "ms:defender:unreadable"

/* Appends the event to out. */
void unreadable_event(const struct reading *reading, const struct page_bad_record *bad, struct buf *out);
