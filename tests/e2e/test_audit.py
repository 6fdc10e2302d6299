"""Audits: what polls could not see is found, named, fetched and written once."""
import json
import os
import re
import shutil
import subprocess
import unittest

import pytest
from cases import SECOND, HastyCase
from test_ledger import DAY, LedgerCase, of_events, searched
from test_sign_in_stop import Terminal
from world import faults, ticks
from world.runner import binary, call, wait_for

HASTE = 600
LINE = re.compile(r'(?:INFO|WARN) event=audit input=(\S+) \S+ \S+ day=(\S+) result=(\S+) .*')


class AuditCase(HastyCase, LedgerCase):
    """The first life reads what there is; in the second one time goes faster, and its audits begin soon."""

    def customer(self, world, name, days=3, **more):
        return super().customer(world, name, days, poll_interval=120, **more)

    def noon(self, world, days, second=0):
        return ticks.parse(self.days_ago(world, days) + 'T12:00:00Z') + second * SECOND

    def reads(self, world):
        """Everything that is visible, up to now, so that no poll reaches back to yesterday."""
        for feed in world.feeds.values():
            feed.publish(1)
        world.start()
        self.arrives(world)
        self.ends(world)

    @staticmethod
    def results(world):
        """(input, day) -> results, in the order of the log of the present life."""
        found = {}
        for line in world.program.lines:
            match = LINE.match(line.text)
            if match:
                found.setdefault((match[1], match[2]), []).append(match[3])
        return found

    def audited(self, world, wanted, seconds=25):
        """Waits for these results: (input, days back) -> the last one of that day."""
        named = {(name, self.days_ago(world, days)): result for (name, days), result in wanted.items()}
        wait_for(lambda: all((self.results(world).get(key) or [''])[-1] == result for key, result in named.items()),
                 seconds, lambda: f'{named} {self.results(world)} {world.program.tail()}')

    def states(self, world, events=None):
        """(input, days back) -> state, as the shipped search finds it in events and the lines of the present life."""
        lines = [line.text for line in list(world.program.lines)]
        rows = searched(world.events() if events is None else events, lines, world.clock.now(),
                        '`defender_mssp_completeness(4)`')  # soon after midnight yesterday is not settled
        back = {self.days_ago(world, days): days for days in (1, 2, 3)}
        return {(row['customer'], back[row['day']]): row['state'] for row in rows if row['day'] in back}

    def named(self, world, version):
        """The lines about this version."""
        return [line.text for line in world.program.lines
                if 'event=audit_missing' in line.text and f'"{version.key}"' in line.text]


class Hidden(AuditCase):
    """What polls could not see."""

    @pytest.mark.promise('Completeness', 'Alerts that are published after the overlap, or were dropped from pages, are '
                                         'found by an audit, named, and written once')
    @pytest.mark.promise('Completeness', 'The state of a day in Splunk is that of the events and lines of the program: '
                                         'repaired, equal, half without an audit, missing without one event')
    @pytest.mark.waits(15)
    def test_late_and_dropped(self):
        world = self.world()
        late, dropped, other = (self.customer(world, name, api=api) for name, api in (
            ('late', 'graph'), ('dropped', 'endpoint'), ('other', 'incidents')))
        self.customer(world, 'off', audit=0)
        other.quirks.set(select='refuse')
        for feed in world.feeds.values():
            self.publish(world, feed, days=2, each=4)
        hidden = dropped.versions[1]
        dropped.quirks.set(drops=(hidden.key,), count=False)
        for feed in world.feeds.values():
            feed.publish(1)
        world.start()
        self.arrives(world, lost=1)
        self.ends(world)
        dropped.quirks.set(drops=(), count=True)
        more = [late.publish(1, ticks=self.noon(world, 1, 100 + second))[0] for second in range(3)]
        self.start(world, HASTE)
        self.audited(world, {('late', 1): 'repaired', ('dropped', 1): 'repaired', ('other', 1): 'equal',
                             ('late', 2): 'equal', ('late', 3): 'equal'})
        for version in (*more, hidden):
            self.assertEqual(len(self.named(world, version)), 1)
        self.assertRegex(self.named(world, more[0])[0], r'found_after_s=\d+ result=repaired')
        line = next(line.text for line in world.program.lines if 'event=audit input=other' in line.text)
        self.assertIn('select=no', line)
        world.program.wait_line(r'event=status input=late .* audit_day=\S+ audit=repaired', 20)
        wanted = {(name, days): 'equal' for name in world.feeds for days in (1, 2, 3)}
        wanted.update({('late', 1): 'repaired', ('dropped', 1): 'repaired'})
        wanted.update({('off', days): 'half' for days in (1, 2, 3)})
        wait_for(lambda: self.states(world) == wanted, 20, lambda: f'{self.states(world)} {world.program.tail()}')
        lost = [event for event in world.events() if f'"{hidden.key}"' not in event.data]
        self.assertEqual(self.states(world, lost), {**wanted, ('dropped', 1): 'missing'})
        self.assertTrue(world.verdict().exact, f'{world.verdict()} {world.program.tail()}')
        self.ends(world)
        self.assertTrue(world.verdict().exact, world.verdict())

    @pytest.mark.promise('Completeness', 'An alert that the service cannot send is missing until it can, never equal')
    @pytest.mark.waits(15)
    def test_behind_an_error(self):
        world = self.world()
        feed = self.customer(world, 'c')
        self.publish(world, feed, days=1, each=4)
        self.reads(world)
        bad = feed.publish(1, ticks=self.noon(world, 1, 77))[0]

        def spoiled(request, answer):
            response = answer()
            full = '$select' not in request.target and '%24select' not in request.target
            return faults.status(500)(request, answer) if full and bad in (response.versions or ()) else response
        rule = world.faults.add(spoiled, kind='graph')
        self.start(world, HASTE)
        self.audited(world, {('c', 1): 'missing', ('c', 2): 'equal'})
        self.assertEqual(len(self.named(world, bad)), 1)
        self.assertNotIn('equal', self.results(world)['c', self.days_ago(world, 1)])
        rule.remove()
        self.audited(world, {('c', 1): 'repaired'}, 40)
        self.assertTrue(world.verdict().exact, world.verdict())
        self.ends(world)

    @pytest.mark.promise('Completeness', 'No audit says equal while an event has not reached splunkd, whenever the '
                                         'program is killed')
    @pytest.mark.waits(15)
    def test_kills(self):
        world = self.world()
        feed = self.customer(world, 'c')
        self.publish(world, feed, days=1, each=4)
        self.reads(world)
        feed.publish(5, ticks=self.noon(world, 1, 77))
        day = ('c', self.days_ago(world, 1))
        for pause in (0, 0.05, 0.15, 0.4, None):
            self.start(world, HASTE)
            if pause is None:
                break
            wait_for(lambda: world.program.events or day in self.results(world), 25, world.program.tail)
            wait_for(lambda pause=pause: True, 1, 'a moment', pause=pause)
            world.program.kill()
            if 'equal' in self.results(world).get(day, ()):
                self.assertEqual(of_events(world.events())[day][0], 9)
        wait_for(lambda: day in self.results(world) and self.results(world)[day][-1] in ('equal', 'repaired'), 25,
                 world.program.tail)
        self.assertEqual(of_events(world.events())[day][0], 9)
        self.assertFalse(world.verdict().lost)


    @pytest.mark.promise('Completeness', 'An audit writes nothing while the disk is full, and repairs the day once '
                                         'there is room')
    @pytest.mark.waits(15)
    @unittest.skipUnless(os.geteuid() == 0 and shutil.which('mount'), 'only root mounts')
    def test_full_disk(self):
        world = self.world()
        folder = world.home.checkpoints
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], check=False,
                          capture_output=True).returncode:
            self.skipTest('mounting is not allowed here')
        self.addCleanup(subprocess.run, ['umount', '-l', folder], check=False)
        feed = self.customer(world, 'c')
        self.publish(world, feed, days=1, each=4)
        self.reads(world)
        feed.publish(5, ticks=self.noon(world, 1, 77))
        day = ('c', self.days_ago(world, 1))
        with open(os.path.join(folder, 'filler'), 'wb', buffering=0) as file:
            try:
                while file.write(b'x' * 512):
                    pass
            except OSError:
                pass
        self.start(world, HASTE)
        wait_for(lambda: day in self.results(world) or world.program.events, 25, world.program.tail)
        self.assertFalse({'equal', 'repaired'} & set(self.results(world).get(day, ())), world.program.tail())
        os.unlink(file.name)
        self.audited(world, {('c', 1): 'repaired'}, 40)
        self.assertTrue(world.verdict().exact, f'{world.verdict()} {world.program.tail()}')
        self.ends(world)


class Command(AuditCase):
    """`audit`"""

    def setUp(self):
        self.world_ = self.world()
        self.feeds = [self.customer(self.world_, name, api=api) for name, api in (
            ('contoso', 'graph'), ('fabrikam', 'endpoint'), ('siem', 'siem'), ('incidents', 'incidents'))]
        for feed in self.feeds:
            self.publish(self.world_, feed, days=2, each=4)
        self.reads(self.world_)

    def audit(self, *arguments):
        return call(self.world_.home, 'audit', *arguments, stdin=self.world_.xml())

    def files(self):
        """Path -> content of all that the program keeps."""
        found = {}
        for folder, _, names in os.walk(self.world_.home.checkpoints):
            for name in names:
                with open(os.path.join(folder, name), 'rb') as file:
                    found[os.path.join(folder, name)] = file.read()
        return found

    @pytest.mark.promise('Calls', '`audit` compares what Microsoft lists with what was written, writes nothing, and '
                                  'exits with 0, 1 or 2')
    def test_equal_missing_unknown(self):
        before = self.files()
        result = self.audit()
        self.assertEqual((result.code, result.err), (0, ''))
        for name in ('contoso', 'fabrikam', 'incidents'):
            self.assertRegex(result.out, rf'{name} +3 of 3 days equal  8 listed  8 written  0 missing')
        self.assertIn('3 of 3 inputs equal.', result.out)
        hidden = self.feeds[0].publish(1, ticks=self.noon(self.world_, 1, 77))[0]
        self.world_.customer('new')
        result = self.audit()
        self.assertEqual(result.code, 1)
        self.assertLess(result.out.index('contoso'), result.out.index('new'))
        self.assertRegex(result.out, rf'{self.days_ago(self.world_, 1)} missing\n +missing: {hidden.key} ')
        self.assertRegex(result.out, r'new +there is no checkpoint')
        self.assertLessEqual(max(map(len, result.out.replace(self.world_.home.checkpoints, '').splitlines())), 80)
        result = self.audit('--json', '--input', 'contoso', '--to', self.days_ago(self.world_, 1))
        day, = json.loads(result.out)['inputs'][0]['days']
        self.assertEqual((result.code, day['result'], day['listed'], day['written'], day['missing'], day['requests']),
                         (1, 'missing', 5, 4, 1, 1))
        self.assertEqual([(each['id'], ticks.parse(each['time'])) for each in day['ids']],
                         [(hidden.key, hidden.ticks)])
        self.assertEqual(self.audit('--input', 'new').code, 2)
        self.assertEqual(self.audit('--input', 'contoso', '--to', self.days_ago(self.world_, 2)).code, 0)
        os.remove(self.path(self.world_, 'fabrikam'))
        result = self.audit('--input', 'fabrikam')
        self.assertEqual(result.code, 2)
        self.assertIn('unknown no_ledger', result.out)
        self.world_.faults.add(faults.status(403), kind='graph')
        before.pop(self.path(self.world_, 'fabrikam'))
        self.assertEqual(self.files(), before)
        self.assertEqual(self.world_.problems(), [])

    @pytest.mark.promise('Calls', '`audit` shows on a terminal how far it is, in one line that it replaces')
    def test_progress(self):
        world = self.world_
        path = os.path.join(self.folder, 'inputs.xml')
        with open(path, 'wb') as file:
            file.write(world.xml())
        for columns, bar in ((100, r'\[#{15}\.{5}\] '), (40, '')):
            world.faults.add(faults.delay(1), kind='endpoint', times=1)
            command = f'stty cols {columns}; exec {binary()} audit --to {self.days_ago(world, 1)} < {path}'
            terminal = Terminal(world, ('-c', command), None, '/bin/sh')
            try:
                terminal.until(rf'\r\x1b\[K{bar}3 of 4 inputs compared')
                terminal.until('3 of 3 inputs equal')
                self.assertEqual(terminal.process.wait(10), 0)
                *progress, report = re.split(r'\r\x1b\[K', terminal.seen)
                self.assertNotIn('compared', report)
                self.assertLess(max(map(len, progress)), columns)
            finally:
                terminal.close()

    def test_not_settled(self):
        """A day that is over, but may get alerts still."""
        self.world_.splunkd.inputs['contoso'][1]['overlap'] = '86400'
        day = ticks.iso(self.now(self.world_) - DAY * SECOND)[:10]
        for arguments in (('--from', day), ('--from', day, '--to', day)):
            result = self.audit('--input', 'contoso', *arguments)
            self.assertEqual(result.code, 2)
            self.assertRegex(result.out, f'contoso +0 of 1 day equal .*\n +{day} behind polls\n')

    @pytest.mark.promise('Calls', '`audit` tells what the next poll of a stopped program reads from what is missing')
    def test_stopped(self):
        world = self.world_
        feed = self.customer(world, 'stopped')
        feed.publish(3, ticks=self.noon(world, 2))
        world.start()
        self.arrives(world)
        self.ends(world)
        feed.publish(4, ticks=self.noon(world, 1))
        result = self.audit('--input', 'stopped')
        self.assertEqual(result.code, 2)
        self.assertRegex(result.out, r'stopped +2 of 3 days equal  7 listed  3 written  0 missing\n' +
                         rf' +{self.days_ago(world, 1)} behind polls: the next one reads 4 alerts\n')
        feed.publish(1, ticks=self.noon(world, 2, -3600))      # before what a poll reads again
        result = self.audit('--input', 'stopped')
        self.assertEqual(result.code, 1)
        self.assertRegex(result.out, rf'{self.days_ago(world, 2)} missing\n')
        world.start()
        self.arrives(world, lost=1)
        self.ends(world)
        result = self.audit('--input', 'stopped')
        self.assertRegex(result.out, r'stopped +2 of 3 days equal  8 listed  7 written  1 missing\n')

    def test_refused(self):
        """The days after one that was refused are not asked for: a refusal takes more than a minute of tries."""
        world = self.world_
        before = len(world.microsoft.requests(self.feeds[0].tenant, kind='graph'))
        world.faults.add(faults.status(403), kind='graph')
        haste = world.home.environment(LD_PRELOAD=self.shim, HASTE='60')
        result = call(world.home, 'audit', '--input', 'contoso', stdin=world.xml(), environment=haste,
                      program=self.program)
        self.assertEqual(result.code, 2)
        self.assertRegex(result.out, 'contoso +0 of 3 days equal')
        self.assertEqual(len(re.findall(r'\d unknown ', result.out)), 3)
        self.assertLessEqual(len(world.microsoft.requests(self.feeds[0].tenant, kind='graph')) - before, 4)

    def test_arguments(self):
        self.world_.customer('new')
        for arguments, words in (
                (('--again', self.days_ago(self.world_, 1), '--input', 'new'), 'there is no ledger of this input'),
                (('--from', 'yesterday'), "--from is 'yesterday', but it should be a day"),
                (('--to', '2099-01-01'), 'only days that are over'), (('--from', '2020-01-01'), 'for 35 days only'),
                (('--from', self.days_ago(self.world_, 1), '--to', self.days_ago(self.world_, 2)), 'after --to'),
                (('--input', 'nobody'), "no enabled input 'nobody'"), (('--again', '2020-01-01'), 'needs --input'),
                (('--again', self.days_ago(self.world_, 1), '--input', 'siem'), 'no audit'),
                (('--again', self.days_ago(self.world_, 5), '--input', 'contoso'), 'so no audit can write'),
                (('--again', self.days_ago(self.world_, 1), '--input', 'contoso', '--json'), 'goes with --input only'),
                (('--days', '3'), 'unknown argument')):
            result = self.audit(*arguments)
            self.assertEqual((result.code, result.out), (2, ''), arguments)
            self.assertIn(words, result.err)
            self.assertEqual(len(result.err.splitlines()), 1)

    @pytest.mark.promise('Calls', '`audit --again` makes the next audit write a day again, also while the program runs')
    @pytest.mark.waits(10)
    def test_again(self):
        world, day = self.world_, self.days_ago(self.world_, 2)
        self.start(world, HASTE)
        result = self.audit('--again', day, '--input', 'contoso')
        self.assertEqual((result.code, result.err), (0, ''))
        self.assertIn(f'writes {day} again', result.out)
        self.audited(world, {('contoso', 2): 'repaired', ('contoso', 1): 'equal', ('fabrikam', 2): 'equal'})
        again = [event for event in world.program.events if json.loads(event.data)['lastUpdateDateTime'][:10] == day]
        self.assertEqual(len(again), 4)
        self.ends(world)
        self.assertEqual(self.audit().code, 0)
        self.assertFalse([name for name in self.files() if name.endswith(('.again', '.taken'))])
