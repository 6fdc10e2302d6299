"""The Alerts data model: what props.conf makes of alerts of each API."""
import glob
import json
import os
import re
import unittest

import fields
from world import jsonnorm, ticks
from world.generate import Maker

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.environ.get('SAMPLES') or os.path.join(os.path.dirname(fields.ROOT), 'shared', 'samples')
SOURCETYPES = {'graph': 'ms:defender:atp:alerts', 'endpoint': 'ms:defender:atp:alerts',
               'siem': 'ms:defender:siem:alerts', 'incidents': 'ms365:defender:incident'}
# The data model's required fields, and those values that it prescribes.
REQUIRED = ('app', 'description', 'dest', 'id', 'severity', 'signature', 'signature_id', 'src', 'type', 'user')
SEVERITIES = ('critical', 'high', 'medium', 'low', 'informational')
TYPES = ('alarm', 'alert', 'event', 'task', 'warning')
# What the Splunk Add-on for Microsoft Security has for ms:defender:atp:alerts.
OFFICIAL = ('app', 'type', 'severity', 'dest', 'src', 'signature', 'subject', 'body', 'description', 'signature_id',
            'user')
TENANT = '7b1f8a52-0d3c-4a86-9b54-3a1c58f0c3aa'
PROPS = fields.read('props')


def event(sourcetype, raw, customer='contoso', cutoff=fields.CUTOFF):
    """All fields of an alert as Splunk would show it."""
    return fields.fields_of(PROPS[sourcetype], raw, f'defender_alerts://{customer}', cutoff)


def record(api, seed=0, **members):
    """A made-up alert, as one line of JSON."""
    raw = Maker(api, TENANT, seed).alert(ticks.from_seconds(1790000000), **members)
    return jsonnorm.as_xml_text(jsonnorm.strip(raw))[0]


class Model(unittest.TestCase):
    """Made-up alerts of every API and shape."""

    def check(self, found, customer):
        """What holds for each alert whatever it says."""
        for name in REQUIRED:
            self.assertTrue(found.get(name), f'{name} in {found["_raw"][:200]}')
            self.assertNotIn('null', fields.evals.values(found[name]), name)
        self.assertIn(found['severity'], SEVERITIES)
        self.assertEqual(found['severity_id'], 5 - SEVERITIES.index(found['severity']))
        self.assertIn(found['type'], TYPES)
        self.assertEqual((found['customer'], found['vendor_account']), (customer, customer))
        tenants = {found.get(name) for name in ('tenantId', 'aadTenantId', 'tenant_id')} - {None}
        self.assertFalse(tenants & set(fields.evals.values(found['dest'])), 'dest is a tenant')

    def test_required_fields(self):
        """Each required field has a value, of the prescribed ones where there are such, and null is no value."""
        for api, sourcetype in SOURCETYPES.items():
            for seed in range(60):
                with self.subTest(api=api, seed=seed):
                    self.check(event(sourcetype, record(api, seed), f'customer-{seed}'), f'customer-{seed}')

    def test_small_records(self):
        """Records that lack nearly everything still are alerts of somebody."""
        for api, sourcetype in SOURCETYPES.items():
            found = event(sourcetype, record(api, 1, size='small'))
            self.check(found, 'contoso')
            self.assertEqual(found['dest'], 'unknown')
            self.assertNotIn('dest_type', found)

    def test_drop_in(self):
        """The fields that the official add-on gives the same source type."""
        for api in ('graph', 'endpoint'):
            found = event(SOURCETYPES[api], record(api, 3))
            self.assertEqual([name for name in OFFICIAL if name not in found], [])
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
        """Alerts are in the Alerts data model, incidents are tickets too."""
        self.assertEqual(fields.tags_of('ms:defender:atp:alerts'), {'alert'})
        self.assertEqual(fields.tags_of('ms:defender:siem:alerts'), {'alert'})
        self.assertEqual(fields.tags_of('ms365:defender:incident'), {'alert', 'ticketing', 'incident'})

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
        for path in sorted(glob.glob(os.path.join(HERE, 'expected', '*.json'))):
            with open(path, encoding='utf-8') as file:
                expected = json.load(file)
            with open(os.path.join(SAMPLES, expected['sample']), 'rb') as file:
                records = [jsonnorm.as_xml_text(jsonnorm.strip(raw))[0] for raw in jsonnorm.records(file.read())]
            self.assertEqual(len(records), len(expected['rows']), path)
            for raw, row in zip(records, expected['rows']):
                with self.subTest(sample=expected['sample'], id=row['id']):
                    found = event(expected['sourcetype'], raw)
                    Model.check(self, found, 'contoso')
                    self.assertEqual({name: found.get(name) for name in row}, row)

    def test_all_samples_have_a_row(self):
        have = {json.load(open(path, encoding='utf-8'))['sample']
                for path in glob.glob(os.path.join(HERE, 'expected', '*'))}
        there = {name for name in os.listdir(SAMPLES) if name.endswith('json')} - {'error_bodies.json'}
        self.assertEqual(have, there)
