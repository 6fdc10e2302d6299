"""What the program asks of network and disk, and in which order: a preloaded shim writes it down."""
import os

import checks
import pytest
from cases import ShimCase
from world.runner import SplunkHome, call, wait_for
from world.world import World


class Calls(ShimCase):
    """One call a line, as shim/calls.c notes them."""

    SHIM = 'calls'

    def setUp(self):
        self.notes = os.path.join(self.folder, self.id())

    def how(self, home):
        """Keywords for a run that is watched."""
        return {'program': self.program, 'environment': home.environment(LD_PRELOAD=self.shim, CALLS=self.notes)}

    def calls(self):
        """[(call, what), ...] so far."""
        if not os.path.exists(self.notes):
            return []
        with open(self.notes, encoding='utf-8') as file:
            return [tuple(line.rstrip('\n').split(' ', 1)) for line in file]

    @pytest.mark.promise('Calls', '`--scheme` uses neither the network nor the disk')
    def test_the_scheme_touches_neither_network_nor_disk(self):
        """Nor do the other calls that only print."""
        home = SplunkHome()
        self.addCleanup(home.close)
        for argument in ('--scheme', '--version', '--help'):
            self.assertEqual(call(home, argument, **self.how(home)).code, 0)
            self.assertEqual(self.calls(), [], argument)
        call(home, '--validate-arguments', stdin=b'<items/>', **self.how(home))
        with World(tls=False) as world:
            world.customer('a').publish(1)
            world.start(**self.how(world.home)).wait_events(1)
        self.assertLessEqual({'open', 'socket', 'rename'}, {name for name, _ in self.calls()}, 'the shim is blind')

    @pytest.mark.promise('Events', 'After a power loss the checkpoint is either the old one or the new one')
    def test_a_checkpoint_is_on_the_disk_before_it_takes_the_place_of_the_one_before(self):
        """Else a power loss could leave an empty one, and the place were lost: at each save, at secrets that are noted
        as taken, and at the end."""
        with World(tls=False) as world:
            world.customer('a').publish(1)
            world.start().wait_events(1)
            world.program.terminate()
            world.splunkd.inputs['a'][1]['client_secret'] = world.feeds['a'].tenant.app.secret
            world.start(**self.how(world.home)).wait_line('event=secret_stored|state=ok')
            world.feeds['a'].publish(1)
            world.program.wait_events(1)
            wait_for(lambda: checks.param(world, 'a', 'client_secret') == checks.MASK, 10, world.program.tail)
            world.program.terminate()
            synced, renamed = set(), 0
            for name, what in self.calls():
                if name == 'sync':
                    synced.add(what)
                elif name == 'rename':
                    self.assertIn(what, synced, self.calls())
                    synced.discard(what)
                    renamed += 1
            self.assertGreaterEqual(renamed, 2, self.calls())
