/* splunk/scheme.h - what --scheme prints: how splunkd is to run us, and the parameters that an input takes. */
#pragma once

#include "base/buf.h"

/* Appends the whole document. Touches neither network nor disk. */
void scheme_print(struct buf *ret);
