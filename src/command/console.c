#include "command/console.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#define CTRL_D    0x04
#define BACKSPACE 0x08
#define DELETE    0x7f

static struct termios as_it_was;
static volatile sig_atomic_t changed_fd = -1; /* the terminal whose settings were changed; -1: none */
static const char *stopped_text;
static bool stderr_is_terminal; /* a prompt or a progress line may be on it */

static void terminal_restore(void)
{
    if (changed_fd >= 0)
        tcsetattr(changed_fd, TCSADRAIN, &as_it_was);
    changed_fd = -1;
}

static void write_stderr(const char *text)
{
    ssize_t ignored UNUSED = write(STDERR_FILENO, text, strlen(text));
}

/* Calls only async-signal-safe functions (signal-safety(7)). TCSANOW: a terminal stopped by Ctrl-S never drains. */
static void console_leave(int number UNUSED)
{
    if (changed_fd >= 0)
        tcsetattr(changed_fd, TCSANOW, &as_it_was);
    write_stderr(stderr_is_terminal ? "\nERROR " : "ERROR ");
    write_stderr(stopped_text);
    write_stderr("\n");
    _exit(1);
}

void console_start(struct console *console, const char *stopped)
{
    static const int stops[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    struct sigaction action = { .sa_handler = console_leave };
    size_t i;

    stopped_text = stopped;
    stderr_is_terminal = isatty(STDERR_FILENO);

    *console = (struct console){ .fd = STDIN_FILENO, .is_terminal = isatty(STDIN_FILENO) };
    sigfillset(&action.sa_mask);
    for (i = 0; i < COUNT_OF(stops); i++)
        sigaction(stops[i], &action, NULL);
}

static void set_terminal(int fd, bool hidden)
{
    struct termios settings;

    if (tcgetattr(fd, &as_it_was))
        return;
    settings = as_it_was;
    settings.c_lflag &= ~(tcflag_t)(ICANON | (hidden ? ECHO : 0));
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    changed_fd = fd;
    tcsetattr(fd, TCSADRAIN, &settings);
}

static int read_byte(int fd)
{
    unsigned char byte;
    ssize_t got;

    do
        got = read(fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 ? byte : -1;
}

static void take_back(const struct console *console, struct buf *line, bool hidden)
{
    if (!line->len)
        return;
    while (line->len && ((unsigned char)line->data[line->len - 1] & 0xC0) == 0x80)
        line->len--;
    if (line->len)
        line->len--;
    line->data[line->len] = '\0';
    if (!hidden && console->is_terminal)
        fputs("\b \b", stderr);
}

/* Reads up to the end of the line. Returns false if nothing came. */
static bool read_line(const struct console *console, bool hidden, struct buf *ret)
{
    int byte = 0;

    while ((byte = read_byte(console->fd)) >= 0 && byte != '\n') {
        if (console->is_terminal && byte == CTRL_D)
            break;
        if (console->is_terminal && (byte == BACKSPACE || byte == DELETE))
            take_back(console, ret, hidden);
        else if (byte)
            buf_add_char(ret, (char)byte);
    }
    return byte == '\n' || ret->len;
}

static void trim_line(struct buf *line)
{
    while (line->len && strchr(" \t\r", line->data[line->len - 1]))
        line->data[--line->len] = '\0';
    while (line->len && strchr(" \t", line->data[0]))
        buf_cut_front(line, 1);
}

static bool to_terminal(struct console *console)
{
    int fd;

    if (console->is_terminal || (fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) < 0)
        return false;
    *console = (struct console){ .fd = fd, .is_terminal = true };
    return true;
}

bool console_line(struct console *console, const char *prompt, bool hidden, struct buf *ret)
{
    bool found = false;

    while (!console->is_terminal && !ret->len && (found = read_line(console, hidden, ret)))
        trim_line(ret); /* empty lines of a pipe are skipped */
    if (!found && (console->is_terminal || to_terminal(console))) {
        fflush(stdout);
        set_terminal(console->fd, hidden);
        fputs(prompt, stderr);
        found = read_line(console, hidden, ret);
        terminal_restore();
        if (hidden)
            fputc('\n', stderr);
    }
    trim_line(ret);
    return found;
}

/* Reads the XML whose first bytes were read as a line. */
static bool read_xml(struct console *console, const struct buf *start, struct config *ret, struct err *err)
{
    struct config_reader *reader = config_reader_new(CONFIG_INPUT);
    bool ok = config_reader_feed(reader, buf_text(start), start->len, err) && config_reader_feed(reader, "\n", 1, err);
    int byte = 0;
    char c;

    while (ok && !config_reader_done(reader) && (byte = read_byte(console->fd)) >= 0) {
        c = (char)byte;
        ok = config_reader_feed(reader, &c, 1, err);
    }
    ok = ok && config_reader_take(reader, ret, err);
    config_reader_free(reader);
    return ok;
}

/* Returns the session key of a line: as it is, or as older splunkd writes it to scripts that ask for it,
 * "sessionKey=<key>", percent-encoded. */
static char *key_of_line(const char *text)
{
    static const char prefix[] = "sessionKey=";
    char *key;

    if (text_starts(text, prefix) && text_url_decode(text + strlen(prefix), strlen(text) - strlen(prefix), false, &key))
        return key;
    return mem_text(text);
}

bool console_config(struct console *console, struct config *ret, struct err *err)
{
    struct buf line = BUF_INIT(CONFIG_MAX);
    bool ok = true;

    *ret = (struct config){ .session_key = NULL };
    console_line(console, "Splunk session key (not shown): ", true, &line);
    if (line.len && line.data[0] == '<')
        ok = read_xml(console, &line, ret, err);
    else if (line.len)
        ret->session_key = key_of_line(buf_text(&line));
    buf_free_secret(&line);
    return ok;
}

bool console_session(struct console *console, char **session_key, char **server_uri, struct err *err)
{
    struct config config;

    *session_key = *server_uri = NULL;
    if (!console_config(console, &config, err))
        return false;
    *session_key = text_empty(config.session_key) ? NULL : mem_text(config.session_key);
    *server_uri = text_empty(config.server_uri) ? NULL : mem_text(config.server_uri);
    config_free(&config);
    return true;
}

void console_tell_waiting(const char *text)
{
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "%s\n", text);
}

void console_put(const char *text, FILE *to)
{
    CLEANUP(mem_freep) char *plain = mem_text(text);

    utf8_make_line(plain);
    fputs(plain, to);
}

void console_warn_of_readers(const char *path)
{
    if (path && file_is_shared(path))
        printf("Warning: others on this host can read the secrets in %s; take their permission away (chmod 600).\n",
               path);
}

void console_progress(const char *text)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%s", text ? text : "");
    fflush(stderr);
}
