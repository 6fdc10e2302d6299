"""Validates and draws the dashboards with Splunk's own packages, from events that the program really wrote.

`make dashboard` plays the scenes, validates, draws in Chromium and uses the inputs: light and dark, with data, without
data, and with a customer whose name has a quote and a backslash. The screenshots are in build/dashboard.
`make dashboard AGAIN=1` takes the scenes of the last run. docs/dashboard.png is build/dashboard/light-top.png of a run,
docs/completeness.png is build/dashboard/days-light-top.png.

The packages come from npm by the committed lock file, into build/dashboard. The tests are skipped if npm, Chromium or
the packages are not available.
"""
import collections
import functools
import json
import os
import shutil
import unittest
import urllib.parse

import days
import mistakes
import packages
import pytest
import scene
import views
from splunkd import Splunkd

ODD = 'O"Neil \\ Sons'              # a copy of contoso
LOGGED, PLAIN = "O'Neil \\\\ Sons", "O'Neil / Sons"      # its name in log lines, and in the view of completeness
SPLUNKD = {'index': '_internal', 'sourcetype': 'splunkd', '_raw': 'a line of splunkd', 'host': 'search-head'}

pytestmark = pytest.mark.timeout(1800)      # the first scene alone takes minutes


def play(folder, name, make):
    """A scene's events: a new run of the program, or the last one."""
    path = os.path.join(folder, name + '.json')
    if not os.environ.get('AGAIN') or not os.path.exists(path):
        try:
            make().save(path)
        except scene.Unavailable as why:
            packages.missing(str(why))
    with open(path, encoding='utf-8') as file:
        played = json.load(file)
    return played['log'] + played['alerts'], played['now']


def renamed(events, old, new, logged=None):
    """Copies of one customer's events, as those of another customer. logged: its name in log lines."""
    names = {'input': logged or new, 'customer': new}
    return [{**event, **{key: name for key, name in names.items() if event.get(key) == old}} for event in events
            if old in [event.get(key) for key in names]]


def hurried(view):
    """The view with searches that are sent again after three seconds, so that a test can wait for it."""
    text = json.dumps(view)
    for often in ('"refresh": "1m"', '"refresh": "30m"'):
        text = text.replace(often, '"refresh": "3s"')
    if '"refresh": "3s"' not in text:
        raise AssertionError('no search refreshes that often')
    return json.loads(text)


def visits(servers):
    """What to open, and what to do there."""
    def visit(name, server, theme, **what):
        return {'name': name, 'address': servers[server].url, 'theme': theme, **what}
    yield visit('light', 'data', 'light', label='Last 4 hours')
    yield visit('dark', 'data', 'dark')
    yield visit('odd', 'odd', 'light', clicked={'panel': 'viz_worst', 'text': ODD},
                followed={'panel': 'viz_lines', 'text': ODD})
    yield visit('no-inputs', 'no-inputs', 'light', empty=True, wait_s=7)
    yield visit('no-internal', 'no-internal', 'dark', empty=True)
    yield visit('days-light', 'days', 'light', top=1680)
    yield visit('days-dark', 'days', 'dark')
    yield visit('days-odd', 'days-odd', 'light', clicked={'panel': 'viz_grid', 'text': PLAIN},
                followed={'panel': 'viz_missing', 'text': 'da-late-1'})
    yield visit('days-no-inputs', 'days-no-inputs', 'light', empty=True, wait_s=7)
    yield visit('days-no-internal', 'days-no-internal', 'dark', empty=True)


@functools.cache
def drawn():
    """One run of the program for each scene, one of Chromium: the servers and what was seen."""
    folder = packages.install('web', 'dashboard', 'chromium')
    customers, completeness = views.read('defender_mssp_customers'), views.read('defender_mssp_completeness')
    events, now = play(folder, 'scene', scene.Scene)
    of_days, noon = play(folder, 'days', days.Days)
    packages.node(folder, 'build.mjs', folder)
    servers = {}
    for prefix, view, held, at, logged in (('', customers, events, now, None),
                                           ('days-', completeness, of_days, noon, LOGGED)):
        for name, found, shown in (
                (prefix + 'data', held, view), (prefix + 'odd', held + renamed(held, 'contoso', ODD, logged), view),
                (prefix + 'no-inputs', [{**SPLUNKD, '_time': at - 60}], hurried(view)),
                (prefix + 'no-internal', [], view)):
            servers[name.replace('days-data', 'days')] = Splunkd(found, at, folder, json.dumps(shown))
    plan = {'folder': folder, 'chromium': shutil.which('chromium'), 'visits': list(visits(servers)),
            'shipped': {name: views.read(name) for name in views.names()},
            'broken': {mistake.name: mistakes.planted(mistake) for mistake in mistakes.ALL}}
    path = os.path.join(folder, 'plan.json')
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(plan, file)
    try:
        return servers, json.loads(packages.node(folder, 'shoot.mjs', path, seconds=600))
    finally:
        for server in servers.values():
            server.close()


class DrawnCase(unittest.TestCase):
    """What the servers were asked and what was seen in the visits to a view."""

    VIEW = None

    @classmethod
    def setUpClass(cls):
        cls.servers, cls.seen = drawn()
        cls.view = views.read(cls.VIEW)

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

    def all_filled(self, *names):
        """Every panel has content in these visits; one whose search or binding is wrong stays empty."""
        wanted = set(self.view['visualizations'])
        for visit in names:
            panels = self.panels(visit)
            self.assertEqual(set(panels), wanted)
            for name, panel in panels.items():
                filled = panel.get('number') or panel['cells'] or panel['drawn']
                self.assertTrue(filled, f'{visit} {name}: {panel}')
                for text in ('Set token value', 'query string', 'is not defined', 'FATAL', 'undefined', 'NaN'):
                    self.assertNotIn(text, panel['text'], name)

    def one_color_for_one_shape(self, visit, cells, shapes):
        """And another one for each."""
        colors = collections.defaultdict(set)
        for cell in cells:
            colors[cell['text'][0]].add(cell['back'])
        self.assertGreaterEqual(set(colors), set(shapes), visit)
        self.assertEqual([len(found) for found in colors.values()], [1] * len(colors), colors)
        self.assertEqual(len(set.union(*colors.values())), len(colors), colors)

    def links(self, visit, wanted):
        """The cells of one column, or of none, look like links."""
        for panel, column in wanted.items():
            columns = self.table(visit, panel)
            self.assertEqual({number for number, cells in columns.items() if any(cell['link'] for cell in cells)},
                             set() if column is None else {column}, panel)


class Page(unittest.TestCase):
    """The page around both views."""

    @classmethod
    def setUpClass(cls):
        cls.servers, cls.seen = drawn()

    def test_validates_in_the_page(self):
        """Inputs, data sources and event handlers as well; by the Enterprise preset."""
        self.assertEqual(self.seen['complaints'], {name: [] for name in views.names()})

    def test_the_page_finds_mistakes(self):
        """The validator in the page is no rubber stamp, and together with the other checks it finds all."""
        self.assertEqual(set(self.seen['broken']), {mistake.name for mistake in mistakes.ALL})
        for mistake in mistakes.ALL:
            with self.subTest(mistake=mistake.name):
                self.assertEqual(bool(self.seen['broken'][mistake.name]), 'page' in mistake.finders,
                                 self.seen['broken'][mistake.name])

    def test_searches_run(self):
        """Each search that a page sent could be run, over the times that were chosen or that the view has."""
        for name, server in self.servers.items():
            self.assertEqual(server.errors, [], name)
        for server, wanted in (('data', {('-24h@h', 'now'), ('-4h@m', 'now')}), ('days', {('-16d@d', 'now')})):
            self.assertEqual({(earliest, latest) for name, _text, earliest, latest, _rows
                              in self.servers[server].searches if name}, wanted)

    def test_nothing_leaves_the_machine(self):
        """The page asks its own server only, and no script complains."""
        self.assertEqual((self.seen['outside'], self.seen['errors']), ([], []))
        planted = '\n'.join(self.seen['planted'])
        for sign in ('planted line', 'planted error', '404 http://127.0.0.1', 'http://192.0.2.1/planted'):
            self.assertIn(sign, planted)

class Customers(DrawnCase):
    """The dashboard of customers."""

    VIEW = 'defender_mssp_customers'

    def test_every_panel_has_content(self):
        self.all_filled('light', 'dark', 'odd')

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
        self.one_color_for_one_shape('light', self.table('light', 'viz_worst')[1], '✖◐✔')

    def test_links_only_where_something_happens(self):
        self.links('light', {'viz_worst': 0, 'viz_latest': 7, 'viz_lines': 2, 'viz_process': None, 'viz_notice': None})

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

    def test_few_searches(self):
        """Eight when the page is opened, and three more when a customer is chosen."""
        self.assertEqual(set(self.sent('no-internal').values()), {1})
        self.assertEqual(len(self.sent('no-internal')), 8)
        again = {name for name, count in self.sent('odd').items() if count > 1}
        self.assertEqual(again, {'ds_delivery', 'ds_latest', 'ds_lines'})
        self.assertEqual(sum(self.sent('odd').values()), 8 + 3)

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


class Completeness(DrawnCase):
    """The dashboard of completeness."""

    VIEW = 'defender_mssp_completeness'

    def test_every_panel_has_content(self):
        self.all_filled('days-light', 'days-dark', 'days-odd')

    def test_states(self):
        """Each customer's days are in the states that the scene has put them into, the worst on top."""
        cells = self.table('days-light', 'viz_grid')
        names = [cell['text'] for cell in cells[0]]
        yesterday = dict(zip(names, [cell['text'] for cell in cells[1]]))
        wanted = {**days.WANTED, 'woodgrove': '✔ equal'}
        self.assertEqual(yesterday, wanted)
        self.assertEqual(names[:2], ['fabrikam', 'wingtip'])
        self.assertEqual(names[-2:], ['northwind', 'contoso'])
        self.assertEqual(cells[2][names.index('woodgrove')]['text'], days.WANTED['woodgrove'])
        self.assertEqual({cell['text'] for number in range(3, 15) for cell in cells[number]}, {'✔ equal', '–'})

    def test_states_by_shape_word_and_color(self):
        cells = self.table('days-light', 'viz_grid')
        found = [cell for number in range(1, 15) for cell in cells[number] if cell['text'] != '–']
        self.assertEqual({len(cell['text'].split()) for cell in found}, {2})
        self.one_color_for_one_shape('days-light', found, '✖▲◐✔')
        for panel, column in (('viz_open_days', 2), ('viz_missing', 5)):
            self.one_color_for_one_shape('days-light', self.table('days-light', panel)[column], '✖')

    def test_links_only_where_something_happens(self):
        self.links('days-light', {'viz_grid': 0, 'viz_open_days': None, 'viz_missing': 2, 'viz_late': None,
                                  'viz_notice': None})

    def test_numbers(self):
        panels = self.panels('days-light')
        self.assertRegex(panels['viz_notice']['text'], r'✖ \S+ \(UTC\): 3 of 10 customers with a difference, 3 '
                                                       r'proven, 4 not known\..* SIEM API, which has no audit: 1\.')
        numbers = {name: panels[name]['number'] for name in panels if panels[name].get('number')}
        self.assertEqual({name: number.split()[0].rstrip('%') for name, number in numbers.items()}, {
            'viz_share': '30.0', 'viz_count': '10', 'viz_bad': '3', 'viz_open': '4', 'viz_repaired': '3',
            'viz_twice': '7'})

    def test_alerts_that_were_missing(self):
        """Each by its ID, with what has become of it."""
        cells = self.table('days-light', 'viz_missing')
        self.assertEqual({cells[2][row]['text']: cells[5][row]['text'] for row in range(len(cells[0]))}, {
            '29-late': '✔ written', 'da-late-1': '✔ written', 'da-late-2': '✔ written', 'da-late-3': '✖ missing'})
        late = self.table('days-light', 'viz_late')
        self.assertEqual([cell['text'] for cell in late[4]], ['18:00:00', '14:00:00', '11:00:00'])

    def test_nothing_to_see(self):
        """One panel says why and what to do. Numbers are not zero, since nobody knows them."""
        for visit, why, what in (
                ('days-no-internal', 'no event in the index _internal', 'open this page on a search head'),
                ('days-no-inputs', 'No input has reported', 'add one on the forwarder')):
            panels = self.panels(visit)
            text = panels['viz_notice']['cells'][0]['text']
            self.assertTrue(text.startswith('✖') and why in text and what in text, text)
            for name in ('viz_share', 'viz_count', 'viz_bad', 'viz_open', 'viz_repaired', 'viz_twice'):
                self.assertEqual(panels[name].get('number'), 'N/A', name)
            for name in ('viz_grid', 'viz_open_days', 'viz_missing', 'viz_late'):
                self.assertEqual((panels[name]['cells'], panels[name]['drawn']), ([], 0), name)

    def test_few_searches(self):
        """Two when the page is opened, and none when a customer is chosen."""
        for server in ('days-no-internal', 'days-odd'):
            self.assertEqual(self.sent(server), {'ds_days': 1, 'ds_audits': 1}, server)

    def test_refresh(self):
        """While the page is open, the index is not read again each minute."""
        self.assertGreaterEqual(self.sent('days-no-inputs')['ds_days'], 2)
        self.assertEqual(self.sent('days-no-inputs')['ds_audits'], 1)

    def test_a_click_leads_to_the_customer(self):
        """Every panel follows, whatever its name contains."""
        grids = [[cell['text'] for cell in self.table('days-odd', 'viz_grid', when)[0]]
                 for when in ('panels', 'chosen')]
        self.assertEqual(grids[1], [PLAIN] + [name for name in grids[0] if name != PLAIN])
        chosen = self.panels('days-odd', 'chosen')
        self.assertEqual((chosen['viz_count']['number'], chosen['viz_repaired']['number']), ('1', '2'))
        self.assertEqual({cell['text'] for cell in self.table('days-odd', 'viz_missing', 'chosen')[1]}, {PLAIN})
        self.assertEqual([cell['text'] for cell in self.table('days-odd', 'viz_open_days', 'chosen')[2]], ['✔ proven'])
        self.assertIn(PLAIN, ' '.join(self.seen['visits']['days-odd']['inputs']))

    def test_a_link_leads_to_the_alert(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.seen['visits']['days-odd']['link']).query)['q'][0]
        self.assertEqual(query, 'search `defender_mssp_events` id="da-late-1"')
