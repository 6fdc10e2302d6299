"""The soak's watch (tests/soak/watch.py): who counts as healthy, and what is measured of whom."""
import os
import sys
import types
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'soak'))

from watch import Watch

POLL_S = 10


class WatchCase(unittest.TestCase):
    """A clock that is set, and two customers of two services."""

    def setUp(self):
        self.now, self.complaints = 100.0, []
        self.late = 0.0
        self.watch = Watch(POLL_S, lambda seconds: self.late, self.complaints, clock=lambda: self.now)
        self.watch.customer('a', 'a', 'graph')
        self.watch.customer('b', 'b', 'siem')
        self.watch.born()

    def served(self, *moments, tenant='a'):
        """Polls of a customer at these moments."""
        for moment in moments:
            self.now = 100.0 + moment
            self.watch.served(tenant)

    def complains(self):
        """How many complaints there are now."""
        self.watch.judge()
        return len(self.complaints)

    def version(self, tenant='a'):
        """What stands for a version of the ledger."""
        return types.SimpleNamespace(feed=types.SimpleNamespace(tenant=types.SimpleNamespace(id=tenant)), number=1)

    def look(self, moment):
        """The regular look, while the other customer is well."""
        self.served(moment, tenant='b')
        self.watch.look(None)


class Gaps(WatchCase):

    def test_of_a_healthy_customer(self):
        self.served(3, 13, 30)
        self.assertEqual((self.watch.gap.seconds, self.complains()), (17, 0))
        self.served(50)
        self.assertEqual((self.watch.gap.seconds, self.complains()), (20, 1))

    def test_to_the_first_poll(self):
        self.served(25)
        self.assertEqual(self.complains(), 1)

    def test_of_one_that_is_never_served_again(self):
        self.served(3)
        self.look(10)
        self.look(22)
        self.assertEqual(self.complains(), 0)
        self.look(24)
        self.assertEqual(self.complains(), 1)

    def test_with_a_fault(self):
        self.served(3)
        self.watch.met('a', 'status 5xx')
        self.served(50, 60)
        self.assertEqual((self.watch.gap.seconds, self.complains()), (10, 0))

    def test_with_a_fault_of_another_customer(self):
        self.served(3)
        self.watch.met('b', 'status 5xx')
        self.served(50)
        self.assertEqual(self.complains(), 1)

    def test_with_trouble_of_the_service(self):
        for services, complaints in (((), 0), (('graph',), 0), (('siem',), 1)):
            with self.subTest(services):
                self.setUp()
                self.served(3)
                with self.watch.disturbed('outage', *services):
                    self.now += 1
                self.served(50, 60)
                self.assertEqual(self.complains(), complaints)

    def test_while_the_stand_ins_are_late(self):
        for late, complaints in ((1, 1), (1.1, 0)):
            with self.subTest(late):
                self.setUp()
                self.late = late
                self.served(3, 40)
                self.assertEqual(self.complains(), complaints)

    def test_over_a_restart(self):
        self.served(3)
        self.watch.dies()
        self.look(60)
        self.watch.born()
        self.served(65)
        self.assertEqual((self.watch.gap.seconds, self.complains()), (5, 0))


class Delays(WatchCase):

    def arrives(self, visible, moment):
        """An event, of a version that could be seen from then on."""
        self.now = 100.0 + moment
        self.watch.arrived(self.version(), 100.0 + visible)

    def test_of_a_healthy_customer(self):
        self.served(3)
        self.arrives(4, 23)
        self.assertEqual((self.watch.delay.seconds, self.complains()), (19, 0))
        self.served(15, 30)
        self.arrives(10, 30)
        self.assertEqual(self.complains(), 1)

    def test_with_a_fault(self):
        self.served(3)
        self.watch.met('a', 'status 5xx')
        self.served(50)
        self.arrives(20, 51)            # it became visible before the customer was healthy again
        self.assertEqual(self.complains(), 0)
        self.arrives(51, 80)
        self.assertEqual(self.complains(), 1)


    def test_of_one_that_never_comes(self):
        self.served(3, 13)
        self.watch.waiting([(self.version(), 105.0)])
        self.assertEqual(self.complains(), 0)
        self.served(23, 30)
        self.watch.waiting([(self.version(), 105.0), (self.version(), 125.0)])
        self.assertEqual((self.watch.delay.seconds, self.complains()), (25, 1))


class Again(WatchCase):

    def test_after_a_fault_that_must_end(self):
        for kind, seconds, complaints in (('silent', 89, 0), ('silent', 90, 1), ('stray', 41, 1), ('poison', 79, 0),
                                          ('poison', 80, 1), ('status 5xx', 300, 0)):
            with self.subTest((kind, seconds)):
                self.setUp()
                self.served(3)
                self.watch.met('a', kind)
                self.served(3 + seconds)
                self.assertEqual(self.complains(), complaints)

    def test_of_one_that_waits_still(self):
        self.watch.met('a', 'stray')
        for moment in range(10, 70, 10):
            self.look(moment)
        self.assertEqual(self.complains(), 1)

    def test_with_a_fault_of_another_request(self):
        self.watch.met('a', 'stray')
        self.watch.met('a', 'poison', holds=False)
        self.served(50)
        self.assertEqual(self.complains(), 1)

    def test_with_two_kinds(self):
        self.watch.met('a', 'stray')
        self.watch.met('a', 'status 5xx')
        self.served(60)
        self.assertEqual(self.complains(), 0)
