"""Promises of minutes and hours, in seconds: the program's own clock runs faster."""
import json
import statistics
import time

import pytest
from cases import HastyCase
from world import faults
from world.login_errors import refusing

MINUTE = 60


class Hours(HastyCase):
    """Times are in seconds of the program's clock."""

    @staticmethod
    def gaps(moments, haste):
        """What lies between the moments."""
        return [(after - before) * haste for before, after in zip(moments, moments[1:])]

    @pytest.mark.promise('Parameters', '`poll_interval` is the longest wait between polls; half of it is usual')
    @pytest.mark.promise('Trouble', 'Retries are at most five minutes apart')
    @pytest.mark.promise('Trouble', 'After a refusal retries are slow, and immediate after an edit')
    @pytest.mark.promise('Log lines', 'Each input logs its status every five minutes and at each change')
    @pytest.mark.promise('Splunk', 'The record of a customer is written every five minutes')
    @pytest.mark.waits(10)
    def test_polls_status_lines_and_slow_retries(self):
        haste = 600
        world = self.world()
        steady = world.customer('steady', poll_interval=600)
        refused = world.customer('refused', api='endpoint')
        world.faults.add(refusing(7000215), service='login', tenant=refused.tenant)
        failing = world.customer('failing', api='siem')
        world.faults.add(faults.status(503), kind='siem', tenant=failing.tenant)
        program = self.start(world, haste)
        program.wait_line('input=refused .*state=refused')
        time.sleep(12)
        self.assertLess(program.terminate(), 2)
        polls = self.gaps([entry.when for entry in world.microsoft.requests(steady.tenant, kind='graph')], haste)[1:]
        self.assertGreater(len(polls), 5)
        self.assertAlmostEqual(statistics.median(polls), 300, delta=60)
        lines = [line.when for line in program.lines if 'event=status input=steady ' in line.text]
        self.assertAlmostEqual(statistics.median(self.gaps(lines, haste)), 5 * MINUTE, delta=30)
        saved = [entry.when for entry in world.splunkd.log if entry.path.endswith('/batch_save')]
        self.assertLess(max(self.gaps(saved, haste)), 5 * MINUTE + 45)
        self.assertLess(len(saved), 2.5 * 12 * haste / 300)
        quarters = [quarter for quarter in json.loads(world.splunkd.states()['steady']['history']) if quarter]
        self.assertGreaterEqual(sum(quarter[1] for quarter in quarters), len(polls) - 2)
        tries = self.gaps([entry.when for entry in world.microsoft.requests(refused.tenant, service='login')], haste)
        self.assertGreaterEqual(len(tries), 3)
        for tried, promised in zip(tries, (15, 30, 60)):
            self.assertAlmostEqual(tried, promised * MINUTE, delta=4 * MINUTE)
        tries = self.gaps([entry.when for entry in world.microsoft.requests(failing.tenant, kind='siem')], haste)
        self.assertGreater(len(tries), 15)      # it never stops
        self.assertLess(max(tries), 5 * MINUTE + 45)
        self.assertGreater(statistics.mean(tries[-10:]), 1.5 * MINUTE)      # two lanes may ask

    @pytest.mark.promise('Events',
                         'After a kill the events of the last minute are repeated, after a stop only the unread ones')
    def test_what_is_older_than_three_minutes_does_not_come_again_after_a_kill(self):
        haste = 60
        world = self.world()
        feed = world.customer('c', poll_interval=MINUTE)    # the limits at Microsoft are those of real time
        feed.publish(5)
        self.start(world, haste).wait_events(5)
        time.sleep(1.3)
        feed.publish(5)         # right after the first save
        world.program.wait_events(10)
        time.sleep(200 / haste)
        world.program.kill()
        feed.publish(2)
        self.start(world, haste).wait_events(2)
        self.exact(world)
