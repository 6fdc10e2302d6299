/* splunk/scheme.h - the output of --scheme: how splunkd runs this program, and the parameters of an input. */
#pragma once

#include "base/buf.h"

/* Appends the whole document. Uses neither network nor disk. */
void scheme_print(struct buf *ret);
