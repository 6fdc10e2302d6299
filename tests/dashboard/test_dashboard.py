"""Validates and draws the dashboard with Splunk's own packages, from events that the program really wrote.

`make dashboard` plays a scene, validates, draws in Chromium and uses the inputs: light and dark, with data, without
data, and with a customer whose name has a quote and a backslash. The screenshots are in build/dashboard.
`make dashboard AGAIN=1` takes the scene of the last run. docs/dashboard.png is build/dashboard/light-top.png of a run.

The packages come from npm by the committed lock file, into build/dashboard. The tests are skipped if npm, Chromium or
the packages are not available.
"""
import collections
import json
import os
import shutil
import unittest
import urllib.parse

import mistakes
import packages
import pytest
import scene
import views
from splunkd import Splunkd

ODD = 'O"Neil \\ Sons'              # a copy of contoso
SPLUNKD = {'index': '_internal', 'sourcetype': 'splunkd', '_raw': 'a line of splunkd', 'host': 'search-head'}

pytestmark = pytest.mark.timeout(1800)      # the scene alone takes minutes


def play(folder):
    """The scene's events: a new run of the program, or the last one."""
    path = os.path.join(folder, 'scene.json')
    if not os.environ.get('AGAIN') or not os.path.exists(path):
        try:
            scene.Scene().save(path)
        except scene.Unavailable as why:
            packages.missing(str(why))
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def renamed(events, old, new):
    """Copies of one customer's events, as those of another customer."""
    keys = ('input', 'customer')
    return [{**event, **{key: new for key in keys if event.get(key) == old}} for event in events
            if old in [event.get(key) for key in keys]]


class Dashboard(unittest.TestCase):
    """One run of the program, one of Chromium, and what was seen."""

    @classmethod
    def setUpClass(cls):
        folder = packages.install('web', 'dashboard', 'chromium')
        cls.view = views.read('defender_mssp_customers')
        played = play(folder)
        packages.node(folder, 'build.mjs', folder)
        events, now = played['log'] + played['alerts'], played['now']
        line = {**SPLUNKD, '_time': now - 60}
        cls.servers = {
            'data': (events, cls.view), 'odd': (events + renamed(events, 'contoso', ODD), cls.view),
            'no-inputs': ([line], cls.hurried(cls.view)), 'no-internal': ([], cls.view)}
        cls.servers = {name: Splunkd(held, now, folder, json.dumps(view)) for name, (held, view) in cls.servers.items()}
        plan = {'folder': folder, 'chromium': shutil.which('chromium'), 'visits': list(cls.visits()),
                'broken': {mistake.name: mistakes.planted(mistake, cls.view) for mistake in mistakes.ALL}}
        path = os.path.join(folder, 'plan.json')
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(plan, file)
        try:
            cls.seen = json.loads(packages.node(folder, 'shoot.mjs', path))
        finally:
            for server in cls.servers.values():
                server.close()

    @staticmethod
    def hurried(view):
        """The view with a minute's refresh after three seconds, so that a test can wait for it."""
        text = json.dumps(view)
        if '"refresh": "1m"' not in text:
            raise AssertionError('no search refreshes every minute')
        return json.loads(text.replace('"refresh": "1m"', '"refresh": "3s"'))

    @classmethod
    def visits(cls):
        """What to open, and what to do there."""
        def visit(name, server, theme, **what):
            return {'name': name, 'address': cls.servers[server].url, 'theme': theme, **what}
        yield visit('light', 'data', 'light', label='Last 4 hours')
        yield visit('dark', 'data', 'dark')
        yield visit('odd', 'odd', 'light', customer=ODD)
        yield visit('no-inputs', 'no-inputs', 'light', empty=True, wait_s=7)
        yield visit('no-internal', 'no-internal', 'dark', empty=True)

    def panels(self, visit, when='panels'):
        """What each panel showed in a visit."""
        return self.seen['visits'][visit][when]

    def table(self, visit, panel, when='panels'):
        """The cells of a table's columns."""
        found = collections.defaultdict(list)
        for cell in self.panels(visit, when)[panel]['cells']:
            found[cell['column']].append(cell)
        return found

    def sent(self, server):
        """How often each search was sent; chained ones are not counted."""
        return collections.Counter(name for name, *_ in self.servers[server].searches if name)

    def test_validates_in_the_page(self):
        """Inputs, data sources and event handlers as well; by the Enterprise preset."""
        self.assertEqual(self.seen['complaints'], [])

    def test_the_page_finds_mistakes(self):
        """The validator in the page is no rubber stamp, and together with the other checks it finds all."""
        self.assertEqual(set(self.seen['broken']), {mistake.name for mistake in mistakes.ALL})
        for mistake in mistakes.ALL:
            with self.subTest(mistake=mistake.name):
                self.assertEqual(bool(self.seen['broken'][mistake.name]), 'page' in mistake.finders,
                                 self.seen['broken'][mistake.name])

    def test_every_panel_has_content(self):
        """In both themes; a panel whose search or binding is wrong stays empty."""
        wanted = set(self.view['visualizations'])
        for visit in ('light', 'dark', 'odd'):
            panels = self.panels(visit)
            self.assertEqual(set(panels), wanted)
            for name, panel in panels.items():
                filled = panel.get('number') or panel['cells'] or panel['drawn']
                self.assertTrue(filled, f'{visit} {name}: {panel}')
                for text in ('Set token value', 'query string', 'is not defined', 'FATAL', 'undefined', 'NaN'):
                    self.assertNotIn(text, panel['text'], name)

    def test_worst_first(self):
        """The customers are in the states that the scene has put them into, the worst on top."""
        cells = self.table('light', 'viz_worst')
        rows = list(zip([cell['text'] for cell in cells[0]], [cell['text'] for cell in cells[1]]))
        states = dict(rows)
        self.assertEqual(rows[0], ('lucerne', '✖ silent'))
        for customer, state in (('litware', '✖ refused'), ('adventure-works', '✖ failing'),
                                ('proseware', '◐ back-filling'), ('contoso', '✔ ok')):
            self.assertEqual(states.get(customer), state, rows)
        self.assertIn(states['wingtip'], ('✖ throttled', '▲ throttled'))
        self.assertIn(states['woodgrove'], ('▲ bad records', '✖ failing'))   # while its record is tracked down
        self.assertIn('AADSTS7000222', self.panels('light')['viz_worst']['text'])

    def test_states_by_shape_word_and_color(self):
        """One color for one shape, and another one for each."""
        colors = collections.defaultdict(set)
        for cell in self.table('light', 'viz_worst')[1]:
            colors[cell['text'][0]].add(cell['back'])
        self.assertGreaterEqual(set(colors), set('✖◐✔'))
        self.assertEqual([len(found) for found in colors.values()], [1] * len(colors), colors)
        self.assertEqual(len(set.union(*colors.values())), len(colors), colors)

    def test_links_only_where_something_happens(self):
        """The cells of one column, or of none, look like links."""
        for panel, wanted in (('viz_worst', {0}), ('viz_latest', {7}), ('viz_lines', {2}), ('viz_process', set()),
                              ('viz_notice', set())):
            columns = self.table('light', panel)
            self.assertEqual({column for column, cells in columns.items() if any(cell['link'] for cell in cells)},
                             wanted, panel)

    def test_the_notice_says_who_is_needed(self):
        self.assertRegex(self.panels('light')['viz_notice']['text'], r'▲ Customers that need somebody: \d+ of 11\.')

    def test_nothing_to_see(self):
        """One panel says why and what to do. Numbers are not zero, since nobody knows them."""
        for visit, why, what in (
                ('no-internal', 'no event in the index _internal', 'open this page on a search head'),
                ('no-inputs', 'No input has reported', 'add one on the forwarder')):
            panels = self.panels(visit)
            text = panels['viz_notice']['cells'][0]['text']
            self.assertTrue(text.startswith('✖') and why in text and what in text, text)
            for name in ('viz_count', 'viz_action', 'viz_slow', 'viz_bad', 'viz_mb'):
                self.assertEqual(panels[name].get('number'), 'N/A', name)
            for name in ('viz_worst', 'viz_latest', 'viz_memory'):      # what counts as content elsewhere
                self.assertEqual((panels[name]['cells'], panels[name]['drawn']), ([], 0), name)

    def test_searches_run(self):
        """Each search that the page sent could be run, over the times that were chosen."""
        for name, server in self.servers.items():
            self.assertEqual(server.errors, [], name)
        ranges = {(earliest, latest) for name, _text, earliest, latest, _rows in self.servers['data'].searches if name}
        self.assertEqual(ranges, {('-24h@h', 'now'), ('-4h@m', 'now')})

    def test_few_searches(self):
        """Seven when the page is opened, and three more when a customer is chosen."""
        self.assertEqual(set(self.sent('no-internal').values()), {1})
        self.assertEqual(len(self.sent('no-internal')), 7)
        again = {name for name, count in self.sent('odd').items() if count > 1}
        self.assertEqual(again, {'ds_delivery', 'ds_latest', 'ds_lines'})
        self.assertEqual(sum(self.sent('odd').values()), 7 + 3)

    def test_refresh(self):
        """While the page is open, the states are searched for again, and the charts less often."""
        self.assertGreaterEqual(self.sent('no-inputs')['ds_health'], 2)
        self.assertEqual(self.sent('no-inputs')['ds_status'], 1)

    def test_a_click_leads_to_the_customer(self):
        """Every panel follows, and log lines and alerts are those of the customer, whatever its name contains."""
        found = self.servers['odd'].searches
        quoted = json.dumps(ODD)
        by_name = {name: rows for name, text, _from, _to, rows in found if name and quoted in text}
        for name in ('ds_lines', 'ds_latest'):
            self.assertTrue(by_name.get(name), sorted(by_name))
            own = [row for row in by_name[name] if row.get('customer')]     # the others concern all customers
            self.assertEqual({row['customer'] for row in own}, {ODD})
        names = [[cell['text'] for cell in self.table('odd', 'viz_worst', when)[0]] for when in ('panels', 'chosen')]
        self.assertEqual(names[1], [ODD] + [name for name in names[0] if name != ODD])      # the chosen one comes first
        self.assertEqual(self.panels('odd', 'chosen')['viz_count']['number'], '1')
        self.assertIn(ODD, ' '.join(self.seen['visits']['odd']['inputs']))

    def test_a_link_leads_to_the_log_lines(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.seen['visits']['odd']['link']).query)['q'][0]
        self.assertEqual(query, f'search `defender_mssp_log` input={json.dumps(ODD)}')

    def test_nothing_leaves_the_machine(self):
        """The page asks its own server only, and no script complains."""
        self.assertEqual((self.seen['outside'], self.seen['errors']), ([], []))
        planted = '\n'.join(self.seen['planted'])
        for sign in ('planted line', 'planted error', '404 http://127.0.0.1', 'http://192.0.2.1/planted'):
            self.assertIn(sign, planted)
