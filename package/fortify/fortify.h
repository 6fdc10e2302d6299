/* Shared by the headers of this folder. */
#ifndef FORTIFY_H
#define FORTIFY_H

/* Never emitted on its own: where a call is not inlined (a function pointer), it is the C library's function. */
#define FORTIFIED_VARIADIC extern __inline__ __attribute__((__always_inline__, __gnu_inline__, __artificial__))
#define FORTIFIED FORTIFIED_VARIADIC

/* Bytes from p to the end of the object, or of the innermost field, that it points into; (size_t)-1 when unknown. Text
 * functions have no business outside their field; memory functions may copy across several. At level 3 sizes count that
 * are known only when the program runs, such as that of an allocation. */
#if _FORTIFY_SOURCE > 2
#define FORTIFY_ROOM(p) __builtin_dynamic_object_size(p, 0)
#define FORTIFY_FIELD(p) __builtin_dynamic_object_size(p, 1)
#else
#define FORTIFY_ROOM(p) __builtin_object_size(p, 0)
#define FORTIFY_FIELD(p) __builtin_object_size(p, _FORTIFY_SOURCE > 1)
#endif

void __chk_fail(void) __attribute__((__noreturn__, __cold__));

static __inline__ __attribute__((__always_inline__, __artificial__, __unused__))
void fortify_check(__SIZE_TYPE__ len, __SIZE_TYPE__ room)
{
    if (room != (__SIZE_TYPE__)-1 && len > room)
        __chk_fail();
}

#endif
