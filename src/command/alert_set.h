/* command/alert_set.h - which alerts an input reads, to find two inputs that read the same ones: each of these alerts
 * would be written twice.
 *
 * Two inputs do if they name one tenant and one API, and their filters do not exclude each other (splunk/filter.h). The
 * app, the cloud and the addresses do not matter. A tenant has a GUID and any number of domains; which GUID a domain
 * stands for is known from a token (claim tid) or from the input's checkpoint. */
#pragma once

#include "base/json.h"
#include "splunk/stanza.h"

/* Borrows all texts. */
struct alert_set {
    const char *name;      /* of the input */
    const char *tenant_id; /* GUID or domain */
    const char *tid;       /* the tenant's GUID; NULL or "": not known, or tenant_id is one */
    const char *api;       /* the parameter's word */
    const char *filter;    /* NULL or "": none */
};

struct alert_set alert_set_of_input(const struct input *input, const char *tid);
/* Reads a stanza as splunkd or a file gave it. Returns false if the input is disabled: it writes nothing. */
bool alert_set_of_stanza(const struct raw_stanza *stanza, struct alert_set *ret);
/* Reads an entry of data_inputs_list(). The same for a disabled input. */
bool alert_set_of_entry(const cJSON *entry, struct alert_set *ret);

/* Returns true if both inputs read the same alerts, or some of them. */
bool alert_sets_meet(const struct alert_set *a, const struct alert_set *b);

/* Returns "it reads the same alerts as the input 'contoso' (tenant ..., api graph), so each of them is written
 * twice. Our administrator: ...", without a period at the end. more: how many further inputs do. Caller frees. */
char *alert_set_sentence(const struct alert_set *other, size_t more);
