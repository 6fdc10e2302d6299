"""The dashboard's definition, and that each kind of mistake in it is noticed."""
import contextlib
import json
import os
import unittest
import xml.dom.minidom

import fields
import mistakes
import pytest
import views
from test_searches import NOW, line, run


class Views(unittest.TestCase):
    """All views of the app."""

    def setUp(self):
        self.view = views.read('defender_mssp_customers')

    def test_no_complaints(self):
        self.assertEqual(views.names(), ['defender_mssp_customers'])
        for name in views.names():
            self.assertEqual(views.complaints(views.read(name)), [], name)

    def test_navigation(self):
        """Well-formed, and the dashboard is what opens first."""
        root = xml.dom.minidom.parse(os.path.join(fields.ROOT, 'default/data/ui/nav/default.xml')).documentElement
        first = [view.getAttribute('name') for view in root.getElementsByTagName('view')
                 if view.getAttribute('default')]
        self.assertEqual(first, ['defender_mssp_customers'])

    @pytest.mark.promise('Splunk', 'The dashboard sends seven searches, and three more when a customer is chosen')
    def test_few_searches(self):
        """Splunk limits the searches that a user may run at once, so a page must not send many."""
        self.assertEqual(len(views.sent(self.view)), 7)
        self.assertEqual(sorted(views.sent(self.view, 'customer')), ['ds_delivery', 'ds_latest', 'ds_lines'])

    def test_contrast(self):
        self.assertEqual(round(views.contrast('#ffffff', '#000000')), 21)
        self.assertEqual(round(views.contrast('#cba700', '#ffffff'), 1), 2.3)


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


class Mistakes(unittest.TestCase):
    """No check approves because it looks at nothing."""

    def test_each_is_noticed(self):
        """Those for which another check is named are tested in tests/dashboard."""
        view = views.read('defender_mssp_customers')
        self.assertGreaterEqual(len(mistakes.ALL), 30)
        for mistake in mistakes.ALL:
            with self.subTest(mistake=mistake.name):
                self.assertTrue(mistake.finders)
                found = views.noticed(mistakes.planted(mistake, view))
                self.assertEqual(bool(found), 'views' in mistake.finders, found)

    def test_each_check_notices_some(self):
        """The sound view gives none of these complaints, and each check is needed for at least one mistake."""
        view = views.read('defender_mssp_customers')
        for check in views.CHECKS:
            broken = []
            for mistake in mistakes.ALL:
                with contextlib.suppress(*views.UNUSABLE):
                    broken += check(mistakes.planted(mistake, view))
            self.assertTrue(broken, check.__name__)

    def test_nothing_at_all(self):
        for empty in ({}, {'visualizations': {}}, {part: {} for part in views.PARTS}):
            self.assertTrue(views.complaints(empty))
