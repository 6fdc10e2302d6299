"""Two forwarders share the customers: who reads which, and what comes twice when one of them dies, freezes or is cut off."""
import json
import os
import time
import unittest

import pytest
from cases import PLAIN, ShimCase
from world.forwarders import SharedWorld
from world.runner import wait_for
from world.splunkd import KIND

HASTE = 12      # the programs' clocks run that many times as fast: their minute is five seconds
NAMES = ('adatum', 'contoso', 'fabrikam', 'tailspin')


class SharedCase(ShimCase):
    """Programs whose clock is fast, in a world of several forwarders."""

    SHIM = 'haste'

    def setUp(self):
        self.world = self.enterContext(SharedWorld(tls=False)) if hasattr(self, 'enterContext') else None
        if not self.world:
            self.world = SharedWorld(tls=False).__enter__()
            self.addCleanup(self.leave)
        for name in NAMES:
            self.world.customer(name).publish(2)
        self.written = 2 * len(NAMES)

    def leave(self):
        """The world's own checks; after a failure they would hide it."""
        self.world.__exit__(None, None, None)

    def start(self, *names):
        """The programs of these forwarders."""
        for name in names:
            forwarder = self.world[name]
            forwarder.start(program=self.program, environment=forwarder.home.environment(
                LD_PRELOAD=self.shim, HASTE=str(HASTE)))

    def tails(self):
        """For messages."""
        return '\n'.join(f'{forwarder.name}: {forwarder.program.tail(25)}' for forwarder in
                         self.world.forwarders.values() if forwarder.programs)

    def wait(self, condition, program_s, what):
        """Wait for that many seconds of the programs' time, and some of the machine's. Returns the programs' time."""
        began = time.monotonic()
        wait_for(condition, program_s / HASTE + 8, lambda: f'{what}; {self.tails()}')
        return (time.monotonic() - began) * HASTE

    def publish(self, number=2, names=NAMES):
        """New alerts of each customer."""
        for name in names:
            self.world.feeds[name].publish(number)
        self.written += number * len(names)

    def arrive(self, program_s, more=0):
        """Everything that was published has come, once at least."""
        return self.wait(lambda: len({(event.stanza, event.data) for event in self.world.events()}) >= self.written + more,
                         program_s, f'{self.written} events')

    def share(self, owners):
        """Wait until the table says so: name -> number of inputs, and everybody follows it."""
        def spread():
            found = list(self.world.store.owners().values())
            return {name: found.count(name) for name in owners} == owners and all(
                self.held(name) == number for name, number in owners.items())
        return self.wait(spread, 150, f'{owners}')

    def held(self, name):
        """How many inputs the forwarder reads, as its last line says."""
        lines = [line for line in self.world[name].program.lines if 'event=share ' in line.text]
        reads = [line for line in self.world[name].program.lines if 'event=status' in line.text]
        return int(lines[-1].facts['held']) if lines and reads else 0

    def exact(self):
        """Nothing was lost, and nothing came twice."""
        verdict = self.world.verdict()
        self.assertTrue(verdict.exact, f'{verdict}\n{self.tails()}')

    def split(self):
        """Both run, each has half of the customers, and all that was published is there."""
        self.start('hf1')
        self.arrive(60)
        self.start('hf2')
        self.share({'hf1': 2, 'hf2': 2})
        self.publish()
        self.arrive(60)


class Together(SharedCase):
    """Joins, leaves, deaths."""

    @pytest.mark.promise('Sharing', 'A forwarder that joins gets its share of the customers, and nothing comes twice')
    @pytest.mark.promise('Sharing', 'A forwarder that starts again goes on with its customers at once')
    @pytest.mark.waits(20)
    def test_join_and_restart(self):
        self.split()
        self.exact()
        owners = self.world.store.owners()
        for event in self.world.events()[-8:]:
            self.assertIn(event.stanza[len(KIND) + 3:], owners)
        self.assertLess(self.world['hf1'].program.terminate(), 1.0)
        self.publish()
        self.start('hf1')
        self.assertLess(self.arrive(40), 20 + 8 * HASTE)
        self.assertEqual(self.world.store.owners(), owners)
        self.exact()

    @pytest.mark.promise('Sharing', 'The customers of a forwarder that died are read by another one within a minute')
    @pytest.mark.waits(15)
    def test_kill(self):
        self.split()
        self.world['hf1'].program.kill()
        self.publish()
        took = self.arrive(60)
        self.assertLess(took, 60 + HASTE)
        verdict = self.world.verdict()
        self.assertFalse(verdict.lost, verdict)
        self.assertEqual(set(self.world.store.owners().values()), {'hf2'})

    @pytest.mark.promise('Sharing', 'A forwarder that stood still writes nothing that another one may have written')
    @pytest.mark.waits(20)
    def test_freeze(self):
        self.split()
        hf1 = self.world['hf1']
        hf1.freeze()
        time.sleep(25 / HASTE)
        hf1.thaw()
        self.publish()
        self.arrive(60)
        hf1.freeze()
        self.publish()
        self.arrive(60)
        seen = len(hf1.program.events)
        hf1.thaw()
        self.wait(lambda: any('event=share_given' in line.text for line in hf1.program.lines), 30, 'given')
        self.assertEqual(len(hf1.program.events), seen)
        self.assertFalse(self.world.verdict().lost)

    @pytest.mark.promise('Sharing', 'While the shared store is gone, each forwarder goes on with its customers')
    @pytest.mark.waits(20)
    def test_store_gone(self):
        self.split()
        for name in ('hf1', 'hf2'):
            self.world[name].cut('store')
        self.publish()
        self.arrive(100)
        for name in ('hf1', 'hf2'):
            self.assertTrue([line for line in self.world[name].program.lines if 'event=share_alone' in line.text])
            self.world[name].mend('store')
        for name in ('hf1', 'hf2'):
            self.wait(lambda program=self.world[name].program: any('event=share_back' in line.text for line in
                                                                   program.lines), 30, 'back')
        self.publish()
        self.arrive(40)
        self.exact()
