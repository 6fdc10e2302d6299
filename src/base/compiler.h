/* base/compiler.h - names for the compiler features that the code uses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define BYTES_OF(...)      __attribute__((alloc_size(__VA_ARGS__))) /* of what is returned: the arguments' product */
#define NORETURN           __attribute__((noreturn))
#define UNUSED             __attribute__((unused))
#define ALWAYS_INLINE      static inline __attribute__((always_inline))
#define CLEANUP(fn)        __attribute__((cleanup(fn)))
#define LIKELY(x)          __builtin_expect(!!(x), 1)
#define UNLIKELY(x)        __builtin_expect(!!(x), 0)
#define COUNT_OF(array)    (sizeof(array) / sizeof((array)[0]))
