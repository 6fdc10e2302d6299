"""A window of update times that fails alone is set aside: everything around it arrives, and it is tried again."""
import email.utils
import json
import os
import re
import time
import urllib.parse

import pytest
from cases import SECOND, DeliveryCase, HastyCase
from world import faults, ticks
from world.httpd import Response
from world.runner import wait_for

DAY = 86400
ERROR = b'{"error":{"code":"InternalServerError","message":"Internal server error"}}'


class Poison:
    """Fails every response that would hold one of these records. heal() ends it."""

    def __init__(self, world, feed, versions=(), fault=None):
        self.texts = [version.raw for version in versions]
        self.fault = fault or (lambda response: Response(500, ERROR))
        self.rule = world.faults.add(self._answer, kind=feed.api, tenant=feed.tenant)
        self.hits = 0

    def add(self, versions):
        """Poisons further records."""
        self.texts += [version.raw for version in versions]

    def heal(self):
        """All records can be read from now on."""
        self.rule.remove()

    def _answer(self, request, answer):
        response = answer()
        if not any(text in response.body for text in self.texts):
            return response
        self.hits += 1
        return self.fault(response)


class DatedPoison(Poison):
    """All responses are dated that many days off."""

    def __init__(self, world, feed, days):
        super().__init__(world, feed)
        self.days, self.clock = days, world.clock

    def _answer(self, request, answer):
        response = super()._answer(request, answer)
        response.headers['Date'] = email.utils.formatdate(self.clock.now() + self.days * DAY, usegmt=True)
        return response


class QuarantineCase(DeliveryCase):
    """`lost` is how many records are poisoned: all others arrive, once."""

    def requests(self, world, feed):
        """How many requests the feed's service got."""
        return len(world.microsoft.requests(feed.tenant, kind=feed.api))

    def all_but(self, world, lost, seconds=20):
        """Waits until only the poisoned ones are missing."""
        self.arrives(world, seconds, lost)
        verdict = world.verdict()
        self.assertEqual(len(verdict.lost), lost, verdict)
        self.assertFalse(verdict.repeated or verdict.altered or verdict.unexpected, verdict)

    @staticmethod
    def logged(program, event):
        """The lines of this event."""
        return [line for line in program.lines if f'event={event} ' in line.text]

    def checkpoint(self, world, change=None):
        """The input's checkpoint; change(document) edits it."""
        path = os.path.join(world.home.checkpoints, 'c.json')
        with open(path, encoding='utf-8') as file:
            document = json.load(file)
        if change:
            change(document)
            with open(path, 'w', encoding='utf-8') as file:
                json.dump(document, file)
        return document

    @staticmethod
    def due_at_once(document):
        """Makes every quarantined window due."""
        for entry in document['quarantine']:
            entry['due'] = '2026-01-01T00:00:00Z'

class Quarantine(QuarantineCase):
    """At the service's published rates."""

    @pytest.mark.promise('Trouble', 'A window that fails while others are answered is set aside, and new ones arrive')
    @pytest.mark.waits(15)
    def test_new_alerts_arrive_after_a_recent_poisoned_one(self):
        for api in ('graph', 'endpoint', 'siem', 'incidents'):
            with self.subTest(api):
                world = self.world()
                feed = world.customer('c', api=api, start_time='-2h')
                feed.publish(3, span_s=3000, size='small')
                world.start().wait_events(3)
                poison = Poison(world, feed)
                poison.add(feed.publish(1, size='small'))
                wait_for(lambda poison=poison: poison.hits >= 2, 10, 'two failures')
                for _ in range(4):
                    published = time.time()
                    feed.publish(1, size='small')
                    self.all_but(world, 1, 8)
                    self.assertLess(time.time() - published, 6)
                self.assertFalse([line for line in world.program.lines if 'state=failing' in line.text][1:])
                self.ends(world)
                world.close()

    @pytest.mark.waits(30)
    def test_a_poisoned_record_of_the_past(self):
        for place in (0, 17, 29):
            with self.subTest(place):
                world = self.world()
                feed = world.customer('c', start_time='-30d')
                versions = sorted(feed.publish(30, span_s=30 * DAY - 600, size='small'), key=lambda v: v.ticks)
                Poison(world, feed, versions[place:place + 1])
                world.start()
                self.all_but(world, 1, 60)
                self.assertLessEqual(self.requests(world, feed), 60)
                self.ends(world)
                world.close()

    @pytest.mark.waits(10)
    def test_responses_of_the_exporter_that_are_too_much(self):
        world = self.world()
        feed = world.customer('c', api='siem', start_time='-30d')
        feed.publish(150, span_s=20 * DAY, size='small')

        def too_much(request, answer):
            response = answer()
            return Response(500, ERROR) if (response.items or 0) > 60 else response
        world.faults.add(too_much, kind='siem', tenant=feed.tenant)
        world.start()
        self.exact(world, seconds=60)
        self.assertLess(self.requests(world, feed), 60)
        world.program.terminate()
        self.assertFalse([line for line in world.program.lines if 'event=bad_record' in line.text])

    @pytest.mark.waits(10)
    def test_a_clock_that_is_ahead_meanwhile(self):
        """The service's, by a minute. What is published after that is not set aside with the
        poisoned record; neither is it if the host's clock is the wrong one, and the records say so."""
        for right in (True, False):
            with self.subTest(host_is_right=right):
                world = self.world()
                feed = world.customer('c', overlap=5)
                feed.publish(3, span_s=20)
                program = world.start()
                program.wait_events(3)
                world.clock.jump(60)
                self.polls(world, feed, 3)
                bounded = world.faults.add(faults.status(502), match=self.is_wide)
                poison = Poison(world, feed)
                poison.add(self.publish_at(feed, right))
                # It is set aside, and stays where it is.
                wait_for(lambda bounded=bounded: bounded.hits >= 2, 20, program.tail)
                for back in (0, 60 * right):
                    world.clock.jump(-back)
                    before = self.served(world, feed)
                    wait_for(lambda world=world, feed=feed, before=before: self.served(world, feed) > before, 60,
                             program.tail)
                    count = len(program.events)
                    self.publish_at(feed, right)
                    program.wait_events(count + 1, 60)      # one that is set aside would never come
                self.ends(world)
                world.close()

    @staticmethod
    def is_wide(request):
        """A window with an end. One of a single tick is the probe for a record that was read before."""
        bounds = re.findall(r'(?:ge|lt) (\S+Z)', request.args.get('$filter', ''))
        return len(bounds) == 2 and ticks.parse(bounds[1]) - ticks.parse(bounds[0]) > 1

    @staticmethod
    def served(world, feed):
        """How many open windows were answered well."""
        return sum(request.status == 200 and ' lt ' not in urllib.parse.unquote(request.query)
                   for request in world.microsoft.requests(feed.tenant, kind=feed.api))

    @staticmethod
    def publish_at(feed, by_host):
        """A record that was updated now, by the host's clock or by the service's."""
        return feed.publish(1, ticks=ticks.from_seconds(time.time()) if by_host else None, size='small')

    def test_a_record_of_the_year_9999(self):
        """More than a page in the overlap: the future belongs to the open window."""
        for api in ('graph', 'incidents', 'siem'):
            with self.subTest(api):
                world = self.world()
                feed = world.customer('c', api=api, start_time='-2h')
                feed.quirks.set(page_cap=20)
                feed.publish(70, span_s=600, size='small')
                feed.publish(1, ticks=self.now(world) + 7973 * 365 * DAY * SECOND, size='small')
                world.start()
                self.exact(world, seconds=40)
                before = self.requests(world, feed)
                time.sleep(3)
                self.assertLess(self.requests(world, feed) - before, 60)
                asked = ' '.join(entry.query for entry in world.microsoft.requests(feed.tenant, kind=api))
                times = re.findall(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d', urllib.parse.unquote(asked))
                self.assertLess(max(times), ticks.iso(self.now(world) + 60 * SECOND), 'a bound in the future')
                self.ends(world)
                world.close()

    @pytest.mark.waits(30)
    def test_only_poisoned_records_at_first(self):
        """No good record proves anything, and yet the first good one arrives."""
        world = self.world()
        feed = world.customer('c', start_time='-2h')
        poison = Poison(world, feed)
        world.start()
        self.polls(world, feed, 1)
        for number in range(3):
            poison.add(feed.publish(1, size='small'))
            wait_for(lambda hits=poison.hits: poison.hits >= hits + 3, 10, f'failures of record {number}')
            time.sleep(1.5)
        feed.publish(1, size='small')
        self.all_but(world, 3, 10)
        self.ends(world)


class HastyQuarantine(HastyCase, QuarantineCase):
    """The program's clock runs faster than the service's, so that its request rate does not take the time. A search
    takes dozens of requests, and the services allow one or two a second."""

    def start(self, world, haste=20):
        return super().start(world, haste)

    def complete(self, world, seconds):
        """Everything arrives, once. The limits at Microsoft are those of real time."""
        self.arrives(world, seconds)
        self.polls(world, world.feeds['c'])
        verdict = world.verdict()
        self.assertTrue(verdict.exact, f'{verdict}\n{world.program.tail()}')
        self.assertEqual(world.problems(), [])

    def searched(self, world, feed):
        """Waits until the search has come down to the finest step: three seconds with few requests."""
        def few():
            before = self.requests(world, feed)
            time.sleep(3)
            return self.requests(world, feed) - before < 15
        time.sleep(16)      # the first retry
        wait_for(few, 60, lambda: world.program.tail())

    def customer(self, world, haste=20, **how):
        """One that is polled each second of real time."""
        return world.customer('c', **{'start_time': '-2h', 'poll_interval': haste, **how})

    @pytest.mark.promise('Trouble', 'Quarantined windows cost polls no further requests, however many they are')
    @pytest.mark.waits(45)
    def test_forty_records_that_break_their_page(self):
        world = self.world()
        feed = self.customer(world, 100)
        base = self.now(world) // SECOND * SECOND - 90 * SECOND
        for number in range(0, 82, 2):
            feed.publish(1, ticks=base + number * SECOND, size='small')
        for number in range(1, 81, 2):
            feed.add(b'{"id": "da%d_1", "title": "never closed}' % number, ticks=base + number * SECOND, readable=False)
        self.start(world, 100)
        self.all_but(world, 0, 60)
        wait_for(lambda: len(self.logged(world.program, 'bad_record')) == 40, 30, lambda: world.program.tail())
        self.searched(world, feed)
        before = self.requests(world, feed)
        polls = 18      # three in an interval, since the alerts are recent
        time.sleep(6)
        self.assertLess(self.requests(world, feed) - before, 3 * polls)
        feed.publish(2, size='small')
        self.all_but(world, 0, 10)

    @pytest.mark.waits(30)
    def test_poisoned_first_and_last_and_neighbors(self):
        for places in ((0, 29), (0, 1), (13, 14, 15)):
            with self.subTest(places):
                world = self.world()
                feed = self.customer(world)
                versions = sorted(feed.publish(30, span_s=3000, size='small'), key=lambda v: v.ticks)
                Poison(world, feed, [versions[place] for place in places])
                self.start(world)
                self.all_but(world, len(places), 40)
                feed.publish(2, size='small')
                self.all_but(world, len(places), 10)
                self.ends(world)
                world.close()

    @pytest.mark.promise('Trouble', 'A quarantined window is tried again, and its alerts arrive when they can be read')
    @pytest.mark.waits(40)
    def test_it_heals(self):
        world = self.world()
        feed = self.customer(world)
        poison = Poison(world, feed, feed.publish(20, span_s=3000, size='small')[7:9])
        self.start(world)
        self.all_but(world, 2, 20)
        wait_for(lambda: len(self.logged(world.program, 'quarantined')) == 2, 20,
                 'two windows')
        poison.heal()
        self.complete(world, seconds=30)
        self.assertEqual(len(self.logged(world.program, 'quarantined')), 2)
        world.program.terminate()
        self.assertNotIn('quarantine', self.checkpoint(world))

    @pytest.mark.promise('Checkpoints', 'Quarantined windows are remembered across restarts')
    @pytest.mark.waits(30)
    def test_restarts(self):
        world = self.world()
        feed = self.customer(world)
        poison = Poison(world, feed, feed.publish(20, span_s=3000, size='small')[7:9])
        program = self.start(world)
        self.all_but(world, 2, 20)
        program.wait_line('event=quarantined', 20)
        program.terminate()
        self.assertGreaterEqual(len(self.checkpoint(world)['quarantine']), 2)
        feed.publish(3, size='small')
        program = self.start(world)
        self.all_but(world, 2, 20)
        hits = poison.hits
        self.polls(world, feed, 3)
        self.assertLessEqual(poison.hits - hits, 40)
        program.terminate()
        poison.heal()
        self.checkpoint(world, self.due_at_once)
        self.start(world)
        self.complete(world, seconds=20)
        world.program.terminate()
        self.assertNotIn('quarantine', self.checkpoint(world))

    @pytest.mark.promise('Trouble', 'A quarantined window is tried again, and its alerts arrive when they can be read')
    @pytest.mark.waits(30)
    def test_the_clock_was_wrong_when_it_was_planned(self):
        """The service claims for a while to live days later, or earlier; meanwhile the newest alerts cannot be read."""
        for days in (40, 1 / 24, -40):
            with self.subTest(days):
                world = self.world()
                feed = self.customer(world, 4, overlap=60)
                feed.publish(3, span_s=3000, size='small')
                self.start(world, 4).wait_events(3)
                self.polls(world, feed)
                world.program.terminate()       # what is older than the overlap is forgotten
                self.start(world, 4)
                poison = DatedPoison(world, feed, days)
                self.polls(world, feed, 3)
                poison.add(feed.publish(1, size='small'))
                hits = poison.hits
                wait_for(lambda poison=poison, hits=hits: poison.hits >= hits + 2, 20, 'failures')
                time.sleep(0.5)
                poison.days = 0
                feed.publish(2, size='small')
                self.all_but(world, 1, 25)
                self.assertEqual(world.problems(), [])
                world.close()

    @pytest.mark.promise('Events', 'A filter that is coarser than the times, up to a minute, loses and repeats nothing')
    @pytest.mark.waits(40)
    def test_a_coarse_filter(self):
        """The service returns the poisoned record from outside of its quarantined window, with its neighbors."""
        for api, grain in (('graph', SECOND), ('siem', SECOND)):
            with self.subTest(api):
                world = self.world()
                feed = self.customer(world, api=api, overlap=60)
                feed.quirks.set(grain=grain)
                feed.publish(20, span_s=3000, size='small')
                middle = (self.now(world) - 3300 * SECOND) // (60 * SECOND) * (60 * SECOND) + 30 * SECOND + 12345
                poison = Poison(world, feed, feed.publish(1, ticks=middle, size='small'))
                near = feed.publish(4, ticks=middle + grain // 3, size='small')
                self.start(world)
                self.all_but(world, 1 + len(near), 30)
                self.searched(world, feed)
                world.program.terminate()
                poison.heal()
                self.checkpoint(world, self.due_at_once)
                feed.publish(2, size='small')
                self.start(world)
                self.complete(world, seconds=20)
                self.polls(world, feed, 4)      # a window that is empty is asked for as well
                world.program.terminate()
                self.assertNotIn('quarantine', self.checkpoint(world))
                world.close()

    @pytest.mark.promise('Log lines', 'The status line names how many windows are quarantined; each is logged once')
    @pytest.mark.waits(30)
    def test_what_an_operator_sees(self):
        world = self.world()
        feed = self.customer(world)
        poison = Poison(world, feed, feed.publish(20, span_s=3000, size='small')[7:9])
        program = self.start(world)
        self.all_but(world, 2, 20)
        wait_for(lambda: len(self.logged(world.program, 'quarantined')) == 2, 20, 'two windows')
        for line in program.lines:
            if 'event=quarantined' in line.text:
                self.assertRegex(line.text, r'^WARN event=quarantined input=c tenant=\S+ api=graph '
                                            r'from=20\S+Z to=20\S+Z .*500')
        hits = poison.hits
        wait_for(lambda: poison.hits > hits + 4, 25, 'the retry after 15 s')
        self.assertEqual(len(self.logged(world.program, 'quarantined')), 2)
        program.wait_line('event=status input=c .* quarantined=[1-9]', 20)
        program.terminate()

    @pytest.mark.promise('Events', 'A proxy that truncates every response for a while costs no alert')
    @pytest.mark.waits(40)
    def test_a_proxy_that_truncates_every_response(self):
        """It corrects the length, and leaves empty responses alone."""
        for known in (False, True):
            with self.subTest(known):
                world = self.world()
                feed = self.customer(world)
                if known:
                    feed.publish(3, span_s=3000, size='small')
                self.start(world)
                if known:
                    self.arrives(world)
                self.polls(world, feed, 2)

                def chop(request, answer):
                    response = answer()
                    return Response(200, response.body[:len(response.body) * 2 // 3]) if response.items else response
                rule = world.faults.add(chop, kind='graph')
                before = self.requests(world, feed)
                for _ in range(4):
                    feed.publish(3, size='small')
                    time.sleep(2)
                self.assertLess(self.requests(world, feed) - before, 90)
                rule.remove()
                feed.publish(1, size='small')
                self.complete(world, seconds=30)
                self.ends(world)
                world.close()

    @pytest.mark.waits(20)
    def test_a_kill(self):
        """Nothing is lost, whether the quarantine was saved or not."""
        world = self.world()
        feed = self.customer(world)
        poison = Poison(world, feed, feed.publish(20, span_s=3000, size='small')[7:9])
        self.start(world)
        self.arrives(world, 20, 2)
        world.program.kill()
        feed.publish(3, size='small')
        self.start(world)
        self.arrives(world, 20, 2)
        world.program.wait_line('event=quarantined', 20)
        world.program.kill()
        poison.heal()
        self.start(world)
        self.arrives(world, 20)
        verdict = world.verdict()
        self.assertFalse(verdict.lost or verdict.altered or verdict.unexpected, verdict)
        self.ends(world)

