/* A server on loopback for test_http.c: each connection has a process of its own, answers what the path of its request
 * names, byte by byte as it stands here, and closes, but not after /keep. /echo answers with the request itself. */
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

struct reply {
    const char *path, *head;    /* head without the empty line; NULL: no answer at all, the connection stays open */
    const char *body;
    size_t      len;            /* of the body; 0: up to its zero byte */
};

struct http_server {
    int   port;
    pid_t pid;
};

static void server_send(int fd, const char *bytes, size_t len)
{
    ssize_t done;

    for (; len && (done = write(fd, bytes, len)) > 0; len -= (size_t)done)
        bytes += done;
}

/* The request's head, and its body if a Content-Length comes with it. */
static void server_read(int fd, struct buf *request)
{
    const char *end, *length;
    size_t want = 0;
    ssize_t got;

    for (;;) {
        got = read(fd, buf_room(request, 4096), 4096);
        if (got <= 0)
            return;
        request->len += (size_t)got;
        request->data[request->len] = '\0';
        end = strstr(request->data, "\r\n\r\n");
        length = strcasestr(request->data, "content-length: ");
        if (length)
            want = strtoul(length + strlen("content-length: "), NULL, 10);
        if (end && request->len >= (size_t)(end - request->data) + 4 + want)
            return;
    }
}

static void server_answer(int fd, const struct reply *replies);

/* Keeps the connection open for another request. */
static void server_keep(int fd, const struct reply *replies)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    server_send(fd, answer, strlen(answer));
    server_answer(fd, replies);
}

static void server_answer(int fd, const struct reply *replies)
{
    struct buf request = BUF_INIT(1 << 20);
    const struct reply *reply;
    char head[256];
    size_t len;

    server_read(fd, &request);
    if (strstr(buf_text(&request), " /echo ")) {
        snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", request.len);
        server_send(fd, head, strlen(head));
        server_send(fd, request.data, request.len);
        return;
    }
    if (strstr(buf_text(&request), " /keep ")) {
        server_keep(fd, replies);
        return;
    }
    for (reply = replies; reply->path; reply++) {
        len = strlen(reply->path);
        if (strncmp(strchr(buf_text(&request), ' ') + 1, reply->path, len) ||
            strchr(buf_text(&request), ' ')[len + 1] != ' ')
            continue;
        if (!reply->head)
            pause();
        server_send(fd, reply->head, strlen(reply->head));
        server_send(fd, "\r\n\r\n", 4);
        server_send(fd, reply->body, reply->len ? reply->len : strlen(reply->body));
    }
}

static void server_serve(int listener, const struct reply *replies)
{
    int fd;

    signal(SIGCHLD, SIG_IGN);
    setpgid(0, 0);
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        if (!fork()) {
            server_answer(fd, replies);
            _exit(0);
        }
        close(fd);
    }
    _exit(0);
}

static inline bool server_start(struct http_server *server, const struct reply *replies)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    *server = (struct http_server){ .pid = -1 };
    if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 64) ||
        getsockname(listener, (struct sockaddr *)&address, &len))
        return false;
    server->port = ntohs(address.sin_port);
    server->pid = fork();
    if (!server->pid)
        server_serve(listener, replies);
    setpgid(server->pid, server->pid);
    close(listener);
    return server->pid > 0;
}

static inline void server_stop(struct http_server *server)
{
    if (server->pid <= 0) /* it did not start */
        return;
    kill(-server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
}
