/* collect/same_tenant.h - whether a checkpoint is of the tenant that an input names now.
 *
 * A tenant has a GUID and any number of domains, and tenant_id may be each of them, in upper or lower case. A
 * checkpoint of the same tenant stays as it is when only the spelling changes. Which GUID a domain stands for is
 * known from the token (its claim tid), and from then on from the checkpoint. */
#pragma once

#include "state/checkpoint.h"

enum tenant_match {
    TENANT_SAME,
    TENANT_OTHER,
    TENANT_UNDECIDED /* the first token tells */
};

/* tid: of the token; NULL: there is none yet; "": it names no tenant. */
enum tenant_match same_tenant(const struct checkpoint *checkpoint, const char *tenant_id, const char *tid);
