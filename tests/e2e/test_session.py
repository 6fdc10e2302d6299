"""splunkd no longer takes the session key: what goes on, what waits, and the clean end after a minute."""
import threading
import time
import unittest

import pytest
from checks import Spy
from world.runner import wait_for
from world.world import World


class Session(unittest.TestCase):
    """Three processes live through their minute side by side."""

    def setUp(self):
        self.began = time.monotonic()
        self.worlds = {name: World() for name in ('at the start', 'running', 'both')}
        for world in self.worlds.values():
            self.addCleanup(world.close)

    def refresh(self, world, name):
        """An input with a refresh token in the store; returns its feed and the token's name."""
        tenant = world.microsoft.tenant(name)
        stored = f'refresh_token.{tenant.id}.{tenant.app.client_id}'
        world.splunkd.store(stored, world.microsoft.identity.new_refresh_token(tenant))
        return world.customer(name, refresh_token='********'), stored

    def start_all(self):
        """A key that is dead at once; one that dies before a token rotates; the latter with another input beside."""
        world = self.worlds['at the start']
        world.customer('a')
        xml = world.xml()
        world.splunkd.new_session()
        world.start(xml=xml)
        for name in ('running', 'both'):
            world = self.worlds[name]
            self.token = self.refresh(world, 'delegated')
            if name == 'both':
                world.customer('plain')
            world.faults.add(lambda _, answer, world=world: (answer(), world.splunkd.new_session())[0],
                             service='login', tenant=world.microsoft.tenant('delegated'), times=1)
            world.spy = Spy(world, service='graph', tenant=world.microsoft.tenant('delegated'))
            world.start()

    def ended(self, name):
        """It ended by itself, cleanly, about a minute after it noticed."""
        program = self.worlds[name].program
        wait_for(lambda: not program.running, 80, lambda: f'{name}: {program.tail()}', pause=0.2)
        seconds = time.monotonic() - self.began
        self.assertEqual(program.process.returncode, 0)
        program.wait_line('event=stop reason=session_key')
        self.assertGreater(seconds, 55)
        self.assertLess(seconds, 85)

    @pytest.mark.promise('Secrets', 'When splunkd answers 401, inputs that do not need it continue')
    @pytest.mark.promise('Secrets', 'A minute after splunkd answered 401, the program exits with 0')
    @pytest.mark.waits(60)
    def test_a_dead_session_key(self):
        """Inputs go on with what they hold, a rotated token is not used before it is stored, a fresh start helps."""
        self.start_all()
        both = self.worlds['both']
        for world in self.worlds.values():
            world.program.wait_line('WARN event=session_key', 20)
        plain = both.feeds['plain']
        feeding = threading.Thread(target=self.feed, args=(plain,), daemon=True)
        feeding.start()
        for name in self.worlds:
            with self.subTest(name):
                self.ended(name)
        feeding.join()
        self.assertGreaterEqual(len({event.data for event in both.events()}), 10, 'the other input stood still')
        for name in ('running', 'both'):
            world = self.worlds[name]
            self.assertEqual(world.spy.requests, [], 'an access token was used whose refresh token was not stored')
            world.feeds['delegated'].publish(1)
            program = world.start()
            program.wait_events(1)
            wait_for(lambda world=world: not world.verdict().lost, 15, lambda world=world: str(world.verdict()))
            self.assertTrue(world.verdict().exact, world.verdict())

    def feed(self, feed):
        """Alerts all through the minute."""
        for _ in range(10):
            feed.publish(1)
            time.sleep(5)
