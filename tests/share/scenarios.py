"""Two real programs that share the customers by a store over a server that others wrote: the end-to-end tests of
sharing, and failovers of the store."""
import time

import test_share
from world.runner import wait_for

HASTE = test_share.HASTE


class Scenarios(test_share.Together):
    """Joins, leaves, deaths, freezes, a store that is gone. A mixin for a TestCase with make_engine()."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ENGINE = cls.make_engine()
        cls.addClassCleanup(cls.ENGINE.close)

    def setUp(self):
        self.ENGINE.lag = 0
        super().setUp()

    def test_behind(self):
        """The node that is asked shows what was true two seconds ago; it is the same agreement, somewhat later."""
        self.ENGINE.lag = 2 / HASTE
        self.split()
        self.exact()
        self.world['hf1'].program.kill()
        self.publish()
        self.assertLess(self.arrive(90), 70 + HASTE)
        self.assertFalse(self.world.verdict().lost)

    def test_failover(self):
        """A failover of the store, which loses the table that everybody has seen if it can: nothing is lost, and in the
        end each customer has one reader."""
        engine, world = self.ENGINE, self.world
        self.split()
        if engine.loses:
            engine.fresh = True
            self.addCleanup(setattr, engine, 'fresh', False)
            engine.hold()
        world['hf1'].program.kill()
        wait_for(lambda: set(world.store.owners().values()) == {'hf2'}, 15, self.tails)
        self.publish()
        time.sleep(10 / HASTE)
        engine.failover()
        engine.fresh = False
        if engine.loses:
            self.said('share_rolled_back', 60, 'hf2')
        self.arrive(120)
        self.assertEqual(set(world.store.owners().values()), {'hf2'})
        self.start('hf1')
        self.share({'hf1': 2, 'hf2': 2})
        self.publish()
        self.arrive(60)
        self.assertFalse(world.verdict().lost, self.tails())


# Only the classes with an engine are tests.
Scenarios.__test__ = False
