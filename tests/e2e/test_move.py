"""Leaving an API that Microsoft ends: what is said of it, what the other one would bring, and the move."""
import datetime
import json
import re
import unittest

import pytest
from world import ticks
from world.runner import call
from world.world import World

SECOND = ticks.PER_SECOND


def days_left():
    """Until 1 February 2027 (UTC), begun days included."""
    left = datetime.datetime(2027, 2, 1, tzinfo=datetime.timezone.utc) - datetime.datetime.now(datetime.timezone.utc)
    return -(-left // datetime.timedelta(days=1))


def graph_record(feed, identity, moment):
    """An alert in Graph's words, with an ID that the Endpoint API gave it."""
    return feed.maker.alert(moment, identity=identity)


class Pair:
    """A customer of api = endpoint, and what Graph shows of the same tenant. An hour ago everything was quiet."""

    def __init__(self, world, name, shared=0, only_endpoint=0, only_graph=0, **params):
        self.feed = world.customer(name, api='endpoint', shared=False, **params)
        self.tenant = self.feed.tenant
        self.graph = self.tenant.feed('graph')
        moment = ticks.from_seconds(world.clock.now()) - 3600 * SECOND
        self.both = self.feed.publish(shared, ticks=moment)
        for version in self.both:
            self.graph.add(graph_record(self.graph, version.key, moment + 7))
        self.only_endpoint = self.feed.publish(only_endpoint, ticks=moment)
        self.only_graph = self.graph.publish(only_graph, ticks=moment)


def check(world, *arguments):
    return call(world.home, 'check', *arguments, stdin=world.xml(), seconds=60)


def move(world, *arguments):
    return call(world.home, 'import', '--set', 'api=graph', '--server-uri', world.splunkd.url, *arguments,
                stdin=world.splunkd.session_key.encode(), seconds=60)


class Said(unittest.TestCase):
    @pytest.mark.promise('Trouble',
                         'Before Microsoft ends an API, one WARN at the start and each day tells the days left')
    def test_one_line_for_all_inputs_and_the_days_in_each_status(self):
        with World() as world:
            for number in range(25):
                world.customer(f'c{number}', api='endpoint')
            world.customer('well', api='graph')
            program = world.start()
            line = program.wait_line('event=api_ends')
            self.assertEqual((line.level, line.facts['api'], line.facts['inputs'], line.facts['ends']),
                             ('WARN', 'endpoint', '25', '2027-02-01'))
            self.assertEqual(line.facts['days_left'], str(days_left()))
            self.assertTrue(line.facts['names'].endswith(', c19 and 5 more'), line.text)
            self.assertIn('import --set', line.text)
            self.assertNotIn('well', line.text)
            status = program.wait_line('event=status input=c0 .*state=ok')
            self.assertEqual(status.facts['api_days'], str(days_left()))
            self.assertNotIn('api_days', program.wait_line('event=status input=well .*state=ok').facts)
            self.assertEqual(len([line for line in program.lines if 'event=api_ends' in line.text]), 1)

    @pytest.mark.promise('Calls', '`check --compare` lists what another API would bring, by IDs')
    def test_check_has_a_row_and_the_days(self):
        with World() as world:
            Pair(world, 'contoso')
            Pair(world, 'fabrikam')
            world.customer('well')
            result = check(world)
            self.assertEqual(result.code, 0)
            self.assertRegex(re.sub(r'\s+', ' ', result.out),
                             rf'Services that end Microsoft ends the service of api = endpoint on 2027-02-01, in '
                             rf'{days_left()} days\. Our administrator: .* 2 inputs: contoso, fabrikam')
            rows = {row['input']: row for row in json.loads(check(world, '--json').out)['inputs']}
            self.assertEqual((rows['contoso']['api_days'], rows['well']['api_days']), (days_left(), None))
            self.assertIsNone(rows['contoso']['compared'])


class Compared(unittest.TestCase):
    @pytest.mark.promise('Calls', '`check --compare` lists what another API would bring, by IDs')
    def test_ids_on_both_sides_and_on_one_of_them(self):
        with World() as world:
            same = Pair(world, 'same', shared=5, only_graph=2)
            lacks = Pair(world, 'lacks', shared=1, only_endpoint=12)
            denied = Pair(world, 'denied', shared=1)
            denied.tenant.app.granted.discard('graph')
            world.customer('there', api='graph')
            result = check(world, '--compare', 'graph', '--json')
            rows = {row['input']: row['compared'] for row in json.loads(result.out)['inputs']}
            self.assertEqual(result.code, 1)
            self.assertEqual({name: row and (row['result'], row['ready']) for name, row in rows.items()},
                             {'same': ('same', True), 'lacks': ('lacks alerts', False),
                              'denied': ('no permission', False), 'there': None})
            self.assertEqual((rows['same']['both'], rows['same']['only_present']), (5, 0))
            self.assertEqual(sorted(rows['same']['only_other_ids']), sorted(v.key for v in same.only_graph))
            self.assertEqual(sorted(rows['lacks']['only_present_ids']), sorted(v.key for v in lacks.only_endpoint))
            self.assertIn('SecurityAlert.Read.All', rows['denied']['why'])
            table = check(world, '--compare', 'graph')
            self.assertLessEqual(max(len(line) for line in table.out.split('\n')), 80)
            self.assertRegex(table.out, r'(?m)^  same +same +5 in both, 0 only in endpoint, 2 only in graph$')
            self.assertRegex(re.sub(r'\s+', ' ', table.out), r'only in endpoint: (\S+ ){10}and 2 more .*'
                             r'1 of 3 inputs can be moved: import --set api=graph')

    def test_more_than_a_response_holds_and_a_present_service_that_is_gone(self):
        """Pages are not trusted: a full one is asked for in halves. Without the old service the permission decides."""
        with World() as world:
            many = Pair(world, 'many')
            for number in range(90):
                moment = ticks.from_seconds(world.clock.now()) - (3600 + 900 * number) * SECOND
                version = many.feed.publish(1, ticks=moment)[0]
                many.graph.add(graph_record(many.graph, version.key, moment))
            many.graph.quirks.set(page_cap=20)
            gone = Pair(world, 'gone', shared=1)
            gone.tenant.app.granted.discard('endpoint')
            result = check(world, '--compare', 'graph', '--days', '3', '--json')
            rows = {row['input']: row for row in json.loads(result.out)['inputs']}
            self.assertEqual((rows['many']['compared']['both'], rows['many']['compared']['result']), (90, 'same'))
            self.assertEqual((rows['gone']['result'], rows['gone']['compared']['result'],
                              rows['gone']['compared']['ready']), ('refused', 'answers', True))

    def test_options_that_cannot_be(self):
        with World() as world:
            for arguments, said in ((('--compare', 'siem'), 'should be graph or endpoint'),
                                    (('--compare', 'graph', '--days', '31'), 'a number from 1 to 30'),
                                    (('--days', '3'), '--days goes with --compare only')):
                result = check(world, *arguments)
                self.assertEqual((result.code, result.out), (1, ''))
                self.assertIn(said, result.err)


class Moved(unittest.TestCase):
    @pytest.mark.promise('Calls', '`import --set api=graph` moves the inputs that are ready')
    def test_those_that_are_ready_and_no_others(self):
        with World() as world:
            Pair(world, 'ready', shared=2, resource='https://api.securitycenter.microsoft.com')
            world.splunkd.inputs['ready'][1]['api'] = 'Endpoint'        # Splunk's page has a list, a file does not
            Pair(world, 'lacks', shared=1, only_endpoint=1)
            Pair(world, 'denied').tenant.app.granted.discard('graph')
            world.customer('siem', api='siem')
            dry = move(world, '--dry-run')
            self.assertEqual(world.splunkd.inputs['ready'][1]['api'], 'Endpoint')
            self.assertRegex(dry.out, r'(?m)^ready +would be moved ')
            done = move(world)
            self.assertEqual((done.code, done.err), (1, ''))
            self.assertEqual({name: params['api'] for name, (_, params) in world.splunkd.inputs.items()},
                             {'ready': 'graph', 'lacks': 'endpoint', 'denied': 'endpoint', 'siem': 'siem'})
            self.assertEqual(world.splunkd.inputs['ready'][1]['resource'], '')
            text = re.sub(r'\s+', ' ', done.out)
            self.assertRegex(text, r'ready moved 2 in both, 0 only in graph; api_url or resource is emptied')
            self.assertRegex(text, r'lacks not moved 1 only in endpoint, such as da\S+; --accept-missing moves')
            self.assertRegex(text, r'denied not moved HTTP 403: .*SecurityAlert\.Read\.All')
            self.assertIn('1 moved to graph, 2 not moved, 0 there already, 1 of other APIs.', text)
            again = move(world, '--accept-missing', '--input', 'lacks')
            self.assertEqual((again.code, world.splunkd.inputs['lacks'][1]['api']), (0, 'graph'))
            last = json.loads(move(world, '--json').out)
            self.assertEqual((last['there_already'], [(row['input'], row['moved'], row['compared'])
                                                      for row in last['inputs']]),
                             (2, [('denied', False, 'no permission')]))

    def test_options_that_say_nothing_together(self):
        with World() as world:
            for arguments, said in ((('x.csv', '--set', 'api=graph'), 'takes no file'),
                                    (('--set', 'filter=x'), 'should be api=graph'),
                                    (('--set', 'api=siem'), '--set api=siem: it should be api=graph'),
                                    (('x.csv', '--accept-missing'), 'go with --set only'),
                                    (('--set', 'api=graph', '--input', 'nobody'), "no input 'nobody'")):
                result = call(world.home, 'import', '--server-uri', world.splunkd.url, *arguments,
                              stdin=world.splunkd.session_key.encode())
                self.assertEqual(result.code, 1)
                self.assertIn(said, result.err)

    @pytest.mark.promise('Parameters',
                         'A move from `endpoint` to `graph` writes no version again that both give one ID and time')
    def test_what_is_known_stays_known(self):
        """Only versions of another update time, or of other products, are written from the overlap."""
        with World() as world:
            feed = world.customer('contoso', api='endpoint')
            moment = ticks.from_seconds(world.clock.now()) - 60 * SECOND
            known = feed.publish(6, ticks=moment)
            program = world.start()
            program.wait_events(6)
            program.wait_line('event=status input=contoso .*state=ok')
            program.terminate()
            graph = world.microsoft.tenants['contoso'].feed('graph')
            for version in known[:4]:
                graph.add(graph_record(graph, version.key, moment))
            later = [graph.add(graph_record(graph, version.key, moment + 30 * SECOND)) for version in known[4:]]
            other = graph.publish(1, ticks=moment)
            world.splunkd.add_input('contoso', **world.params(feed.tenant, 'graph'))
            world.ledger.bind('defender_alerts://contoso', graph)
            program = world.start()
            line = program.wait_line('event=checkpoint_renewed')
            self.assertEqual(line.facts['old_api'], 'endpoint')
            new = graph.publish(1)
            program.wait_events(len(later + other + new))
            program.wait_line('event=status .*state=ok')
            written = [json.loads(event.data)['id'] for event in program.events]
            self.assertEqual(sorted(written), sorted(version.key for version in later + other + new))
