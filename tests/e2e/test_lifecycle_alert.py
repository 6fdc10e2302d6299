"""An alert's life: each of its states arrives once, in order, under one id, also months later and after restarts."""
import os
import sys

import pytest
from cases import SECOND, DeliveryCase
from world import ticks

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'splunk'))
import fields  # noqa: E402
import spl  # noqa: E402

DAY = 86400 * SECOND
STATES = {'graph': ('new', 'inProgress', 'resolved'), 'endpoint': ('New', 'InProgress', 'Resolved'),
          'incidents': ('active', 'inProgress', 'resolved')}


class LifecycleAlert(DeliveryCase):
    """New, in progress, resolved, reopened after months, resolved for good."""

    def state(self, feed, identity, status, when):
        """A version of the alert with this status, updated at that time."""
        return feed.add(feed.maker.alert(when, identity=identity, status=status))

    def search(self, world, text):
        """A search over what has arrived, with the fields of props.conf, newest first."""
        props, events = fields.read('props'), []
        for event in world.events():
            events.append({**fields.fields_of(props[event.sourcetype], event.data, event.stanza), 'index': 'main',
                           'sourcetype': event.sourcetype, '_time': float(event.time)})
        return spl.Search(text, fields.read('macros')).run(events, world.clock.now() + 1, 0)

    def live(self, api):
        """The whole life of one alert among others; returns the world."""
        world = self.world()
        feed = world.customer('contoso', api=api, start_time='-400d')
        identity, (new, busy, done), now = '924001', STATES[api], self.now(world)
        feed.publish(5, span_s=3600)
        self.state(feed, identity, new, now - 200 * DAY)
        world.start()
        self.arrives(world)
        for status in (busy, done):
            self.state(feed, identity, status, self.now(world))
            self.arrives(world)
        world.program.terminate()
        world.clock.jump(100 * 86400)           # months in which nobody looks at it, and the program is down
        self.state(feed, identity, busy, self.now(world) - 3 * DAY)
        world.start()
        self.arrives(world)
        self.state(feed, identity, done, self.now(world))
        self.exact(world)
        return world, identity, (new, busy, done, busy, done)

    @pytest.mark.promise('Events',
                         'A version of an alert is known by its id and update time, a SIEM record by all its content')
    @pytest.mark.waits(15)
    def test_history(self):
        for api in STATES:
            with self.subTest(api=api):
                world, identity, states = self.live(api)
                rows = self.search(world, f'`defender_mssp_events` id="{identity}" | sort 0 _time '
                                          '| table _time customer status id')
                self.assertEqual([row['status'] for row in rows], list(states))
                times = [row['_time'] for row in rows]
                self.assertEqual(times, sorted(times))
                self.assertGreater(times[3] - times[2], 90 * 86400)
                latest = self.search(world, f'`defender_mssp_events` | `defender_mssp_latest` | search id="{identity}"')
                self.assertEqual([row['status'] for row in latest], [states[-1]])
                self.assertEqual(latest[0]['_time'], times[-1])

    def test_reopened_is_found(self):
        """The documented search for reopened alerts."""
        world, identity, _states = self.live('graph')
        with open(os.path.join(fields.ROOT, 'docs', 'searching.md'), encoding='utf-8') as file:
            text = next(part for part in file.read().split('```') if 'status_before' in part)
        rows = self.search(world, text.removeprefix('spl').replace('\n', ' '))
        self.assertEqual([(row['id'], row['status_before'], row['status']) for row in rows],
                         [(identity, 'resolved', 'inProgress')])

    @pytest.mark.promise('Events',
                         'A version of an alert is known by its id and update time, a SIEM record by all its content')
    def test_versions_of_one_second(self):
        """States that follow each other within a second, some with the same digits up to the milliseconds."""
        world = self.world()
        feed = world.customer('contoso', api='graph')
        base = ticks.from_seconds(world.clock.now()) // SECOND * SECOND - 60 * SECOND
        world.start()
        for number, status in enumerate(('new', 'inProgress', 'resolved', 'new', 'resolved')):
            self.state(feed, 'da1_1', status, base + number)
            self.arrives(world)
        self.exact(world)
        self.assertEqual(len(world.events()), 5)
