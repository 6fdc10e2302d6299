"""Health, alerting searches and the searches of the documentation, run over made-up lines and events."""
import datetime
import hashlib
import json
import os
import re
import subprocess
import unittest

import alerts
import conf_keys
import evals
import fields
import pytest
import spl

NOW = 1790000000
MACROS = fields.read('macros')
SEARCHES = fields.read('savedsearches')
GOOD = {'event': 'status', 'state': 'ok', 'tenant': 't', 'client': 'c', 'api': 'graph', 'new': '5', 'bad': '0',
        'requests': '9', 'throttled_s': '0', 'lag_s': '60', 'read_age_s': '20', 'up_s': '9000', 'poll_s': '60',
        'next_s': '40', 'limit_per_min': '150'}


def line(name, age_s=60, **facts):
    """A log line of that input, written so long ago."""
    facts = {**GOOD, 'input': name, **{key: str(value) for key, value in facts.items()}}
    text = ' '.join(f'{key}="{value}"' if ' ' in value else f'{key}={value}' for key, value in facts.items())
    return {**facts, '_raw': f'message from "/x/bin/defender_alerts" INFO {text}', '_time': NOW - age_s,
            'index': '_internal', 'sourcetype': 'splunkd', 'component': 'ExecProcessor', 'host': 'hf',
            'log_level': 'INFO'}


def run(text, events, hours=24, macros=None):
    """The rows of a search."""
    return spl.Search(text, macros or MACROS).run(events, NOW, NOW - 3600 * hours)


def alerting(name, events, macros=None):
    """Customers that a shipped search alerts about once it is enabled."""
    search = SEARCHES['defender_mssp_' + name]
    hours = {'-24h': 24, '-1h': 1, '-65m': 65 / 60, '-5d@d': 120, '-48h': 48}[search['dispatch.earliest_time']]
    rows = run(search['search'], events, hours, macros)
    return [row['customer'] for group in alerts.Alert(search, enabled=True).fire(rows, NOW) for row in group]


class Health(unittest.TestCase):
    """The macro defender_mssp_health."""

    def condition(self, *lines, macros=None):
        rows = run('`defender_mssp_status` | `defender_mssp_health`', lines, macros=macros)
        self.assertEqual(len(rows), 1)
        return rows[0]['condition']

    def test_conditions(self):
        for wanted, age_s, facts in (
                ('ok', 60, {}), ('silent', 3600, {}), ('silent', 60, {'read_age_s': 2000}),
                ('silent', 60, {'state': 'waiting', 'read_age_s': -1, 'up_s': 4000}), ('waiting', 10, {
                    'state': 'waiting', 'read_age_s': -1, 'up_s': 30}),
                ('refused', 60, {'state': 'refused', 'read_age_s': -1}),
                ('failing', 60, {'state': 'failing', 'read_age_s': 900}), ('throttled', 60, {'state': 'throttled'}),
                ('late', 60, {'read_age_s': 800}), ('quiet', 60, {'lag_s': 100000}),
                ('bad records', 60, {'bad': 3}), ('back-filling', 60, {'backfill_percent': 12}),
                ('ok', 60, {'poll_s': 3600, 'read_age_s': 3500, 'next_s': 100}), ('ok', 200, {'lag_s': -1})):
            with self.subTest(wanted=wanted, facts=facts):
                self.assertEqual(self.condition(line('a', age_s, **facts)), wanted)

    @pytest.mark.promise('Splunk', "The condition in a customer's record is the one that the dashboard shows")
    def test_the_programs_own(self):
        """The program makes the same of the same facts as the macro does with its default thresholds."""
        printed = subprocess.run([os.path.join(fields.ROOT, 'build', 'plain', 'gen_conditions')], capture_output=True,
                                 check=True, text=True).stdout
        rows = [json.loads(row) for row in printed.splitlines()]
        wanted = {f'i{n}': tuple(row.pop(f'want_{key}') for key in ('condition', 'rank', 'todo'))
                  for n, row in enumerate(rows)}
        self.assertGreater(len(wanted), 500)
        self.assertEqual(len({condition for condition, _, _ in wanted.values()}), 13)
        found = run('`defender_mssp_status` | `defender_mssp_health`',
                    [line(f'i{n}', 0, **row) for n, row in enumerate(rows)])
        self.assertEqual({row['input']: (row['condition'], int(row['rank']), row['todo']) for row in found}, wanted)

    @pytest.mark.promise('Splunk', "The dashboard's advice is that of the status line, which has it from the program's "
                                   'tables')
    def test_advice(self):
        """It comes from the line and not from the state, and a waiting input that needs somebody is among the first."""
        us = {'who': 'our administrator', 'remedy': 'free disk space'}
        for facts, condition, rank, todo in (
                ({'state': 'failing', **us}, 'failing', 3, 'our administrator: free disk space'),
                ({'state': 'refused', **us}, 'refused', 2, 'our administrator: free disk space'),
                ({'state': 'refused', 'lost': 'yes', **us}, 'lost', 3, 'our administrator: free disk space'),
                ({'state': 'failing', 'who': 'no action needed', 'remedy': 'nothing: it passes'}, 'failing', 3,
                 'nothing: it passes'),
                ({'state': 'waiting', **us}, 'held up', 3, 'our administrator: free disk space'),
                ({'state': 'waiting', 'who': 'no action needed', 'remedy': 'nothing: it starts'}, 'waiting', 10,
                 'Nothing yet: it starts'),
                ({'state': 'throttled', 'next': 'waits until 03:10 as Microsoft asked'}, 'throttled', 6,
                 'waits until 03:10 as Microsoft asked'),
                ({'note': 'no alert since then', 'lag_s': -1}, 'no alert yet', 10, 'no alert since then')):
            with self.subTest(facts=facts):
                row, = run('`defender_mssp_status` | `defender_mssp_health`', [line('a', **facts)])
                self.assertEqual((row['condition'], row['rank'], row['todo']), (condition, rank, todo))

    def test_latest_line_counts(self):
        """What an older line had and the latest has not is gone."""
        self.assertEqual(self.condition(line('a', 600, state='refused', why='old', backfill_percent=3), line('a', 60)),
                         'ok')

    def test_threshold_of_one_customer(self):
        macros = {**MACROS, 'defender_mssp_silent_minutes': {'definition': 'case(input=="slow",300,true(),30)'}}
        self.assertEqual(self.condition(line('slow', 60, read_age_s=7200), macros=macros), 'late')
        self.assertEqual(self.condition(line('other', 60, read_age_s=7200), macros=macros), 'silent')

    def test_worst_first(self):
        rows = run('`defender_mssp_status` | `defender_mssp_health` | sort 0 rank -silent_s',
                   [line('fine'), line('slow', state='throttled'), line('gone', 7200), line('long gone', 9000), line(
                       'stuck', state='throttled', read_age_s=5000), line('shut', state='refused')])
        self.assertEqual([row['input'] for row in rows], ['long gone', 'gone', 'shut', 'stuck', 'slow', 'fine'])
        self.assertTrue(all(row['todo'] for row in rows))


def record(kind, identity, age_s=60, **members):
    """An alert or an incident as search time shows it."""
    sourcetype = {'incident': 'ms365:defender:incident', 'alert': 'ms:defender:atp:alerts'}[kind]
    raw = json.dumps({'id': identity, 'tenantId': 't1', 'severity': 'medium', **members})
    return fields.fields_of(fields.read('props')[sourcetype], raw, f'defender_alerts://{kind}s of contoso',
                            _time=NOW - age_s, sourcetype=sourcetype, index='x')


class Cases(unittest.TestCase):
    """The macros that join an incident and its alerts."""
    SEARCH = '`defender_mssp_events` | `defender_mssp_latest` | `defender_mssp_cases`'

    def cases(self, *events):
        """{case_id: row} of the present state."""
        return {row['case_id']: row for row in run(self.SEARCH + ' | `defender_mssp_case_state`', events)}

    def test_an_incident_and_its_alerts_are_one_row(self):
        found = self.cases(
            record('incident', '29', 100, displayName='old name', status='active', severity='low'),
            record('incident', '29', 50, displayName='Theft', status='inProgress', assignedTo='ann', severity='low',
                   priorityScore=90, incidentWebUrl='https://x/29'),
            record('alert', 'a1', 90, incidentId='29', status='new', severity='high',
                   evidence=[{'deviceDnsName': 'pc1', 'userAccount': {'userPrincipalName': 'u@x'}}]),
            record('alert', 'a2', 80, incidentId='29', status='new'),
            record('alert', 'a2', 40, incidentId='29', status='resolved'),
            record('alert', 'a3', 30, incidentId=None, status='new'),
            record('alert', 'a4', 20, incidentId='30', tenantId='t2', status='new'))
        self.assertEqual(set(found), {'29', '30'})
        row = found['29']
        self.assertEqual({name: row.get(name) for name in (
            'title', 'status', 'owner', 'priority', 'severity', 'alerts', 'open_alerts', 'dest', 'user', 'last_update',
            'url', 'case_tenant', 'customer')},
            {'title': 'Theft', 'status': 'inProgress', 'owner': 'ann', 'priority': 'high', 'severity': 'high',
             'alerts': 2, 'open_alerts': 1, 'dest': ['pc1'], 'user': ['u@x'], 'last_update': NOW - 40,
             'url': 'https://x/29', 'case_tenant': 't1', 'customer': ['alerts of contoso', 'incidents of contoso']})

    def test_the_same_id_in_two_tenants_is_two_cases(self):
        rows = run(self.SEARCH + ' | `defender_mssp_case_state`', [
            record('incident', '29', tenantId='t1'), record('incident', '29', tenantId='t2'),
            record('alert', 'a', tenantId='t2', incidentId=29)])
        self.assertEqual([(row['case_tenant'], row['alerts']) for row in rows], [('t1', 0), ('t2', 1)])

    def test_a_merged_incident_is_followed(self):
        """1 was merged into 2, 2 into 3, 3 into 4: what belonged to any of them is of case 4."""
        merged = [record('incident', str(n), 50, status='redirected', redirectIncidentId=str(n + 1)) for n in (1, 2, 3)]
        last = record('incident', '4', 60, status='active', displayName='All of it', redirectIncidentId=None)
        of_each = [record('alert', f'a{n}', 40, incidentId=str(n), status='new') for n in (1, 2, 3, 4)]
        for events in ([*merged, last, *of_each], [*of_each, last, *merged[::-1]]):
            found = self.cases(*events)
            self.assertEqual(set(found), {'4'})
            self.assertEqual({name: found['4'][name] for name in ('title', 'status', 'alerts', 'merged')},
                             {'title': 'All of it', 'status': 'active', 'alerts': 4, 'merged': ['1', '2', '3']})
        rows = run(self.SEARCH + ' | search case_id=4 case_kind=alert | table id', [*merged, last, *of_each])
        self.assertEqual(sorted(row['id'] for row in rows), ['a1', 'a2', 'a3', 'a4'])

    def test_mergers_in_a_circle_end(self):
        found = self.cases(record('incident', '1', redirectIncidentId='2'),
                           record('incident', '2', redirectIncidentId='1'))
        self.assertEqual(sum(row['alerts'] for row in found.values()), 0)


class AuditCase(unittest.TestCase):
    """Events and lines of days: number 1 is yesterday."""
    TODAY = NOW // 86400 * 86400

    def date(self, ago=1):
        """That day."""
        return datetime.datetime.fromtimestamp(self.TODAY - 86400 * ago, datetime.timezone.utc).strftime('%Y-%m-%d')

    def alert(self, identity, at_s=3600, size=0, api='graph', customer='a', ago=1, index='x', **members):
        """The event of an alert, as the API gives it."""
        when = self.TODAY - 86400 * ago + at_s
        text = datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.12Z')
        kind = 'ms365:defender:incident' if api == 'incidents' else 'ms:defender:atp:alerts'
        name = 'lastUpdateTime' if api == 'endpoint' else 'lastUpdateDateTime'
        raw = json.dumps({'evidence': [{'id': 'inner', name: '2020-01-01T00:00:00Z', 'x': 'y' * size}],
                          'id': identity, name: text, **members})
        return fields.fields_of(fields.read('props')[kind], raw, f'defender_alerts://{customer}', sourcetype=kind,
                                index=index, _time=when)

    def manifest(self, events, customer='a', ago=1, **facts):
        """The line of the program that wrote these."""
        keys = {hashlib.sha256(f"{record['id']}|{record.get('lastUpdateDateTime') or record['lastUpdateTime']}".encode()
                               ).hexdigest() for record in (json.loads(event['_raw']) for event in events)}
        return line(customer, event='manifest', day=self.date(ago), versions=len(keys),
                    sum=sum(int(key[:8], 16) for key in keys), **facts)

    def audit(self, result, customer='a', ago=1, **facts):
        """The line of an audit."""
        return line(customer, **{'event': 'audit', 'day': self.date(ago), 'result': result, 'listed': 5, 'counted': 5,
                                 'written': 5, 'missing': 0, 'repaired': 0, 'superseded': 0, 'odd': 0, 'requests': 1,
                                 'bytes': 900, 'select': 'yes', 'took_s': 2, **facts})


class Audit(AuditCase):
    """The macro defender_mssp_audit_compare: what was written against what the index holds."""

    def compare(self, *events, days=1, earliest=None, now=NOW):
        """customer -> (verdict, missing, repeated)"""
        rows = spl.Search(f'`defender_mssp_audit_compare({days})`', MACROS).run(
            events, now, NOW - 96 * 3600 if earliest is None else earliest)
        return {row['customer']: (row['verdict'], row['missing'], row['repeated']) for row in rows}

    @pytest.mark.promise('Completeness', 'One search says for each customer and day whether the index holds what the '
                                         'program wrote: equal, missing in Splunk, repeated')
    def test_verdicts(self):
        some = [self.alert(f'id{n}', 60 * n) for n in range(5)]
        said = self.manifest(some)
        for wanted, events in (
                (('equal', 0, 0), [*some, said]), (('equal', 0, 2), [*some, *some[:2], said]),
                (('missing in Splunk', 1, 0), [*some[1:], said]), (('missing in Splunk', 5, 0), [said]),
                (('differs', 0, 0), [*some[1:], self.alert('other'), said]),
                (('differs', 0, 0), [*some, self.alert('other'), said]),
                (('no manifest', 0, 0), some)):
            with self.subTest(wanted=wanted, events=len(events)):
                self.assertEqual(self.compare(*events), {'a': wanted})

    @pytest.mark.promise('Sharing', 'The comparison of the index with what was written adds up what several forwarders '
                                    'wrote of a day')
    def test_several_forwarders(self):
        """Also where both wrote a version, whatever host= the events have; nothing that is lost is hidden by that."""
        def of(host, *events):
            return [{**event, 'host': host} for event in events]
        some = [self.alert(f'id{n}', 60 * n) for n in range(6)]
        one, two = some[:4], some[3:]           # id3 was written by both
        said = [*of('hf1', self.manifest(one)), *of('hf2', self.manifest(two))]
        apart = [*of('hf1', *one), *of('hf2', *two)]
        alike = of('same', *one, *two)
        for name, wanted, events in (
                ('disjoint', ('equal', 0, 0), [*of('hf1', *one, self.manifest(one)),
                                               *of('hf2', *some[4:], self.manifest(some[4:]))]),
                ('both', ('equal', 0, 1), [*apart, *said]), ('both, one host', ('equal', 0, 1), [*alike, *said]),
                ('both, and one came twice', ('equal', 0, 2), [*apart, *of('hf1', one[0]), *said]),
                ('one is lost', ('missing in Splunk', 1, 1), [*apart[1:], *said]),
                ('one is lost, one host', ('missing in Splunk', 1, 1), [*alike[1:], *said]),
                ('a copy is lost', ('missing in Splunk', 1, 0), [*apart[:3], *apart[4:], *said]),
                ('one too many', ('differs', 0, 1), [*apart, *of('hf1', self.alert('other')), *said]),
                ('nothing said by one', ('differs', 0, 1), [*apart, said[0]]),
                ('said again', ('equal', 0, 1), [*apart, *of('hf1', self.manifest(one[:2], age_s=900)), *said]),
                ('moved', ('equal', 0, 0), [*some, *of('old', self.manifest(some[:2], age_s=900)),
                                            *of('new', self.manifest(some))])):
            with self.subTest(name):
                self.assertEqual(self.compare(*events), {'a': wanted})

    def test_the_line_that_was_said_last_counts(self):
        some = [self.alert('a'), self.alert('b', 70)]
        self.assertEqual(self.compare(*some, self.manifest(some[:1], age_s=900), self.manifest(some, age_s=60)),
                         {'a': ('equal', 0, 0)})

    def test_a_day_without_alerts_is_equal(self):
        self.assertEqual(self.compare(self.manifest([])), {'a': ('equal', 0, 0)})

    def test_customers_apis_and_indexes_apart(self):
        """One customer's events may be in several indexes; the names of the update time are those of each API."""
        some = {name: [self.alert('x', customer=name, api=api), self.alert('y', 90, customer=name, api=api, index='z')]
                for name, api in (('a', 'graph'), ('b b', 'incidents'), ('c', 'endpoint'))}
        events = [event for of_one in some.values() for event in of_one]
        lines = [self.manifest(of_one, name) for name, of_one in some.items()]
        self.assertEqual(self.compare(*events, *lines), dict.fromkeys(some, ('equal', 0, 0)))
        for index, wanted in (('index=x OR index=z', ('equal', 0)), ('(index=x OR index=z)', ('equal', 0)),
                              ('index=x', ('missing in Splunk', 1))):
            rows = run('`defender_mssp_audit_compare(1)`', [*events, *lines], 96,
                       {**MACROS, 'defender_mssp_index': {'definition': index}})
            self.assertEqual({(row['verdict'], row['missing']) for row in rows}, {wanted}, index)

    def test_long_events_and_escapes(self):
        """ID and time come after 200,000 characters, and after others of the same name; ID and time with escapes."""
        long, odd = self.alert('long', size=200000), self.alert('a/b"ü\n', 99)
        raw = odd['_raw'].replace('a/b', 'a\\/b').replace('.12Z', '.12\\u005a')
        self.assertNotEqual(raw, odd['_raw'])
        self.assertEqual(self.compare(long, {**odd, '_raw': raw}, self.manifest([long, odd])), {'a': ('equal', 0, 0)})

    @pytest.mark.promise('Completeness', 'Events that are in the index but cut, or whose JSON cannot be read, are not '
                                         'called missing')
    def test_what_cannot_be_read(self):
        """The day is that of _time. A cut event is no JSON: json_extract() finds nothing."""
        some = [self.alert('a', size=20000), self.alert('b', 70, size=20000), self.alert('c', 90)]
        cut = [{**event, '_raw': event['_raw'][:10000]} for event in some]
        said = self.manifest(some)
        self.assertEqual(self.compare(*cut, said), {'a': ('cut', 2, 0)})
        self.assertEqual(self.compare(cut[0], said), {'a': ('missing in Splunk', 3, 0)})
        rows = run('`defender_mssp_audit_compare(1)`', [*cut, said], 96)
        self.assertEqual([(row['in_splunk'], row['unread']) for row in rows], [(1, 2)])

    @pytest.mark.promise('Completeness', 'Days are compared as days of UTC, whatever the time zone of the user, and a '
                                         'day that the time range does not cover is not compared')
    def test_borders_of_days(self):
        """The first and the last moment of a day, at seven digits; a minute before midnight and at midnight."""
        def at(time, ago=1):
            return self.alert(time, 0, ago=ago, lastUpdateDateTime=f'{self.date(ago)}T{time}Z')
        mine = [at('00:00:00'), at('00:00:00.0000001'), at('23:59:59.9999999')]
        others = [at('23:59:59.9999999', 2), at('00:00:00', 0)]
        for hours in (-12, 0, 5.5, 14):
            evals.ZONE = datetime.timezone(datetime.timedelta(hours=hours))
            try:
                rows = run('`defender_mssp_audit_compare(1)`', [*mine, *others, self.manifest(mine)], 96)
            finally:
                evals.ZONE = datetime.timezone.utc
            self.assertEqual([(row['day'], row['verdict']) for row in rows], [(self.date(), 'equal')], hours)
        for now in (self.TODAY, self.TODAY + 1, self.TODAY + 86399):
            self.assertEqual(self.compare(*mine, *others, self.manifest(mine, age_s=NOW - self.TODAY), now=now),
                             {'a': ('equal', 0, 0)}, now - self.TODAY)

    @pytest.mark.promise('Splunk', 'The recipe that leaves evidence out of the index keeps the comparison valid')
    def test_without_evidence(self):
        """The expression of docs/operations.md; what is no JSON stays."""
        with open(os.path.join(fields.ROOT, 'docs/operations.md'), encoding='utf-8') as file:
            expression, = re.findall(r'^INGEST_EVAL = _raw=(.*)$', file.read(), re.MULTILINE)
        some = [self.alert('a', size=9000, title='\u00fc <x>'), self.alert('b/"ü', 70)]
        bare = [{**event, '_raw': evals.compute(expression, event)} for event in some]
        self.assertLess(len(bare[0]['_raw']), 400)
        self.assertNotIn('evidence', bare[0]['_raw'] + bare[1]['_raw'])
        self.assertEqual(self.compare(*bare, self.manifest(some)), {'a': ('equal', 0, 0)})
        self.assertEqual(evals.compute(expression, {'_raw': '{"broken'}), '{"broken')

    def test_days(self):
        """Whole days of UTC, that many of them, 35 at most; today is not compared."""
        found = [self.alert('x', ago=ago) for ago in range(40)]
        for days in (1, 2, 35, 60):
            rows = run(f'`defender_mssp_audit_compare({days})`', found, 24 * 50)
            self.assertEqual([row['day'] for row in rows], sorted(self.date(n + 1) for n in range(min(days, 35))))
        whole = [self.alert('x', 60, ago=2), self.manifest([self.alert('x', 60, ago=2)], ago=2)]
        self.assertEqual(self.compare(*whole, days=3, earliest=self.TODAY - 2 * 86400), {'a': ('equal', 0, 0)})
        self.assertEqual(self.compare(*whole, days=3, earliest=self.TODAY - 2 * 86400 + 61), {})
        self.assertEqual(self.compare(*whole, days=3, earliest=0), {'a': ('equal', 0, 0)})
        rows = run('latest=-30h `defender_mssp_audit_compare(2)`', found, 24 * 50)      # in the middle of yesterday
        self.assertEqual([row['day'] for row in rows], [self.date(2)])

    def test_what_has_no_identity_is_not_compared(self):
        found = [self.alert(''), self.alert(None), self.alert('x', lastUpdateDateTime=None)]
        self.assertEqual(self.compare(*found, self.manifest([])), {'a': ('equal', 0, 0)})


class Completeness(AuditCase):
    """The macro defender_mssp_completeness: the worse of what Microsoft and what Splunk says."""

    def states(self, *events, days=3, now=NOW):
        """(customer, days ago) -> state"""
        rows = spl.Search(f'`defender_mssp_completeness({days})`', MACROS).run(events, now, now - 5 * 86400)
        for row in rows:
            self.assertTrue(row['todo'] and row['rank'] and row['day'], row)
            self.assertEqual(row['due'], int(row['ago'] == (1 if now % 86400 >= 6 * 3600 else 2)))
        return {(row['customer'], row['ago']): row['state'] for row in rows}

    @pytest.mark.promise('Completeness', 'A day of a customer is proven only if Microsoft lists nothing that was not '
                                         'written, and the index holds what was written')
    def test_states(self):
        """Each result of an audit with each verdict about the index."""
        some = [self.alert('x'), self.alert('y', 70)]
        sides = {'equal': [*some, self.manifest(some)], 'missing': [some[0], self.manifest(some)],
                 'differs': [*some, self.alert('z'), self.manifest(some)],
                 'cut': [some[0], {**some[1], '_raw': '{"id":"y","t'}, self.manifest(some)], 'none': []}
        wanted = {'equal': ('equal', 'missing', 'differs', 'cut', 'half'),
                  'repaired': ('repaired', 'missing', 'differs', 'cut', 'half'), 'missing': ('missing',) * 5,
                  'partial': ('partial', 'missing', 'differs', 'cut', 'partial'),
                  'behind': ('behind', 'missing', 'differs', 'cut', 'behind'),
                  'unknown': ('unknown', 'missing', 'differs', 'cut', 'unknown'),
                  None: ('half', 'missing', 'differs', 'cut', 'none')}
        for result, states in wanted.items():
            for (side, events), state in zip(sides.items(), states):
                with self.subTest(result=result, side=side):
                    lines = [line('a')] if result is None else [self.audit(result)]
                    self.assertEqual(self.states(*events, *lines), {('a', 1): state})

    def test_the_newest_audit_of_a_day_counts(self):
        """What an older line said, such as its reason, is gone."""
        events = [self.audit('unknown', why='no_ledger', age_s=7000), self.audit('equal', age_s=60), self.manifest([])]
        row, = run('`defender_mssp_completeness(1)`', events, 96)
        self.assertEqual((row['state'], row.get('why')), ('equal', None))

    def test_customers_without_a_line(self):
        """One that reports has the newest day that is due; one that is gone has none. SIEM has no audit."""
        found = self.states(line('new'), line('old', 5 * 3600), line('s', api='siem'), self.audit('equal', 'gone', 2))
        self.assertEqual(found, {('new', 1): 'none', ('s', 1): 'no audit', ('gone', 2): 'half'})
        early = self.TODAY + 6 * 3600 - 1
        self.assertEqual(self.states({**line('new'), '_time': early}, now=early), {('new', 2): 'none'})
        self.assertEqual(self.states({**line('new'), '_time': early + 1}, now=early + 1), {('new', 1): 'none'})


class Names(unittest.TestCase):
    """What this app exports collides with nothing."""
    ALIASES = ('late_minutes', 'silent_minutes', 'lag_limit_s', 'expiry_days', 'alerts_events',
               'incidents_events', 'events', 'latest', 'log', 'status', 'health')

    @pytest.mark.promise('Splunk', 'Macros, saved searches and views have names of their own: defender_mssp_...')
    def test_prefix(self):
        old = {'defender_' + name for name in self.ALIASES}
        views = {name[:-4] for name in os.listdir(os.path.join(fields.ROOT, 'default/data/ui/views'))}
        for name in [*(set(MACROS) - old), *SEARCHES, *views]:
            self.assertTrue(name.startswith('defender_mssp_'), name)
        self.assertNotIn('defender_index', MACROS)      # the add-ons 6207, 4959 and 3786 define it too

    def test_the_old_names_mean_the_same(self):
        for name in self.ALIASES:
            with self.subTest(name):
                self.assertEqual(spl.expand(f'`defender_{name}`', MACROS),
                                 spl.expand(f'`defender_mssp_{name}`', MACROS))

    def test_a_setting_under_its_old_name_still_counts(self):
        changed = {**MACROS, 'defender_silent_minutes': {'definition': '240'}}
        rows = run('`defender_mssp_status` | `defender_mssp_health`', [line('a', 60, read_age_s=3000)], macros=changed)
        self.assertEqual(rows[0]['condition'], 'late')


class Alerting(unittest.TestCase):
    """savedsearches.conf"""

    def test_shipped_disabled(self):
        self.assertEqual(len(SEARCHES), 9)
        for name, search in SEARCHES.items():
            self.assertFalse(alerts.Alert(search, enabled=False).scheduled, name)
            self.assertFalse(search['dispatch.earliest_time'].startswith('rt'))

    @pytest.mark.promise('Splunk', 'Each of the nine alerts runs on its schedule once it is enabled, and fires only '
                                   'for what it finds')
    def test_fire_once_enabled(self):
        for name, search in SEARCHES.items():
            with self.subTest(name):
                alert = alerts.Alert(search, enabled=True)
                self.assertTrue(alert.scheduled)
                self.assertEqual(alert.fire([], NOW), [])
                found = [{'customer': 'a', 'cause': 'x', 'day': '1'}, {'customer': 'b', 'cause': 'y', 'day': '1'}]
                together = search['alert.digest_mode'] == '1'
                self.assertEqual(alert.fire(found, NOW), [found] if together else [[row] for row in found])

    def test_are_not_repeated(self):
        """Within alert.suppress.period a customer is reported once; another one is reported at once."""
        for name in ('customer_silent', 'customer_lost', 'credentials_refused', 'lag_over_limit', 'bad_records'):
            with self.subTest(name):
                search = SEARCHES['defender_mssp_' + name]
                alert, period = alerts.Alert(search, enabled=True), alerts.seconds(search['alert.suppress.period'])
                a, b = {'customer': 'a'}, {'customer': 'b'}
                self.assertEqual([alert.fire(rows, NOW + at) for rows, at in
                                  (([a], 0), ([a], 600), ([a, b], 1200), ([a], period))], [[[a]], [], [[b]], [[a]]])

    def test_the_reader_has_splunks_defaults(self):
        """What is missing, or has another name, is what Splunk would do without it."""
        good = SEARCHES['defender_mssp_customer_silent']
        for key, wanted in (('counttype', 'fires'), ('enableSched', 'unscheduled'), ('cron_schedule', 'unscheduled')):
            with self.subTest(key):
                alert = alerts.Alert({name: value for name, value in good.items() if name != key}, enabled=True)
                found = 'fires' if alert.fire([{}], NOW) and alert.keys['counttype'] == 'always' else \
                    'scheduled' if alert.scheduled else 'unscheduled'
                self.assertEqual(found, wanted)
        for broken in ({'counttype': 'number of evens'}, {'relation': 'more than'}, {'alert.suppress.fields': ''},
                       {'enableSched': 'on'}):
            with self.subTest(broken), self.assertRaises(evals.Wrong):
                alerts.Alert({**good, **broken}, enabled=True).fire([{}], NOW)

    def test_nothing_to_tell(self):
        for name in SEARCHES:
            self.assertEqual(alerting(name[len('defender_mssp_'):], [line('a'), line('b', 250)]), [], name)

    def test_silent(self):
        self.assertEqual(alerting('customer_silent', [
            line('gone', 4000), line('stuck', 60, state='failing', read_age_s=4000), line('fine')]), ['stuck', 'gone'])

    def test_refused(self):
        self.assertEqual(alerting('credentials_refused', [
            line('a', 600), line('a', 30, state='refused', why='x'), line('b')]), ['a'])
        self.assertEqual(alerting('credentials_refused', [line('a', 600, state='refused'), line('a', 30)]), [])

    @pytest.mark.promise('Trouble', 'A customer that worked before and left is lost, and what never worked is refused')
    def test_lost(self):
        """One alert of its own: neither refused nor silent."""
        lines = [line('left', 30, state='refused', lost='yes', why='x', read_age_s=9000),
                 line('a', 30, state='refused'), line('back', 600, state='refused', lost='yes'), line('back', 30)]
        self.assertEqual(alerting('customer_lost', lines), ['left'])
        self.assertEqual(alerting('credentials_refused', lines), ['a'])
        self.assertEqual(alerting('customer_silent', lines), [])

    @pytest.mark.promise('Splunk', 'One search shows a cause that many customers share, with what to do')
    def test_one_cause(self):
        """A store that is locked, at more customers than a rare trouble has."""
        locked = [line(name, 30, state='waiting', cause='splunkd_busy', who='our administrator', remedy='check splunkd',
                       why='HTTP 503: locked') for name in ('a', 'b', 'c')]
        other = [line('d', 30, state='failing', cause='http_5xx', who='no action needed', remedy='nothing'),
                 line('e', 2000, state='waiting', cause='splunkd_busy'), line('f')]
        search = SEARCHES['defender_mssp_one_cause']['search']
        row, = run(search, locked + other)
        self.assertEqual((row['cause'], row['customers'], row['todo'], row['why'], row['customer']),
                         ('splunkd_busy', 3, 'our administrator: check splunkd', 'HTTP 503: locked', ['a', 'b', 'c']))
        self.assertEqual(run(search, locked[:2] + other), [])
        two = {**MACROS, 'defender_mssp_many_customers': {'definition': '2'}}
        self.assertEqual(len(run(search, locked[:2] + other, macros=two)), 1)

    def test_expiry(self):
        name = 'about_to_expire'
        self.assertEqual(alerting(name, [line('a', certificate_days=29), line('b', certificate_days=31), line('c')]),
                         ['a'])
        self.assertEqual(alerting(name, [line('d', state='refused', why='AADSTS7000222: expired')]), ['d'])
        self.assertEqual(alerting(name, [line('e', secret_days=6), line('f', secret_days=400), line('g')]), ['e'])
        row, = run(SEARCHES['defender_mssp_' + name]['search'], [line('h', secret_days=20, certificate_days=3)])
        self.assertEqual((row['what'], row['days_left']), ('certificate', 3))
        row, = run(SEARCHES['defender_mssp_' + name]['search'], [line('h', secret_days=20)])
        self.assertEqual((row['what'], row['days_left']), ('secret', 20))       # a number, not a text

    def test_lag(self):
        self.assertEqual(alerting('lag_over_limit', [line('quiet', lag_s=90000), line('gone', 3500, lag_s=90000),
                                                         line('new', lag_s=-1), line('fine')]), ['quiet'])

    @pytest.mark.promise('Completeness', 'An alert reports each day of which alerts are missing, and another one each '
                                         'customer without a proof for two days')
    def test_audit(self):
        """A day that is not equal on one side or the other; one of which nothing is known is none."""
        audit = AuditCase()
        some = [audit.alert('a'), audit.alert('b', 70)]
        for wanted, events in (
                ([], [*some, audit.manifest(some)]), ([], some), (['a'], [some[0], audit.manifest(some)]),
                (['a'], [*some, audit.manifest(some), audit.audit('missing', missing=1)]),
                (['a'], [audit.audit('partial')]), ([], [audit.audit('unknown', why='no_ledger')]),
                ([], [audit.audit('behind')]), ([], [*some, audit.manifest(some), audit.audit('repaired')]),
                (['b', 'a'], [audit.audit('missing', 'b', 3), audit.audit('partial', ago=2)]),
                ([], [audit.audit('missing', ago=4)])):
            with self.subTest(wanted=wanted, events=len(events)):
                self.assertEqual(alerting('audit_difference', events), wanted)

    def test_not_audited(self):
        audit, before = AuditCase(), line('a', 74 * 3600)
        for wanted, events in (
                (['a'], [line('a'), before]), ([], [line('a')]), ([], [before]), ([], [line('a'), before, audit.audit(
                    'equal', age_s=30 * 3600)]), ([], [line('a'), before, audit.audit('repaired')]),
                (['a'], [line('a'), before, audit.audit('equal', age_s=50 * 3600)]),
                (['a'], [line('a'), before, audit.audit('behind')]),
                (['a'], [line('a'), before, audit.audit('unknown', why='no_ledger'), audit.audit('equal', 'b')]),
                ([], [line('a', api='siem'), {**before, 'api': 'siem'}]), ([], [line('a', audit='off'), before])):
            with self.subTest(wanted=wanted, events=len(events)):
                self.assertEqual(alerting('not_audited', events), wanted)
        row, = run(SEARCHES['defender_mssp_not_audited']['search'], [
            line('a'), before, audit.audit('behind', age_s=500), audit.audit('unknown', why='no_ledger')], 48)
        self.assertEqual((row['last_result'], row['why'], row['tenant']), ('unknown', 'no_ledger', 't'))

    def test_left_behind(self):
        self.assertEqual(alerting('bad_records', [
            line('a', event='bad_record', **{'from': 'x', 'to': 'y'}), line('a', 90, event='bad_record'),
            line('b')]), ['a'])


class Keys(unittest.TestCase):
    """No key that splunkd would ignore."""

    @pytest.mark.promise('Splunk', 'Splunk knows every key of every conf file in the package')
    def test_all_are_known(self):
        self.assertEqual(list(conf_keys.complaints(fields.ROOT)), [])

    def test_what_is_not_known_is_found(self):
        declared = {'defender_alerts': {'tenant_id'}}
        for file, stanza, key in (
                ('savedsearches', 'x', 'alert_type'), ('savedsearches', 'x', 'alert_threshold'),
                ('savedsearches', 'x', 'is_scheduled'), ('savedsearches', 'x', 'cron'), ('props', 'x', 'EVALUATE-a'),
                ('props', 'x', 'TRUNCATED'), ('props', 'x', 'EVAL-'), ('macros', 'x', 'defintion'),
                ('eventtypes', 'x', 'query'), ('app', 'ui', 'visible'), ('app', 'launcher', 'label'),
                ('app', 'user', 'label'), ('inputs', 'defender_alerts', 'tenant'), ('inputs', 'other', 'tenant_id'),
                ('authorize', 'role_x', 'srchIndexAllowed'), ('authorize', 'rolex', 'importRoles'),
                ('web', 'expose:x', 'method'), ('default.meta', 'views', 'acces'), ('limits', 'spath', 'x'),
                ('tags', 'eventtype', 'alert')):
            with self.subTest(file=file, key=key):
                self.assertEqual(len(list(conf_keys.unknown(file, {stanza: {key: '1'}}, declared))), 1)
        for file, stanza, key in (
                ('savedsearches', 'x', 'action.email.to'), ('savedsearches', 'x', 'counttype'),
                ('props', 'x', 'EVAL-a'), ('inputs', 'defender_alerts', 'interval'),
                ('inputs', 'defender_alerts', 'tenant_id'), ('authorize', 'role_x', 'edit_modinput_defender_alerts'),
                ('tags', 'eventtype=x', 'alert'), ('default.meta', '', 'export')):
            with self.subTest(file=file, key=key):
                self.assertEqual(list(conf_keys.unknown(file, {stanza: {key: '1'}}, declared)), [])


class Documentation(unittest.TestCase):
    """Every search of docs/searching.md can be run."""

    def test_searches(self):
        with open(os.path.join(fields.ROOT, 'docs', 'searching.md'), encoding='utf-8') as file:
            found = re.findall(r'```spl\n(.*?)```', file.read(), re.DOTALL)
        self.assertGreater(len(found), 8)
        for text in found:
            with self.subTest(search=text):
                spl.Search(text.replace('\n', ' '), MACROS).run([line('a')], NOW)

    def test_the_lookup(self):
        """Worst first, and a record that nobody writes any more says nothing."""
        with open(os.path.join(fields.ROOT, 'docs', 'searching.md'), encoding='utf-8') as file:
            text = re.search(r'```spl\n(\| inputlookup.*?)```', file.read(), re.DOTALL)[1].replace('\n', ' ')
        records = [{'_lookup': 'defender_mssp_state', 'input': name, 'condition': condition, 'rank': rank,
                    'updated': str(NOW - age_s), 'todo': 'x'}
                   for name, condition, rank, age_s in (('a', 'ok', '11', 60), ('b', 'refused', '2', 600),
                                                        ('c', 'ok', '11', 901))]
        self.assertEqual([(row['input'], row['silent']) for row in run(text, [*records, line('d')])],
                         [('b', 'refused'), ('a', 'ok'), ('c', 'silent')])


class Evaluator(unittest.TestCase):
    """The evaluators themselves, by the search reference."""

    def test_eval(self):
        event = {'a': 'x', 'n': '10', 'm': ['1', '2', 'null', '2'], 'e': '', 'x y': 'z',
                 'j': '{"b":{"a":1},"a":"x\\/y","n":12,"none":null}'}
        for text, wanted in (('coalesce(none,a)', 'x'), ('nullif(a,"x")', None), ('nullif(e,"")', None),
                             ('a."-".n', 'x-10'), ('if(n>9,"big","small")', 'big'), ('case(n<5,1,true(),2)', 2),
                             ('none=="a"', None),
                             ('mvdedup(mvfilter(m!="null"))', ['1', '2']), ('mvfilter(none!="x")', None),
                             ("'x y'", 'z'), ('mvappend(a,m,none)', ['x', '1', '2', 'null', '2']),
                             ('lower("AB")', 'ab'), ('replace("a://b","^[a-z]+://","")', 'b'),
                             ('(1+2)*3-4/2', 7), ('NOT a=="x" OR n==10', True), ('match(a,"^x$")', True),
                             ('tostring(93784,"duration")', '1+02:03:04'), ('round(2.5)', 3), ('floor(-1.5)', -2),
                             ('isnull(none) AND isnotnull(a)', True), ('max(n,3)', 10),
                             ('strptime("2026-01-02","%Y-%m-%d")', 1767312000), ('null()', None),
                             ('substr("2026-01-02T",1,10)', '2026-01-02'), ('substr("abc",2)', 'bc'),
                             ('strptime("2026-01-02 +0200","%Y-%m-%d %z")', 1767304800), ('len("abc")', 3),
                             ('tonumber("ff",16)', 255),
                             ('sha256("abc")', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
                             ('json_extract(j,"a")', 'x/y'), ('json_extract(j,"n")', '12'),
                             ('json_extract(j,"none")', None), ('json_extract(a,"a")', None)):
            self.assertEqual(evals.compute(text, event), wanted, text)
        for text in ('mvfilter(a!=n)', 'nope(a)', 'a b', '(a', 'a ==', '"open'):
            with self.assertRaises(evals.Wrong, msg=text):
                evals.compute(text, event)

    def test_terms(self):
        """OR binds tighter than AND in the terms of a search, and looser in where."""
        rows = [{'_raw': '', '_time': NOW, 'a': a, 'b': b} for a in '12' for b in '12']
        for text, wanted in (('a=1 OR a=2 b=1', ['11', '21']), ('b=1 a=1 OR a=2', ['11', '21']),
                             ('(b=1 a=1) OR a=2', ['11', '21', '22']), ('NOT a=1 OR b=1', ['11', '21', '22']),
                             ('* | where a=1 OR a=2 AND b=1', ['11', '12', '21'])):
            self.assertEqual([row['a'] + row['b'] for row in run(text, rows)], wanted, text)
        for text in ('a=1 OR', 'OR a=1', 'a=1 (b=1', 'a=1)'):
            with self.assertRaises(evals.Wrong, msg=text):
                run(text, rows)

    def test_commands(self):
        rows = [{'_raw': '', '_time': NOW - ago, 'a': a, 'b': b, 'c': c} for ago, a, b, c in (
            (50, 'x', '1', 'p'), (4000, 'x', '2', 'q'), (8000, 'y', '2', 'r'))]
        search = spl.Search('* | xyseries a b c | fillnull value="- none" "1" 2')
        self.assertEqual(search.run(rows, NOW), [{'a': 'x', '1': 'p', '2': 'q'}, {'a': 'y', '1': '- none', '2': 'r'}])
        self.assertEqual(search.fields, ['a', '1', '2'])
        for text, wanted in (('earliest=-1h *', ['p']), ('* earliest=-2h latest=-1h', ['q']), ('*', ['p', 'q', 'r'])):
            self.assertEqual([row['c'] for row in run(text, rows)], wanted, text)
        row, = run('earliest=-1h * | addinfo | table info_min_time info_max_time', rows)
        self.assertEqual(row, {'info_min_time': NOW - 3600, 'info_max_time': NOW})
        found = run('* | stats count | append [search a=y | table c]', rows)
        self.assertEqual(found, [{'count': 3}, {'c': 'r'}])

    def test_auto_json(self):
        found = fields.auto_json('{"a":1.50,"b":null,"c":[{"d":"x\\"y","e":[1,2]},{"d":null}],"f":[],"g":{"h":true}}')
        self.assertEqual(found, {'a': ['1.50'], 'b': ['null'], 'c{}.d': ['x"y', 'null'], 'c{}.e{}': ['1', '2'],
                                 'g.h': ['true']})
        self.assertEqual(fields.auto_json('{"a":"b","c":"ddd"}', 14), {'a': ['b']})

    def test_order(self):
        """Aliases see extractions, calculated fields see aliases and no other calculated field."""
        stanza = {'KV_MODE': 'json', 'EXTRACT-z': '"k":"(?<z>.)', 'FIELDALIAS-a': 'k AS b z AS y', 'EVAL-c': 'b."1"',
                  'EVAL-d': 'c', 'EVAL-k': 'lower(k)'}
        found = fields.fields_of(stanza, '{"k":"V"}', 's')
        self.assertEqual({name: found.get(name) for name in 'bcdkyz'},
                         {'b': 'V', 'c': 'V1', 'd': None, 'k': 'v', 'y': 'V', 'z': 'V'})
