/* Where the release program begins: has the kernel bring in every page that relocation is about to write, in one call.
 *
 * A static position independent program writes its own addresses into some hundred pages of tables before main(), and
 * each page costs a fault of its own: two thirds of what `--scheme` took. MADV_POPULATE_WRITE (Linux 5.14) fetches them
 * together; an older kernel refuses the call, which changes nothing. Nothing may be used here that needs relocation. */
#define SYS_madvise         28
#define MADV_POPULATE_WRITE 23
#define PAGE                4096

    .globl  start_populated
    .type   start_populated, @function
start_populated:
    lea     __init_array_start(%rip), %rdi
    and     $-PAGE, %rdi
    lea     _edata(%rip), %rsi
    sub     %rdi, %rsi
    mov     $MADV_POPULATE_WRITE, %edx
    mov     $SYS_madvise, %eax
    syscall
    jmp     _start
    .size   start_populated, . - start_populated
    .section .note.GNU-stack, "", @progbits
