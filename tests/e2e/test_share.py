"""Two forwarders share the customers: who reads which, and what comes twice after a death, a freeze or a cut."""
import collections
import json
import os
import shutil
import struct
import time

import pytest
from cases import ShimCase
from world.forwarders import SharedWorld
from world.runner import wait_for
from world.store import APP, PLACES, SHARE

HASTE = 12      # the programs' clocks run that many times as fast: their minute is five seconds
NAMES = ('adatum', 'contoso', 'fabrikam', 'tailspin')


class SharedCase(ShimCase):
    """Programs whose clock is fast, in a world of several forwarders."""

    SHIM = 'haste'
    ENGINE = None       # of the store's records; tests/share has others

    def setUp(self):
        self.world = SharedWorld(tls=False, engine=self.ENGINE).__enter__()
        self.addCleanup(self.leave)
        for name in NAMES:
            self.world.customer(name).publish(2)
        self.written = 2 * len(NAMES)
        self.ahead = collections.Counter()

    def leave(self):
        """The world's own checks; after a failure they would hide it."""
        self.world.__exit__(None, None, None)

    def start(self, *names):
        """The programs of these forwarders."""
        for name in names:
            forwarder = self.world[name]
            self.jump(name, 0)
            forwarder.start(program=self.program, environment=forwarder.home.environment(
                LD_PRELOAD=self.shim, HASTE=str(HASTE), HASTE_JUMP=self.jumps(name)))

    def jumps(self, name):
        """The file that says by how much the clock of a forwarder is ahead."""
        return os.path.join(self.world[name].home.path, 'jumps')

    def jump(self, name, seconds):
        """So much of a forwarder's time is over at once."""
        self.ahead[name] += int(seconds)
        with open(self.jumps(name), 'r+b' if os.path.exists(self.jumps(name)) else 'wb') as to:
            to.write(struct.pack('=q', self.ahead[name]))

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
        def came():
            return len({(event.stanza, event.data) for event in self.world.events()}) >= self.written + more
        return self.wait(came, program_s, f'{self.written} events')

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

    def said(self, event, program_s, *names):
        """Wait until these forwarders, or both, have logged the event."""
        for name in names or ('hf1', 'hf2'):
            lines = self.world[name].program.lines
            self.wait(lambda lines=lines: any(f'event={event} ' in line.text for line in lines), program_s,
                      f'{event} of {name}')

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
    @pytest.mark.promise('Sharing', 'A forwarder that lets an input go says how much it has written of each day')
    @pytest.mark.waits(20)
    def test_join_and_restart(self):
        self.split()
        self.exact()
        owners = self.world.store.owners()
        for name in [name for name, owner in owners.items() if owner == 'hf2']:
            said = [line for line in self.world['hf1'].program.lines if f'event=manifest input={name} ' in line.text]
            self.assertEqual(int(said[-1].facts['versions']), 2, self.tails())
        self.assertLess(self.world['hf1'].program.terminate(), 1.0)
        self.publish()
        self.start('hf1')
        self.assertLess(self.arrive(40), 20 + 8 * HASTE)
        self.assertEqual(self.world.store.owners(), owners)
        self.exact()

    @pytest.mark.promise('Sharing', 'One process of a host takes part')
    @pytest.mark.promise('Sharing', 'A forwarder that starts while the store is gone goes on after a minute')
    @pytest.mark.waits(12)
    def test_one_forwarder(self):
        self.start('hf1')
        self.arrive(60)
        old = self.world['hf1'].program
        self.start('hf1')           # splunkd's old and new process overlap after an edit
        self.publish()
        self.arrive(20)
        self.assertFalse([line.text for line in self.world['hf1'].program.lines if 'share_joined' in line.text])
        old.terminate()
        self.publish()
        self.arrive(30)
        self.exact()
        self.world['hf1'].program.terminate()
        self.world['hf1'].cut('store')
        self.publish()
        self.start('hf1')
        self.arrive(90)
        self.world['hf1'].mend('store')
        self.said('share_joined', 30, 'hf1')
        self.publish()
        self.arrive(30)
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
        self.said('share_given', 30, 'hf1')
        self.assertEqual(len(hf1.program.events), seen)
        self.assertFalse(self.world.verdict().lost)

    @pytest.mark.promise('Sharing', 'While the shared store is gone, each forwarder goes on with its customers')
    @pytest.mark.waits(20)
    def test_store_gone(self):
        self.split()
        for name in ('hf1', 'hf2'):
            self.world[name].cut('store')
        self.said('share_paused', 40)
        self.publish()
        self.said('share_alone', 90)
        for line in self.world['hf1'].program.lines:
            if 'event=share_paused' in line.text or 'event=share_alone' in line.text:
                self.assertRegex(line.text, r'why="splunkd at http://127\S+: no connection .*\. Our administrator: ')
        self.arrive(30)
        for name in ('hf1', 'hf2'):
            self.world[name].mend('store')
        self.said('share_back', 30)
        self.publish()
        self.arrive(40)
        self.exact()


class Apart(SharedCase):
    """What keeps a forwarder or an input out, and what is said of it."""

    @pytest.mark.promise('Sharing', 'An input that another forwarder reads says so in its record, and writes no status')
    @pytest.mark.promise('Sharing', 'A secret in inputs.conf is moved into the password store, whoever reads the input')
    @pytest.mark.waits(8)
    def test_elsewhere(self):
        self.start('hf1')
        self.arrive(60)
        hf2 = self.world['hf2']
        secret = self.world.feeds['contoso'].tenant.app.secret
        self.world.edit('contoso', on=['hf2'], client_secret=secret)
        self.start('hf2')
        self.wait(lambda: hf2.splunkd.inputs['contoso'][1]['client_secret'] != secret, 20, 'masked')
        self.wait(lambda: [record.get('condition') for record in hf2.splunkd.states().values()] == 4 * ['elsewhere'],
                  30, 'elsewhere')
        for record in hf2.splunkd.states().values():
            self.assertEqual((record['reader'], record['share']), ('hf1', 'elsewhere'))
        self.assertEqual([line.text for line in hf2.program.lines if 'event=status' in line.text], [])
        self.assertEqual(self.world.microsoft.requests(forwarder='hf2', kind='graph'), [])

    @pytest.mark.promise('Sharing', 'A forwarder whose token is refused says who has to act, and goes on after that')
    @pytest.mark.waits(8)
    def test_token(self):
        hf1 = self.world['hf1']
        token = hf1.splunkd.password('share_token.default')
        self.world.store.revoke(token)
        self.start('hf1')
        self.said('share_refused', 20, 'hf1')
        self.assertIn('token', next(line.text for line in hf1.program.lines if 'event=share_refused' in line.text))
        self.assertEqual(self.world.events(), [])
        hf1.sign_in()
        self.arrive(150)
        self.assertEqual(sum('event=share_refused' in line.text for line in hf1.program.lines), 1, self.tails())
        self.exact()

    @pytest.mark.promise('Sharing', 'An input whose secret is missing on a forwarder is read by another one')
    @pytest.mark.waits(8)
    def test_secret_missing(self):
        hf1, hf2 = self.world['hf1'], self.world['hf2']
        for key in [key for key in hf2.splunkd.passwords if 'client_secret' in key[-1]]:
            del hf2.splunkd.passwords[key]
        self.start('hf2')
        self.said('share_no_secret', 20, 'hf2')
        self.start('hf1')
        self.arrive(90)
        self.assertEqual(set(self.world.store.owners().values()), {'hf1'})
        hf1.program.terminate()
        for name in NAMES:
            app = self.world.feeds[name].tenant.app
            hf2.splunkd.store(f'client_secret.{app.client_id}', app.secret)
        self.publish()
        self.arrive(150)
        self.exact()

    @pytest.mark.promise('Sharing', 'Inputs that differ in what they share by are left out, with one sentence')
    @pytest.mark.promise('Sharing', 'Without share_url nothing is called, written or said')
    def test_differ(self):
        hf1 = self.world['hf1']
        self.world.edit('contoso', on=['hf1'], share_group='europe')
        self.start('hf1')
        line = hf1.program.wait_line('event=bad_input input=contoso')
        for words in ("share_group is 'europe'", "'adatum' has 'default'"):
            self.assertIn(words, line.text)
        self.said('share_joined', 20, 'hf1')
        self.said('share_store_here', 1, 'hf1')
        for name in NAMES:
            hf1.splunkd.inputs[name][1].pop('share_url', None)
        before = len(self.world.store.calls())
        hf1.program.terminate()
        began = len(self.world.store.calls())
        self.assertGreater(before, 0)
        self.start('hf1')
        self.arrive(40)
        self.assertEqual(len(self.world.store.calls()), began)
        self.assertFalse([line.text for line in hf1.program.lines if 'share' in line.text])
        self.assertFalse([name for name in os.listdir(hf1.home.checkpoints) if 'share' in name])


class Checkpoints(SharedCase):
    """Whoever takes over begins from what the store has."""

    def places(self):
        """The checkpoints in the store."""
        records = self.world.store.records(PLACES)
        return [json.loads(record['text']) for record in records.values() if record.get('kind') == 'place']

    def pass_minutes(self, number):
        """So many minutes of hf1's time, with a round or two in each."""
        for _ in range(number):
            self.jump('hf1', 60)
            time.sleep(6 / HASTE)

    def damage(self, name):
        """The text of an input's checkpoint is cut off."""
        for key, record in self.world.store.records(PLACES).items():
            if record.get('kind') == 'place' and record.get('input') == name:
                self.world.store.kvstore.records(PLACES, APP)[key] = {**record, 'text': record['text'][:-40]}

    @pytest.mark.promise('Sharing', 'A takeover repeats nothing that the store knew, however many versions that were')
    @pytest.mark.promise('Sharing', 'A damaged checkpoint in the store costs repeats of its input, and a line says so')
    @pytest.mark.waits(25)
    def test_take_over(self):
        self.publish(4500, ['contoso'])
        self.start('hf1')
        self.arrive(90)
        self.wait(lambda: sorted(len(place.get('pieces', [])) for place in self.places()) == [0, 0, 0, 2] and
                  sum(len(place['written']) for place in self.places()) == 3 * 2, 200, 'all are saved')
        self.world['hf1'].program.kill()
        self.damage('fabrikam')
        self.start('hf2')
        self.publish()
        self.arrive(150)
        line = self.world['hf2'].program.wait_line('event=share_checkpoint group=default input="fabrikam"')
        self.assertIn('cannot be used and is ignored', line.text)
        self.assertFalse(self.world.verdict().lost)
        self.assertEqual(len(self.world.events()), self.written + 2)        # those of fabrikam came again


    @pytest.mark.promise('Sharing', 'An input whose own checkpoint file was lost goes on from the one in the store')
    @pytest.mark.waits(12)
    def test_file_lost(self):
        self.start('hf1')
        self.arrive(90)
        hf1 = self.world['hf1']
        self.wait(lambda: sum(len(place['written']) for place in self.places()) == self.written, 200, 'all are saved')
        hf1.program.terminate()
        os.unlink(os.path.join(hf1.home.checkpoints, 'contoso.json'))
        self.publish()
        self.start('hf1')
        self.arrive(60)
        self.exact()

    @pytest.mark.promise('Sharing', 'Checkpoints that the store has lost are saved again, of idle inputs, too')
    @pytest.mark.waits(4)
    def test_collection_emptied(self):
        """Alone: heartbeats and tables are in another collection, and stay."""
        self.start('hf1')
        self.arrive(90)
        self.pass_minutes(2)
        self.wait(lambda: sum(len(place['written']) for place in self.places()) == self.written, 200, 'all are saved')
        self.pass_minutes(1)
        records = self.world.store.kvstore.records(PLACES, APP)
        for key in list(self.world.store.records(PLACES)):
            del records[key]
        self.pass_minutes(2)
        self.wait(lambda: len(self.places()) == len(NAMES), 60, 'all are there again')
        self.exact()

    @pytest.mark.promise('Sharing', 'A forwarder that died before it had saved what it took over begins from the store '
                                    'again')
    @pytest.mark.waits(20)
    def test_taken_not_saved(self):
        self.start('hf1')
        self.arrive(90)
        hf1, hf2 = self.world['hf1'], self.world['hf2']
        hf1.program.terminate()
        shutil.copy(os.path.join(hf1.home.checkpoints, 'contoso.json'), hf2.home.checkpoints)   # of an earlier turn
        self.start('hf1')
        self.publish()
        self.arrive(60)
        self.wait(lambda: sum(len(place['written']) for place in self.places()) == self.written, 200, 'all are saved')
        hf1.program.kill()
        block = os.path.join(hf2.home.checkpoints, 'contoso.json.tmp')
        os.makedirs(block)
        self.start('hf2')
        own = os.path.join(hf2.home.checkpoints, 'share.own.json')
        self.wait(lambda: os.path.exists(own), 150, 'hf2 reads')
        time.sleep(20 / HASTE)
        hf2.program.wait_line('event=checkpoint_failed input=contoso', 1)
        hf2.program.kill()
        os.rmdir(block)
        self.publish(names=['contoso'])
        self.start('hf2')
        self.arrive(60)
        self.exact()


class Tokens(SharedCase):
    """Refresh tokens of inputs that another forwarder reads."""

    def rounds(self, number):
        """Wait for so many heartbeats of hf2."""
        def beat():
            return json.loads(self.world.store.records(SHARE)['default.member.hf2']['text'])['beat']
        first = beat()
        self.wait(lambda: beat() >= first + number, 30, f'{number} rounds of hf2')

    @pytest.mark.promise('Sharing', 'Refresh tokens of inputs that other forwarders read are renewed once a week')
    @pytest.mark.waits(4)
    def test_renewal(self):
        """On a standby, which asks for no alert: within a day or so of its start, and a week later."""
        hf1, hf2 = self.world['hf1'], self.world['hf2']
        tenant = self.world.feeds['contoso'].tenant
        name = f'refresh_token.{tenant.id}.{tenant.app.client_id}'
        for forwarder in (hf1, hf2):
            forwarder.splunkd.store(name, self.world.microsoft.identity.new_refresh_token(tenant))
        given = hf2.splunkd.password(name)
        self.start('hf1')
        self.arrive(60)
        self.assertEqual(hf2.call('share', 'drain', '--wait', '0').code, 0)
        self.start('hf2')
        self.wait(lambda: [record.get('condition') for record in hf2.splunkd.states().values()] == 4 * ['elsewhere'],
                  30, 'elsewhere')
        other = hf1.splunkd.password(name)
        self.jump('hf2', 25.1 * 3600)
        self.wait(lambda: hf2.splunkd.password(name) != given, 30, 'the first renewal')
        first = hf2.splunkd.password(name)
        self.rounds(2)          # by then the program knows that it is stored
        self.jump('hf2', (7 * 24 - 1) * 3600)
        self.rounds(2)
        self.assertEqual(hf2.splunkd.password(name), first)
        self.jump('hf2', 2 * 3600)
        self.wait(lambda: hf2.splunkd.password(name) != first, 30, 'the second renewal')
        self.assertEqual(hf1.splunkd.password(name), other)
        self.assertEqual(len(self.world.microsoft.requests(forwarder='hf2', kind='token')), 2)
        self.assertEqual(self.world.microsoft.requests(forwarder='hf2', kind='graph'), [])


class Commands(SharedCase):
    """`share` while two programs run; test_share_commands.py has all else of it."""

    @pytest.mark.promise('Sharing', '`share drain` moves the inputs of a forwarder to the others, and says when it may '
                                    'be stopped')
    @pytest.mark.waits(15)
    def test_drain(self):
        """Nothing comes twice."""
        self.split()
        hf1 = self.world['hf1']
        result = hf1.call('share', 'status', '--json')
        found = json.loads(result.out)
        self.assertEqual([(row['forwarder'], row['state'], row['inputs']) for row in found['forwarders']],
                         [('hf1', 'member', 2), ('hf2', 'member', 2)])
        self.assertEqual((found['notes'], result.err), ([], ''))
        result = hf1.call('share', 'drain')
        self.assertEqual((result.code, result.err), (0, ''))
        self.assertRegex(result.out, r'2 inputs from hf1 to hf2: \w+ and \w+\n'
                                     r'hf1 has no input any more: Splunk may be stopped there\.\n\Z')
        self.assertEqual(set(self.world.store.owners().values()), {'hf2'})
        self.assertLess(hf1.program.terminate(), 1.0)
        self.publish()
        self.arrive(60)
        self.exact()


del SharedCase
