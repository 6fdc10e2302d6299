"""The four APIs end to end: their limits, orders, bounds and oddities."""
import json
import os
import unittest

import pytest
from cases import APIS, SECOND, DeliveryCase
from world import jsonnorm, ticks

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLES = os.environ.get('SAMPLES') or os.path.join(os.path.dirname(ROOT), 'shared', 'samples')
KIND_OF_SAMPLE = {'graph_alerts': 'graph', 'graph_incidents': 'incidents', 'mde_alert': 'endpoint', 'siem_': 'siem'}


class EveryApi(DeliveryCase):
    """What must hold for each of them; all four run side by side."""

    def everywhere(self, world, **params):
        """A customer on each API."""
        return [world.customer(api, api=api, **params) for api in APIS]

    @pytest.mark.promise('Events', "An event is Microsoft's record byte for byte, except for white space, on one line")
    @pytest.mark.promise('Events', 'Endpoint alerts include their evidence')
    def test_past_present_and_updates(self):
        world = self.world()
        feeds = self.everywhere(world)
        for feed in feeds:
            feed.publish(120, span_s=20 * 86400)
        world.start()
        self.arrives(world)
        for feed in feeds:
            feed.publish(5)
            if feed.api != 'siem':
                for version in feed.versions[:5]:
                    feed.update(version)
        self.exact(world)
        self.ends(world)

    @pytest.mark.promise('Events', 'The time of an event is its update time with all its digits')
    def test_every_fraction_width_and_ties(self):
        world = self.world()
        for feed in self.everywhere(world):
            moment = self.now(world) // SECOND * SECOND - 100 * SECOND
            for digits in range(8):
                grain = 10 ** (7 - digits)
                for count in (1, 1, 3):
                    moment += SECOND
                    feed.publish(count, ticks=moment + 1234567 // grain * grain)
        world.start()
        self.exact(world)

    @pytest.mark.promise('Events', "An event is Microsoft's record byte for byte, except for white space, on one line")
    def test_white_space_between_tokens_only(self):
        world = self.world()
        for feed in self.everywhere(world):
            feed.quirks.set(pretty=True)
            feed.publish(30, span_s=3600)
        world.start()
        self.exact(world)

    @pytest.mark.promise('Events', 'Each version arrives once, whatever the order, the pages and the ties')
    @pytest.mark.waits(15)
    def test_order_does_not_matter(self):
        for order in ('oldest', 'chaos'):
            with self.subTest(order):
                world = self.world()
                for feed in self.everywhere(world):
                    feed.quirks.set(order=order, page_cap=20 if feed.api != 'endpoint' else None)
                    feed.publish(60, span_s=10 * 86400, size='small')
                world.start()
                self.exact(world)
                self.ends(world)

    @pytest.mark.promise('Parameters', '`start_time` is an exact limit, and overlaps do not reach before it')
    def test_start_time_is_exact(self):
        world = self.world()
        begin = self.now(world) // SECOND * SECOND - 50 * SECOND
        wanted = {'start_time': ticks.iso(begin), 'where': lambda version: version.ticks >= begin}
        for feed in self.everywhere(world, **wanted):
            for offset in (-10 * SECOND, -1, 0, 1, 10 * SECOND):
                feed.publish(2, ticks=begin + offset, size='small')
        world.start()
        self.exact(world)

    @pytest.mark.promise('Parameters', 'A new input starts thirty days back by default')
    def test_a_new_input_begins_thirty_days_back_unless_told_otherwise(self):
        world = self.world()
        for name, more, seconds in (('preset', {}, 30 * 86400), ('hours', {'start_time': '-12h'}, 12 * 3600)):
            begin = self.now(world) - seconds * SECOND
            feed = world.customer(name, where=lambda version, begin=begin: version.ticks > begin, **more)
            for minutes in (-60, -2, 2, 60):
                feed.publish(1, ticks=begin + minutes * 60 * SECOND, size='small')
        world.start()
        self.exact(world)

    @pytest.mark.promise('Parameters', '`overlap` finds alerts that become visible late')
    def test_late_ones_on_a_busy_and_on_a_quiet_tenant(self):
        world = self.world()
        feeds = self.everywhere(world, overlap=600)
        quiet = world.customer('quiet', api='graph', overlap=600)
        far = world.customer('far', api='graph', overlap=7200)
        far.publish(5)
        quiet.publish(3, ticks=self.now(world) - 9 * 86400 * SECOND)
        for feed in feeds:
            feed.publish(5)
        world.start()
        self.arrives(world)
        for feed in feeds:
            feed.publish(5, ticks=self.now(world) - 500 * SECOND)
            feed.publish(5, ticks=self.now(world) - 300 * SECOND, late=1.5)
        far.publish(5, ticks=self.now(world) - 6500 * SECOND)   # within this one's own overlap only
        # Nothing came here for nine days, so that nothing newer bounds what may still appear.
        quiet.publish(2, ticks=self.now(world) - 8 * 86400 * SECOND)
        self.exact(world)

    @pytest.mark.promise('Parameters', '`overlap` finds alerts that become visible late')
    @pytest.mark.waits(45)
    def test_what_comes_between_answers_that_repeat(self):
        world = self.world()
        feeds = self.everywhere(world, overlap=600)
        for feed in feeds:
            feed.publish(3)
        world.start()
        self.arrives(world)
        for _ in range(2):
            for feed in feeds:
                self.polls(world, feed, 3)
            for feed in feeds:
                feed.publish(1, ticks=self.now(world) - 400 * SECOND)   # below the newest: the question stays
                if feed.api != 'siem':
                    feed.update(feed.versions[0])
            self.arrives(world)
        for feed in feeds:
            self.polls(world, feed, 3)
        self.exact(world)
        self.ends(world)
        world.start()
        self.exact(world)

    @pytest.mark.promise('Events', 'Records with a future date are written and hide no others')
    def test_dates_in_the_future(self):
        world = self.world()
        feeds = self.everywhere(world, overlap=0)
        for feed in feeds:
            feed.publish(2)
            feed.publish(1, ticks=self.now(world) + 3600 * SECOND)
            feed.publish(1, ticks=self.now(world) + 80 * 365 * 86400 * SECOND)
        world.start()
        self.arrives(world)
        for feed in feeds:
            feed.publish(3)
        self.exact(world)

    @pytest.mark.promise('Events', "An event is Microsoft's record byte for byte, except for white space, on one line")
    @unittest.skipUnless(os.path.isdir(SAMPLES), 'no samples here')
    def test_captured_answers_pass_byte_for_byte(self):
        world = self.world()
        feeds = dict(zip(APIS, self.everywhere(world, start_time='2001-01-01')))
        for name in sorted(os.listdir(SAMPLES)):
            api = next((api for start, api in KIND_OF_SAMPLE.items() if name.startswith(start)), None)
            if not api:
                continue
            with open(os.path.join(SAMPLES, name), 'rb') as file:
                for raw in jsonnorm.records(file.read()):
                    feeds[api].add(raw)
        self.assertGreater(sum(len(feed.versions) for feed in feeds.values()), 10)
        world.start()
        self.exact(world)


class Paging(DeliveryCase):
    """More than an answer holds."""

    @pytest.mark.promise('Events', 'Each version arrives once, whatever the order, the pages and the ties')
    @pytest.mark.waits(50)
    def test_more_ties_than_a_page_holds(self):
        for order in ('newest', 'chaos'):
            with self.subTest(order):
                world = self.world()
                graph, endpoint = world.customer('g'), world.customer('e', api='endpoint')
                incidents = world.customer('i', api='incidents')
                moment = self.now(world) - 400 * SECOND
                for feed, count in ((graph, 1200), (endpoint, 1200), (incidents, 70)):
                    feed.quirks.set(order=order)
                    feed.publish(count, ticks=moment, size='small')
                    feed.publish(3, ticks=moment + 1, size='small')
                world.start()
                self.exact(world, seconds=75, polls=1)

    @pytest.mark.promise('Trouble', "Requests stay below Microsoft's published limits")
    def test_limits_answer_400_to_nobody(self):
        world = self.world()
        feeds = [world.customer(api, api=api) for api in APIS]
        for feed in feeds:
            feed.publish(300, span_s=25 * 86400, size='small')
        world.start()
        self.exact(world, seconds=30)
        self.assertEqual({entry.status for entry in world.microsoft.requests()}, {200})

    @pytest.mark.promise('Events', 'Each version arrives once, whatever the order, the pages and the ties')
    def test_updates_between_pages(self):
        world = self.world()
        feed = world.customer('busy', overlap=900)
        feed.quirks.set(page_cap=20)
        feed.publish(80, span_s=86400, size='small')
        moved = [0]

        def move(request, answer):
            response = answer()
            if moved[0] < 15:
                feed.update(feed.versions[moved[0] * 7 % 80], size='small')
                moved[0] += 1
            return response
        world.faults.add(move, kind='graph')
        world.start()
        self.exact(world, seconds=30)

    def test_empty_pages_lead_on(self):
        world = self.world()
        feed = world.customer('holes')
        feed.quirks.set(empty_first=2, page_cap=50)
        feed.publish(120, span_s=3600, size='small')
        world.start()
        self.exact(world, polls=4)

    @pytest.mark.promise('Trouble', 'No token is sent to another host, be it by next links, redirects or certificates')
    def test_a_link_to_another_host_is_not_followed(self):
        world, elsewhere = self.world(), self.world()
        feed = world.customer('led-astray')
        feed.quirks.set(page_cap=5, foreign_link=elsewhere.microsoft.graph.url)
        feed.publish(12, ticks=self.now(world) - 60 * SECOND, size='small')
        program = world.start()
        program.wait_line('leads to another host')
        self.assertEqual(elsewhere.microsoft.graph.accepted, 0)
        feed.quirks.set(foreign_link=None)
        self.exact(world)
        self.assertEqual(elsewhere.microsoft.graph.accepted, 0)

    def test_a_link_that_leads_to_its_own_page(self):
        world = self.world()
        feed = world.customer('circle')
        feed.publish(12, ticks=self.now(world) - 60 * SECOND, size='small')
        rule = world.faults.add(_lead_back, kind='graph')
        world.start().wait_line('again and again')
        rule.remove()
        self.exact(world)
        self.assertLess(len(world.microsoft.requests(kind='graph')), 60)

    def test_back_fill_keeps_nobody_waiting(self):
        world = self.world()
        feed = world.customer('large')
        feed.publish(9000, span_s=29 * 86400, size='small')
        program = world.start()
        program.wait_events(1000)
        fresh = feed.publish(1)[0]
        begin = world.clock.steady()
        while not any(event.data == fresh.text for event in program.events):
            self.assertLess(world.clock.steady() - begin, 8, 'a new alert waits for the back-fill')
        self.exact(world, seconds=60)


def _lead_back(request, answer):
    """Every page names itself as the next one."""
    response = answer()
    document = json.loads(response.body)
    document['@odata.nextLink'] = request.base + request.target
    response.body = json.dumps(document, ensure_ascii=False).encode()
    return response



class Exporter(DeliveryCase):
    """The SIEM exporter's own."""

    def test_exclusive_bounds(self):
        for since, until in ((False, True), (True, False), (False, False)):
            with self.subTest(since=since, until=until):
                world = self.world()
                feed = world.customer('s', api='siem', overlap=0)
                feed.quirks.set(since_included=since, until_included=until)
                feed.publish(40, span_s=3600)
                world.start()
                self.arrives(world)
                feed.publish(4, ticks=max(version.ticks for version in feed.versions))
                self.exact(world)

    @pytest.mark.promise('Events',
                         'A version of an alert is known by its id and update time, a SIEM record by all its content')
    def test_an_alert_whose_parts_come_one_by_one(self):
        world = self.world()
        feed = world.customer('s', api='siem')
        for part in range(4):
            raw = feed.maker.alert(self.now(world), identity='da1_2', AlertPart=part)
            feed.add(raw)
        world.start()
        self.exact(world)


class Settings(DeliveryCase):
    """Edits of an input."""

    @pytest.mark.promise('Parameters', "`filter` is escaped and joined to the program's own filter with `and`")
    def test_filter(self):
        world = self.world()
        for api, field, words in (('graph', 'severity', ('high', 'low')), ('endpoint', 'severity', ('High', 'Low')),
                                  ('incidents', 'status', ('resolved', 'inProgress'))):
            def wanted(version, field=field, words=words):
                return version.fields[field] in words
            feed = world.customer(api, api, filter=' or '.join(f"{field} eq '{word}'" for word in words), where=wanted)
            for version in feed.publish(60, span_s=86400)[:20]:
                feed.update(version)
            self.assertIn(sum(map(wanted, feed.versions)), range(1, len(feed.versions)), api)
        world.start()
        self.exact(world)

    @pytest.mark.promise('Parameters', 'A longer `overlap` repeats no alert and reads nothing before `start_time`')
    def test_raising_the_overlap_repeats_nothing(self):
        world = self.world()
        feed = world.customer('o', overlap=10)
        feed.publish(50, span_s=4000, size='small')
        feed.publish(1)
        world.start()
        self.arrives(world)
        self.polls(world, feed)
        for overlap in (3600, 86400, 5):
            app, params = world.splunkd.inputs['o']
            world.splunkd.inputs['o'] = (app, dict(params, overlap=str(overlap)))
            world.restart()
            self.exact(world)

    @pytest.mark.promise('Parameters', 'A new `filter` keeps the checkpoint')
    def test_another_filter_keeps_the_checkpoint(self):
        """Nothing comes twice; what the new one lets through comes from then on."""
        world = self.world()
        feed = world.customer('f', filter="severity eq 'high'", overlap=5,
                              where=lambda version: version.fields['severity'] == 'high')
        old = feed.publish(40, ticks=self.now(world) - 9000 * SECOND)
        newest = b''
        while json.loads(newest or '{}').get('severity') != 'high':
            newest = feed.maker.alert(self.now(world))
        feed.add(newest)
        world.start()
        self.arrives(world)
        self.polls(world, feed)
        world.program.terminate()
        app, params = world.splunkd.inputs['f']
        world.splunkd.inputs['f'] = (app, dict(params, filter="severity eq 'high' or severity eq 'low'"))
        world.ledger.unbind('defender_alerts://f')
        world.ledger.bind('defender_alerts://f', feed, lambda version: version.fields['severity'] == 'high' or (
            version.fields['severity'] == 'low' and version not in old))
        feed.publish(20)
        world.start()
        self.exact(world)

    @pytest.mark.promise('Parameters', 'A new `tenant_id` or `api` starts a new checkpoint at the old cursor')
    def test_another_tenant_goes_on_at_the_old_cursor(self):
        world = self.world()
        feed = world.customer('moves', overlap=5)
        feed.publish(10, ticks=self.now(world) - 9000 * SECOND)
        feed.publish(1)
        world.start()
        self.arrives(world)
        self.polls(world, feed)
        world.program.terminate()
        other = world.microsoft.tenant('elsewhere').feed('graph')
        other.publish(5, ticks=self.now(world) - 9000 * SECOND)
        since = self.now(world) - 5 * SECOND
        other.publish(4)
        world.splunkd.add_input('moves', **world.params(other.tenant, 'graph', overlap=5))
        world.ledger.bind('defender_alerts://moves', other, lambda version: version.ticks >= since)
        world.start().wait_line('event=checkpoint_renewed input=moves')
        self.exact(world, other)

    @pytest.mark.promise('Events', 'Events carry a `sourcetype` unless the stanza sets one')
    def test_each_api_has_its_sourcetype(self):
        world = self.world()
        for api in APIS:
            world.customer(api, api=api).publish(1)
        found = {(event.stanza.rpartition('/')[2], event.sourcetype) for event in world.start().wait_events(len(APIS))}
        self.assertEqual(found, {('graph', 'ms:defender:atp:alerts'), ('endpoint', 'ms:defender:atp:alerts'),
                                 ('siem', 'ms:defender:siem:alerts'), ('incidents', 'ms365:defender:incident')})

    @pytest.mark.promise('Events', 'Events carry a `sourcetype` unless the stanza sets one')
    @pytest.mark.promise('Events', 'Events never carry `index`, `host` or `source`')
    def test_a_sourcetype_of_the_stanza_is_not_written_over(self):
        world = self.world()
        for api in APIS:
            world.customer(api, api=api, sourcetype='own:alerts').publish(1)
        for event in world.start().wait_events(len(APIS)):
            self.assertEqual((event.sourcetype, event.index, event.host, event.source), (None, None, None, None))

    @pytest.mark.promise('Parameters', 'A new `tenant_id` or `api` starts a new checkpoint at the old cursor')
    def test_another_api_goes_on_at_the_old_cursor(self):
        world = self.world()
        feed = world.customer('change', api='graph', overlap=5)
        feed.publish(10, ticks=self.now(world) - 9000 * SECOND)
        feed.publish(1)
        world.start()
        self.arrives(world)
        self.polls(world, feed)
        world.program.terminate()
        other = world.microsoft.tenants['change'].feed('endpoint')
        other.publish(5, ticks=self.now(world) - 9000 * SECOND)     # the same alerts, read before
        since = self.now(world) - 5 * SECOND
        other.publish(4)
        params = world.params(world.microsoft.tenants['change'], 'endpoint', overlap=5)
        world.splunkd.add_input('change', **params)
        world.ledger.bind('defender_alerts://change', other, lambda version: version.ticks >= since)
        world.start().wait_line('event=checkpoint_renewed')
        self.exact(world, other)
