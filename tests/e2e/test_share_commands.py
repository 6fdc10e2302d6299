"""`share`: token, status, take, drain, undrain, as an administrator types them. The others are written by hand."""
import concurrent.futures
import contextlib
import json
import os
import threading
import unittest

import pytest
from test_sign_in_stop import Terminal
from world import faults
from world.certs import Authority
from world.forwarders import SharedWorld
from world.splunkd import APP
from world.store import INITIALIZING, PLACES, READ_ONLY, SHARE

ID = '{:016x}'.format


class Group:
    """The records of forwarders that share, in the world's store. beat(): their hearts go until the block ends."""

    def __init__(self, world):
        self.store, self.name = world.store.kvstore, world.group
        self.hearts, self.table, self.format = {}, 0, 1

    def put(self, collection, kind, name, text, number=0, **fields):
        """A record, as the program writes it."""
        rows = self.store.records(collection, APP)
        key = f'{self.name}.{kind}.{name}'
        rows[key] = {'_key': key, 'group': self.name, 'kind': kind,
                     'number': number, 'text': json.dumps(text), **fields}

    def member(self, name, inputs=(), **text):
        """A forwarder, and the inputs that it could read."""
        self.hearts[name] = {'start': ID(10), 'beat': 1, 'follows': '', 'held': 0, 'well': True, 'program': '1.1.0',
                             'format': 1, **text}
        self.put(SHARE, 'member', name, self.hearts[name])
        self.put(PLACES, 'inputs', name, list(inputs))

    def share(self, owners, by='hf1'):
        """The next table: input -> forwarder."""
        self.table += 1
        made = ID(self.table)
        self.put(PLACES, 'body', made, {name: [owner, made, self.table] for name, owner in owners.items()})
        text = {'id': made, 'after': '', 'by': by, 'members': sorted(self.hearts), 'format': self.format}
        self.put(SHARE, 'table', f'{self.table:012d}', text, self.table, id=made)

    def wish(self, name):
        """The wish of a forwarder, or None."""
        record = self.store.records(SHARE, APP).get(f'{self.name}.wish.{name}')
        return record and json.loads(record['text'])

    @contextlib.contextmanager
    def beating(self, *names, each_s=0.2, then=lambda: None):
        """Their heartbeats move meanwhile; then() is called with each."""
        ended = threading.Event()

        def run():
            while not ended.wait(each_s):
                for name in names or self.hearts:
                    heart = self.hearts[name]
                    heart['beat'] += 1
                    self.put(SHARE, 'member', name, heart)
                then()
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


class ShareCase(unittest.TestCase):
    """Two forwarders, hf1 and hf2, with the inputs a and b."""

    def setUp(self):
        self.world = SharedWorld(tls=False)
        self.addCleanup(self.world.close)
        for name in ('a', 'b'):
            self.world.customer(name)
        self.group = Group(self.world)
        for name in ('hf1', 'hf2'):
            self.group.member(name, ['a', 'b'])

    def call(self, *arguments, on='hf1', **how):
        return self.world[on].call('share', *arguments, **how)

    def records_left(self):
        """Keys of records of the self-test, in both collections."""
        return [key for name in (SHARE, PLACES) for key in self.world.store.records(name) if '.test.' in key]

    def json(self, *arguments, **how):
        result = self.call('status', '--json', *arguments, **how)
        self.assertEqual((result.code, result.err), (0, ''))
        return json.loads(result.out)


class Status(ShareCase):
    """`share status`"""

    @pytest.mark.promise('Sharing', '`share status` prints the forwarders and who reads what, and changes nothing')
    def test_who_has_what(self):
        self.group.share({'a': 'hf1', 'b': 'hf2'})
        with self.group.beating():
            result = self.call('status')
            found = self.json(on='hf2')
        self.assertEqual((result.code, result.err), (0, ''))
        self.assertRegex(result.out, r'^Group default, by the KV store at http://127\S+ table 1, made by hf1,\s+gives '
                                     r'out 2 inputs; forwarders that are\s+heard:\s+2\.\n')
        self.assertRegex(result.out, r'(?m)^  a  +hf1\n  b  +hf2$')
        self.assertRegex(result.out, r'(?m)^  hf1  +member  +1 of 2 inputs, version 1\.1\.0; this forwarder\n'
                                     r'  hf2  +member  +1 of 2 inputs, version 1\.1\.0$')
        self.assertNotIn('To know', result.out)
        self.assertEqual([(row['forwarder'], row['this'], row['state'], row['inputs'], row['can_read'])
                          for row in found['forwarders']],
                         [('hf1', False, 'member', 1, 2), ('hf2', True, 'member', 1, 2)])
        self.assertEqual(found['inputs'], [{'input': 'a', 'forwarder': 'hf1', 'since_table': 1},
                                           {'input': 'b', 'forwarder': 'hf2', 'since_table': 1}])
        self.assertEqual((found['notes'], found['table']), ([], 1))
        self.assertEqual({method for _, method, _, _ in self.world.store.calls()}, {'GET'})

    @pytest.mark.promise('Sharing', '`share status` prints the forwarders and who reads what, and changes nothing')
    def test_with_a_session_key(self):
        """splunkd lists the inputs then."""
        self.world.edit('a', disabled='1')
        with self.group.beating():
            for more, this in (((), None), (('--forwarder', 'hf2'), 'hf2')):
                splunkd = self.world['hf2'].splunkd
                key = splunkd.session_key.encode() + b'\n'
                found = self.json('--server-uri', splunkd.url, *more, on='hf2', stdin=key)
                self.assertEqual((found['this'], found['table'], len(found['forwarders'])), (this, 0, 2))

    @pytest.mark.promise('Sharing', 'A command that cannot do its work says in one sentence why, and who has to act')
    def test_what_may_be_wrong(self):
        world, forwarder = self.world, self.world['hf1']
        token = 'share_token.default'
        stored = {name: dict(entry) if isinstance(entry, dict) else entry
                  for name, entry in forwarder.splunkd.passwords.items()}

        def forget():
            for name in [name for name in forwarder.splunkd.passwords if token in str(name)]:
                del forwarder.splunkd.passwords[name]

        def elsewhere():
            world.edit('a', share_url='https://127.0.0.1:1')
            world.edit('b', share_url='https://127.0.0.1:1')
        for name, spoil, said in (
                ('down', lambda: setattr(world.store.kvstore, 'down', INITIALIZING), r'KV store.*administrator'),
                ('rights', lambda: setattr(world.store, 'readable', False), r'HTTP 403.*administrator.*role'),
                ('app', lambda: setattr(world.store, 'installed', False), r'HTTP 404.*administrator: install'),
                ('token', world.store._tokens.clear, r'HTTP 401.*administrator.*share token'),
                ('away', lambda: forwarder.cut('store'), r'administrator'),
                ('bound', elsewhere, r"entered for other addresses than 'https://127\.0\.0\.1:1'.*administrator"),
                ('none', forget, r"no token for the shared store \(group 'default'\).*administrator.*share token")):
            before = len(world.store.calls('hf1'))
            spoil()
            result = self.call('status')
            with self.subTest(name):
                self.assertEqual((result.code, result.out), (1, ''))
                self.assertRegex(result.err, r'\AERROR [^\n]*\n\Z')
                self.assertRegex(result.err, said)
                self.assertTrue(name not in ('bound', 'none') or len(world.store.calls('hf1')) == before)
            world.store.kvstore.down, world.store.readable, world.store.installed = None, True, True
            forwarder.mend('store')
        self.assertTrue(stored)

    def test_nothing_is_shared(self):
        for name in ('a', 'b'):
            self.world.edit(name, share_url='')
        result = self.call('status')
        self.assertEqual((result.code, result.out), (1, ''))
        self.assertRegex(result.err, r'ERROR no enabled input .* is shared: our administrator has to set share_url')
        result = self.call('status', stdin=b'')
        self.assertRegex(result.err, r'ERROR the XML .* is needed on stdin; see --help')

    def test_help(self):
        """Each command has its own, wherever -h is; a wrong word may be a token and is not repeated."""
        commands = ('token', 'status', 'take', 'drain', 'undrain', 'forget')
        for arguments in (('-h',), *((name, '-h') for name in commands)):
            result = self.call(*arguments, stdin=b'')
            self.assertEqual((result.code, result.err), (0, ''))
            name = arguments[0] if arguments[1:] else 'COMMAND'
            self.assertRegex(result.out, rf'\Ausage: .*defender_alerts share {name} ')
            self.assertIn('xit status 0', result.out)
        for arguments in ((), ('eyJsecret',), ('token', 'eyJsecret'), ('token', '--url', 'https://s:1', 'eyJsecret')):
            result = self.call(*arguments, stdin=b'')
            self.assertEqual((result.code, result.out), (1, ''))
            self.assertNotIn('eyJ', result.err)


class Token(ShareCase):
    """`share token`"""

    def setUp(self):
        super().setUp()
        self.splunkd = self.world['hf1'].splunkd
        for name in [name for name in self.splunkd.passwords if 'share_token' in str(name)]:
            del self.splunkd.passwords[name]

    def stored(self):
        return {str(name): str(value) for name, value in self.splunkd.passwords.items() if 'share_token' in str(name)}

    def enter(self, token, *arguments, before=None):
        before = self.world['hf1'].xml() if before is None else before
        return self.call('token', *arguments, stdin=before + b'\n' + token.encode() + b'\n')

    @pytest.mark.promise('Sharing', '`share token` tries the token before it stores it, bound to the addresses of '
                                    'share_url, and never shows it')
    def test_it_is_tried_and_stored(self):
        token = self.world.store.token(ends_s=10 * 86400 + 60)
        result = self.enter(token)
        self.assertEqual((result.code, result.err), (0, ''))
        self.assertRegex(result.out, r'(?m)^http://127\S+: works; an own write was read back after \d+ ms\.$')
        self.assertRegex(result.out, r'Stored as share_token\.default\. The token ends on 20\S+ \(in 10 days\)\.')
        self.assertNotIn(token, result.out)
        self.assertTrue(any(token in value for value in self.stored().values()), self.stored())
        self.assertTrue(any(self.world['hf1'].store.url in value for value in self.stored().values()), self.stored())
        self.assertEqual(self.records_left(), [])
        with self.group.beating():
            self.assertEqual(self.call('status').code, 0)
        for name in ('a', 'b'):
            self.world.edit(name, share_url=f'http://127.0.0.1:1 {self.world["hf1"].store.url}')
        result = self.enter(token)
        self.assertEqual((result.code, result.err), (0, ''))
        self.assertRegex(result.out, r'(?m)^http://127\.0\.0\.1:1: .*administrator.*\.\nhttp://127\S+: works;')
        with self.group.beating():
            self.assertRegex(self.call('status').out, f'by the KV store at {self.world["hf1"].store.url}')

    @pytest.mark.promise('Sharing', '`share token` tries the token before it stores it, bound to the addresses of '
                                    'share_url, and never shows it')
    def test_before_any_input_is_shared(self):
        """With the addresses as an option, and only a session key."""
        url = self.world['hf1'].store.url
        for name in ('a', 'b'):
            self.world.edit(name, share_url='')
        key = self.splunkd.session_key.encode()
        result = self.enter('x', '--server-uri', self.splunkd.url, before=key)
        self.assertRegex(result.err, r'no enabled input .* or give --url')
        result = self.enter('Bearer ' + self.world.store.token(), '--server-uri', self.splunkd.url, '--url', url,
                            '--group', 'g-2', before=key)
        self.assertEqual((result.code, result.err), (0, ''))
        self.assertIn('Stored as share_token.g-2. The token has no end.', result.out)
        for more, said in ((('--url', 'https://other:8089'), '--url is .*, but share_url of the inputs is'),
                           (('--group', 'other'), "--group is 'other', but share_group of the inputs is 'default'")):
            self.world.edit('a', share_url=url)
            self.assertRegex(self.enter('x', *more).err, said)

    @pytest.mark.promise('Sharing', 'A command that cannot do its work says in one sentence why, and who has to act')
    def test_what_is_not_stored(self):
        store = self.world.store
        good, past, revoked = store.token(), store.token(ends_s=-60), store.token()
        store.revoke(revoked)
        for name, token, said in (
                ('none', '', 'ERROR no token was entered'),
                ('blank', 'two words', 'ERROR what was entered is no token'),
                ('past', past, 'ERROR this token ended on 20.*create a new one'),
                ('revoked', revoked, 'ERROR the token was not stored: see above')):
            result = self.enter(token)
            with self.subTest(name):
                self.assertEqual(result.code, 1)
                self.assertRegex(result.err, said)
                self.assertEqual(self.stored(), {})
                self.assertTrue(not token or token not in result.out + result.err)
        self.assertRegex(result.out, r'HTTP 401.*administrator')
        store.writable = False
        result = self.enter(good)
        self.assertRegex(result.out, r'self-test of the shared KV store, an insert: .*HTTP 403.*administrator')
        store.writable = True
        rule = self.world.faults.add(faults.status(403), match=lambda request: f'{PLACES}/batch_save' in request.path)
        self.assertRegex(self.enter(good).out, r'HTTP 403.*administrator')
        rule.remove()
        store.kvstore.down = INITIALIZING
        self.assertRegex(self.enter(good).err, 'ERROR the token was not stored, since no address could try it')
        store.kvstore.down, store.kvstore.read_only = None, READ_ONLY
        self.assertEqual(self.enter(good).code, 1)
        self.assertEqual(self.stored(), {})

    @pytest.mark.promise('Sharing', '`share token` tries the token before it stores it, bound to the addresses of '
                                    'share_url, and never shows it')
    def test_on_a_terminal(self):
        world, token = self.world, self.world.store.token()
        terminal = Terminal(world, ('token', '--server-uri', self.splunkd.url), 'share',
                            environment=world['hf1'].home.environment())
        try:
            terminal.until('session key')
            terminal.press(self.splunkd.session_key.encode() + b'\n')
            terminal.until(r'(?s)is for the KV store at http://127.*defender_mssp_share.*Token \(not shown\): ')
            terminal.press(token.encode() + b'\n')
            terminal.until('Stored as share_token.default')
            self.assertEqual(terminal.process.wait(10), 0)
            self.assertNotIn(token, terminal.seen)
        finally:
            terminal.close()


class Wish(ShareCase):
    """`share take`, `drain`, `undrain`"""

    def answering(self, name, owners):
        """The others follow the wish of a forwarder once it is there, and let go."""
        def then():
            if (self.group.wish(name) is None) == (name in self.undone):
                self.undone.discard(name)
                self.group.hearts['hf1']['held'] = sum(owner == 'hf1' for owner in owners.values())
                self.group.share(owners, by='hf2')
                self.undone.add(None)
        return self.group.beating(then=lambda: None if None in self.undone else then())

    def setUp(self):
        super().setUp()
        self.undone = set()
        self.group.share({'a': 'hf1', 'b': 'hf2'})

    @pytest.mark.promise('Sharing', '`share drain` moves the inputs of a forwarder to the others, and says when it may '
                                    'be stopped')
    def test_drain_and_undrain(self):
        self.group.hearts['hf1']['held'] = 1
        with self.answering('hf1', {'a': 'hf2', 'b': 'hf2'}):
            result = self.call('drain')
        self.assertEqual((result.code, result.err), (0, ''))
        self.assertEqual(result.out, "hf1 is to have no inputs, until 'share undrain'.\n"
                                     'Table 2 moves these, which are read at the new place after 20 s:\n'
                                     '1 input from hf1 to hf2: a\n'
                                     'hf1 has no input any more: Splunk may be stopped there.\n')
        self.assertEqual(self.group.wish('hf1'), {'drain': True})
        self.undone = {'hf1'}
        with self.answering('hf1', {'a': 'hf1', 'b': 'hf2'}):
            result = self.call('undrain')
        self.assertEqual((result.code, result.err), (0, ''))
        self.assertIn('hf1 has no wish any more.\n', result.out)
        self.assertIn('1 input from hf2 to hf1: a\n', result.out)
        self.assertIsNone(self.group.wish('hf1'))
        result = self.call('undrain')
        self.assertEqual((result.code, result.out), (0, 'hf1 has no wish that could be taken back.\n'))

    @pytest.mark.promise('Sharing', '`share take` gives inputs to a forwarder until `share undrain`')
    def test_take(self):
        with self.answering('hf1', {'a': 'hf1', 'b': 'hf1'}):
            result = self.call('take', 'b', 'a')
        self.assertEqual((result.code, result.err), (0, ''))
        self.assertIn("hf1 is to read a and b, until 'share undrain'.\n", result.out)
        self.assertIn('1 input from hf2 to hf1: b\nDone: hf1 has 2 inputs.\n', result.out.replace('\n\n', '\n'))
        self.assertEqual(self.group.wish('hf1'), {'take': ['a', 'b']})
        self.assertEqual(self.call('take', '--wait', '0').code, 0)
        self.assertEqual(self.group.wish('hf1'), {'take': ['*']})
        self.assertEqual(self.call('drain', '--forwarder', 'hf2', '--wait=0').code, 0)
        self.assertEqual(self.group.wish('hf2'), {'drain': True})

    @pytest.mark.promise('Sharing', 'A command that cannot do its work says in one sentence why, and who has to act')
    def test_what_is_refused(self):
        splunkd = self.world['hf1'].splunkd
        for arguments, how, said in (
                (('take', 'x'), {}, "ERROR 'x' is no enabled input of hf1 that is shared; 'share status' lists "),
                (('drain', 'a'), {}, "ERROR unknown argument 'a'; 'share drain -h' lists the options"),
                (('drain', '--forwarder', 'hf3', '--wait', '9'), {}, "ERROR nothing was changed: no forwarder of group "
                 "'default' is called 'hf3'; known: hf1 and hf2."),
                (('drain', '--forwarder='), {}, 'ERROR nothing was changed: no forwarder'),
                (('take', '--wait', 'x'), {}, "ERROR --wait is 'x', but"),
                (('drain', '--server-uri', splunkd.url), {'stdin': splunkd.session_key.encode()},
                 'ERROR the name of this forwarder is not known from a session key alone')):
            with self.subTest(arguments):
                result = self.call(*arguments, **how)
                self.assertEqual((result.code, result.out), (1, ''))
                self.assertTrue(result.err.startswith(said), result.err)
        self.world.store.writable = False
        self.assertRegex(self.call('drain').err, r'ERROR nothing was changed: .*HTTP 403.*administrator')
        self.world.store.writable, self.group.format = True, 2
        self.group.share({})
        self.assertRegex(self.call('drain').err, r'ERROR the forwarders .* have a newer program.*has to upgrade')
        self.assertIsNone(self.group.wish('hf1'))


class Check(ShareCase):
    """What `check` finds of the shared store."""

    def check(self, *arguments, code, on='hf1'):
        result = self.world[on].call('check', '--json', *arguments)
        self.assertEqual((result.code, result.err), (code, ''))
        *places, self_row = json.loads(result.out)['share']
        return ([{found['what']: (found['result'], found['text']) for found in row['findings']} for row in places],
                [(found['what'], found['result'], found['text']) for found in self_row['findings']])

    @pytest.mark.promise('Sharing', '`check` tries each address of share_url: connection, self-test, forwarders and '
                                    'table; and finds token and secrets of this forwarder')
    def test_good(self):
        self.group.share({'a': 'hf1', 'b': 'hf2'})
        with self.group.beating():
            [place], own = self.check(code=0)
            shown = self.world['hf1'].call('check')
        self.assertEqual(sorted(place), ['connection', 'forwarders', 'place', 'self-test', 'table'])
        self.assertRegex(place['self-test'][1], r'^inserted, the same insert was refused, read back after \d+ ms, ')
        self.assertEqual(place['forwarders'], ('ok', '2 heard: hf1 and hf2'))
        self.assertEqual(place['table'], ('ok', 'number 1, made by hf1: 2 inputs, 1 of them here'))
        self.assertEqual(own, [('token', 'ok', 'has no end'), ('secrets', 'ok', 'there for all 2 shared inputs')])
        self.assertRegex(shown.out, r'(?m)^Shared store: http://127\S+\n(  .*\n)*  self-test +ok  inserted')
        self.assertIn('2 of 2 inputs are good.', shown.out)
        self.assertEqual(self.records_left(), [])

    @pytest.mark.promise('Sharing', '`check` tries each address of share_url: connection, self-test, forwarders and '
                                    'table; and finds token and secrets of this forwarder')
    def test_two_addresses_and_inputs_that_differ(self):
        """One of them is dead. Another input says something else, and one lacks its secret."""
        url = self.world['hf1'].store.url
        self.world.edit('a', share_url=f'http://127.0.0.1:1, {url}')
        self.world.edit('b', share_url=url)
        self.world.customer('c', share_url=f'http://127.0.0.1:1, {url}')
        splunkd = self.world['hf1'].splunkd
        for name in [name for name in splunkd.passwords if self.world.feeds['c'].tenant.app.client_id in str(name)]:
            del splunkd.passwords[name]
        (dead, alive), own = self.check('--input', 'a', code=1)
        self.assertEqual((dead['connection'][0], alive['connection'][0]), ('bad', 'ok'))
        self.assertEqual([row[:2] for row in own], [('inputs', 'bad'), ('token', 'bad'), ('secrets', 'bad')])
        self.assertRegex(own[0][2], "^input 'b' has share_url .*, but 'a', which comes first, has .*administrator")
        self.assertRegex(own[1][2], "entered for other addresses than 'http://127.0.0.1:1'.*administrator")
        self.assertRegex(own[2][2], r'^missing on this forwarder for 1 of 2 inputs \(c\).*has to enter them')

    @pytest.mark.promise('Sharing', '`check` says when the token ends, and who has to act')
    def test_token_and_store_in_trouble(self):
        world = self.world
        world['hf1'].sign_in(ends_s=20 * 86400 + 60)
        world.store.kvstore.down = INITIALIZING
        [place], own = self.check('--input', 'a', code=1)
        self.assertEqual(place['self-test'][0], 'bad')
        self.assertRegex(place['self-test'][1], r'KV store.*administrator')
        self.assertRegex(own[0][2], r'^ends on 20\S+ \(in 20 days\); our administrator has to create a new one')
        self.assertEqual(own[0][:2], ('token', 'note'))
        world['hf1'].sign_in(ends_s=-86400)
        world.store.kvstore.down = None
        [place], own = self.check('--input', 'a', code=1)
        self.assertRegex(place['self-test'][1], r'HTTP 401.*administrator')
        self.assertRegex(own[0][2], r'^ended on 20\S+; our administrator has to create a new one')

    @pytest.mark.promise('Sharing', 'A forwarder without share_url makes no call and shows no row of sharing')
    def test_without(self):
        for name in ('a', 'b'):
            self.world.edit(name, share_url='')
        result = self.world['hf1'].call('check', '--json')
        self.assertEqual((result.code, 'share' in json.loads(result.out)), (0, False))
        self.assertEqual(self.world.store.calls(), [])


class Forget(ShareCase):
    """`share forget`"""

    def left(self, name):
        """Keys of the records of a forwarder."""
        return [key for place in (SHARE, PLACES) for key in self.world.store.records(place) if key.endswith(f'.{name}')]

    @pytest.mark.promise('Sharing', '`share forget` removes the records of a forwarder that is gone, and of no other')
    @pytest.mark.promise('Sharing', '`share forget` refuses a forwarder that takes part, and one that still has inputs')
    @pytest.mark.waits(8)
    def test_forget(self):
        """hf3 is gone. hf1 lives, hf2 has an input, hf4 has left no more than a wish: they keep what they have."""
        self.group.member('hf3', ['a'])
        self.group.put(SHARE, 'start', 'hf3', {'start': ID(10)})
        for name in ('hf3', 'hf4'):
            self.group.put(SHARE, 'wish', name, {'drain': True})
        self.group.share({'a': 'hf1', 'b': 'hf2'})
        before = {name: self.left(name) for name in ('hf1', 'hf2', 'hf4')}
        self.assertEqual(len(self.left('hf3')), 4)
        needs = "ERROR 'share forget' needs the name of a forwarder; 'share status' lists them"
        cases = (((), needs), (('',), needs),
                 (('a', 'b'), "ERROR one forwarder is expected, but two are given: 'a' and 'b'"),
                 (('hf9',), "ERROR nothing was removed: no forwarder of group 'default' is called 'hf9'; known: hf1, "
                            'hf2, hf3 and hf4. Correct the name'),
                 (('hf1',), "ERROR nothing was removed: 'hf1' sends heartbeats, .* its administrator has to"),
                 (('hf2',), "ERROR nothing was removed: 'hf2' still has 1 input.*our administrator has to see to it"),
                 (('hf3',), ''))
        with self.group.beating('hf1'), concurrent.futures.ThreadPoolExecutor(8) as at_once:
            status = at_once.submit(self.json)
            results = list(at_once.map(lambda case: self.call('forget', *case[0]), cases))
        for (arguments, words), result in zip(cases, results):
            with self.subTest(arguments):
                self.assertEqual(result.code, 1 if words else 0, result.err)
                self.assertRegex(result.err, rf'\A{words}' if words else r'\A\Z')
        self.assertEqual(results[-1].out, 'The records of hf3 are removed. If it comes back, it joins as a new one.\n')
        self.assertEqual([note['text'].split(' was not heard')[0] for note in status.result()['notes']
                          if 'share forget' in note['text']], ["'hf3'", "'hf4'"])
        self.assertEqual(self.left('hf3'), [])
        self.assertEqual({name: self.left(name) for name in before}, before)


class Certificates(unittest.TestCase):
    """The store's certificate: its chain ends at share_ca_file, and it names the host of share_url."""

    @pytest.mark.promise('Sharing', 'The certificate of the shared store is of share_ca_file, and names its host')
    def test_certificate(self):
        stranger = Authority()
        self.addCleanup(stranger.close)
        with SharedWorld(('hf1',)) as world:
            hf1, good = world['hf1'], world.authority.server('127.0.0.1')
            world.customer('a')
            for name, pair, ca_file, ok in (
                    ('good', good, world.authority.cert, True),
                    ('another name', world.authority.server('store.example'), world.authority.cert, False),
                    ('ended', world.authority.server('127.0.0.1', expired=True), world.authority.cert, False),
                    ('another CA', good, stranger.cert, False),
                    ("Splunk's own CA", good, '', True)):
                world.edit('a', share_ca_file=ca_file)
                hf1.store.restart(pair)
                result = hf1.call('share', 'status')
                with self.subTest(name):
                    self.assertEqual(result.code, 0 if ok else 1, result.err)
                    self.assertRegex(result.err, r'\A\Z' if ok else
                                     r'the certificate of the Splunk instance at https://127\S+ is not trusted: .*\. '
                                     r'Our administrator: set share_ca_file to the CA that issued it, and name the hos')
            self.assertTrue(world.store.calls('hf1'))
            self.no_certificate(world)

    def no_certificate(self, world):
        """A CA file without one, as a command, check and the program say it."""
        hf1, path = world['hf1'], os.path.join(world['hf1'].home.path, 'none.pem')
        with open(path, 'w', encoding='ascii') as file:
            file.write('-----BEGIN NOTHING-----')
        world.edit('a', share_ca_file=path)
        hf1.store.restart(world.authority.server('127.0.0.1'))
        words = (rf'the certificate of the Splunk instance at {hf1.store.url} cannot be verified: CA file {path} '
                 'cannot be read: it holds no certificate, or a damaged one. Our administrator: set share_ca_file to ')
        self.assertRegex(hf1.call('share', 'status').err, words)
        found = json.loads(hf1.call('check', '--json').out)['share']
        self.assertRegex(str([row['findings'] for row in found if row['name'] == hf1.store.url]), words)
        hf1.start()
        self.assertRegex(hf1.program.wait_line('event=share_refused').text, words)
