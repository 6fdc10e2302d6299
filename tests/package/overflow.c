/* Writes past the end of a buffer, in the way that the first argument names; the second is how much. */
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* bounded: by vsnprintf(), else by vsprintf(). */
static inline __attribute__((always_inline)) void print(char *to, size_t size, bool bounded, va_list args)
{
    if (bounded)
        vsnprintf(to, size, "%s", args);
    else
        vsprintf(to, "%s", args);
}

static int printed(bool bounded, size_t size, ...)
{
    char text[16] = "";
    va_list args;

    va_start(args, size);
    print(text, size, bounded, args);
    va_end(args);
    return text[0] == 'y';
}

int main(int argc, char **argv)
{
    char text[16] = "", source[256];
    size_t len = argc > 2 ? (size_t)atoi(argv[2]) : 0;

    memset(source, 'x', sizeof(source));
    source[len < sizeof(source) ? len : sizeof(source) - 1] = '\0';
    if (argc < 3)
        return 2;
    if (!strcmp(argv[1], "memcpy"))
        memcpy(text, source, len);
    else if (!strcmp(argv[1], "memmove"))
        memmove(text, source, len);
    else if (!strcmp(argv[1], "memset"))
        memset(text, 'x', len);
    else if (!strcmp(argv[1], "strcpy"))
        strcpy(text, source);
    else if (!strcmp(argv[1], "strncpy"))
        strncpy(text, source, len);
    else if (!strcmp(argv[1], "strcat"))
        strcat(text, source);
    else if (!strcmp(argv[1], "strncat"))
        strncat(text, source, len);
    else if (!strcmp(argv[1], "sprintf"))
        sprintf(text, "%s", source);
    else if (!strcmp(argv[1], "snprintf"))
        snprintf(text, len, "%s", source);
    else if (!strcmp(argv[1], "vsprintf"))
        return printed(false, 0, source);
    else if (!strcmp(argv[1], "vsnprintf"))
        return printed(true, len, source);
    else if (!strcmp(argv[1], "read"))
        return read(0, text, len) < 0;
    else if (!strcmp(argv[1], "pread"))
        return pread(0, text, len, 0) > 0;
    else if (!strcmp(argv[1], "getcwd"))
        return getcwd(text, len) == source;
    else if (!strcmp(argv[1], "fread"))
        return fread(text, 1, len, stdin) > len;
    else if (!strcmp(argv[1], "fgets"))
        return fgets(text, (int)len, stdin) == source;
    else if (!strcmp(argv[1], "readlink"))
        return readlink("/nowhere", text, len) > 0;
    else if (!strcmp(argv[1], "recv"))
        return recv(0, text, len, 0) > 0;
    else if (!strcmp(argv[1], "recvfrom"))
        return recvfrom(0, text, len, 0, NULL, NULL) > 0;
    else if (!strcmp(argv[1], "poll"))
        return poll((struct pollfd *)text, len / sizeof(struct pollfd), 0) > 1;
    else if (!strcmp(argv[1], "heap")) {        /* its size is known only here */
        char *block = malloc((size_t)argc * 5 + 1);

        memcpy(block, source, len);
        return block[0] == 'y';
    } else if (!strcmp(argv[1], "loop"))          /* only the stack protector sees this one */
        for (volatile char *to = text; to < text + len; to++)
            *to = 'x';
    else
        return 2;
    return text[0] == 'y';
}
