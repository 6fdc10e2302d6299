#include "splunk/validate.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "net/tls.h"

#define AHEAD_MOST_MS (5 * 60 * 1000) /* clocks differ */

/* Refuses a GUID. The portal lists the ID of a secret, a GUID, next to its value, which it shows only once. */
static bool is_secret_value(const struct input *input, struct err *err)
{
    return !text_is_guid(input->client_secret) ||
           err_set(err, ERR_INPUT,
                   "client_secret is a GUID (it is not shown here), so it is the ID of a secret, but it should be the "
                   "secret's Value. The portal shows the Value only once: if nobody has it, create a new secret");
}

/* Refuses the address of the page that a sign-in ended on, and its code: one field too low. */
static bool is_refresh_token(const struct input *input, struct err *err)
{
    const char *token = input->refresh_token ? input->refresh_token : "";

    return !(strstr(token, "://") || text_starts(token, "code=")) ||
           err_set(err, ERR_INPUT,
                   "refresh_token is an address (it is not shown here), but it should be a refresh token. Enter the "
                   "address of the page that a sign-in ended on in authorization_code");
}

/* Refuses a start in the future, which is mostly a slip: the input would say nothing until then. */
static bool start_has_come(const struct input *input, struct err *err)
{
    return input->start_time.relative || input->start_time.time <= ticks_from_ms(clock_wall_ms() + AHEAD_MOST_MS) ||
           err_set(err, ERR_INPUT,
                   "start_time is in the future (check year, month and day), but it should be a time in the past, from "
                   "which alerts are read");
}

/* Returns true for a file with a line that begins with the words, or for none. A file that cannot be read was refused
 * before, and what is inside of the lines is for the library to say. */
static bool is_pem(const char *name, const char *path, const char *words, struct err *err)
{
    struct buf text = BUF_INIT(TLS_CA_MAX);
    struct err unread;
    bool ok = !path || !file_read(path, &text, &unread) || strstr(buf_text(&text), words);

    buf_free_secret(&text); /* it may be a key */
    return ok ||
           err_set(err, ERR_INPUT, "%s is '%s', but it should be a PEM file, and no line of this one begins with %s",
                   name, path, words);
}

/* Nothing is tried with this file when an input is saved, so it is read. */
static bool is_ca_file(const char *name, const char *path, struct err *err)
{
    struct err why;

    return !path || tls_ca_usable(path, &why) ||
           err_set(err, ERR_INPUT,
                   "%s is '%s', but it should be a PEM file with the certificate of the authority that issued the one of "
                   "the Splunk instance of share_url: %s",
                   name, path, why.text);
}

bool validate_values(const struct input *input, struct err *err)
{
    return is_secret_value(input, err) && is_refresh_token(input, err) && start_has_come(input, err) &&
           is_pem("client_certificate", input->client_certificate, "-----BEGIN ", err) &&
           is_pem("ca_file", input->ca_file, "-----BEGIN ", err) &&
           is_ca_file("share_ca_file", input->share_ca_file, err);
}

bool validate_items(const struct config *config, struct input *ret, struct err *err)
{
    if (config->count != 1)
        return err_set(err, ERR_INPUT, "splunkd sent %zu <item> elements to validate, but there should be exactly one",
                       config->count);
    if (!input_from_stanza(&config->stanzas[0], CHECK_FILES, ret, err))
        return false;
    if (validate_values(ret, err) && stanza_is_plain(&config->stanzas[0], err))
        return true;
    input_free(ret);
    return false;
}

void validate_print_refusal(struct buf *ret, const char *text)
{
    buf_add_text(ret, "<error><message>");
    buf_add_xml(ret, text);
    buf_add_text(ret, "</message></error>\n");
}
