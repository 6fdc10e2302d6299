"""A backfill takes few requests, and loses nothing whatever order the service keeps."""
import math
import random
import statistics
import time

import pytest
from cases import SECOND, DeliveryCase
from world import faults
from world.runner import wait_for

DAY = 86400
HONEST = ('accept',)
OTHERS = ('ignore', 'refuse', 'created', 'shards', 'page')
# Requests of version 1.0.0 for so many records, 20 a page. It took more where each page has a link, even one that holds
# all, and some more or less where each page has any records.
SLACK = {'trailing': 1, 'chaos': 4}
BEFORE = {('even', 10): 1, ('even', 20): 1, ('even', 21): 5, ('even', 30): 5, ('even', 45): 9, ('even', 60): 9,
          ('even', 200): 20, ('bursts', 10): 1, ('bursts', 20): 1, ('bursts', 21): 5, ('bursts', 30): 5,
          ('bursts', 45): 9, ('bursts', 60): 10, ('bursts', 200): 68}


def ages(arrival, count):
    """Seconds before now, the same in each run: evenly, or nine of ten within five minutes at twelve moments."""
    rng, span = random.Random(count), 29 * DAY - 7200
    if arrival == 'even':
        return [3600 + span * i / count for i in range(count)]
    heads = [3600 + rng.random() * (span - 600) for _ in range(12)]
    return [rng.choice(heads) + rng.random() * 300 if i % 10 else 3600 + rng.random() * span for i in range(count)]


class Backfill(DeliveryCase):
    """New customers with weeks of alerts. The services hold small pages, so that few records are many pages."""

    def customer(self, world, name, api, orderby, arrival='bursts', records=600, interval=60, **quirks):
        """One whose alerts arrived in bursts of minutes, or evenly."""
        feed = world.customer(name, api, poll_interval=interval)
        feed.quirks.set(orderby=orderby, **{'page_cap': 50, **quirks})
        rng, now = feed.maker.rng, self.now(world)
        for number in range(records):
            burst = (number % 5 * 5 + 2) * DAY * SECOND + rng.randrange(300 * 300) * (SECOND // 300)
            spread = rng.randrange(3600 * SECOND, 28 * DAY * SECOND)
            feed.add(feed.maker.alert(now - (burst if arrival == 'bursts' else spread), size='small'))
        return feed

    def requests(self, world, feed):
        """Those that the service had."""
        return len(world.microsoft.requests(feed.tenant, kind=feed.api))

    def read(self, world, seconds=40):
        """Start, and wait until everything has come."""
        world.start()
        self.arrives(world, seconds)
        self.assertTrue(world.verdict().exact, world.verdict())
        self.assertEqual(world.problems(), [])
        self.assertEqual(world.microsoft.limits.violations(), {})

    @pytest.mark.promise('Cost', 'A backfill takes at most 1.2 times the least number of pages plus two requests, 1.5 '
                                 'times from a service that does not sort')
    def test_requests(self):
        world = self.world()
        rows = [(api, orderby, arrival) for api in ('graph', 'incidents') for orderby in HONEST + OTHERS
                for arrival in ('bursts', 'even')]
        feeds = {row: self.customer(world, '-'.join(row), *row, interval=300) for row in rows}
        self.read(world)
        for (api, orderby, arrival), feed in feeds.items():
            least = math.ceil(len(feed.versions) / 50)
            most = (1.2 if orderby in HONEST else 1.5) * least + 2
            self.assertLessEqual(self.requests(world, feed), most + (orderby == 'shards'), (api, orderby, arrival))
        self.ends(world)

    @pytest.mark.promise('Cost', 'A service that refuses to sort, or lies about its order, takes no more requests than '
                                 'a search for windows that one response can hold')
    def test_never_more_than_before(self):
        """Than version 1.0.0 took for the same records, of one page and of several."""
        world = self.world()
        kinds = {'refuse': {'orderby': 'refuse'}, 'newest': {'orderby': 'ignore'}, 'accept': {},
                 'oldest': {'orderby': 'ignore', 'order': 'oldest'}, 'created': {'orderby': 'created'},
                 'shards': {'orderby': 'shards'}, 'page': {'orderby': 'page'}, 'doubles': {'doubles': True},
                 'chaos': {'orderby': 'ignore', 'order': 'chaos'}, 'trailing': {'trailing_link': True}}
        feeds = {}
        for row in BEFORE:
            arrival, records = row
            for kind, quirks in kinds.items():
                feed = world.customer(f'{kind}-{arrival}-{records}', 'graph', poll_interval=86400)
                feed.quirks.set(page_cap=20, **quirks)
                for before in ages(arrival, records):
                    feed.add(feed.maker.alert(self.now(world) - int(before * SECOND), size='small'))
                feeds[kind, row] = feed
        self.read(world)
        more = {key: self.requests(world, feed) for key, feed in feeds.items()
                if self.requests(world, feed) > BEFORE[key[1]] + SLACK.get(key[0], 0)}
        self.assertEqual(more, {})
        self.ends(world)

    @pytest.mark.promise('Trouble', 'A service that does not keep the order it claims makes nothing lost')
    def test_a_service_that_does_not_sort_is_named(self):
        world = self.world()
        feeds = [self.customer(world, orderby, 'graph', orderby, records=200) for orderby in OTHERS
                 if orderby != 'created']       # which is the same while nothing is updated
        feeds.append(self.customer(world, 'uncounted', 'graph', 'accept', records=200, count=False, skip=False))
        self.read(world)
        for feed in feeds:
            world.program.wait_line(f'WARN event=order input={feed.tenant.name} ')
        self.ends(world)

    def test_updates_and_late_alerts_between_pages(self):
        """Each page is followed by an update of an old alert, and now and then by an alert that appears late."""
        world = self.world()
        feeds = [self.customer(world, f'{orderby}-{arrival}', 'graph', orderby, arrival, 300, interval=5)
                 for orderby in HONEST + OTHERS for arrival in ('bursts', 'even')]

        def change(request, answer):
            response = answer()
            feed = next(feed for feed in feeds if feed.tenant.id == request.tenant)
            if len(feed.versions) < 330:
                feed.update(feed.versions[len(feed.versions) * 7 % 300])
                if len(feed.versions) % 5 == 0:
                    feed.publish(1, late=2.0, size='small')
            return response
        world.faults.add(change, kind='graph')
        world.start()
        wait_for(lambda: all(len(feed.versions) >= 310 for feed in feeds), 40, 'changes')
        world.faults.clear()
        self.arrives(world, 40)
        self.assertTrue(world.verdict().exact, world.verdict())
        self.ends(world)

    def test_a_kill_and_a_stop_in_the_middle(self):
        """What was not proven is read again. The rate limit makes the backfill last."""
        world = self.world()
        for orderby in HONEST + OTHERS:
            self.customer(world, orderby, 'graph', orderby, records=300, page_cap=20)
        for end in ('kill', 'terminate'):
            program, before = world.start(), len(world.events())
            wait_for(lambda: len(world.events()) > before + 100, 20, 'some of it')      # noqa: B023  used at once
            getattr(program, end)()
        world.start()
        self.arrives(world, 50)
        self.assertEqual(world.verdict().altered, [])
        self.assertEqual(world.microsoft.limits.violations(), {})
        self.ends(world)

    @pytest.mark.promise('Cost', 'After a start with an untouched rate limit ten pages take the time of ten responses')
    def test_ten_pages_at_once(self):
        """Of the APIs with a limit for the minute, and for the hour as well. A response takes 0.2 s."""
        world = self.world()
        feeds = [self.customer(world, f'{api}-{orderby}', api, orderby, 'even', 490) for api in ('graph', 'incidents')
                 for orderby in ('accept', 'ignore')]
        feeds.append(self.customer(world, 'endpoint', 'endpoint', 'accept', 'even', 490))
        for kind in ('graph', 'incidents', 'endpoint'):
            world.faults.add(faults.delay(0.2), kind=kind)
        self.read(world)
        for feed in feeds:
            sent = [entry.when for entry in world.microsoft.requests(feed.tenant, kind=feed.api)]
            gaps = [after - before for before, after in zip(sent, sent[1:])]
            self.assertGreaterEqual(len(sent), 10, feed.api)
            self.assertLess(statistics.median(gaps), 0.5, feed.api)
            self.assertLess(sent[9] - sent[0], 8, feed.api)
        self.ends(world)

    @pytest.mark.promise('Cost', 'A tenant that inputs name by its GUID and by its domains has one rate limit')
    def test_a_tenant_of_two_names(self):
        """Two backfills at the same time, of alerts and of incidents, which share their limits."""
        world = self.world()
        alerts = self.customer(world, 'guid', 'graph', 'accept', records=200, interval=300, page_cap=2)
        tenant, incidents = alerts.tenant, alerts.tenant.feed('incidents')
        params = dict(world.splunkd.inputs['guid'][1], api='incidents', api_url=world.url('incidents'))
        world.splunkd.add_input('domain', **{**params, 'tenant_id': tenant.domain.upper()})
        world.ledger.bind('defender_alerts://domain', incidents)
        incidents.quirks.set(page_cap=2)
        for version in alerts.versions:
            incidents.add(incidents.maker.alert(version.ticks, size='small'))
        world.start()
        wait_for(lambda: len(world.events()) > 40, 20, 'both backfills')
        time.sleep(2)
        sent = [entry.when for entry in world.microsoft.requests(tenant, service='graph')]
        seconds = sent[-1] - sent[0]
        self.assertLessEqual(len(sent), 150 * 0.9 * (0.25 + 0.75 * seconds / 60) + 2)
        kinds = {entry.kind for entry in world.microsoft.requests(tenant, service='graph')}
        self.assertLessEqual({'graph', 'incidents'}, kinds)
        self.ends(world)

    def test_a_refusal_is_remembered(self):
        """A service that answers 400 to $orderby is asked for it once, over a restart that could ask again."""
        world = self.world()
        feed, asked = self.customer(world, 'c', 'graph', 'refuse', records=160, interval=300), []

        def look(request, answer):
            asked.append('orderby' in request.target)
            return answer()
        world.faults.add(look, kind='graph')
        self.read(world)
        self.ends(world)
        before = self.requests(world, feed)
        world.start()
        wait_for(lambda: self.requests(world, feed) > before, 20, 'a poll')
        feed.publish(1)
        self.ends(world)
        self.assertEqual(sum(asked), 1)
        self.assertLessEqual(before, 8)

    def test_ties_at_the_edges_of_pages(self):
        """Twenty alerts at each moment, and once more than a page holds."""
        world = self.world()
        feeds = [self.customer(world, orderby, 'graph', orderby, records=0) for orderby in HONEST + OTHERS]
        now = self.now(world)
        for feed in feeds:
            for number in range(240):
                feed.add(feed.maker.alert(now - (number // 20 + 1) * DAY * SECOND, size='small'))
            for _ in range(120):
                feed.add(feed.maker.alert(now - 20 * DAY * SECOND, size='small'))
        self.read(world)
        self.ends(world)

    def test_ties_that_no_response_holds(self):
        """An Endpoint service that gives fewer than asked, without a link: counts tell, and skips bring the rest."""
        world = self.world()
        feed = self.customer(world, 'endpoint', 'endpoint', 'accept', records=100)
        moment = self.now(world) - 4 * DAY * SECOND
        for _ in range(120):
            feed.add(feed.maker.alert(moment, size='small'))
        self.read(world)
        self.ends(world)

    @pytest.mark.promise('Trouble', 'A service that does not keep the order it claims makes nothing lost')
    def test_a_record_twice_in_a_page(self):
        """In place of another one: the order is kept, and the count agrees."""
        world = self.world()
        self.customer(world, 'doubles', 'graph', 'accept', 'even', records=150, doubles=True)
        self.read(world)
        world.program.wait_line('WARN event=order input=doubles .*twice in one page')
        self.ends(world)

    @pytest.mark.promise('Trouble', 'Polls keep their interval while a backfill is read')
    def test_polls_go_on(self):
        """An alert that appears during a backfill of many pages is written within its poll interval."""
        world = self.world()
        feed = self.customer(world, 'c', 'graph', 'accept', records=3000, interval=2, page_cap=20)
        world.start()
        wait_for(lambda: self.requests(world, feed) > 10, 20, 'the backfill')
        new = feed.publish(1)[0]
        wait_for(lambda: any(event.data and new.key in event.data for event in world.events()), 10, 'the new alert')
        self.assertLess(len(world.events()), 3000)
        self.ends(world)
