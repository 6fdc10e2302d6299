#include "collect/same_tenant.h"

#include "base/text.h"

/* Returns the tenant's GUID, or NULL. */
static const char *guid_of(const char *tenant_id, const char *tid)
{
    return text_is_guid(tenant_id) ? tenant_id : text_empty(tid) ? NULL : tid;
}

enum tenant_match same_tenant(const struct checkpoint *checkpoint, const char *tenant_id, const char *tid)
{
    const char *before = guid_of(checkpoint->tenant_id, checkpoint->tid), *now = guid_of(tenant_id, tid);

    if (before && now)
        return text_same_nocase(before, now) ? TENANT_SAME : TENANT_OTHER;
    if (text_same_nocase(checkpoint->tenant_id, tenant_id))
        return TENANT_SAME;
    return before && !tid ? TENANT_UNDECIDED : TENANT_OTHER;
}
