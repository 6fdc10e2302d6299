/* Other timers for the tests of a module; test_secret_intake.c has the wrappers that call them. */
#pragma once

#include "net/loop.h"

/* NULL: the real ones. */
extern void (*fake_timer_set)(struct timer *timer, int64_t due_ms);
extern void (*fake_timer_cancel)(struct timer *timer);
