/* What is written to stderr between capture_begin() and capture_end(). */
#pragma once

#include <stdlib.h>
#include <unistd.h>

struct capture {
    int ends[2], real;
};

static inline struct capture capture_begin(void)
{
    struct capture capture = { .real = dup(STDERR_FILENO) };

    if (pipe(capture.ends))
        abort();
    dup2(capture.ends[1], STDERR_FILENO);
    return capture;
}

/* Returns the text. It is valid until the next call. */
static inline char *capture_end(struct capture capture)
{
    static char text[4096];
    ssize_t len;

    dup2(capture.real, STDERR_FILENO);
    close(capture.ends[1]);
    close(capture.real);
    len = read(capture.ends[0], text, sizeof(text) - 1);
    close(capture.ends[0]);
    text[len > 0 ? len : 0] = '\0';
    return text;
}
