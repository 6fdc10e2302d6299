/* The modular input defender_alerts: see README.md and docs/. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "command/audit.h"
#include "command/check.h"
#include "command/consent.h"
#include "command/export.h"
#include "command/import.h"
#include "command/options.h"
#include "command/run.h"
#include "command/share.h"
#include "command/sign_in.h"
#include "command/update.h"
#include "command/validate.h"
#include "splunk/scheme.h"

#define SCHEME_BYTES 16384
#define VALIDATE     "--validate-arguments"

static int print_scheme(void)
{
    struct buf out = BUF_INIT(1 << 20);
    bool ok;

    buf_room(&out, SCHEME_BYTES); /* growing in steps touches more pages: a sixth of the time */
    scheme_print(&out);
    ok = fwrite(buf_text(&out), 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_free(&out);
    return ok ? 0 : 1;
}

static int print_version(void)
{
    puts("defender_alerts " VERSION);
    return fflush(stdout) ? 1 : 0;
}

static int print_help(void);

/* clang-format off */
/* In the order of --help. The first has no name: it runs without arguments. */
static const struct command {
    const char *name;
    int       (*run)(void);
    int       (*run_with)(int argc, char **argv);   /* has options of its own */
    const char *help;
} commands[] = {
    { NULL, run_inputs, NULL,
      "collect: reads <input> XML on stdin, writes <stream> XML to stdout (as splunkd calls it)" },
    { "--scheme", print_scheme, NULL, "print the scheme of the modular input" },
    { VALIDATE, validate_run, NULL, "check one input: reads <items> XML on stdin" },
    { "check", NULL, check_run, "try every input once and report what is wrong: reads <input> XML on stdin" },
    { "audit", NULL, audit_run,
      "compare what Microsoft lists with what was written: reads <input> XML on stdin" },
    { "share", NULL, share_run, "several forwarders that share the inputs: token, status, take, drain, undrain, forget" },
    { "sign-in", NULL, sign_in_run, "sign a user in for delegated access: prints or stores the refresh token" },
    { "import", NULL, import_run, "create or update many inputs from a CSV file" },
    { "export", NULL, export_run, "write the present inputs as such a file, without secrets" },
    { "consent", NULL, consent_run, "print the consent link of each customer of such a file, or wait for the consents" },
    { "--execute", NULL, update_run, "change an alert at Microsoft: reads the JSON of an alert action on stdin" },
    { "--version", print_version, NULL, "print the version" },
    { "--help", print_help, NULL, "print this; also -h. Before or after a command: the help of that command" }
};
/* clang-format on */

static int print_help(void)
{
    size_t i;

    puts("usage: defender_alerts [COMMAND]");
    for (i = 0; i < COUNT_OF(commands); i++)
        printf("  %-22s %s\n", commands[i].name ? commands[i].name : "(none)", commands[i].help);
    return fflush(stdout) ? 1 : 0;
}

/* Opens stdin, stdout and stderr to /dev/null where they are closed: a socket or a checkpoint that became descriptor 1
 * or 2 would receive events or log lines. stdin and stdout are opened for the wrong direction, so that using them still
 * fails: events that go nowhere must not count as written. */
static void fill_descriptors(void)
{
    static const int modes[] = { O_WRONLY, O_RDONLY, O_WRONLY };
    int fd;

    for (fd = 0; fd < (int)COUNT_OF(modes); fd++) /* the lowest free number is the one just found closed */
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", modes[fd]) != fd)
            _exit(1);
}

/* Keeps secrets from core files and from debuggers of the same user, files from other users, and rights from whatever
 * might be started. Raises the number of open files to what connections may need. */
static void protect_process(void)
{
    struct rlimit none = { 0, 0 }, files;

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    umask(077);
    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

#define LOG_CLOSE_MS 200 /* for lines that wait until stderr is read: the end after SIGTERM takes a second at most */

static volatile sig_atomic_t stopped_status;

static void leave(int number UNUSED)
{
    _exit(stopped_status);
}

/* Ends the process at a stop signal until the loop takes over (loop_catch_signals()): until then there is nothing to
 * save. splunkd reads status 0 of a validation as a valid input. */
static void leave_on_signals(bool validating)
{
    struct sigaction action = { .sa_handler = leave };

    stopped_status = validating;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

/* Returns the command of that name; NULL: there is none. */
static const struct command *find_command(const char *name)
{
    size_t i;

    if (options_is_help(name))
        name = "--help";
    for (i = 1; i < COUNT_OF(commands); i++)
        if (!strcmp(name, commands[i].name))
            return &commands[i];
    return NULL;
}

/* Returns the command that differs only in dashes before its name and in capitals: 'help', '--Check'. NULL: none. */
static const struct command *similar_command(const char *name)
{
    const char *word = name + strspn(name, "-"), *other;
    size_t i;

    for (i = 1; i < COUNT_OF(commands); i++) {
        other = commands[i].name + strspn(commands[i].name, "-");
        if (text_same_nocase(word, other))
            return &commands[i];
    }
    return NULL;
}

/* Says what is wrong with the arguments. One that is not known is not repeated: it may be a secret. */
static int refuse_arguments(const struct command *command, const char *name)
{
    const struct command *similar = similar_command(name);

    if (command)
        fprintf(stderr, "ERROR %s takes no arguments; -h lists the commands\n", command->name);
    else if (similar)
        fprintf(stderr, "ERROR unknown arguments; the command is '%s'; -h lists the commands\n", similar->name);
    else
        fprintf(stderr, "ERROR unknown arguments; -h lists the commands\n");
    return 1;
}

/* Prints the help of one command: its own, or its line of --help. */
static int print_help_of(const struct command *command)
{
    char name[32];
    char *asked[] = { name, (char[]){ "--help" }, NULL };
    int status = 0;

    snprintf(name, sizeof(name), "%s", command->name);
    if (command->run_with)
        status = command->run_with(2, asked);
    else
        printf("usage: defender_alerts %s\n%s\n", command->name, command->help);
    return fflush(stdout) ? 1 : status;
}

/* Runs the command that the arguments name; without one, the inputs. */
static int run_command(int argc, char **argv)
{
    bool help_first = argc > 2 && options_is_help(argv[1]);
    const struct command *command;

    if (argc < 2)
        return run_inputs();
    command = find_command(argv[help_first ? 2 : 1]);
    if (command && command->run_with && !help_first)
        return command->run_with(argc - 1, argv + 1);
    if (command && command->run != print_help && command->run != print_version &&
        (help_first || options_want_help(argc - 1, argv + 1)))
        return print_help_of(command);
    if (command && argc == 2)
        return command->run();
    return refuse_arguments(command, argv[help_first ? 2 : 1]);
}

int main(int argc, char **argv)
{
    int status;

    fill_descriptors();
    if (argc < 2 || strcmp(argv[1], VALIDATE) == 0)
        leave_on_signals(argc > 1);
    protect_process();
    log_init();
    crypto_begin();
    json_init();
    status = run_command(argc, argv);
    log_close(LOG_CLOSE_MS);
    return status;
}
