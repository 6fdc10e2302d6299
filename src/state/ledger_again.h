/* state/ledger_again.h - a person's request to write days of an input again, from another process to the one that owns
 * the ledger.
 *
 * A file next to the ledger, "<ledger>.again", with one day a line ("2026-11-28"). It is replaced as a whole, so the
 * process that reads it needs no lock. That process renames it to "<ledger>.taken" first: a request that is made
 * meanwhile is a new file. It removes the file when the ledger says what was asked, so a kill in between asks twice. */
#pragma once

#include "state/ledger.h"

/* Adds the day to the request for the ledger of this path. */
bool ledger_again_ask(const char *path, uint32_t day, struct err *err);

/* Takes the request for this ledger, if there is one: calls ledger_begin_again() for its days. Returns true if there is
 * a day among them. */
bool ledger_again_take(struct ledger *ledger);
/* The ledger says so now. */
void ledger_again_done(const struct ledger *ledger);

/* Reads "2026-11-28". Returns false for anything else, and for a day that no ledger can have. */
bool ledger_read_day(const char *text, size_t len, uint32_t *ret);
