"""What sharing relies on, and what it has to stand, asked of the stand-in of the store over each engine of records."""
import http.client
import json
import threading
import time
import urllib.parse

import pytest
from world import store
from world.faults import reset
from world.forwarders import SharedWorld
from world.runner import wait_for
from world.splunkd import APP
from world.store import INITIALIZING, PLACES, READ_ONLY, SHARE

BASE = f'/servicesNS/nobody/{APP}/storage/collections/data/'


class Caller:
    """Calls a door of the store with a token."""

    def __init__(self, door, token, seconds=5):
        self._door, self._seconds = door, seconds
        self.token = token

    def __call__(self, method, path, body=None, **args):
        """(status, parsed body); (None, None) without an answer."""
        query = '?' + urllib.parse.urlencode(args) if args else ''
        connection = http.client.HTTPConnection('127.0.0.1', self._door.port, timeout=self._seconds)
        try:
            connection.request(method, BASE + path + query, None if body is None else json.dumps(body),
                               {'Authorization': f'Bearer {self.token}', 'Content-Type': 'application/json'})
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            return None, None
        finally:
            connection.close()
        return answer.status, json.loads(data) if data[:1] in (b'[', b'{') else data.decode()


class Facts:
    """A mixin for a TestCase with make_engine(), which is called once."""

    @classmethod
    def setUpClass(cls):
        cls.engine = cls.make_engine()
        cls.addClassCleanup(cls.engine.close)

    def setUp(self):
        self.world = SharedWorld(tls=False, engine=self.engine)
        self.addCleanup(self.world.close)
        self.addCleanup(setattr, self.engine, 'lag', 0)
        self.store = self.world.store
        self.token = self.store.token()
        self.one, self.two = (Caller(self.world[name].store, self.token) for name in ('hf1', 'hf2'))

    def keys(self, call, collection=SHARE):
        """Of the records that a read shows."""
        return {row['_key'] for row in call('GET', collection)[1]}

    @pytest.mark.promise('Sharing', 'Of those who insert a record under one key, the store takes one')
    def test_one_of_many(self):
        """Whoever else inserts a taken key is refused, also while it is not shown yet, and nothing is overwritten."""
        for number in range(8):
            answers, key = {}, f'default.table.{number:012}'

            def insert(name, key=key, answers=answers):
                call = self.one if name % 2 else self.two
                answers[name] = call('POST', SHARE, {'_key': key, 'group': 'default', 'number': 1, 'id': str(name)})[0]
            threads = [threading.Thread(target=insert, args=(name,)) for name in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(answers.values()), [201] + [409] * 7)
            winner = next(str(name) for name, status in answers.items() if status == 201)
            self.assertEqual(self.store.records()[key]['id'], winner)

    def test_writes(self):
        """Batches replace, queries and deletes concern what they name, types are enforced."""
        one, table = self.one, {'_key': 'a', 'group': 'g', 'kind': 'table', 'number': 1, 'text': '{}'}
        steps = (
            (one('POST', SHARE, table), (201, {'_key': 'a'})),
            (one('POST', SHARE + '/batch_save', [{'_key': 'a', 'kind': 'x'}, {'_key': 'b', 'number': 7}]),
             (200, ['a', 'b'])),
            (one('POST', SHARE + '/b', {'number': 8}), (200, {'_key': 'b'})),
            (one('POST', SHARE + '/c', {'number': 8})[0], 404),
            (one('POST', SHARE, {'_key': 'd', 'number': 'many'})[0], 400),
            (one('POST', SHARE + '/batch_save', [{'_key': 'd'}, {'_key': 'e', 'number': True}])[0], 400),
            (one('POST', SHARE + '/batch_save', [{'_key': str(number)} for number in range(1001)])[0], 400),
            (one('DELETE', SHARE + '/c')[0], 404),
            (self.store.records(), {'a': {'_key': 'a', '_user': 'nobody', 'kind': 'x'},
                                    'b': {'_key': 'b', '_user': 'nobody', 'number': 8}}))
        for number, (found, expected) in enumerate(steps):
            with self.subTest(number):
                self.assertEqual(found, expected)
        wait_for(lambda: self.keys(one) == {'a', 'b'}, 5, 'the batch to be shown')
        self.assertEqual(one('POST', SHARE + '/batch_find', [{'query': {'kind': 'x'}}, {'query': {'number': 1}}]),
                         (200, [[self.store.records()['a']], []]))
        self.assertEqual(one('DELETE', SHARE, query='{"number": 8}')[0], 200)
        self.assertEqual(set(self.store.records()), {'a'})
        one('POST', PLACES, {'_key': 'p'})
        self.assertEqual(one('DELETE', SHARE)[0], 200)
        self.assertEqual((self.store.records(), set(self.store.records(PLACES))), ({}, {'p'}))

    @pytest.mark.promise('Sharing', 'A read that shows a write shows every write before it')
    def test_order(self):
        """In both collections together, while the node that is asked is behind."""
        self.engine.lag = 0.2
        over = threading.Event()

        def write():
            for number in range(1, 100):
                self.one('POST', PLACES + '/batch_save', [{'_key': 'n', 'number': number}])
                self.one('POST', SHARE + '/batch_save', [{'_key': 'n', 'number': number}])
                time.sleep(0.01)
            over.set()
        threading.Thread(target=write, daemon=True).start()
        seen, last = set(), 0
        while not over.is_set() or last < 99:
            shown = next((row['number'] for row in self.two('GET', SHARE)[1]), 0)
            before = next((row['number'] for row in self.two('GET', PLACES)[1]), 0)
            self.assertLessEqual(last, shown, 'never back')
            self.assertLessEqual(shown, before, 'the earlier write is missing')
            last = shown
            seen.add(shown)
        self.assertGreater(len(seen), 3)

    def test_old_reads(self):
        """A node that is behind shows the past, and the store refuses a taken key all the same."""
        self.engine.lag = 1
        time.sleep(0.1)     # a server that others wrote reads its settings again
        self.assertEqual(self.one('POST', SHARE, {'_key': 'a'})[0], 201)
        self.assertEqual(self.keys(self.two), set())
        self.assertEqual(self.two('POST', SHARE, {'_key': 'a'})[0], 409)
        wait_for(lambda: self.keys(self.two) == {'a'}, 10, 'the standby')

    def test_failover(self):
        """What the standby did not have is gone where that can be, and its key is free again."""
        self.one('POST', SHARE, {'_key': 'old'})
        wait_for(lambda: self.keys(self.two) == {'old'}, 10, 'the standby')
        if self.engine.loses:
            self.engine.hold()
        self.assertEqual(self.one('POST', SHARE, {'_key': 'new', 'id': '1'})[0], 201)
        self.engine.failover()
        wait_for(lambda: self.two('GET', SHARE)[0] == 200, 20, 'the store')
        self.assertEqual(self.keys(self.two), {'old'} if self.engine.loses else {'old', 'new'})
        self.assertEqual(self.two('POST', SHARE, {'_key': 'new', 'id': '2'})[0], 201 if self.engine.loses else 409)
        self.assertEqual(self.store.records()['new']['id'], '2' if self.engine.loses else '1')

    def test_no_answer(self):
        """Before the write, after it, and a write that comes true long after its caller gave up."""
        for name, fault, now, later in (('before', reset(), False, False), ('after', reset(after=True), True, True),
                                        ('late', store.late(1.0), False, True)):
            with self.subTest(name):
                rule = self.world.faults.add(fault, match=lambda request: request.method == 'POST', times=1)
                caller = Caller(self.world['hf1'].store, self.token, seconds=0.5)
                self.assertEqual(caller('POST', SHARE, {'_key': name}), (None, None))
                self.assertEqual(name in self.store.records(), now)
                if later:
                    wait_for(lambda key=name: key in self.store.records(), 5, name)
                    self.assertEqual(self.two('POST', SHARE, {'_key': name})[0], 409)
                rule.remove()

    def test_refusals(self):
        """Tokens, rights, the app, a store that starts or is upgraded."""
        kvstore, insert = self.store.kvstore, ('POST', SHARE, {'_key': 'x'})
        ended, revoked = self.store.token(ends_s=-1), self.store.token()
        self.store.revoke(revoked)
        for name, token, owner, attribute, value, read, write in (
                ('no token', '', None, '', None, 401, 401), ('ended', ended, None, '', None, 401, 401),
                ('revoked', revoked, None, '', None, 401, 401),
                ('session key', self.store.session_key, None, '', None, 401, 401),
                ('no read', self.token, self.store, 'readable', False, 403, None),
                ('no write', self.token, self.store, 'writable', False, None, 403),
                ('no app', self.token, self.store, 'installed', False, 404, 404),
                ('starts', self.token, kvstore, 'down', INITIALIZING, 503, 503),
                ('read only', self.token, kvstore, 'read_only', READ_ONLY, None, 503)):
            with self.subTest(name):
                self.one.token, before = token, owner and getattr(owner, attribute)
                if owner:
                    setattr(owner, attribute, value)
                self.assertEqual(self.one('GET', SHARE)[0], read or 200)
                self.assertEqual(self.one('POST', SHARE + '/batch_find', [{'query': {}}])[0], read or 200)
                self.assertEqual(self.one(*insert)[0], write or 201)
                if owner:
                    setattr(owner, attribute, before)
                self.store.kvstore.records(SHARE, APP)
                self.one.token = self.token
                self.one('DELETE', SHARE)

    def test_cut_links(self):
        """Of one forwarder alone, in each way."""
        self.one('POST', SHARE, {'_key': 'a'})
        short = Caller(self.world['hf1'].store, self.token, seconds=0.5)
        for how, arrives in (('refused', False), ('silent', False), ('answers', True)):
            with self.subTest(how):
                self.world['hf1'].cut('store', how)
                self.assertEqual(short('POST', SHARE, {'_key': how}), (None, None))
                self.assertEqual(self.two('GET', SHARE)[0], 200)
                self.world['hf1'].mend('store')
                self.assertEqual(self.one('GET', SHARE)[0], 200)
                self.assertEqual(how in self.store.records(), arrives)
