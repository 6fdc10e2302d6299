"""The dashboard's definition, and that each kind of mistake in it is noticed."""
import contextlib
import json
import os
import re
import unittest
import xml.dom.minidom

import fields
import mistakes
import pytest
import views
from test_searches import MACROS, NOW, AuditCase, line, run


class Views(unittest.TestCase):
    """All views of the app."""

    def setUp(self):
        self.view = views.read('defender_mssp_customers')

    def test_no_complaints(self):
        self.assertEqual(views.names(), ['defender_mssp_completeness', 'defender_mssp_customers'])
        for name in views.names():
            self.assertEqual(views.complaints(views.read(name)), [], name)

    def test_navigation(self):
        """Well-formed. The customers page opens first; who may not manage customers begins with the dashboard."""
        root = xml.dom.minidom.parse(os.path.join(fields.ROOT, 'default/data/ui/nav/default.xml')).documentElement
        entries = root.getElementsByTagName('view')
        self.assertEqual([view.getAttribute('name') for view in entries][:2],
                         ['defender_mssp_manage', 'defender_mssp_customers'])
        self.assertEqual([view.getAttribute('name') for view in entries if view.getAttribute('default')],
                         ['defender_mssp_manage'])

    def test_both_frames_of_the_customers_page(self):
        """The dashboard names a script and has the place for the page; the other frame is Splunk's own template."""
        paths = [os.path.join(views.FOLDER, f'defender_mssp_manage{end}.xml') for end in ('', '_app')]
        frame, other = (xml.dom.minidom.parse(path).documentElement for path in paths)
        self.assertEqual((frame.tagName, frame.getAttribute('version'), frame.getAttribute('script')),
                         ('dashboard', '1.1', 'defender_mssp_manage.js'))
        self.assertIn('defender-customers', [div.getAttribute('id') for div in frame.getElementsByTagName('div')])
        self.assertEqual((other.tagName, other.getAttribute('template'), other.getAttribute('isVisible')),
                         ('view', 'pages/splunk_ui_app.html', 'False'))

    @pytest.mark.promise('Splunk', 'The dashboard sends eight searches, and three more when a customer is chosen')
    def test_few_searches(self):
        """Splunk limits the searches that a user may run at once, so a page must not send many."""
        self.assertEqual(len(views.sent(self.view)), 8)
        self.assertEqual(sorted(views.sent(self.view, 'customer')), ['ds_delivery', 'ds_latest', 'ds_lines'])

    @pytest.mark.promise('Splunk', 'The dashboard of completeness sends two searches, none when a customer is chosen')
    def test_few_searches_of_days(self):
        """The index is read once, and less often than the lines of the log."""
        view = views.read('defender_mssp_completeness')
        self.assertEqual(sorted(views.sent(view)), ['ds_audits', 'ds_days'])
        self.assertEqual(views.sent(view, 'customer'), [])
        self.assertEqual(view['dataSources']['ds_days']['options']['refresh'], '30m')

    def test_contrast(self):
        self.assertEqual(round(views.contrast('#ffffff', '#000000')), 21)
        self.assertEqual(round(views.contrast('#cba700', '#ffffff'), 1), 2.3)


def forwarder(host, age_s=60, **facts):
    """A line of a forwarder that shares the customers."""
    facts = {'group': 'default', 'forwarder': host, 'state': 'member', 'table': 7, 'members': 2, 'held': 250, 'of': 500,
             'confirmed_ms': 2600, 'store': 'https://ds:8089', 'lag_ms': 40, 'well': 'yes', **facts}
    return {**line('-', age_s, event='share', **facts), 'host': host}


class Results(unittest.TestCase):
    """What the searches of the dashboard find in made-up lines."""

    def rows(self, name, *events, customer='*'):
        query = views.whole_query(views.read('defender_mssp_customers'), name)
        return run(query.replace('$customer|s$', json.dumps(customer)), events)

    @pytest.mark.promise('Splunk', 'The dashboard says who is needed, or why nothing can be seen and what to do')
    def test_notice(self):
        """It says why nothing can be seen, or who is needed."""
        other = {'index': '_internal', '_time': NOW - 60, '_raw': 'x'}
        for level, text, events in (
                ('nothing', 'no event in the index _internal', []),
                ('nothing', 'no event in the index _internal', [{**other, '_time': NOW - 9000}]),
                ('nothing', 'No input has reported', [other]),
                ('well', 'Nobody is needed. Customers: 2. Newest status line: 00:01:00 ago', [
                    line('a'), line('b', 90)]),
                ('act', 'need somebody: 1 of 2.', [line('a'), line('b', state='refused')])):
            with self.subTest(text=text, events=len(events)):
                row, = self.rows('ds_notice', *events)
                self.assertEqual((row['_level'], text in row['notice']), (level, True), row)
                self.assertEqual(row['notice'][0], {'nothing': '✖', 'act': '▲', 'well': '✔'}[level])

    def test_states(self):
        """A shape, a word and a color for each."""
        rows = self.rows('ds_worst', line('gone', 7200), line('late', read_age_s=800), line('quiet', lag_s=100000),
                         line('fine'))
        self.assertEqual([(row['state'], row['_level']) for row in rows], [
            ('✖ silent', 'act'), ('▲ late', 'watch'), ('◐ quiet', 'wait'), ('✔ ok', 'well')])

    def test_numbers_are_not_zero_without_customers(self):
        self.assertEqual(self.rows('ds_numbers'), [{}])
        self.assertEqual(self.rows('ds_numbers', line('a')), [{'customers': 1, 'act': 0, 'slow': 0, 'bad': 0}])

    def test_list_of_customers(self):
        """It can be opened when there is none, too."""
        self.assertEqual(self.rows('ds_customers'), [{'label': 'All customers', 'value': '*'}])
        self.assertEqual([row['value'] for row in self.rows('ds_customers', line('b'), line('a'))], ['*', 'a', 'b'])

    def test_over_time(self):
        """The counters of a process become what happened in each bar of the chart, also over a restart."""
        lines = [line('a', age_s, requests=n, ok=n, throttled=0, refused=0, failed=0, read_age_s=age)
                 for age_s, n, age in ((7200, 10, 30), (7100, 25, 70), (3600, 5, 40))]
        rows = self.rows('ds_outcome', *lines)
        self.assertEqual([row['answered'] for row in rows if row['answered']], [25, 5])
        self.assertEqual([row['worst'] for row in self.rows('ds_poll_age', *lines) if row['worst']], [70, 40])

    @pytest.mark.promise('Splunk', 'The dashboard shows the volume of each customer and its share of the license')
    def test_volume(self):
        """What was written within the time range: not what the process had written before it, and over a restart."""
        mb = 1 << 20
        lines = [line('a', age_s, event_bytes=n * mb, new=100, alerts=40, up_s=up)
                 for age_s, n, up in ((86400, 500, 9000), (43200, 700, 52200), (3600, 100, 600), (0, 300, 4200))]
        small = [line('b', 43200, event_bytes=0, new=0, alerts=0, up_s=5), line('b', 0, event_bytes=0, new=0, alerts=0)]
        view = views.read('defender_mssp_customers')
        query = views.whole_query(view, 'ds_volume').replace('$customer|s$', '"*"')
        macros = {**MACROS, 'defender_mssp_license_gb': {'definition': '10'}}
        one, other = run(query, lines + small, 25, macros=macros)
        self.assertEqual((one['customer'], one['MB a day'], one['share of the license, %']), ('a', 500, 4.88))
        self.assertEqual((one['KB a version'], one['KB an alert'], one['versions an alert']), (3072, 7680, 2.5))
        self.assertEqual((other['MB a day'], other['share of the license, %']), (0, 0))
        self.assertNotIn('share of the license, %', run(query, lines, 25)[0])

    @pytest.mark.promise('Sharing', 'The dashboard shows each forwarder, with what to do, and the customers that '
                                    'nobody or two read')
    def test_forwarders(self):
        """Worst first, by what each said last; without sharing one row says so."""
        self.assertEqual([row['state'] for row in self.rows('ds_forwarders')], ['✔ not shared'])
        self.assertEqual([row['state'] for row in self.rows('ds_forwarders', line('a'))], ['✔ not shared'])
        lines = [forwarder(host, age_s, **facts) for host, age_s, facts in (
            ('hf1', 60, {}), ('hf2', 1200, {}), ('hf3', 30, {'state': 'alone'}), ('hf3', 400, {}),
            ('hf4', 30, {'well': 'no'}), ('hf5', 30, {'state': 'outside'}), ('hf6', 30, {'state': 'waiting'}),
            ('hf7', 30, {'state': 'paused'}))]
        rows = self.rows('ds_forwarders', *lines)
        self.assertEqual([(row['forwarder'], row['state'], row['_level']) for row in rows], [
            ('hf2', '✖ silent', 'act'), ('hf5', '✖ outside', 'act'), ('hf3', '✖ alone', 'act'),
            ('hf7', '✖ paused', 'act'), ('hf4', '✖ not well', 'act'),
            ('hf6', '◐ joining', 'wait'), ('hf1', '✔ ok', 'well')])
        self.assertEqual({name: rows[-1][name] for name in ('group', 'reads', 'of customers', 'forwarders', 'table',
                                                            'confirmed, s ago', 'last line', 'what to do')},
                         {'group': 'default', 'reads': '250', 'of customers': '500', 'forwarders': '2', 'table': '7',
                          'confirmed, s ago': 3, 'last line': '00:01:00', 'what to do': 'Nothing'})

    def test_readers(self):
        """Nobody for ten minutes, or two for more than four; a move is neither."""
        def reads(name, host, *ages_s, share='reading'):
            return [{**line(name, age_s, share=share), 'host': host} for age_s in ages_s]
        moved = reads('moved', 'hf1', 900, 600, 330) + reads('moved', 'hf2', 300, 0)
        back = reads('back', 'hf1', 1100, 800, 100) + reads('back', 'hf2', 700, 400, 160)
        idle = reads('idle', 'hf1', 900) + reads('idle', 'hf2', 600, 300, 0, share='waiting')
        both = reads('both', 'hf1', 700, 400, 100) + reads('both', 'hf2', 650, 350, 50, share='alone')
        none = [{'customer': 'all customers', 'state': '✔ no conflict', 'read by': ['-'], 'what to do': 'Nothing',
                 '_level': 'well'}]
        self.assertEqual(self.rows('ds_readers'), none)
        self.assertEqual(self.rows('ds_readers', line('a', 3000), *moved, *back), none)
        rows = self.rows('ds_readers', *moved, *back, *idle, *both)
        self.assertEqual([(row['customer'], row['state'], row.get('read by')) for row in rows],
                         [('idle', '✖ nobody', None), ('both', '✖ two', ['hf1', 'hf2'])])

    def test_backfill(self):
        """The panel is not empty when no backfill is in progress."""
        self.assertEqual(self.rows('ds_backfill'), [])
        self.assertEqual(self.rows('ds_backfill', line('a')), [{'customer': 'none in progress', 'percent': 100}])
        some = line('a'), line('b', backfill_percent=7)
        self.assertEqual(self.rows('ds_backfill', *some), [{'customer': 'b', 'percent': '7'}])
        self.assertEqual(self.rows('ds_backfill', *some, customer='a')[0]['customer'], 'none in progress')

    @pytest.mark.promise('Splunk', 'A customer can be chosen in the dashboard whatever signs its name has')
    def test_one_customer(self):
        """Its name may have any signs."""
        for name in ('a', 'a"b', 'a\\b', 'a\\', '"', 'a | b', 'a (b) [c]'):
            with self.subTest(name=name):
                lines = line('other', 7200), line(name)
                for source, wanted in (('ds_worst', [name, 'other']), ('ds_lines', [name])):
                    rows = self.rows(source, *lines, customer=name)
                    self.assertEqual([row['customer'] for row in rows], wanted, source)


class Completeness(AuditCase):
    """What the searches of the dashboard of completeness find in made-up lines and events."""

    VIEW = 'defender_mssp_completeness'

    def rows(self, name, *events, customer='*'):
        query = views.whole_query(views.read(self.VIEW), name).replace('$customer|s$', json.dumps(customer))
        return run(query, events, 16 * 24)

    def day(self, customer, result='equal', ago=1, lost=0, **facts):
        """Lines and events of a customer's day: reports, audit, manifest, two alerts, of which some are lost."""
        some = [self.alert(f'{customer}{n}', 60 + n, customer=customer, ago=ago) for n in (1, 2)]
        return [line(customer), self.audit(result, customer, ago, **facts), self.manifest(some, customer, ago),
                *some[lost:]]

    @pytest.mark.promise('Splunk', 'The dashboard of completeness says how many customers are proven, or why nothing '
                                   'can be seen and what to do')
    def test_notice(self):
        other = {'index': '_internal', '_time': NOW - 60, '_raw': 'x'}
        for level, text, events in (
                ('act', 'no event in the index _internal', []), ('act', 'No input has reported', [other]),
                ('wait', 'All inputs use the SIEM API', [line('s', api='siem')]),
                ('act', 'your role may not search the indexes', self.day('a', lost=2)),
                ('watch', 'No day has been compared yet', [line('a')]),
                ('act', f'✖ {self.date()} (UTC): 1 of 3 customers with a difference, 1 proven, 1 not known.', [
                    *self.day('a', lost=1), *self.day('b'), line('c')]),
                ('act', '1 of 2 customers with a difference, 1 proven, 0 not', [
                    *self.day('a', 'missing'), *self.day('b')]),
                ('watch', f'▲ {self.date()} (UTC): 1 of 3 customers proven, 2 not known, no difference.', [
                    *self.day('a', 'partial'), *self.day('b', 'repaired'), line('c')]),
                ('well', f'✔ {self.date()} (UTC): all 2 customers proven. Splunk has what Microsoft lists.', [
                    *self.day('a'), *self.day('b')]),
                ('well', 'no audit: 1.', [*self.day('a'), *self.day('b'), line('s', api='siem')]),
                ('well', 'all 1 customers proven', [*self.day('a'), *self.day('a', 'missing', ago=2)])):
            with self.subTest(text=text):
                row, = self.rows('ds_notice', *events)
                self.assertEqual((row['_level'], text in row['notice']), (level, True), row)
                self.assertEqual(row['notice'][0], {'act': '✖', 'watch': '▲', 'wait': '◐', 'well': '✔'}[level])

    def test_every_state_has_a_color(self):
        """Each state of the macro is in the grid's colors, with the shape that the grid's search gives it."""
        context = views.read(self.VIEW)['visualizations']['viz_grid']['context']
        ranks = re.findall(r'state=="([\w ]+)",(\d+)', MACROS['defender_mssp_completeness(1)']['definition'])
        self.assertEqual(len(ranks), 10)
        shapes = [('✖' if int(rank) <= 3 else '▲' if int(rank) <= 5 else '◐' if int(rank) <= 8 else '✔') + ' ' + state
                  for state, rank in ranks]
        for colors in ('back', 'fore'):
            self.assertEqual([one['match'] for one in context[colors]], shapes, colors)

    def test_grid(self):
        """The chosen customer comes first, then the one with the worst day. What nothing is known of is a dash."""
        events = [*self.day('good'), *self.day('good', ago=14), *self.day('bad', 'missing', ago=3), *self.day('bad'),
                  *self.day('meh', 'behind'), line('s', api='siem')]
        for name, wanted in (('*', ['bad', 'meh', 'good']), ('good', ['good', 'bad', 'meh'])):
            rows = self.rows('ds_grid', *events, customer=name)
            self.assertEqual([row['customer'] for row in rows], wanted)
        self.assertEqual({name: cell for name, cell in rows[1].items() if cell != '–'},
                         {'customer': 'bad', '1 d': '✔ equal', '3 d': '✖ missing'})
        self.assertEqual([rows[0]['14 d'], len(rows[0])], ['✔ equal', 15])

    def test_open_days(self):
        """Days that need somebody, and of the newest day all that is not proven. Otherwise one row says so."""
        found = self.rows('ds_open', *self.day('a', 'behind'), *self.day('a', 'missing', ago=2), *self.day('b'),
                          self.audit('equal', 'b', 5), line('c'))
        self.assertEqual([(row['customer'], row['day'], row['state']) for row in found], [
            ('a', self.date(2), '✖ missing'), ('a', self.date(1), '◐ behind'), ('c', self.date(1), '◐ none')])
        found = self.rows('ds_open', *self.day('a'), *self.day('b'), self.audit('equal', 'b', 5))
        self.assertEqual([(row['day'], row['state'], row['_level'], len(row)) for row in found],
                         [('all', '✔ proven', 'well', 5)])
        self.assertEqual(self.rows('ds_open', line('s', api='siem')), [])

    def test_numbers(self):
        self.assertEqual(self.rows('ds_numbers'), [{}])
        events = [*self.day('a'), *self.day('b', 'unknown'), *self.day('c', lost=1), line('s', api='siem')]
        events.append(events[2])        # the manifest, which is no event
        events.append(events[3])
        for name, wanted in (('*', (33.3, 3, 1, 1, 1)), ('a', (100, 1, 0, 0, 1)), ('b', (0, 1, 0, 1, 0))):
            row, = self.rows('ds_numbers', *events, customer=name)
            self.assertEqual(tuple(row[key] for key in ('share', 'customers', 'bad', 'open', 'repeated')), wanted, name)
        self.assertEqual(self.rows('ds_repeats', *events)[0], {'customer': 'a', 'repeats': 1})
        thousand = [one for n in range(1000) for one in (line(f'c{n}'), self.audit('equal', f'c{n}'),
                                                         self.manifest([], f'c{n}')) if n or one['event'] == 'status']
        self.assertEqual(self.rows('ds_numbers', *thousand)[0]['share'], 99.9)

    def test_missing_alerts(self):
        """By ID, with what the last audit of their day said; those that are not named are counted."""
        def missing(name, ago, ident, after, **facts):
            return line(name, event='audit_missing', id=ident, time=f'{self.date(ago)}T10:00:00Z', found_after_s=after,
                        **facts)
        more = line('a', event='audit_missing', more=7, age_s=50)
        events = [missing('a', 1, 'x', 3600), missing('a', 2, 'y', 90000), missing('b', 1, 'z', 60), more,
                  missing('a', 1, 'v', 60, result='repaired'), missing('b', 1, 'w', 60, result='missing'),
                  self.audit('missing', 'a', 1), self.audit('missing', 'a', 2, age_s=9000),
                  self.audit('repaired', 'a', 2)]
        rows = self.rows('ds_missing', *events)
        self.assertEqual({row['id']: (row.get('found after'), row['now']) for row in rows}, {
            'x': ('01:00:00', '✖ missing'), 'y': ('1+01:00:00', '✔ written'), 'v': ('00:01:00', '✔ written'),
            'w': ('00:01:00', '✖ missing'), 'z': ('00:01:00', '▲ not known'), 'and 7 more': (None, '▲ not known')})
        self.assertEqual(self.rows('ds_late', *events), [
            {'customer': 'a', 'alerts': 3, 'median': '01:00:00', '95 of 100': '22:36:00', 'worst': '1+01:00:00'},
            {'customer': 'b', 'alerts': 2, 'median': '00:01:00', '95 of 100': '00:01:00', 'worst': '00:01:00'}])

    def test_cost(self):
        events = [self.audit('equal', 'a', 1, requests=3, bytes=1048576), self.audit('equal', 'b', 1, requests=4)]
        for name, wanted in (('*', 7), ('a', 3)):
            rows = [row for row in self.rows('ds_requests', *events, customer=name) if row['requests']]
            self.assertEqual([row['requests'] for row in rows], [wanted])
        self.assertEqual([row['MB'] for row in self.rows('ds_bytes', *events, customer='a') if row['MB']], [1])

    def test_one_customer(self):
        """Its name may have any signs."""
        for name, logged, shown in (('a"b', "a'b", "a'b"), ('a\\b', 'a\\\\b', 'a/b'), ('a\\', 'a\\', 'a/'),
                                    ('a | b', 'a | b', 'a | b'), ('a (b) [c]', 'a (b) [c]', 'a (b) [c]')):
            with self.subTest(name=name):
                events = [*self.day('other', 'missing'), *({**event, 'input': logged} if 'input' in event else event
                                                           for event in self.day(name))]
                rows = self.rows('ds_grid', *events, customer=shown)
                self.assertEqual([(row['customer'], row['1 d']) for row in rows], [
                    (shown, '✔ equal'), ('other', '✖ missing')])
                self.assertEqual(self.rows('ds_numbers', *events, customer=shown)[0]['customers'], 1)
                self.assertTrue(any(row['requests'] for row in self.rows('ds_requests', *events, customer=shown)))
        for name in ('"', 'a"', '\\'):         # what a dashboard may be asked for by its address
            self.assertEqual(self.rows('ds_numbers', *self.day('a'), customer=name), [{}])


class Mistakes(unittest.TestCase):
    """No check approves because it looks at nothing."""

    def test_each_is_noticed(self):
        """Those for which another check is named are tested in tests/dashboard."""
        self.assertGreaterEqual(len(mistakes.ALL), 30)
        self.assertEqual({mistake.view for mistake in mistakes.ALL}, set(views.names()))
        for mistake in mistakes.ALL:
            with self.subTest(mistake=mistake.name):
                self.assertTrue(mistake.finders)
                found = views.noticed(mistakes.planted(mistake))
                self.assertEqual(bool(found), 'views' in mistake.finders, found)

    def test_each_check_notices_some(self):
        """The sound view gives none of these complaints, and each check is needed for at least one mistake."""
        for check in views.CHECKS:
            broken = []
            for mistake in mistakes.ALL:
                with contextlib.suppress(*views.UNUSABLE):
                    broken += check(mistakes.planted(mistake))
            self.assertTrue(broken, check.__name__)

    def test_nothing_at_all(self):
        for empty in ({}, {'visualizations': {}}, {part: {} for part in views.PARTS}):
            self.assertTrue(views.complaints(empty))
