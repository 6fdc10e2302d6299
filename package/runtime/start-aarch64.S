/* Where the release program begins: the same as start-x86_64.S, which says why. A kernel with larger pages refuses the
 * call, as an old one does. */
#define SYS_madvise         233
#define MADV_POPULATE_WRITE 23
#define PAGE                4096

    .globl  start_populated
    .type   start_populated, %function
start_populated:
    adrp    x0, __init_array_start
    add     x0, x0, :lo12:__init_array_start
    and     x0, x0, #-PAGE
    adrp    x1, _edata
    add     x1, x1, :lo12:_edata
    sub     x1, x1, x0
    mov     x2, #MADV_POPULATE_WRITE
    mov     x8, #SYS_madvise
    svc     #0
    b       _start
    .size   start_populated, . - start_populated
    .section .note.GNU-stack, "", %progbits
