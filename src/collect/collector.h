/* collect/collector.h - all inputs of one process, and what they share. */
#pragma once

#include "net/loop.h"
#include "splunk/config.h"

struct collector;

/* Takes the stanzas of the config. Stanzas that cannot be used are logged and left out. Never returns NULL. */
struct collector *collector_new(struct loop *loop, const struct config *config, int out_fd);
/* Collects until the loop is stopped, then saves what may be saved and closes the stream. Returns false if it ended
 * because memory ran out. */
bool collector_run(struct collector *collector);
void collector_free(struct collector *collector);
