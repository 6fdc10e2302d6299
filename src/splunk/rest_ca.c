#include "splunk/rest_ca.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/tls.h"

#define CONF_MAX (1024 * 1024)

struct ssl_config {
    char *root_ca; /* sslRootCAPath */
    char *ca_path; /* caPath: the folder of caCertFile */
    char *ca_cert; /* caCertFile: the older setting */
};

static void ssl_config_free(struct ssl_config *config)
{
    free(config->root_ca);
    free(config->ca_path);
    free(config->ca_cert);
}

/* Reads one "key = value". The last of a key wins, as in Splunk. */
static void take_setting(struct ssl_config *config, const char *line)
{
    const struct {
        const char *key;
        char **slot;
    } keys[] = { { "sslRootCAPath", &config->root_ca },
                 { "caPath", &config->ca_path },
                 { "caCertFile", &config->ca_cert } };
    const char *equals = strchr(line, '=');
    CLEANUP(mem_freep) char *before = mem_text_n(line, equals ? (size_t)(equals - line) : 0);
    CLEANUP(mem_freep) char *key = text_trimmed(before);
    size_t i;

    for (i = 0; equals && i < COUNT_OF(keys); i++) {
        if (strcmp(key, keys[i].key) == 0) {
            free(*keys[i].slot);
            *keys[i].slot = text_trimmed(equals + 1);
        }
    }
}

/* Reads [sslConfig] of server.conf. A missing file or stanza leaves the defaults. */
static void read_conf(const char *path, struct ssl_config *config)
{
    struct buf conf = BUF_INIT(CONF_MAX);
    bool inside = false;
    char *line, *rest;
    struct err err;

    if (file_read(path, &conf, &err) && conf.len) {
        rest = conf.data + (text_starts(conf.data, "\xEF\xBB\xBF") ? 3 : 0);
        while ((line = strsep(&rest, "\n"))) {
            CLEANUP(mem_freep) char *trimmed = text_trimmed(line);

            if (*trimmed == '[')
                inside = strcmp(trimmed, "[sslConfig]") == 0;
            else if (inside && *trimmed != '#')
                take_setting(config, trimmed);
        }
    }
    buf_free_secret(&conf); /* the stanza also has sslPassword */
}

/* Replaces the $SPLUNK_HOME that Splunk writes into its paths. */
static char *expanded(const char *path, const char *home)
{
    static const char *const forms[] = { "$SPLUNK_HOME", "${SPLUNK_HOME}" };
    size_t i;

    for (i = 0; i < COUNT_OF(forms); i++)
        if (text_starts(path, forms[i]))
            return mem_format("%s%s", home, path + strlen(forms[i]));
    return mem_text(path);
}

/* Returns the path if it is a readable file, else NULL. Takes the path over. */
static char *if_usable(char *path)
{
    struct err ignored;

    if (path && *path == '/' && file_usable(path, TLS_CA_MAX, &ignored))
        return path;
    free(path);
    return NULL;
}

static char *old_setting_file(const struct ssl_config *config, const char *home)
{
    CLEANUP(mem_freep) char *file = expanded(config->ca_cert, home);
    CLEANUP(mem_freep)
    char *folder = expanded(text_empty(config->ca_path) ? "$SPLUNK_HOME/etc/auth" : config->ca_path, home);

    return if_usable(*file == '/' ? mem_take(&file) : mem_format("%s/%s", folder, file));
}

char *rest_ca_file(const char *splunk_home)
{
    CLEANUP(mem_freep) char *conf = NULL;
    struct ssl_config config = { 0 };
    char *found = NULL;

    if (text_empty(splunk_home))
        return NULL;
    conf = mem_format("%s/etc/system/local/server.conf", splunk_home);
    read_conf(conf, &config);
    if (!text_empty(config.root_ca))
        found = if_usable(expanded(config.root_ca, splunk_home));
    if (!found && !text_empty(config.ca_cert))
        found = old_setting_file(&config, splunk_home);
    if (!found)
        found = if_usable(mem_format("%s/etc/auth/cacert.pem", splunk_home));
    ssl_config_free(&config);
    return found;
}
