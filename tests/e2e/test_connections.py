"""Connections that die, end or grow old under the requests that share them: HTTP/2, as Microsoft's hosts speak it."""
import importlib.util
import re
import socket
import time
import unittest

import pytest
from cases import DeliveryCase, HastyCase
from world import faults
from world.relay import Relay
from world.runner import wait_for

HAVE_H2 = importlib.util.find_spec('h2') is not None
MB = 1024


def polls(world, feed, since=0.0):
    """The answered requests of a customer at its alert service since then."""
    return [entry for entry in world.microsoft.requests(feed.tenant, kind=feed.api)
            if entry.when >= since and entry.status]


def troubles(program, since=0):
    """The lines that nobody should have to read."""
    return [line.text for line in program.lines[since:]
            if line.level in ('WARN', 'ERROR') or 'state=failing' in line.text]


@unittest.skipUnless(HAVE_H2, 'needs python3-h2')
class Connections(DeliveryCase):

    def customers(self, world, count, **params):
        """That many of one app, at work."""
        feeds = [world.customer(f'c{number}', shared=True, **params) for number in range(count)]
        program = world.start()
        for number in range(count):
            program.wait_line(f'input=c{number} .*state=ok', 30)
        return feeds, program

    @staticmethod
    def each_connection(world, act):
        """Do it to every open connection of the alert service."""
        async def go():
            for connection in list(world.microsoft.graph.connections):
                act(connection)
        world.loop.run(go())

    @pytest.mark.promise('Trouble', 'A connection that died silently delays nobody for more than 90 s')
    @pytest.mark.waits(35)
    def test_one_that_died_without_a_word(self):
        """All requests share a tunnel that carries nothing any more; new ones would work."""
        world = self.world(tls=True, http2=True)
        relay = Relay(world.loop, world.microsoft.graph.port)
        self.addCleanup(relay.close)
        feeds, program = self.customers(world, 6, poll_interval=2, api_url=f'https://127.0.0.1:{relay.port}')
        self.assertEqual(relay.accepted, 1)
        frozen, lines = time.time(), len(program.lines)
        relay.freeze()
        for feed in feeds:
            feed.publish(1)
        wait_for(lambda: all(polls(world, feed, frozen) for feed in feeds), 60, program.tail)
        self.exact(world)
        self.assertEqual(troubles(program, lines), [])
        self.assertEqual({entry.connection for feed in feeds for entry in polls(world, feed, frozen)} & {1}, set())

    @pytest.mark.promise('Trouble', 'A connection on which a transfer timed out is not used again')
    @pytest.mark.promise('Trouble', 'A slow request costs the others neither time nor their connection')
    @pytest.mark.waits(65)
    def test_one_stream_that_is_silent(self):
        """The others go on over the same connection while it waits, and over another one once it has timed out."""
        world = self.world(tls=True, http2=True)
        feeds, program = self.customers(world, 4)
        began, lines = time.time(), len(program.lines)
        world.faults.add(faults.black_hole(), kind='graph', tenant=feeds[0].tenant, times=1)
        time.sleep(45)
        self.assertEqual(world.microsoft.graph.accepted, 1)
        self.assertEqual(troubles(program, lines), [])
        line = program.wait_line('event=trouble input=c0', 25, lines)
        self.assertRegex(line.text, r'no complete response from 127\.0\.0\.1 within (59|6\d) s')
        timed_out = time.time()
        for feed in feeds:
            feed.publish(1)
        self.exact(world)
        for feed in feeds[1:]:
            found = [entry.when for entry in polls(world, feed, began)]
            self.assertLess(max(after - before for before, after in zip(found, found[1:])), 4)
        self.assertEqual({entry.connection for feed in feeds for entry in polls(world, feed, timed_out + 1)}, {2})

    @pytest.mark.promise('Trouble', 'A request lost with its connection is sent again at once, silently')
    @pytest.mark.waits(15)
    def test_ends_of_every_kind(self):
        """GOAWAY that answers all, some or none of what is under way; an end; a reset; refused streams."""
        world = self.world(tls=True, http2=True)
        feeds, program = self.customers(world, 30)
        world.faults.add(faults.delay(0.3), kind='graph')
        lines = len(program.lines)
        for name, act in (('all', lambda it: it.goaway(2 ** 31 - 1)),
                          ('some', lambda it: it.goaway(it.last_stream - 20)),
                          ('none', lambda it: it.goaway(0, end=True)), ('error', lambda it: it.goaway(0, 2, end=True)),
                          ('end', lambda it: it.writer.close()), ('reset', lambda it: it.abort())):
            with self.subTest(name):
                for feed in feeds:
                    feed.publish(1)
                wait_for(lambda: world.microsoft.graph.active > 5, 10, 'requests under way')
                self.each_connection(world, act)
                self.arrives(world, 30)
                self.assertEqual(troubles(program, lines), [])
        self.exact(world, *feeds[:3])

    @pytest.mark.waits(45)
    def test_waiting_for_a_connection_that_nobody_takes(self):
        """Those that wait for the connection of another one do not blame the name."""
        world = self.world(tls=True, http2=True)
        with socket.socket() as door:
            door.bind(('127.0.0.1', 0))
            door.listen(50)
            for number in range(3):
                world.customer(f'c{number}', shared=True, api_url=f'https://127.0.0.1:{door.getsockname()[1]}')
            program = world.start()
            for number in range(3):
                line = program.wait_line(f'event=trouble input=c{number} ', 40)
                self.assertRegex(line.text, 'no connection to 127.0.0.1')
            program.terminate()

    @pytest.mark.promise('Trouble', 'A request lost with its connection is sent again at once, silently')
    def test_only_once(self):
        """A service that resets each stream of a customer is trouble."""
        world = self.world(tls=True, http2=True)
        feeds, program = self.customers(world, 2)
        rule = world.faults.add(faults.hang_up(), kind='graph', tenant=feeds[0].tenant)
        program.wait_line('event=trouble input=c0 .*no complete response from 127.0.0.1')
        self.assertLessEqual(rule.hits, 2)
        rule.remove()
        program.wait_line('event=recovered input=c0')
        self.assertEqual([line.text for line in program.lines if 'event=trouble input=c1' in line.text], [])


@unittest.skipUnless(HAVE_H2, 'needs python3-h2')
class Plain(HastyCase):
    """What a sanitizer would distort: memory, and the preloaded clock."""

    @pytest.mark.promise('Trouble', 'No connection is used for more than an hour')
    @pytest.mark.waits(25)
    def test_an_old_one_is_given_up(self):
        """The program's clock runs 300 times as fast: an hour is 12 s. Nobody is disturbed."""
        world = self.world(tls=True, http2=True)
        feeds = [world.customer(f'c{number}', shared=True, poll_interval=30) for number in range(3)]
        program = self.start(world, 300)
        wait_for(lambda: len({entry.connection for entry in polls(world, feeds[0])}) >= 3, 40, program.tail)
        used = {}
        for entry in world.microsoft.requests(service='graph'):
            used.setdefault(entry.connection, []).append(entry.when)
        for moments in used.values():
            self.assertLess(max(moments) - min(moments), 12)
        self.assertEqual(troubles(program), [])

    @pytest.mark.promise('Trouble', 'While splunkd does not read, memory stays below 64 MB')
    @pytest.mark.waits(25)
    def test_memory_while_splunkd_does_not_read(self):
        """100 customers with 4 MB each on one connection, and a reader that stops or is slow."""
        world = self.world(tls=True, http2=True)
        feeds = [world.customer(f'c{number}', shared=True) for number in range(100)]
        feeds[0].publish(400)
        records = [re.sub(rb'"id":\s*"[^"]*"', b'"id":"%d-%d"' % (turn, number), version.raw, count=1)
                   for turn in range(2) for number, version in enumerate(feeds[0].versions)]
        body = b'{"value":[' + b','.join(records)[:4 * 1024 * MB].rsplit(b',{', 1)[0] + b']}'

        def large(request, answer):
            response = answer()
            if response.status == 200:
                response.body, response.compress, response.on_sent = body, False, None
            return response
        world.faults.add(large, kind='graph')
        program = world.start(program=self.program)
        program.stall()
        wait_for(lambda: world.microsoft.graph.most_active >= 40, 20, program.tail)
        peak, end = 0, time.monotonic() + 18
        while time.monotonic() < end:
            if end - time.monotonic() < 10:         # slow: a twentieth of a second, four times a second
                program.resume()
                time.sleep(0.05)
                program.stall()
            time.sleep(0.2)
            peak = max(peak, program.memory_kb())
        self.assertLess(peak, 64 * MB)
        self.assertGreater(len(program.events), 100)
        self.assertLess(program.terminate(), 2)
