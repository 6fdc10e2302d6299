/* What the fuzzers share. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of a module's header; a broken one ends the run with the input that broke it. */
static inline void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "broken promise: %s\n", what);
    abort();
}
