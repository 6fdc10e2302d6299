"""Health, alerting searches and the searches of the documentation, run over made-up lines and events."""
import os
import re
import unittest

import evals
import fields
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
    """Customers that a shipped search tells of."""
    search = SEARCHES['defender_mssp_' + name]
    hours = {'-24h': 24, '-1h': 1, '-65m': 65 / 60}[search['dispatch.earliest_time']]
    return [row['customer'] for row in run(search['search'], events, hours, macros)]


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


class Alerting(unittest.TestCase):
    """savedsearches.conf"""

    def test_shipped_disabled(self):
        self.assertEqual(len(SEARCHES), 5)
        for name, search in SEARCHES.items():
            self.assertEqual((search['disabled'], search.get('enableSched')), ('1', None), name)
            self.assertFalse(search['dispatch.earliest_time'].startswith('rt'))

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

    def test_expiry(self):
        name = 'about_to_expire'
        dates = {**MACROS, 'defender_mssp_secret_dates': {
            'definition': 'eval secret_ends=case(client=="c1","2026-10-01",client=="c2","2031-01-01")'}}
        self.assertEqual(alerting(name, [line('a', certificate_days=29), line('b', certificate_days=31), line('c')]),
                         ['a'])
        self.assertEqual(alerting(name, [line('d', state='refused', why='AADSTS7000222: expired')]), ['d'])
        self.assertEqual(alerting(name, [line('e', client='c1'), line('f', client='c2'), line('g')], dates), ['e'])

    def test_lag(self):
        self.assertEqual(alerting('lag_over_limit', [line('quiet', lag_s=90000), line('gone', 3500, lag_s=90000),
                                                         line('new', lag_s=-1), line('fine')]), ['quiet'])

    def test_left_behind(self):
        self.assertEqual(alerting('bad_records', [
            line('a', event='bad_record', **{'from': 'x', 'to': 'y'}), line('a', 90, event='bad_record'),
            line('b')]), ['a'])


class Documentation(unittest.TestCase):
    """Every search of docs/searching.md can be run."""

    def test_searches(self):
        with open(os.path.join(fields.ROOT, 'docs', 'searching.md'), encoding='utf-8') as file:
            found = re.findall(r'```spl\n(.*?)```', file.read(), re.DOTALL)
        self.assertGreater(len(found), 8)
        for text in found:
            with self.subTest(search=text):
                spl.Search(text.replace('\n', ' '), MACROS).run([line('a')], NOW)


class Evaluator(unittest.TestCase):
    """The evaluators themselves, by the search reference."""

    def test_eval(self):
        event = {'a': 'x', 'n': '10', 'm': ['1', '2', 'null', '2'], 'e': '', 'x y': 'z'}
        for text, wanted in (('coalesce(none,a)', 'x'), ('nullif(a,"x")', None), ('nullif(e,"")', None),
                             ('a."-".n', 'x-10'), ('if(n>9,"big","small")', 'big'), ('case(n<5,1,true(),2)', 2),
                             ('none=="a"', None),
                             ('mvdedup(mvfilter(m!="null"))', ['1', '2']), ('mvfilter(none!="x")', None),
                             ("'x y'", 'z'), ('lower("AB")', 'ab'), ('replace("a://b","^[a-z]+://","")', 'b'),
                             ('(1+2)*3-4/2', 7), ('NOT a=="x" OR n==10', True), ('match(a,"^x$")', True),
                             ('tostring(93784,"duration")', '1+02:03:04'), ('round(2.5)', 3), ('floor(-1.5)', -2),
                             ('isnull(none) AND isnotnull(a)', True), ('max(n,3)', 10),
                             ('strptime("2026-01-02","%Y-%m-%d")', 1767312000), ('null()', None)):
            self.assertEqual(evals.compute(text, event), wanted, text)
        for text in ('mvfilter(a!=n)', 'nope(a)', 'a b', '(a', 'a ==', '"open'):
            with self.assertRaises(evals.Wrong, msg=text):
                evals.compute(text, event)

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
