/* Which CA file splunkd is verified with, by what server.conf says. */
#include "splunk/rest_ca.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"

static char home[] = "/tmp/splunkcaXXXXXX";

static void put(const char *path, const char *text)
{
    CLEANUP(mem_freep) char *whole = mem_format("%s/%s", home, path);
    struct err err;

    CHECK(file_replace(whole, text, strlen(text), false, &err), "%s", err.text);
}

static void make_folder(const char *path)
{
    CLEANUP(mem_freep) char *whole = mem_format("%s/%s", home, path);
    struct err err;

    CHECK(file_make_folder(whole, &err), "%s", err.text);
}

/* conf: "@" stands for the home folder. want: below home; NULL: none. */
static const struct { const char *conf, *want; } rows[] = {
    { "", "etc/auth/cacert.pem" },
    { "[sslConfig]\n", "etc/auth/cacert.pem" },
    { "[sslConfig]\nsslRootCAPath = @/etc/auth/own.pem\n", "etc/auth/own.pem" },
    { "[sslConfig]\nsslRootCAPath=$SPLUNK_HOME/etc/auth/own.pem", "etc/auth/own.pem" },
    { "[sslConfig]\r\nsslRootCAPath\t=  ${SPLUNK_HOME}/etc/auth/own.pem  \r\n", "etc/auth/own.pem" },
    { "\xEF\xBB\xBF[sslConfig]\nsslRootCAPath = @/etc/auth/own.pem\n", "etc/auth/own.pem" },
    { "[general]\nsslRootCAPath = @/etc/auth/own.pem\n", "etc/auth/cacert.pem" },
    { "[general]\nx = y\n[sslConfig]\nsslPassword = a=b\nsslRootCAPath = "
      "@/etc/auth/own.pem\n[kvstore]\nsslRootCAPath = /x\n",
      "etc/auth/own.pem" },
    { "[sslConfig]\n# sslRootCAPath = @/etc/auth/own.pem\n", "etc/auth/cacert.pem" },
    { "[sslConfig]\nsslRootCAPath = @/etc/auth/gone.pem\n", "etc/auth/cacert.pem" },
    { "[sslConfig]\nsslRootCAPath = @/etc/auth\n", "etc/auth/cacert.pem" },
    { "[sslConfig]\nsslRootCAPath = etc/auth/own.pem\n", "etc/auth/cacert.pem" },
    { "[sslConfig]\nsslRootCAPath =\ncaCertFile = own.pem\n", "etc/auth/own.pem" },
    { "[sslConfig]\ncaCertFile = own.pem\n", "etc/auth/own.pem" },
    { "[sslConfig]\ncaCertFile = other.pem\ncaPath = $SPLUNK_HOME/etc/other\n", "etc/other/other.pem" },
    { "[sslConfig]\ncaCertFile = $SPLUNK_HOME/etc/other/other.pem\n", "etc/other/other.pem" },
    { "[sslConfig]\ncaCertFile = other.pem\n", "etc/auth/cacert.pem" },
    { "[sslConfig]\ncaCertFile = own.pem\nsslRootCAPath = @/etc/other/other.pem\n", "etc/other/other.pem" },
    { "[sslConfig]\nsslRootCAPath = /x\nsslRootCAPath = @/etc/auth/own.pem\n", "etc/auth/own.pem" },
    { "[sslConfig]\nsslRootCAPathX = @/etc/auth/own.pem\n= y\nnothing\n[", "etc/auth/cacert.pem" },
};

static void check_row(const char *conf, const char *want)
{
    CLEANUP(mem_freep) char *text = mem_alloc(strlen(conf) + 4 * sizeof(home));
    CLEANUP(mem_freep) char *path = mem_format("%s/%s", home, want ? want : "");
    CLEANUP(mem_freep) char *got = NULL;
    char *to = text;

    for (; *conf; conf++)
        to = *conf == '@' ? stpcpy(to, home) : stpncpy(to, conf, 1);
    put("etc/system/local/server.conf", text);
    got = rest_ca_file(home);
    CHECK(text_same(got, want ? path : NULL), "got '%s', want '%s' for %s", got ? got : "none", path, text);
}

static void test_server_conf(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_row(rows[i].conf, rows[i].want);
}

static void test_no_file(void **state UNUSED)
{
    CLEANUP(mem_freep) char *cacert = mem_format("%s/etc/auth/cacert.pem", home);

    unlink(cacert);
    check_row("[sslConfig]\nsslRootCAPath = /gone\n", NULL);
    put("etc/auth/cacert.pem", "x");
}

static void test_no_home(void **state UNUSED)
{
    char *none = rest_ca_file(NULL);

    CHECK(!none, "%s", none);
    none = rest_ca_file("");
    CHECK(!none, "%s", none);
    none = rest_ca_file("/no/such/home");
    CHECK(!none, "%s", none);
}

static int set_up(void **state UNUSED)
{
    if (!mkdtemp(home))
        return -1;
    make_folder("etc/system/local");
    make_folder("etc/auth");
    make_folder("etc/other");
    put("etc/auth/cacert.pem", "x");
    put("etc/auth/own.pem", "x");
    put("etc/other/other.pem", "x");
    return 0;
}

static int tear_down(void **state UNUSED)
{
    CLEANUP(mem_freep) char *command = mem_format("rm -rf '%s'", home);

    return system(command);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_server_conf),
    cmocka_unit_test(test_no_file),
    cmocka_unit_test(test_no_home),
};

UNIT(rest_ca, cases, set_up, tear_down)
