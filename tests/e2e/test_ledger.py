"""The ledger of what splunkd has taken, and the manifest of each day."""
import collections
import hashlib
import json
import os
import re
import shutil
import sys

import pytest
from cases import HERE, SECOND, DeliveryCase, HastyCase
from world import ticks
from world.runner import wait_for

sys.path.insert(0, os.path.join(HERE, '..', 'splunk'))
import fields  # noqa: E402
import spl  # noqa: E402

DAY = 86400
SETTLED = 900 + 1800 + 120         # seconds after its end from which on a day is said
LINE = re.compile(r'INFO event=manifest input=(\S+) tenant=\S+ api=\S+ day=(\S+) versions=(\d+) sum=(\d+) since=\S+\Z')


def manifests(program):
    """(input, day) -> [(versions, sum), ...] in the order of the log."""
    found = collections.defaultdict(list)
    for line in program.lines:
        match = LINE.match(line.text)
        if match:
            found[match[1], match[2]].append((int(match[3]), int(match[4])))
    return found


def of_events(events):
    """(input, day) -> (versions, sum) of what splunkd has, as the search over the index computes it."""
    keys = collections.defaultdict(set)
    for event in events:
        record = json.loads(event.data)
        ident, when = record['id'], record.get('lastUpdateDateTime') or record['lastUpdateTime']
        keys[event.stanza.split('://')[1], when[:10]].add(hashlib.sha256(f'{ident}|{when}'.encode()).hexdigest()[:16])
    return {name: (len(found), sum(int(key[:8], 16) for key in found)) for name, found in keys.items()}


def searched(events, lines, now, text, macros=None):
    """The rows of a search over an index with these events and lines. Each input has an index of its own."""
    props = fields.read('props')
    held = [fields.fields_of(props[event.sourcetype], event.data, event.stanza, sourcetype=event.sourcetype,
                             index=f'of_{event.stanza}', _time=float(event.time)) for event in events]
    for number, line in enumerate(lines):
        facts = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|(\S+))', line)}
        held.append({**facts, '_raw': 'defender_alerts ' + line, '_time': now - 60 + number / 1000,
                     'index': '_internal', 'sourcetype': 'splunkd', 'component': 'ExecProcessor'})
    return spl.Search(text, macros or fields.read('macros')).run(held, now, 0)


def compared(events, lines, now, days, macros=None):
    """(input, day) -> (verdict, missing, repeated): what the shipped search finds in an index with these."""
    return {(row['customer'], row['day']): (row['verdict'], row['missing'], row['repeated'])
            for row in searched(events, lines, now, f'`defender_mssp_audit_compare({days})`', macros)}


def reading(**instead):
    """The macros with other expressions in place of json_extract() for the members id and time."""
    macros = fields.read('macros')
    name = 'defender_mssp_audit_days(1)'
    text = macros[name]['definition']
    for member, expression in instead.items():
        members = ('lastUpdateDateTime', 'lastUpdateTime') if member == 'time' else (member,)
        for one in members:
            text = text.replace(f'json_extract(_raw,"{one}")', expression.replace('NAME', one))
    if 'json_extract' in text:
        raise AssertionError(text)
    return {**macros, name: {**macros[name], 'definition': text}}


class LedgerCase(DeliveryCase):
    """Alerts of some days, and what is said of them after a restart, when all of them are in the ledger."""

    def days_ago(self, world, count):
        """The date of so many days before the one that is not settled."""
        return ticks.iso(self.now(world) - (SETTLED + count * DAY) * SECOND)[:10]

    def customer(self, world, name, days=4, **more):
        """An input that begins with a whole day."""
        return world.customer(name, start_time=self.days_ago(world, days), **more)

    def publish(self, world, feed, days=3, each=5, **more):
        """Alerts in the middle of the days before today."""
        noon = ticks.parse(self.days_ago(world, 0) + 'T12:00:00Z')
        for day in range(1, days + 1):
            for number in range(each):
                feed.publish(1, ticks=noon - day * DAY * SECOND + number * 7 * SECOND + number, **more)

    def path(self, world, name='c'):
        """Of an input's ledger."""
        return os.path.join(world.home.checkpoints, 'ledger', name)

    def said(self, world, days, seconds=50):
        """What is said of so many days."""
        wait_for(lambda: len(manifests(world.program)) >= days, seconds,
                 lambda: f'{manifests(world.program)} {world.program.tail()}')
        return manifests(world.program)

    def equal(self, world, said):
        """Each line that was said last is true of what splunkd has."""
        held = of_events(world.events())
        for name, lines in said.items():
            self.assertEqual(lines[-1], held.get(name, (0, 0)), name)
        return held


class Manifests(LedgerCase):
    """event=manifest"""

    @pytest.mark.promise('Completeness', 'A manifest says for each day and customer how many versions were written, '
                                         'and their sum, as a search over the index computes it')
    def test_counts_of_days(self):
        world = self.world()
        feeds = [self.customer(world, api, api=api) for api in ('graph', 'endpoint', 'incidents')]
        for feed in feeds:
            self.publish(world, feed)
        world.start().wait_events(45)
        for feed in feeds:
            self.polls(world, feed)
        world.restart()
        said = self.said(world, 12)
        self.equal(world, said)
        for feed in feeds:
            self.assertEqual([said[feed.api, self.days_ago(world, day)][0][0] for day in (4, 3, 2, 1)], [0, 5, 5, 5])
        self.exact(world)

    def odd_events(self, world, feed):
        """Records of 200 kB in which an inner object comes first, with escapes, at the first and the last moment of a
        day; and plain ones of the other APIs at the same moments."""
        day = self.days_ago(world, 3)
        for number, (ident, time) in enumerate((
                (r'a\u002fb\"<&>\u00e4\ud83d\ude00', f'{day}T12:00:00Z'), ('pl\u00e4in', rf'{day}T12:00:01\u005a'),
                (r'x\\y\/z', rf'{day}T12:00:02.5\u002b00:00'), ('first', f'{day}T00:00:00Z'),
                ('last', f'{day}T23:59:59.9999999Z'))):
            plain = json.loads(f'"{time}"').replace('+00:00', 'Z')
            feed.add(f'{{"evidence":[{{"id":"no{number}","lastUpdateDateTime":"2020-01-01T00:00:00Z"}}],"id":"{ident}",'
                     f'"title":"{"t" * 200000}","lastUpdateDateTime":"{time}"}}'.encode(), ticks=ticks.parse(plain))
        for api in ('endpoint', 'incidents'):
            other = self.customer(world, api, api=api)
            for moment in ('00:00:00', '23:59:59.9999999', '12:00:00'):
                other.publish(1, ticks=ticks.parse(f'{day}T{moment}Z'))
        return day

    @pytest.mark.promise('Completeness', 'The search agrees with the manifest on the events that the program wrote: '
                                         'repeats, one removed, 200 kB, escapes, each API, the borders of days')
    def test_the_search_agrees(self):
        world = self.world()
        feed = self.customer(world, 'c')
        self.publish(world, feed, days=2, each=3)
        odd = self.odd_events(world, feed)
        world.start().wait_events(17)
        self.polls(world, feed)
        world.restart()
        self.equal(world, self.said(world, 12))
        events, now = world.events(), world.clock.now()
        lines = [line.text for line in world.program.lines if LINE.match(line.text)]
        days = [self.days_ago(world, count) for count in (1, 2, 3, 4)]
        wanted = {(name, day): ('equal', 0, 0) for name in ('c', 'endpoint', 'incidents') for day in days}
        self.assertEqual(compared(events, lines, now, 6), wanted)
        for name, day in (('c', days[0]), ('c', odd), ('endpoint', odd), ('incidents', odd)):
            victim = next(event for event in events if (name, day) in of_events([event]))
            others = [event for event in events if event is not victim]
            self.assertEqual(compared(others, lines, now, 6), {**wanted, (name, day): ('missing in Splunk', 1, 0)})
            self.assertEqual(compared([*events, victim], lines, now, 6), {**wanted, (name, day): ('equal', 0, 1)})
        self.assertEqual(compared(events, [], now, 6)['c', days[0]][0], 'no manifest')
        # Neither automatic fields, which end after 5,000 characters, nor a pattern, which knows no objects, would do.
        pattern = r'if(match(_raw,"NAME"),replace(_raw,"^.*?.NAME.:.([^,]*).,.*$","\1"),null())'
        for instead in ({'id': 'id', 'time': 'NAME'}, {'id': pattern, 'time': pattern}):
            found = compared(events, lines, now, 6, reading(**instead))
            self.assertNotEqual(found['c', odd][0], 'equal', instead)

    @pytest.mark.promise('Completeness', 'What was said of a day is not said again after a restart, unless the day got '
                                         'more')
    @pytest.mark.waits(30)
    def test_a_restart(self):
        world = self.world()
        feed = self.customer(world, 'c')
        self.publish(world, feed)
        world.start().wait_events(15)
        self.polls(world, feed)
        world.restart()
        self.equal(world, self.said(world, 4))
        world.program.terminate()
        late = ticks.parse(self.days_ago(world, 2) + 'T15:00:00Z')
        world.start()
        self.polls(world, feed)
        self.assertFalse(manifests(world.program))
        self.ends(world)
        os.remove(os.path.join(world.home.checkpoints, 'c.json'))      # reads all of it again, with one more
        feed.publish(1, ticks=late)
        world.start().wait_events(16)
        self.polls(world, feed)
        world.restart()
        said = self.said(world, 4)
        self.assertEqual(said['c', self.days_ago(world, 2)][-1][0], 6)
        self.equal(world, said)


class Ends(LedgerCase):
    """Ends of every kind, and what happens to the file."""

    @pytest.mark.promise('Completeness', 'A manifest never counts a version that splunkd may not have, whenever the '
                                         'program is killed')
    def test_kills(self):
        world = self.world()
        feed = self.customer(world, 'c', overlap=60)
        self.publish(world, feed, each=20)
        for pause in (0.2, 0.5, 1, 2):
            world.start().wait_line('event=start')
            wait_for(lambda pause=pause: world.program.events, 20, 'events')
            self.polls(world, feed, 1)
            world.program.kill()
        world.start().wait_events(60)
        self.polls(world, feed)
        world.restart()
        self.equal(world, self.said(world, 4))

    @pytest.mark.promise('Completeness', 'A ledger that is removed makes its days unknown, with one warning, and no '
                                         'alert is lost or repeated')
    def test_removed(self):
        world = self.world()
        feed = self.customer(world, 'c')
        self.publish(world, feed)
        world.start().wait_events(15)
        self.polls(world, feed)
        world.restart()
        self.said(world, 4)
        shutil.rmtree(os.path.dirname(self.path(world)))
        feed.publish(2)
        world.program.wait_events(2)
        self.polls(world, feed)
        self.ends(world)
        program = world.start()
        program.wait_line('WARN event=ledger input=c .*why=', 20)
        self.polls(world, feed)
        wait_for(lambda: os.path.exists(self.path(world)), 20, 'a new ledger')
        self.ends(world)
        world.start()
        self.exact(world)
        self.assertFalse(manifests(world.program))      # of days that it does not know
        self.assertFalse([line for line in world.program.lines if 'event=ledger' in line.text])

    @pytest.mark.promise('Completeness', "Another input's ledger is not continued: its days are unknown, with one "
                                         'warning, and no alert is lost or repeated')
    def test_swapped(self):
        world = self.world()
        for name in ('c', 'd'):
            self.publish(world, self.customer(world, name))
        world.start().wait_events(30)
        for feed in world.feeds.values():
            self.polls(world, feed)
        self.ends(world)
        first, second = self.path(world, 'c'), self.path(world, 'd')
        os.rename(first, first + '.x')
        os.rename(second, first)
        os.rename(first + '.x', second)
        world.start()
        for name in ('c', 'd'):
            world.program.wait_line(rf'WARN event=ledger input={name} .*why=.*swapped or restored', 20)
        self.exact(world)
        self.assertFalse(manifests(world.program))

    @pytest.mark.promise('Completeness', 'A ledger that cannot be written holds no event back')
    def test_cannot_be_written(self):
        world = self.world()
        feed = self.customer(world, 'c')
        self.publish(world, feed)
        with open(os.path.join(world.home.checkpoints, 'ledger'), 'w', encoding='ascii') as file:
            file.write('in the way')
        program = world.start()
        program.wait_line('WARN event=ledger input=c .*why="cannot', 20)
        program.wait_events(15)
        self.polls(world, feed)
        self.assertEqual(len([line for line in program.lines if 'event=ledger' in line.text]), 1)
        self.ends(world)
        os.remove(os.path.join(world.home.checkpoints, 'ledger'))
        world.start()
        self.exact(world)
        wait_for(lambda: os.path.exists(self.path(world)), 20, 'a ledger')
        self.assertFalse(manifests(world.program))

    @pytest.mark.promise('Completeness', 'A folder that is deleted while the program runs costs no alert, and no day '
                                         'that is not known passes for equal')
    def test_folder_deleted_while_running(self):
        world = self.world()
        feed = self.customer(world, 'c')
        self.publish(world, feed)
        world.start().wait_events(15)
        self.polls(world, feed)
        world.restart()
        self.polls(world, feed, 1)
        shutil.rmtree(world.home.checkpoints)
        world.program.wait_line('WARN event=ledger input=c ', 40)
        wait_for(lambda: os.path.exists(self.path(world)), 40, 'a new ledger')
        self.ends(world)
        world.start()
        self.exact(world)
        self.equal(world, manifests(world.program))

    def test_another_filter(self):
        """What it leaves out is in no manifest; days before the change are unknown."""
        world = self.world()
        feed = self.customer(world, 'c')
        self.publish(world, feed)
        world.start().wait_events(15)
        self.polls(world, feed)
        self.ends(world)
        with open(self.path(world), 'rb') as file:
            before = file.readline()
        world.splunkd.inputs['c'][1]['filter'] = "severity eq 'high'"
        world.start()
        self.polls(world, feed)
        self.ends(world)
        with open(self.path(world), 'rb') as file:
            after = file.readline()
        self.assertRegex(before.decode(), r'of=graph/all id=\w{16} since=\S+ whole=yes\n')
        self.assertRegex(after.decode(), r'of=graph/[0-9a-f]{16} id=\w{16} since=\S+ whole=no\n')
        self.assertFalse(manifests(world.program))

    def test_mode(self):
        world = self.world()
        feed = self.customer(world, 'c c')
        self.publish(world, feed, days=1)
        world.start().wait_events(5)
        self.polls(world, feed)
        self.ends(world)
        path = self.path(world, 'c%20c')
        folder = os.path.dirname(path)
        self.assertEqual([os.stat(each).st_mode & 0o777 for each in (path, folder)], [0o600, 0o700])
        self.assertEqual(os.listdir(folder), ['c%20c'])


class Hours(HastyCase, LedgerCase):
    """The program's own clock runs faster."""

    @pytest.mark.promise('Completeness', 'A manifest is said while the program runs, and again, hourly at most, when '
                                         'the day got more')
    @pytest.mark.waits(20)
    def test_while_it_runs(self):
        world = self.world()
        feed = self.customer(world, 'c', poll_interval=600)
        self.publish(world, feed)
        program = self.start(world, 600)
        program.wait_events(15)
        self.equal(world, self.said(world, 4))
        day = self.days_ago(world, 1)
        for count in (16, 17):
            feed.publish(1, ticks=ticks.parse(f'{day}T23:59:{count}Z'))
            program.wait_events(count)
            wait_for(lambda count=count: manifests(program)['c', day][-1][0] == count - 10, 30, program.tail)
        self.equal(world, manifests(program))
        times = [line.when for line in program.lines if re.search(f'event=manifest input=c .*day={day}', line.text)]
        self.assertEqual(len(times), 3)
        self.assertGreater((times[2] - times[1]) * 600, 3500)
