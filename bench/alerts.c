#include "alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pen {
    char    *at;
    uint64_t seed;
};

static uint64_t mix(uint64_t x)         /* splitmix64 */
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t roll(struct pen *pen)
{
    return pen->seed = mix(pen->seed);
}

static void put(struct pen *pen, const char *text)
{
    size_t len = strlen(text);

    memcpy(pen->at, text, len);
    pen->at += len;
}

static void put_number(struct pen *pen, uint64_t number, int least)
{
    char digits[24];
    int count = 0;

    while (number || count < least) {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    }
    while (count)
        *pen->at++ = digits[--count];
}

static void put_hex(struct pen *pen, int count)
{
    uint64_t bits = 0;
    int i;

    for (i = 0; i < count; i++) {
        if (i % 16 == 0)
            bits = roll(pen);
        *pen->at++ = "0123456789abcdef"[bits & 15];
        bits >>= 4;
    }
}

static void put_guid(struct pen *pen)
{
    static const int groups[] = { 8, 4, 4, 4, 12 };
    int i;

    for (i = 0; i < 5; i++) {
        if (i)
            put(pen, "-");
        put_hex(pen, groups[i]);
    }
}

static const char *one_of(struct pen *pen, const char *const *list, size_t count)
{
    return list[roll(pen) % count];
}
#define ONE_OF(pen, list) one_of(pen, list, sizeof(list) / sizeof(*(list)))

/* Civil date from days since 1970, after Howard Hinnant's algorithm. */
static void put_time(struct pen *pen, int64_t time)
{
    int64_t seconds = time / TICKS_PER_S, days = seconds / 86400, rest = seconds % 86400, z = days + 719468;
    int64_t era = z / 146097, doe = z - era * 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9, fraction = time % TICKS_PER_S;
    char *end;

    put_number(pen, (uint64_t)(yoe + era * 400 + (month <= 2)), 4);
    put(pen, "-");
    put_number(pen, (uint64_t)month, 2);
    put(pen, "-");
    put_number(pen, (uint64_t)(doy - (153 * mp + 2) / 5 + 1), 2);
    put(pen, "T");
    put_number(pen, (uint64_t)(rest / 3600), 2);
    put(pen, ":");
    put_number(pen, (uint64_t)(rest / 60 % 60), 2);
    put(pen, ":");
    put_number(pen, (uint64_t)(rest % 60), 2);
    if (fraction) {                     /* trailing zeros are dropped, as the services do */
        put(pen, ".");
        put_number(pen, (uint64_t)fraction, 7);
        for (end = pen->at; end[-1] == '0'; end--)
            ;
        pen->at = end;
    }
    put(pen, "Z");
}

int64_t time_read(const char *text)
{
    long long year, month, day, hour, minute, second, y, era, yoe, doy, doe;
    int64_t fraction = 0, unit = TICKS_PER_S / 10;
    int used = 0;

    if (sscanf(text, "%4lld-%2lld-%2lldT%2lld:%2lld:%2lld%n", &year, &month, &day, &hour, &minute, &second, &used) != 6)
        return INT64_MAX;
    text += used;
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
            fraction += (*text - '0') * unit;
    y = year - (month <= 2);
    era = y / 400;
    yoe = y - era * 400;
    doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (((era * 146097 + doe - 719468) * 24 + hour) * 60 + minute) * 60 * TICKS_PER_S + second * TICKS_PER_S +
           fraction;
}

bool feed_parse(const char *text, struct feed *ret)
{
    char kind[16];
    unsigned tenants, alerts;
    long long newest, step;

    if (sscanf(text, "%15[a-z]:%u:%u:%lld:%lld", kind, &tenants, &alerts, &newest, &step) != 5 || step < 2)
        return false;
    *ret = (struct feed){ strcmp(kind, "graph") ? FEED_ENDPOINT : FEED_GRAPH, tenants, alerts, newest, step };
    return true;
}

int64_t alert_time(const struct feed *feed, uint32_t tenant, uint32_t index)
{
    int64_t jitter = (int64_t)(mix((uint64_t)tenant << 32 | index) % (uint64_t)(feed->step / 2 + 1));

    return feed->newest - (int64_t)index * feed->step - jitter;
}

/* First index whose time is below the bound. */
static uint32_t first_below(const struct feed *feed, uint32_t tenant, int64_t bound)
{
    uint32_t low = 0, high = feed->alerts, mid;

    while (low < high) {
        mid = low + (high - low) / 2;
        if (alert_time(feed, tenant, mid) < bound)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

void alert_range(const struct feed *feed, uint32_t tenant, int64_t lo, int64_t hi, uint32_t *from, uint32_t *to)
{
    *from = first_below(feed, tenant, hi);
    *to = first_below(feed, tenant, lo);
    if (*to < *from)
        *to = *from;
}

static const char *const titles[] = {
    "Suspicious PowerShell command line", "Unusual logon from an unfamiliar location", "Malware was prevented",
    "Possible credential dumping with rundll32", "Suspicious service registration", "A script with suspicious content was observed",
    "Anomalous account lookups", "Connection to a known command-and-control host", "Hands-on-keyboard attack involving multiple devices"
};
static const char *const descriptions[] = {
    "A suspicious PowerShell activity was observed on the machine. This behavior may indicate that PowerShell was used during installation, exploration, or in some cases in lateral movement activities which are used by attackers to invoke modules, download external payloads, or get more information about the system. Attackers usually use PowerShell to bypass security protection mechanisms by executing their payload in memory without touching the disk and leaving any trace.",
    "An attacker might be using a living-off-the-land binary to run code of another origin.\\n\\nThe process loaded a module that has not been seen on this device before and wrote to the memory of another process; both are typical of credential theft.",
    "Malware and unwanted software are undesirable applications that perform annoying, disruptive, or harmful actions on affected machines. Some of these undesirable applications can replicate and spread from one machine to another. Others are able to receive commands from remote attackers and perform activities associated with cyber attacks.\\n\\nThis detection might indicate that the malware was stopped from delivering its payload. However, it is prudent to check the machine for signs of infection.",
};
static const char *const advice[] = {
    "1. Inspect the process tree of the alert.\\r\\n2. Collect artifacts and determine the scope of the incident.\\r\\n3. Reset the passwords of the accounts that signed in to the device.\\r\\n4. Isolate the device if you find signs of <b>lateral movement</b>.",
    "Validate the alert and scope the suspected breach.\\r\\n\\r\\n1. Find related machines, network addresses, and files in the incident graph.\\r\\n2. Check for other suspicious activities in the machine timeline.\\r\\n3. Locate unfamiliar processes in the process tree; check the files for prevalence, their locations, and digital signatures.\\r\\n4. Submit relevant files for deep analysis and review file behaviors.\\r\\n5. Identify unusual system activity with system owners.",
};
static const char *const commands[] = {
    "powershell.exe -NoProfile -ExecutionPolicy Bypass -Command \\\"& {Get-ChildItem -Path C:\\\\Users -Recurse | Where-Object {$_.Length -gt 1MB}}\\\"",
    "rundll32.exe C:\\\\Windows\\\\System32\\\\comsvcs.dll, MiniDump 624 C:\\\\Windows\\\\Temp\\\\lsass.dmp full",
    "cmd.exe /c whoami /all > C:\\\\ProgramData\\\\out.txt && net group \\\"Domain Admins\\\" /domain",
    "\\\"C:\\\\Program Files\\\\Microsoft Office\\\\root\\\\Office16\\\\WINWORD.EXE\\\" /n \\\"C:\\\\Users\\\\jürgen.müller\\\\Downloads\\\\Rechnung 4711.docm\\\" /o \\\"\\\"",
    "svchost.exe -k netsvcs -p -s Schedule",
};
static const char *const files[] = { "powershell.exe", "rundll32.exe", "cmd.exe", "WINWORD.EXE", "svchost.exe", "update_helper.exe" };
static const char *const folders[] = { "C:\\\\Windows\\\\System32\\\\WindowsPowerShell\\\\v1.0", "C:\\\\Windows\\\\System32", "C:\\\\Program Files\\\\Microsoft Office\\\\root\\\\Office16", "C:\\\\ProgramData\\\\Contoso" };
static const char *const severities[] = { "Informational", "Low", "Medium", "High" };
static const char *const small_severities[] = { "informational", "low", "medium", "high" };
static const char *const categories[] = { "Execution", "CredentialAccess", "Malware", "LateralMovement", "SuspiciousActivity", "Persistence" };
static const char *const users[] = { "a.schmidt", "svc-backup", "jürgen.müller", "administrator", "m.rossi", "k.tanaka" };

static void put_id(struct pen *pen, const struct feed *feed, uint32_t tenant, uint32_t index, int64_t time)
{
    put(pen, "da");
    put_number(pen, (uint64_t)(time + INT64_C(621355968000000000)), 18);
    put(pen, "_");
    put_number(pen, alert_number(feed, tenant, index), 1);
}

static void endpoint_process(struct pen *pen, int64_t time, uint32_t tenant)
{
    put(pen, "{\"entityType\":\"Process\",\"evidenceCreationTime\":\"");
    put_time(pen, time);
    put(pen, "\",\"sha1\":\"");
    put_hex(pen, 40);
    put(pen, "\",\"sha256\":\"");
    put_hex(pen, 64);
    put(pen, "\",\"fileName\":\"");
    put(pen, ONE_OF(pen, files));
    put(pen, "\",\"filePath\":\"");
    put(pen, ONE_OF(pen, folders));
    put(pen, "\",\"processId\":");
    put_number(pen, roll(pen) % 30000, 1);
    put(pen, ",\"processCommandLine\":\"");
    put(pen, ONE_OF(pen, commands));
    put(pen, "\",\"processCreationTime\":\"");
    put_time(pen, time - (int64_t)(roll(pen) % 600000000));
    put(pen, "\",\"parentProcessId\":");
    put_number(pen, roll(pen) % 30000, 1);
    put(pen, ",\"parentProcessCreationTime\":\"");
    put_time(pen, time - (int64_t)(roll(pen) % 6000000000));
    put(pen, "\",\"parentProcessFileName\":\"");
    put(pen, ONE_OF(pen, files));
    put(pen, "\",\"parentProcessFilePath\":\"");
    put(pen, ONE_OF(pen, folders));
    put(pen, "\",\"ipAddress\":null,\"url\":null,\"registryKey\":null,\"registryHive\":null,\"registryValueType\":null,"
             "\"registryValue\":null,\"registryValueName\":null,\"accountName\":\"");
    put(pen, ONE_OF(pen, users));
    put(pen, "\",\"domainName\":\"CONTOSO");
    put_number(pen, tenant, 3);
    put(pen, "\",\"userSid\":\"S-1-5-21-");
    put_number(pen, tenant * 7919u + 1004336348u, 1);
    put(pen, "-1177238915-682003330-");
    put_number(pen, 1000 + roll(pen) % 9000, 1);
    put(pen, "\",\"aadUserId\":\"");
    put_guid(pen);
    put(pen, "\",\"userPrincipalName\":\"");
    put(pen, ONE_OF(pen, users));
    put(pen, "@contoso.example\",\"detectionStatus\":\"Detected\"}");
}

static void endpoint_user(struct pen *pen, int64_t time)
{
    put(pen, ",{\"entityType\":\"User\",\"evidenceCreationTime\":\"");
    put_time(pen, time);
    put(pen, "\",\"sha1\":null,\"sha256\":null,\"fileName\":null,\"filePath\":null,\"processId\":null,"
             "\"processCommandLine\":null,\"processCreationTime\":null,\"parentProcessId\":null,"
             "\"parentProcessCreationTime\":null,\"parentProcessFileName\":null,\"parentProcessFilePath\":null,"
             "\"ipAddress\":null,\"url\":null,\"registryKey\":null,\"registryHive\":null,\"registryValueType\":null,"
             "\"registryValue\":null,\"registryValueName\":null,\"accountName\":\"");
    put(pen, ONE_OF(pen, users));
    put(pen, "\",\"domainName\":\"CONTOSO\",\"userSid\":\"S-1-5-21-1004336348-1177238915-682003330-");
    put_number(pen, 1000 + roll(pen) % 9000, 1);
    put(pen, "\",\"aadUserId\":\"");
    put_guid(pen);
    put(pen, "\",\"userPrincipalName\":null,\"detectionStatus\":null}");
}

static void endpoint_alert(struct pen *pen, const struct feed *feed, uint32_t tenant, uint32_t index, int64_t time)
{
    put(pen, "{\"id\":\"");
    put_id(pen, feed, tenant, index, time);
    put(pen, "\",\"incidentId\":");
    put_number(pen, 1000000 + roll(pen) % 900000, 1);
    put(pen, ",\"investigationId\":null,\"assignedTo\":null,\"severity\":\"");
    put(pen, ONE_OF(pen, severities));
    put(pen, "\",\"status\":\"New\",\"classification\":null,\"determination\":null,\"investigationState\":\"Queued\","
             "\"detectionSource\":\"WindowsDefenderAtp\",\"detectorId\":\"");
    put_guid(pen);
    put(pen, "\",\"category\":\"");
    put(pen, ONE_OF(pen, categories));
    put(pen, "\",\"threatFamilyName\":null,\"title\":\"");
    put(pen, ONE_OF(pen, titles));
    put(pen, "\",\"description\":\"");
    put(pen, ONE_OF(pen, descriptions));
    put(pen, "\",\"alertCreationTime\":\"");
    put_time(pen, time - (int64_t)(roll(pen) % 36000000000));
    put(pen, "\",\"firstEventTime\":\"");
    put_time(pen, time - (int64_t)(roll(pen) % 72000000000));
    put(pen, "\",\"lastEventTime\":\"");
    put_time(pen, time - (int64_t)(roll(pen) % 18000000000));
    put(pen, "\",\"lastUpdateTime\":\"");
    put_time(pen, time);
    put(pen, "\",\"resolvedTime\":null,\"machineId\":\"");
    put_hex(pen, 40);
    put(pen, "\",\"computerDnsName\":\"pc-");
    put_number(pen, roll(pen) % 5000, 4);
    put(pen, ".contoso.example\",\"rbacGroupName\":\"Workstations\",\"aadTenantId\":\"00000000-0000-4000-8000-");
    put_number(pen, tenant, 12);
    put(pen, "\",\"threatName\":null,\"mitreTechniques\":[\"T1059.001\",\"T1003.001\"],\"relatedUser\":{\"userName\":\"");
    put(pen, ONE_OF(pen, users));
    put(pen, "\",\"domainName\":\"CONTOSO\"},\"loggedOnUsers\":[{\"accountName\":\"");
    put(pen, ONE_OF(pen, users));
    put(pen, "\",\"domainName\":\"CONTOSO\"}],\"comments\":[],\"domains\":[],\"evidence\":[");
    endpoint_process(pen, time, tenant);
    endpoint_user(pen, time);
    endpoint_user(pen, time);
    put(pen, "]}");
}

static void graph_process(struct pen *pen, int64_t time)
{
    put(pen, "{\"@odata.type\":\"#microsoft.graph.security.processEvidence\",\"createdDateTime\":\"");
    put_time(pen, time);
    put(pen, "\",\"verdict\":\"suspicious\",\"remediationStatus\":\"none\",\"remediationStatusDetails\":null,\"roles\":[],"
             "\"detailedRoles\":[],\"tags\":[],\"processId\":");
    put_number(pen, roll(pen) % 30000, 1);
    put(pen, ",\"parentProcessId\":");
    put_number(pen, roll(pen) % 30000, 1);
    put(pen, ",\"processCommandLine\":\"");
    put(pen, ONE_OF(pen, commands));
    put(pen, "\",\"processCreationDateTime\":\"");
    put_time(pen, time - (int64_t)(roll(pen) % 600000000));
    put(pen, "\",\"parentProcessCreationDateTime\":\"");
    put_time(pen, time - (int64_t)(roll(pen) % 6000000000));
    put(pen, "\",\"detectionStatus\":\"detected\",\"mdeDeviceId\":\"");
    put_hex(pen, 40);
    put(pen, "\",\"imageFile\":{\"sha1\":\"");
    put_hex(pen, 40);
    put(pen, "\",\"sha256\":\"");
    put_hex(pen, 64);
    put(pen, "\",\"md5\":null,\"sha256Ac\":null,\"fileName\":\"");
    put(pen, ONE_OF(pen, files));
    put(pen, "\",\"filePath\":\"");
    put(pen, ONE_OF(pen, folders));
    put(pen, "\",\"fileSize\":");
    put_number(pen, roll(pen) % 3000000, 1);
    put(pen, ",\"filePublisher\":\"Microsoft Corporation\",\"signer\":null,\"issuer\":null},\"parentProcessImageFile\":"
             "{\"sha1\":null,\"sha256\":null,\"md5\":null,\"sha256Ac\":null,\"fileName\":\"");
    put(pen, ONE_OF(pen, files));
    put(pen, "\",\"filePath\":\"");
    put(pen, ONE_OF(pen, folders));
    put(pen, "\",\"fileSize\":");
    put_number(pen, roll(pen) % 3000000, 1);
    put(pen, ",\"filePublisher\":\"Microsoft Corporation\",\"signer\":null,\"issuer\":null},\"userAccount\":{\"accountName\":\"");
    put(pen, ONE_OF(pen, users));
    put(pen, "\",\"domainName\":\"CONTOSO\",\"userSid\":\"S-1-5-21-1004336348-1177238915-682003330-");
    put_number(pen, 1000 + roll(pen) % 9000, 1);
    put(pen, "\",\"azureAdUserId\":\"");
    put_guid(pen);
    put(pen, "\",\"userPrincipalName\":\"");
    put(pen, ONE_OF(pen, users));
    put(pen, "@contoso.example\",\"displayName\":null}}");
}

static void graph_device(struct pen *pen, int64_t time)
{
    put(pen, "{\"@odata.type\":\"#microsoft.graph.security.deviceEvidence\",\"createdDateTime\":\"");
    put_time(pen, time);
    put(pen, "\",\"verdict\":\"unknown\",\"remediationStatus\":\"none\",\"remediationStatusDetails\":null,\"roles\":[],"
             "\"detailedRoles\":[\"PrimaryDevice\"],\"tags\":[],\"firstSeenDateTime\":\"");
    put_time(pen, time - (int64_t)(roll(pen) % 6000000000000));
    put(pen, "\",\"mdeDeviceId\":\"");
    put_hex(pen, 40);
    put(pen, "\",\"azureAdDeviceId\":\"");
    put_guid(pen);
    put(pen, "\",\"deviceDnsName\":\"pc-");
    put_number(pen, roll(pen) % 5000, 4);
    put(pen, ".contoso.example\",\"hostName\":\"pc\",\"ntDomain\":null,\"dnsDomain\":\"contoso.example\",\"osPlatform\":"
             "\"Windows11\",\"osBuild\":22631,\"version\":\"23H2\",\"healthStatus\":\"active\",\"riskScore\":\"medium\","
             "\"rbacGroupId\":75,\"rbacGroupName\":\"Workstations\",\"onboardingStatus\":\"onboarded\",\"defenderAvStatus\":"
             "\"updated\",\"lastIpAddress\":\"10.1.");
    put_number(pen, roll(pen) % 250, 1);
    put(pen, ".");
    put_number(pen, roll(pen) % 250, 1);
    put(pen, "\",\"lastExternalIpAddress\":\"203.0.113.7\",\"ipInterfaces\":[\"10.1.2.3\",\"fe80::8c2a:6f1b:3d4e:5f60\","
             "\"127.0.0.1\",\"::1\"],\"vmMetadata\":null,\"loggedOnUsers\":[{\"accountName\":\"");
    put(pen, ONE_OF(pen, users));
    put(pen, "\",\"domainName\":\"CONTOSO\"}]}");
}

static void graph_alert(struct pen *pen, const struct feed *feed, uint32_t tenant, uint32_t index, int64_t time)
{
    int i;

    put(pen, "{\"id\":\"");
    put_id(pen, feed, tenant, index, time);
    put(pen, "\",\"providerAlertId\":\"");
    put_id(pen, feed, tenant, index, time);
    put(pen, "\",\"incidentId\":\"");
    put_number(pen, 10000 + roll(pen) % 90000, 1);
    put(pen, "\",\"status\":\"new\",\"severity\":\"");
    put(pen, ONE_OF(pen, small_severities));
    put(pen, "\",\"classification\":null,\"determination\":null,\"serviceSource\":\"microsoftDefenderForEndpoint\","
             "\"detectionSource\":\"microsoftDefenderForEndpoint\",\"productName\":\"Microsoft Defender for Endpoint\","
             "\"detectorId\":\"");
    put_guid(pen);
    put(pen, "\",\"tenantId\":\"00000000-0000-4000-8000-");
    put_number(pen, tenant, 12);
    put(pen, "\",\"title\":\"");
    put(pen, ONE_OF(pen, titles));
    put(pen, "\",\"description\":\"");
    put(pen, ONE_OF(pen, descriptions));
    put(pen, "\",\"recommendedActions\":\"");
    put(pen, ONE_OF(pen, advice));
    put(pen, "\",\"category\":\"");
    put(pen, ONE_OF(pen, categories));
    put(pen, "\",\"assignedTo\":null,\"alertWebUrl\":\"https://security.microsoft.com/alerts/");
    put_id(pen, feed, tenant, index, time);
    put(pen, "?tid=00000000-0000-4000-8000-");
    put_number(pen, tenant, 12);
    put(pen, "\",\"incidentWebUrl\":\"https://security.microsoft.com/incident2/28282/overview?tid=00000000-0000-4000-8000-");
    put_number(pen, tenant, 12);
    put(pen, "\",\"actorDisplayName\":null,\"threatDisplayName\":null,\"threatFamilyName\":null,\"mitreTechniques\":"
             "[\"T1059.001\",\"T1003.001\"],\"createdDateTime\":\"");
    put_time(pen, time - (int64_t)(roll(pen) % 36000000000));
    put(pen, "\",\"lastUpdateDateTime\":\"");
    put_time(pen, time);
    put(pen, "\",\"resolvedDateTime\":null,\"firstActivityDateTime\":\"");
    put_time(pen, time - (int64_t)(roll(pen) % 72000000000));
    put(pen, "\",\"lastActivityDateTime\":\"");
    put_time(pen, time - (int64_t)(roll(pen) % 18000000000));
    put(pen, "\",\"systemTags\":[],\"alertPolicyId\":null,\"investigationState\":\"queued\",\"additionalData\":null,"
             "\"customDetails\":{},\"comments\":[],\"evidence\":[");
    graph_device(pen, time);
    for (i = 0; i < 3; i++) {
        put(pen, ",");
        graph_process(pen, time);
    }
    put(pen, "]}");
}

size_t alert_write(const struct feed *feed, uint32_t tenant, uint32_t index, char *to)
{
    struct pen pen = { to, mix((uint64_t)tenant << 32 | index) };
    int64_t time = alert_time(feed, tenant, index);

    if (feed->kind == FEED_GRAPH)
        graph_alert(&pen, feed, tenant, index, time);
    else
        endpoint_alert(&pen, feed, tenant, index, time);
    return (size_t)(pen.at - to);
}
