"""What the delivery tests share: a world whose ledger must come out even."""
import os
import shutil
import subprocess
import tempfile
import unittest
from unittest import mock

from world import ticks
from world.runner import wait_for
from world.world import World

HERE = os.path.dirname(os.path.abspath(__file__))
PLAIN = os.path.join(HERE, '..', '..', 'bin', 'defender_alerts')
SECOND = ticks.PER_SECOND
SANITIZED = 'sanitize' in os.environ.get('DEFENDER_ALERTS', '')
SOON = 4.0 if SANITIZED else 2.0    # seconds for an end, on a machine that may be busy with other tests
APIS = ('graph', 'endpoint', 'siem', 'incidents')


def build_shim(folder, name):
    """shim/NAME.c as a library in the folder; its path."""
    path = os.path.join(folder, name + '.so')
    subprocess.run(['cc', '-O1', '-shared', '-fPIC', '-o', path, os.path.join(HERE, 'shim', name + '.c')], check=True)
    return path


class DeliveryCase(unittest.TestCase):
    """A test that publishes, disturbs, and then asks for exactness."""

    def world(self, **how):
        """A world that ends with the test. Plain http: TLS has tests of its own, and handshakes cost time."""
        world = World(**{'tls': False, **how})
        self.addCleanup(world.close)
        return world

    def without_sanitizers(self):
        """The plain program runs in this test: sanitizers take address space, and a preloaded library disturbs them."""
        if SANITIZED:
            self.assertTrue(os.path.exists(PLAIN), 'needs the plain program (make)')
            patch = mock.patch.dict(os.environ, DEFENDER_ALERTS=PLAIN)
            patch.start()
            self.addCleanup(patch.stop)

    def arrives(self, world, seconds=20, lost=0):
        """Wait until no more than `lost` versions are missing."""
        wait_for(lambda: len(world.verdict().lost) <= lost, seconds,
                 lambda: f'{world.verdict()}\n{world.program.tail()}', pause=0.1)

    def polls(self, world, feed, count=2, seconds=20):
        """Wait for so many further answers of the feed's service: what comes twice has come by then."""
        def answered():
            return sum(1 for entry in world.microsoft.requests(feed.tenant, kind=feed.api) if entry.status)
        start = answered()
        wait_for(lambda: answered() >= start + count, seconds, lambda: f'{count} more polls; {world.program.tail()}')

    def exact(self, world, *feeds, seconds=20, polls=2, until=None):
        """Everything arrives, and two polls later nothing has come twice; the program did nothing it never may."""
        self.arrives(world, seconds)
        for feed in feeds or world.feeds.values():
            self.polls(world, feed, polls, seconds)
        verdict = world.verdict(until)
        self.assertTrue(verdict.exact, f'{verdict}\n{world.program.tail()}')
        self.assertEqual(world.problems(), [])
        self.assertEqual(world.microsoft.limits.violations(), {})
        return verdict

    def ends(self, world):
        """SIGTERM works within a second, and leaves nothing odd behind."""
        self.assertLess(world.program.terminate(), SOON)
        self.assertEqual(world.problems(), [])

    @staticmethod
    def now(world):
        """The services' clock in ticks."""
        return ticks.from_seconds(world.clock.now())


@unittest.skipUnless(os.path.exists(PLAIN), 'needs the plain program (make)')
class ShimCase(unittest.TestCase):
    """Preloads shim/SHIM.c. That does not work together with a sanitizer, so it is the plain program that runs."""

    SHIM = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.shim = build_shim(cls.folder, cls.SHIM)
        cls.program = shutil.copy(PLAIN, os.path.join(cls.folder, 'defender_alerts'))


class HastyCase(ShimCase, DeliveryCase):
    """The program's own clock runs faster, where a promise is about minutes or hours."""

    SHIM = 'haste'

    def start(self, world, haste):
        """The program, that many times as fast."""
        return world.start(program=self.program, environment=world.home.environment(LD_PRELOAD=self.shim,
                                                                                    HASTE=str(haste)))
