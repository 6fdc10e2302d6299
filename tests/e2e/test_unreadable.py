"""Records that are no JSON: each is kept in an event of its own source type, once, and holds up nothing else."""
import json
import os
import re
import time
import unittest

import pytest
from cases import APIS, PLAIN, SECOND, DeliveryCase, HastyCase
from test_hostile import high_water_mib
from world.feed import UPDATE_FIELD
from world.ledger import UNREADABLE
from world.runner import wait_for

BROKEN = {
    'number': b'{"id":"da1_1","n":01}',
    'comma': b'{"id":"da2_1","a":[1 2],"b":"<&>\\"\\\\"}',
    'member': b'{"id":"da3_1","title": }',
    'control': b'{"id":"da4_1","title":"a\x01\x00\t\x1f\x7fb"}',
    'utf-8': b'{"id":"da5_1","n":-,"title":"\xff\xc3\xa9\xc3\xed\xa0\x80\xef\xbf\xbf"}',
    'escape': b'{"id":"da6_1","title":"\\q\\"]},"}',
    'hidden': '{"id":"da7_1","n":-,"title":"\u202e\u2028\U000e0041"}'.encode(),
    'word': b'tru',
}


def raw_of(one):
    """The bytes of the record."""
    return one['raw'].encode('utf-8', 'surrogateescape')


class UnreadableCase(DeliveryCase):
    """Knows the events of what cannot be read."""

    @staticmethod
    def found(world, feed):
        """The data of these events, parsed."""
        return [json.loads(event.data) for event in world.events()
                if event.sourcetype == UNREADABLE and event.stanza in feed_stanzas(world, feed)]

    def kept(self, world, feed, count, seconds=60):
        """Waits for that many of them."""
        wait_for(lambda: len(self.found(world, feed)) >= count, seconds,
                 lambda: f'{self.found(world, feed)} {world.program.tail()}')
        return self.found(world, feed)


def feed_stanzas(world, feed):
    """The stanzas that read the feed."""
    return [stanza for stanza in world.ledger.stanzas() if any(feed is one for one, _ in world.ledger.feeds(stanza))]


class Kept(UnreadableCase):
    """What is written, and how often."""

    @pytest.mark.promise('Events',
                         'A record that is not JSON is written as it came, as an event of its own source type')
    @pytest.mark.promise('Events',
                         'A record that is not JSON is written once, over polls and restarts; healed, it is an alert')
    @pytest.mark.promise('Events', 'A record that is not JSON causes an ERROR with its position, and all others arrive')
    @pytest.mark.waits(30)
    def test_each_kind_at_each_api(self):
        """In the middle of a page; then polls, a restart and new alerts."""
        world = self.world()
        feeds = [world.customer(api, api=api, start_time='-2h', poll_interval=3, overlap=7200) for api in APIS]
        for feed in feeds:
            good = feed.publish(9, span_s=3000, size='small')
            for number, raw in enumerate(BROKEN.values()):
                feed.add(raw, ticks=good[4].ticks + number, readable=False)
        world.start()
        for feed in feeds:
            found = self.kept(world, feed, len(BROKEN))
            self.assertEqual(sorted(map(raw_of, found)), sorted(BROKEN.values()))
            self.assertEqual({one['api'] for one in found}, {feed.api})
            self.assertEqual(sum('id' in one for one in found), 0 if feed.api == 'siem' else len(BROKEN) - 1)
            self.assertTrue(all(one['reason'] and one['from'] < one['to'] and one['bytes'] == len(raw_of(one))
                                for one in found), found)
        self.exact(world)
        world.restart()
        for feed in feeds:
            feed.publish(2, size='small')
        self.exact(world)
        for feed in feeds:
            self.assertEqual(len(self.found(world, feed)), len(BROKEN))
        self.ends(world)

    @pytest.mark.promise('Events',
                         'A record that is not JSON is written as it came, as an event of its own source type')
    @pytest.mark.waits(20)
    def test_id_time_and_sourcetype(self):
        """The event has the time that could be read; the log line names both. The stanza's own source type is for
        alerts."""
        world = self.world()
        for api in APIS:
            feed = world.customer(api, api=api, sourcetype='own:alerts', start_time='-2h')
            moment = feed.publish(1, size='small')[0]
            feed.add(b'{"id":"da1 \\"x_1","%s":"2026-11-01T08:00:00.1234567Z","n":tru}' % UPDATE_FIELD[api].encode(),
                     ticks=moment.ticks, readable=False)
            world.splunkd.inputs[api][1]['start_time'] = '2026-10-01'
        program = world.start()
        for api in APIS:
            self.kept(world, world.feeds[api], 1)
            line = program.wait_line(f'ERROR event=bad_record input={api} .*record=')
            self.assertEqual(line.facts['time'], '2026-11-01T08:00:00.1234567Z')
            self.assertRegex(line.text, r' id="' + ('unknown' if api == 'siem' else "da1 'x_1") + '"')
        for event in world.events():
            if event.sourcetype == UNREADABLE:
                self.assertEqual(event.time, '1793520000.1234567')
            else:
                self.assertIsNone(event.sourcetype)
        self.ends(world)

    @pytest.mark.promise('Events',
                         'A record that is not JSON is written once, over polls and restarts; healed, it is an alert')
    @pytest.mark.waits(30)
    def test_healed(self):
        """First broken, and kept; then whole, and an alert. Broken only once: no event tells of it."""
        world = self.world()
        feed, brief = (world.customer(name, start_time='-2h', poll_interval=2) for name in ('c', 'brief'))
        rules = {}
        for one in (feed, brief):
            one.damaged = one is feed
            good = one.publish(5, span_s=300, size='small')[2]

            def spoil(_, answer, good=good):
                response = answer()
                response.body = response.body.replace(good.raw, good.raw[:-1] + b',}')
                return response
            rules[one] = world.faults.add(spoil, kind='graph', tenant=one.tenant,
                                          **({} if one is feed else {'times': 2}))
        world.start()
        found = self.kept(world, feed, 1)
        self.assertEqual(raw_of(found[0])[-2:], b',}')
        self.arrives(world, 30, lost=1)
        self.polls(world, feed, 2)
        self.assertEqual(len(world.verdict().lost), 1)
        rules[feed].remove()
        self.exact(world, seconds=30)
        self.assertEqual((len(self.found(world, feed)), len(self.found(world, brief))), (1, 0))
        self.ends(world)

    @pytest.mark.promise('Events',
                         'A record that is not JSON is written once, over polls and restarts; healed, it is an alert')
    @pytest.mark.waits(20)
    def test_a_bad_record_in_a_backfill_and_after_a_kill(self):
        world = self.world()
        feed = world.customer('c', start_time='-30d')
        good = feed.publish(60, span_s=20 * 86400, size='small')
        feed.add(BROKEN['number'], ticks=good[30].ticks + 1, readable=False)
        world.start()
        self.kept(world, feed, 1)
        self.exact(world, seconds=60)
        world.restart()
        self.polls(world, feed, 2)
        self.assertEqual(len(self.found(world, feed)), 1)
        self.ends(world)


@unittest.skipUnless(os.path.exists(PLAIN), 'needs the plain program (make)')
class Memory(UnreadableCase):
    """Responses that are made to be large."""

    @pytest.mark.promise('Trouble',
                         'Records that are not JSON take no more than 64 MB, however many and large they are')
    @pytest.mark.waits(20)
    def test_many_and_large_ones(self):
        kinds = (('many', 50000, lambda number: b'[-%dl]' % number),
                 ('control characters', 4, lambda number: b'{"x":"%d' % number + b'\x01' * 2_000_000 + b'"}'),
                 ('large', 3, lambda number: b'{"x":-%dl,"y":"' % number + b'y' * 15_000_000 + b'"}'))
        for case, count, make in kinds:
            with self.subTest(case):
                world = self.world()
                feed = world.customer('c')
                feed.damaged = True
                records = b','.join(make(number) for number in range(count))

                def flood(_, answer, records=records):
                    response = answer()
                    if response.status == 200:
                        response.body = b'{"value":[' + records + b']}'
                    return response
                world.faults.add(flood, kind='graph', tenant=feed.tenant)
                program = world.start(program=PLAIN)
                self.kept(world, feed, count)
                self.polls(world, feed, 2)
                self.assertEqual(len(self.found(world, feed)), count)
                self.assertLess(high_water_mib(program), 64)
                self.ends(world)
                world.close()


class Windows(HastyCase, UnreadableCase):
    """Quotes that do not match: the window is searched. The clock runs faster, so that it does not take long."""

    @pytest.mark.promise('Events', 'A record with unbalanced quotes is isolated as a window, named with its bounds')
    @pytest.mark.waits(45)
    def test_unbalanced(self):
        """Without an end nothing is kept: how much belongs to it is not known. With an end it is, when its window has
        been searched."""
        world = self.world()
        feeds = {}
        for name, raw in (('open', b'{"id": "da1_1", "title": "never closed}'),
                          ('word', b'{"id":"da2_1","title":oops}'),
                          ('even', b'{"id":"da3_1","title":"x","more:"y"z"}')):
            feed = feeds[name] = world.customer(name, start_time='-2h', poll_interval=20)
            good = feed.publish(9, span_s=3000, size='small')
            feed.add(raw, ticks=good[4].ticks + SECOND // 3, readable=False)
        self.start(world, 20)
        self.arrives(world, 90)
        for name in feeds:
            line = world.program.wait_line(f'ERROR event=bad_record input={name} .*from=20.* to=20.* this window', 60)
            self.assertTrue(re.search(r'from=(\S+) to=(\S+)', line.text))
        for name in ('word', 'even'):
            self.assertEqual(raw_of(self.kept(world, feeds[name], 1)[0]), feeds[name].versions[-1].raw)
        time.sleep(3)
        self.assertEqual([len(self.found(world, feed)) for feed in feeds.values()], [0, 1, 1])
        verdict = world.verdict()
        self.assertTrue(verdict.exact, verdict)
