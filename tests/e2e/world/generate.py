"""Made-up alerts in the shapes of the four APIs, with the values that trip readers up.

Times of every fraction width, text in several scripts, escapes of every kind, numbers that no double can hold,
members that are null, missing or empty: whatever a service has been seen to send, one alert or another has it.
"""
import json
import random
import uuid

from . import ticks as ticks_

_RAW_MARK = '@@number:'      # json.dumps cannot write a number's text as we want it, so it is put in afterwards
_TITLES = ('Scheduled task created by an office document', 'Geplante Aufgabe mit verdächtigem Ziel – prüfen',
           '不審なプロセスが起動されました', 'Quoted "title" with <tags> & ampersands', 'Ранее неизвестный драйвер',
           "A path like C:\\temp\\new\\table.txt isn't an escape", 'Tab\tand newline\nin one title', 'ملف مشبوه',
           'Emoji 🛡️ outside the basic plane', ']]> ends nothing here', '  blanks   kept  ', 'NUL \u0000 and \u001f')
_COMMANDS = (r'cmd.exe /q /c dir \\10.1.2.3\share$ 1> out.txt 2>&1', r'"C:\Program Files\Tool\a.exe" -x "a && b < c"',
             'powershell -enc SQBuAHYAbwBrAGUA...', '/bin/sh -c \'echo "$HOME" | tee /tmp/ü\'', '\\\\?\\C:\\very\\long')
_ADVICE = ('Isolate the device from the portal and collect an investigation package before anything is cleaned up.\r\n'
           '\ufffd\tCompare the file with the copies on other devices.\r\n\tAsk the owner whether it was planned.'
           '\r\n\r\nIf in doubt, block the hash & reset the password of every account that was signed in. ')
_NUMBERS = ('0', '-0', '1.0', '1.50', '9007199254740993', '18446744073709551615', '-1e-7', '6.02E+23',
            '123456789012345678901234567890', '1e400')


def spread_ticks(rng, base, span_s=600):
    """A random time within span_s after base: of any precision, and often one that others will hit as well."""
    seconds = rng.randrange(span_s)
    kind = rng.randrange(4)
    if kind == 0:                                # Defender's own grid, on which equal stamps are common
        part = round(rng.randrange(300) * ticks_.PER_SECOND / 300)
    elif kind == 1:                              # few fraction digits
        digits = rng.randrange(8)
        part = rng.randrange(10 ** digits) * 10 ** (7 - digits)
    elif kind == 2:
        part = 0
    else:
        part = rng.randrange(ticks_.PER_SECOND)
    return base - base % ticks_.PER_SECOND + seconds * ticks_.PER_SECOND + part


class Maker:
    """Writes the alerts of one tenant and API; the same seed gives the same alerts."""

    def __init__(self, api, tenant_id, seed=0):
        self.api, self.tenant_id = api, tenant_id
        self.rng = random.Random(f'{seed}/{api}/{tenant_id}')
        self._made = 0

    def alert(self, ticks, identity=None, state=0, size='real', **members):
        """The bytes of an alert last updated at `ticks`. size: 'real' (Endpoint near 4 kB, Graph near 7 kB), 'small'
        (300 bytes), or a number of bytes to reach. members override or add what is given."""
        self._made += 1
        identity = identity or self._identity()
        make = {'graph': self._graph, 'incidents': self._incident, 'endpoint': self._endpoint, 'siem': self._siem}
        record = make[self.api](ticks, identity, state, 'small' if size == 'small' else 'real')
        record.update(members)
        data = self._write(record)
        if isinstance(size, int) and len(data) < size:
            data = data[:-1] + b',"padding":"%s"}' % (b'x' * (size - len(data) - 14))
        return data

    def time(self, ticks):
        """ISO text, now and then with more fraction digits than needed."""
        return ticks_.iso(ticks, self.rng.choice((None, None, None, 1, 3, 7)))

    def _identity(self):
        if self.api == 'incidents':
            return str(self.rng.randrange(10 ** 4, 10 ** 7) * 1000 + self._made)
        if self.rng.random() < 0.1:
            return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        return f'da{638000000000000000 + self.rng.getrandbits(50)}_{self.rng.randrange(-2 ** 31, 2 ** 31)}'

    def _guid(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def _hex(self, digits):
        return f'{self.rng.getrandbits(digits * 4):0{digits}x}'

    def _number(self):
        return _RAW_MARK + self.rng.choice(_NUMBERS)

    def _write(self, record):
        rng = self.rng
        separators = rng.choice(((',', ':'), (',', ':'), (', ', ': '), (' ,\t', ' : ')))
        text = json.dumps(record, ensure_ascii=rng.random() < 0.3, separators=separators)
        if rng.random() < 0.2:
            text = text.replace('https://', 'https:\\/\\/').replace('&', '\\u0026')
        return _unmark(text).encode('utf-8')

    def _head(self, ticks, identity, state, cased):
        """Members that the Graph and Endpoint shapes share."""
        rng = self.rng
        status = ('New', 'InProgress', 'Resolved')[min(state, 2)]
        severity = rng.choice(('Informational', 'Low', 'Medium', 'High'))
        if not cased:
            status, severity = status[0].lower() + status[1:], severity.lower()
        return {'id': identity, 'status': status, 'severity': severity, 'title': rng.choice(_TITLES),
                'category': rng.choice(('Execution', 'LateralMovement', 'Malware', None)),
                'description': rng.choice(_TITLES) + '\n\n' + _ADVICE[:rng.randrange(80, 300)]}

    def _endpoint(self, ticks, identity, state, size):
        rng = self.rng
        earlier = ticks - rng.randrange(ticks_.PER_SECOND * 60)
        record = self._head(ticks, identity, state, True)
        record.update({
            'incidentId': rng.randrange(1, 2 ** 31), 'investigationId': rng.choice((None, 77)),
            'classification': None, 'determination': None, 'assignedTo': rng.choice((None, 'analyst@example.test')),
            'investigationState': 'Queued', 'detectionSource': 'WindowsDefenderAtp', 'detectorId': self._guid(),
            'threatFamilyName': None, 'threatName': None, 'alertCreationTime': self.time(earlier),
            'firstEventTime': self.time(earlier - 7), 'lastEventTime': self.time(earlier),
            'lastUpdateTime': self.time(ticks), 'resolvedTime': None, 'machineId': self._hex(40),
            'computerDnsName': f'pc{rng.randrange(999)}.example.test', 'rbacGroupName': None,
            'aadTenantId': self.tenant_id, 'mitreTechniques': ['T1059.001', 'T1053'],
            'relatedUser': rng.choice((None, {'userName': 'u1', 'domainName': 'DOM'})), 'comments': [],
            'evidence': [self._endpoint_evidence(earlier) for _ in range(0 if size == 'small' else 3)]})
        return _slim(record, 'lastUpdateTime') if size == 'small' else record

    def _endpoint_evidence(self, ticks):
        names = ('sha1 sha256 fileName filePath processId processCommandLine processCreationTime parentProcessId '
                 'parentProcessCreationTime parentProcessFileName parentProcessFilePath ipAddress url registryKey '
                 'registryHive registryValueType registryValue accountName domainName userSid aadUserId '
                 'userPrincipalName detectionStatus').split()
        row = {'entityType': self.rng.choice(('Process', 'File', 'User')), 'evidenceCreationTime': self.time(ticks)}
        row.update(dict.fromkeys(names))
        row.update({'sha1': self._hex(40), 'sha256': self._hex(64), 'fileName': 'tâche.exe',
                    'filePath': 'C:\\Users\\Public\\new\\tâche', 'processId': self.rng.randrange(70000),
                    'processCommandLine': self.rng.choice(_COMMANDS), 'detectionStatus': 'Detected'})
        return row

    def _graph(self, ticks, identity, state, size):
        rng = self.rng
        created = self.time(ticks - rng.randrange(ticks_.PER_SECOND * 60))
        record = self._head(ticks, identity, state, False)
        record.update({
            'providerAlertId': identity, 'incidentId': str(rng.randrange(10 ** 6)), 'classification': 'unknown',
            'determination': None, 'serviceSource': 'microsoftDefenderForEndpoint', 'detectionSource': 'antivirus',
            'productName': 'Defender', 'detectorId': self._guid(), 'tenantId': self.tenant_id, 'assignedTo': None,
            'alertWebUrl': f'https://security.example.test/alerts/{identity}?tid={self.tenant_id}&x=<1>',
            'incidentWebUrl': 'https://security.example.test/incidents/1', 'mitreTechniques': None,
            'createdDateTime': created, 'lastUpdateDateTime': self.time(ticks), 'resolvedDateTime': None,
            'firstActivityDateTime': created, 'lastActivityDateTime': created, 'comments': [], 'systemTags': [],
            'recommendedActions': _ADVICE * 9,
            'additionalData': {'score': self._number(), 'nested': [[{'a': self._number()}], [], {}]},
            'evidence': [self._graph_evidence(kind, created) for kind in
                         ('device', 'process', 'file', 'user')[:0 if size == 'small' else 4]]})
        return _slim(record, 'lastUpdateDateTime') if size == 'small' else record

    def _graph_evidence(self, kind, created):
        row = {'@odata.type': f'#microsoft.graph.security.{kind}Evidence', 'createdDateTime': created,
               'verdict': 'unknown', 'remediationStatus': 'none', 'remediationStatusDetails': None, 'roles': [],
               'detailedRoles': ['PrimaryDevice'], 'tags': []}
        file = {'sha1': self._hex(40), 'sha256': self._hex(64), 'fileName': 'görev.dll', 'issuer': None,
                'filePath': 'C:\\Windows\\Temp\\new', 'fileSize': self._number(), 'signer': None}
        more = {'device': {'mdeDeviceId': self._hex(40), 'deviceDnsName': 'pc1', 'osBuild': 22631, 'vmMetadata': None,
                           'ipInterfaces': ['10.0.0.7', 'fe80::1'], 'loggedOnUsers': [{'accountName': 'u1'}]},
                'process': {'processCommandLine': self.rng.choice(_COMMANDS), 'imageFile': file, 'processId': 4711,
                            'parentProcessImageFile': file},
                'file': {'fileDetails': file, 'detectionStatus': 'prevented'},
                'user': {'userAccount': {'accountName': 'u1', 'userSid': 'S-1-5-21-1-2-3-1001', 'domainName': 'DOM'}}}
        row.update(more[kind])
        return row

    def _incident(self, ticks, identity, state, size):
        created = self.time(ticks - ticks_.PER_SECOND * 61)
        return {'id': identity, 'tenantId': self.tenant_id, 'status': 'active' if state == 0 else 'resolved',
                'incidentWebUrl': f'https://security.example.test/incidents/{identity}', 'redirectIncidentId': None,
                'displayName': self.rng.choice(_TITLES), 'createdDateTime': created,
                'lastUpdateDateTime': self.time(ticks), 'assignedTo': None, 'classification': 'unknown',
                'determination': 'unknown', 'severity': 'medium', 'customTags': [], 'systemTags': [],
                'description': None if size == 'small' else _ADVICE, 'comments': []}

    def _siem(self, ticks, identity, state, size):
        rng = self.rng
        empty = rng.choice(('', None))
        record = {'AlertTime': self.time(ticks + rng.randrange(ticks_.PER_SECOND)), 'AlertId': identity,
                  'AlertTitle': rng.choice(_TITLES), 'Category': 'Malware', 'Severity': 'High', 'Actor': empty,
                  'LinkToWDATP': f'https://security.example.test/alert/{identity}', 'IocName': empty, 'Sha1': empty,
                  'FileName': 'a.exe', 'FilePath': 'C:\\x\\new', 'CommandLine': rng.choice(_COMMANDS), 'AlertPart': 0,
                  'FullId': f'{identity}:{self._hex(32)}=', 'LastProcessedTimeUtc': self.time(ticks),
                  'RemediationIsSuccess': None, 'WasExecutingWhileDetected': rng.choice((None, True, False)),
                  'Source': 'EDR', 'LogOnUsers': 'dom\\u1; dom\\u2', 'InternalIPv4List': '10.0.0.7, 10.0.0.8',
                  'DeviceID': self._hex(40), 'ReportID': rng.randrange(2 ** 31), 'IocUniqueId': self._hex(32),
                  'Description': _ADVICE}
        if size == 'small':
            return {name: record[name] for name in ('AlertId', 'AlertTitle', 'FullId', 'LastProcessedTimeUtc')}
        return record


def _slim(record, time_name):
    keep = ('id', 'title', 'severity', 'status', 'serviceSource', time_name)
    return {name: record[name] for name in keep if name in record}


def _unmark(text):
    pieces = text.split('"' + _RAW_MARK)
    return pieces[0] + ''.join(piece.replace('"', '', 1) for piece in pieces[1:])
