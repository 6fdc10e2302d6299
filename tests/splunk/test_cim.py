"""The data models Alerts and Ticket_Management: what props.conf makes of records of each API.

What the models ask for is read from pytest-splunk-addon, Splunk's own list (tools/install-tools splunk).
"""
import glob
import json
import os
import re
import unittest

import fields
import pytest
from world import jsonnorm, ticks
from world.generate import Maker

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.environ.get('SAMPLES') or os.path.join(os.path.dirname(fields.ROOT), 'shared', 'samples')
SOURCETYPES = {'graph': 'ms:defender:atp:alerts', 'endpoint': 'ms:defender:atp:alerts',
               'siem': 'ms:defender:siem:alerts', 'incidents': 'ms365:defender:incident'}
# What the Splunk Add-on for Microsoft Security has for ms:defender:atp:alerts.
OFFICIAL = ('app', 'type', 'severity', 'dest', 'src', 'signature', 'subject', 'body', 'description', 'signature_id',
            'user')
TENANT = '7b1f8a52-0d3c-4a86-9b54-3a1c58f0c3aa'
PROPS = fields.read('props')
LISTS = glob.glob(os.path.join(fields.ROOT, 'build/tools/splunk/lib/python3*/site-packages/pytest_splunk_addon'))
# These stay null where nobody knows them. The data model fills them by this expression of its own, in which X stands
# for the field.
FILLED = ('user', 'src', 'dest')
FILL = 'if(isnull(X) OR X=="","unknown",X)'


def listed(path):
    """A JSON file of pytest-splunk-addon."""
    assert len(LISTS) == 1, 'pytest-splunk-addon is not there: run tools/install-tools splunk'
    with open(os.path.join(LISTS[0], path), encoding='utf-8') as file:
        return json.load(file)


def model(name):
    """{field: its row} of a data model's root and of its dataset Incident."""
    found, objects = {}, list(listed(f'data_models/{name}.json')['objects'])
    while objects:
        one = objects.pop()
        found.update({field['name']: field for field in one['fields']})
        objects += [child for child in one['child_dataset'] if child['name'] == 'Incident']
    return found


def filled(found):
    """The event as the data model shows it."""
    return {**found, **{name: fields.evals.compute(FILL.replace('X', name), found) for name in FILLED}}


def event(sourcetype, raw, customer='contoso', cutoff=fields.CUTOFF):
    """All fields of an alert as Splunk would show it."""
    return fields.fields_of(PROPS[sourcetype], raw, f'defender_alerts://{customer}', cutoff)


def record(api, seed=0, **members):
    """A made-up alert, as one line of JSON."""
    raw = Maker(api, TENANT, seed).alert(ticks.from_seconds(1790000000), **members)
    return jsonnorm.as_xml_text(jsonnorm.strip(raw))[0]


class Model(unittest.TestCase):
    """Made-up alerts of every API and shape."""

    def check(self, found, customer, models=('Alerts',)):
        """What holds for each record whatever it says."""
        for name in FILLED:
            self.assertNotIn('unknown', [text.lower() for text in fields.evals.values(found.get(name))], name)
        shown = filled(found)
        for name, row in {name: row for one in models for name, row in model(one).items()}.items():
            value = shown.get(name)
            self.assertNotIn('null', fields.evals.values(value), name)
            if row['type'] == 'required':
                self.assertTrue(value, f'{name} in {found["_raw"][:200]}')
            if value and row.get('expected_values'):
                self.assertIn(value, row['expected_values'], name)
        severities = ('critical', 'high', 'medium', 'low', 'informational')
        self.assertEqual(found['severity_id'], 5 - severities.index(found['severity']))
        self.assertEqual((found['customer'], found['vendor_account']), (customer, customer))
        tenants = {found.get(name) for name in ('tenantId', 'aadTenantId', 'tenant_id')} - {None}
        self.assertFalse(tenants & set(fields.evals.values(found.get('dest'))), 'dest is a tenant')

    @pytest.mark.promise('Splunk', 'Alerts have every required field of the data model Alerts, and incidents those of '
                                   'Ticket_Management')
    def test_required_fields(self):
        """Each required field has a value, of the prescribed ones where there are such, and null is no value."""
        for api, sourcetype in SOURCETYPES.items():
            for seed in range(60):
                with self.subTest(api=api, seed=seed):
                    self.check(event(sourcetype, record(api, seed), f'customer-{seed}'), f'customer-{seed}',
                               ('Ticket_Management',) if api == 'incidents' else ('Alerts',))

    def test_the_lists_are_there(self):
        """An empty list would approve of everything."""
        self.assertGreaterEqual(len(model('Alerts')), 18)
        self.assertLessEqual({'priority', 'ticket_id', 'incident', 'time_submitted'}, set(model('Ticket_Management')))

    def test_what_an_add_on_must_not_define(self):
        """Fields that Enterprise Security adds by itself."""
        forbidden = {field['name'] for field in listed('cim_tests/CommonFields.json')['fields']
                     if field['type'].startswith('not_allowed')}
        self.assertIn('dest_bunit', forbidden)
        defined = {name for stanza in PROPS.values() for name in fields.defined_by(stanza)}
        self.assertIn('user', defined)
        self.assertEqual(defined & forbidden, set())

    @pytest.mark.promise('Splunk', 'user, src and dest are null where the record names none, never "unknown"')
    def test_nobody_is_null(self):
        """Whatever form Microsoft gives an unknown value; the data model fills it."""
        for nothing in (None, '', 'null', 'unknown', 'Unknown'):
            for api, raw in (
                    ('graph', {'serviceSource': nothing, 'detectionSource': nothing, 'actorDisplayName': nothing,
                               'evidence': [{'deviceDnsName': nothing, 'hostName': nothing, 'mdeDeviceId': nothing,
                                             'userAccount': {'userPrincipalName': nothing, 'accountName': nothing}}]}),
                    ('endpoint', {'computerDnsName': nothing, 'machineId': nothing, 'detectionSource': nothing,
                                  'relatedUser': {'userName': nothing}, 'evidence': [
                                      {'accountName': nothing, 'userPrincipalName': nothing}]}),
                    ('siem', {'Source': nothing, 'ComputerDnsName': nothing, 'MachineName': nothing,
                              'DeviceID': nothing, 'UserName': nothing, 'LogOnUsers': nothing}),
                    ('incidents', {'alerts': [{'evidence': [{'deviceDnsName': nothing, 'userAccount': {
                        'userPrincipalName': nothing, 'accountName': nothing}}]}]})):
                with self.subTest(api=api, nothing=nothing):
                    found = event(SOURCETYPES[api], json.dumps({'id': 'a', **raw}))
                    names = FILLED if api != 'incidents' else ('user', 'dest')
                    self.assertEqual([found.get(name) for name in names], [None] * len(names))
                    self.assertNotIn('dest_type', found)
                    if api != 'incidents':
                        self.assertNotIn('src_type', found)
                    self.assertEqual([filled(found)[name] for name in names], ['unknown'] * len(names))

    @pytest.mark.promise('Splunk', 'Incidents have the fields that the Splunk Add-on for Microsoft Security gives them')
    def test_incidents(self):
        raw = {'id': '29', 'displayName': 'Theft', 'assignedTo': 'ann@x', 'severity': 'high', 'status': 'active',
               'createdDateTime': '2026-01-01T00:00:00Z', 'lastUpdateDateTime': '2026-01-02T00:00:00Z',
               'comments': [{'comment': 'one', 'createdByDisplayName': 'ann'}, {'comment': 'two'}]}
        found = event(SOURCETYPES['incidents'], json.dumps(raw))
        self.assertEqual({name: found.get(name) for name in (
            'app', 'src_user', 'owner', 'incident', 'time_submitted', 'comments', 'ticket_id', 'status')},
            {'app': 'ms:defender', 'src_user': 'ann@x', 'owner': 'ann@x', 'incident': 'Theft',
             'time_submitted': '2026-01-02T00:00:00Z', 'comments': ['one', 'two'], 'ticket_id': '29',
             'status': 'active'})
        bare = event(SOURCETYPES['incidents'], '{"id":"29","assignedTo":null,"comments":[],"displayName":null}')
        self.assertEqual([bare.get(name) for name in ('src_user', 'owner', 'comments', 'time_submitted', 'incident')],
                         [None, None, None, None, '29'])

    def test_priority(self):
        """Microsoft's score where there is one, else the severity."""
        for members, wanted in (
                ({'priorityScore': 86, 'severity': 'low'}, 'high'), ({'priorityScore': 85}, 'medium'),
                ({'priorityScore': 15}, 'medium'), ({'priorityScore': 14, 'severity': 'high'}, 'low'),
                ({'priorityScore': 0}, 'low'), ({'priorityScore': None, 'severity': 'High'}, 'high'),
                ({'severity': 'medium'}, 'medium'), ({'severity': 'unknownFutureValue'}, 'informational')):
            with self.subTest(members):
                found = event(SOURCETYPES['incidents'], json.dumps({'id': '1', **members}))
                self.assertEqual(found['priority'], wanted)

    def test_small_records(self):
        """Records that lack nearly everything still are alerts of somebody."""
        for api, sourcetype in SOURCETYPES.items():
            found = event(sourcetype, record(api, 1, size='small'))
            self.check(found, 'contoso', ('Ticket_Management',) if api == 'incidents' else ('Alerts',))
            self.assertNotIn('dest', found)
            self.assertNotIn('dest_type', found)

    def test_drop_in(self):
        """The fields that the official add-on gives the same source type."""
        for api in ('graph', 'endpoint'):
            found = event(SOURCETYPES[api], record(api, 3))
            have = {*found, *FILLED}            # these may be null
            self.assertEqual([name for name in OFFICIAL if name not in have], [])
            defined = set(fields.defined_by(PROPS[SOURCETYPES[api]]))
            self.assertEqual([name for name in OFFICIAL if name not in defined], [])
            self.assertEqual((found['app'], found['type']), ('ms:defender', 'alert'))
            self.assertEqual(found['signature'], found['title'])
            self.assertEqual(found['severity'], json.loads(found['_raw'])['severity'].lower())
        found = event(SOURCETYPES['endpoint'], record('endpoint', 3))
        self.assertEqual(found['mitre_technique_id'], ['T1059.001', 'T1053'])
        self.assertEqual(found['dest'], found['computerDnsName'])
        graph = event(SOURCETYPES['graph'], record('graph', 3), cutoff=None)
        self.assertEqual((graph['src'], graph['dest']), (graph['serviceSource'], 'pc1'))

    def test_microsofts_names_stay(self):
        """What Microsoft calls id, title, status, createdDateTime keeps its name and value."""
        raw = record('graph', 5)
        found = event(SOURCETYPES['graph'], raw)
        for name in ('id', 'title', 'status', 'createdDateTime', 'lastUpdateDateTime', 'detectorId', 'tenantId'):
            self.assertEqual(found[name], json.loads(raw)[name])

    def test_devices_behind_the_limit(self):
        """Splunk reads 5000 characters of JSON by itself; device and user behind them are found all the same."""
        raw = '{"id":"a","title":"t","severity":"high","recommendedActions":"%s","evidence":[{"deviceDnsName":null},' \
              '{"deviceDnsName":"pc9.example.test"},{"userAccount":{"accountName":"u9","userPrincipalName":' \
              '"u9@example.test"}}]}' % ('x' * 6000)
        found = event(SOURCETYPES['graph'], raw)
        self.assertNotIn('evidence{}.deviceDnsName', found)
        self.assertEqual((found['dest'], found['user'], found['user_name']),
                         ('pc9.example.test', 'u9@example.test', 'u9'))
        whole = event(SOURCETYPES['graph'], raw, cutoff=None)
        self.assertEqual((whole['dest'], whole['user']), (found['dest'], found['user']))

    def test_several_devices(self):
        """Each device once."""
        raw = '{"id":"a","title":"t","severity":"unknown","evidence":[{"deviceDnsName":"a"},{"deviceDnsName":"b"},' \
              '{"deviceDnsName":"a"},{"deviceDnsName":null},{"deviceDnsName":""}]}'
        found = event(SOURCETYPES['graph'], raw)
        self.assertEqual((found['dest'], found['dest_type']), (['a', 'b'], 'device'))
        self.assertEqual((found['severity'], found['severity_id']), ('informational', 1))

    def test_tags(self):
        """Alerts are in the Alerts data model. Incidents are tickets, and not counted in addition to their alerts."""
        self.assertEqual(fields.tags_of('ms:defender:atp:alerts'), {'alert'})
        self.assertEqual(fields.tags_of('ms:defender:siem:alerts'), {'alert'})
        self.assertEqual(fields.tags_of('ms365:defender:incident'), {'ticketing', 'incident'})

    @pytest.mark.promise('Splunk', 'Event types with the names of the Splunk Add-on for Microsoft Security mean what '
                                   'they mean there')
    def test_shared_event_types(self):
        """Version 3.0.0 of that add-on: the search without quotes and parentheses, and the tags."""
        theirs = {'ms_security_atp_alert': ('sourcetype=ms:defender:atp:alerts', {'alert'}),
                  'ms_security_incident': ('sourcetype=ms365:defender:incident', {'ticketing', 'incident'})}
        ours, tags = fields.read('eventtypes'), fields.read('tags')
        self.assertEqual({name for name in ours if not name.startswith('defender_mssp_')}, set(theirs))
        for name, (search, wanted) in theirs.items():
            self.assertEqual(re.sub('["()]', '', ours[name]['search']), search)
            self.assertEqual(set(tags[f'eventtype={name}']), wanted)

    def test_index_time(self):
        """Nothing is cut, joined, or dated by its text."""
        for name, stanza in PROPS.items():
            self.assertEqual((stanza['TRUNCATE'], stanza['SHOULD_LINEMERGE'], stanza['DATETIME_CONFIG'],
                              stanza['KV_MODE']), ('0', 'false', 'NONE', 'json'), name)
            self.assertEqual(re.findall(stanza['LINE_BREAKER'], 'a\r\nb'), ['\r\n'])


@unittest.skipUnless(os.path.isdir(SAMPLES), 'no samples here')
class Samples(unittest.TestCase):
    """Alerts that nobody of this project made up, against the rows that a person would write for them."""
    maxDiff = None

    def test_rows(self):
        paths = sorted(glob.glob(os.path.join(HERE, 'expected', '*.json')))
        self.assertTrue(paths)
        for path in paths:
            with open(path, encoding='utf-8') as file:
                expected = json.load(file)
            with open(os.path.join(SAMPLES, expected['sample']), 'rb') as file:
                records = [jsonnorm.as_xml_text(jsonnorm.strip(raw))[0] for raw in jsonnorm.records(file.read())]
            self.assertEqual(len(records), len(expected['rows']), path)
            for raw, row in zip(records, expected['rows']):
                with self.subTest(sample=expected['sample'], id=row['id']):
                    found = event(expected['sourcetype'], raw)
                    Model.check(self, found, 'contoso', ('Ticket_Management',)
                                if expected['sourcetype'] == SOURCETYPES['incidents'] else ('Alerts',))
                    self.assertEqual({name: found.get(name) for name in row}, row)

    def test_all_samples_have_a_row(self):
        have = {json.load(open(path, encoding='utf-8'))['sample']
                for path in glob.glob(os.path.join(HERE, 'expected', '*'))}
        there = {name for name in os.listdir(SAMPLES) if name.endswith('json')} - {'error_bodies.json'}
        self.assertEqual(have, there)
