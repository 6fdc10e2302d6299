"""The stand-in of splunkd as Splunk's own client sees it (splunklib.client of splunk-sdk), and the same calls made by
the program."""
import hashlib
import json
import os
import re
import time
import unittest
from unittest import mock
from urllib.parse import parse_qsl, unquote

from splunklib import client
from splunklib.binding import AuthenticationError, HTTPError
from world import atom, httpd, splunkd
from world.runner import call, wait_for
from world.splunkd import APP, KIND, MASK, STATE
from world.world import World

# Names and secrets with every sign that has a meaning on the way: in ids, paths, forms, XML, JSON, CSV.
ODD = ('plain', 'a:b', ':a:', 'a%b', '100%', 'a%2Fb', 'a%3Ab', 'a/b', '/a', 'a/b/c', 'a"b', "a'b", 'a\\b', '\\a',
       'a\\:b', 'a b', '  a  ', 'a+b', 'a&b=c', 'a?b', 'a#b', '<a>&amp;', 'a;b,c', 'a$b', '*', 'ü/ß', '日本', '😀',
       '!@#$%^&*()_+{}:|<>?')
# Of several at a time: `import` trims a name, and in links splunkd writes a/b as it writes a%2Fb.
TOGETHER = tuple(text for text in ODD if text == text.strip() and '%2F' not in text)


class WithClient(unittest.TestCase):
    """One world for the tests of a class, which clean up after themselves."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.splunkd = cls.world.splunkd

    @classmethod
    def tearDownClass(cls):
        problems = cls.world.problems()
        cls.world.close()
        assert not problems, problems

    def connect(self, world=None, **how):
        """A client that has signed in."""
        world = world or self.world
        context = world.authority.client_context()
        context.check_hostname = False      # splunkd's certificate has no address, as shipped
        how = {'username': 'admin', 'password': 'changeme', 'owner': 'nobody', 'app': APP, **how}
        return client.connect(host='127.0.0.1', port=world.splunkd.service.port, verify=True, context=context, **how)

    def refused(self, status, call, *arguments, **how):
        """The call ends with that status; returns splunkd's sentence."""
        with self.assertRaises(HTTPError) as caught:
            call(*arguments, **how)
        self.assertEqual(caught.exception.status, status)
        return str(caught.exception)


class SignIn(WithClient):
    """Sessions, and what the server says of itself."""

    def test_name_and_password(self):
        self.assertEqual(len(self.connect().storage_passwords), 0)
        with self.assertRaises(AuthenticationError):
            self.connect(password='wrong')
        with self.assertRaises(AuthenticationError):
            self.connect(username='nobody')
        self.assertEqual(len(self.connect(basic=True).storage_passwords), 0)
        with self.assertRaises(AuthenticationError):
            self.connect(basic=True, password='wrong').storage_passwords.list()

    def test_the_key_that_an_input_gets(self):
        service = self.connect(username=None, password=None, token=self.splunkd.session_key)
        self.assertEqual(service.info['mode'], 'normal')

    def test_a_dead_session(self):
        dead = self.connect()
        renewing = self.connect(autologin=True)
        for service in (dead, renewing):
            service.storage_passwords.list()
        self.splunkd.new_session()
        with self.assertRaises(AuthenticationError):
            dead.storage_passwords.list()
        with self.assertRaises(AuthenticationError):
            dead.inputs.list()
        self.assertEqual(renewing.storage_passwords.list(), [])

    def test_info(self):
        service = self.connect()
        info = service.info
        self.assertEqual((info['serverName'], info['product_type'], info['isFree']), ('test', 'enterprise', '0'))
        self.assertIn('kv_store', info['server_roles'])
        self.assertGreaterEqual(service.splunk_version, (9, 0))

    def test_both_kinds_of_connection(self):
        """The client asks for the end of the connection, and reads the answer either way."""
        for wanted in ('Close', 'Keep-Alive'):
            service = self.connect(headers=[('Connection', wanted)])
            answer = service.get('/services/server/info')
            headers = {name.lower(): value for name, value in answer.headers}
            self.assertEqual(headers['connection'].lower(), wanted.lower())
            self.assertIn(b'server-info', answer.body.read())
            answer.body.close()
            self.assertEqual(service.info['version'].count('.'), 2)

    def test_a_server_that_does_not_help(self):
        service = self.connect()
        self.splunkd.starting(60)
        self.assertIn('starting', self.refused(503, service.storage_passwords.list))
        self.splunkd.starting(-1)
        self.splunkd.forbidden = True
        self.addCleanup(setattr, self.splunkd, 'forbidden', False)
        self.assertIn('list_storage_passwords', self.refused(403, service.storage_passwords.list))


class Mistakes(WithClient):
    """A stand-in that differs from splunkd in what the client relies on does not get past it."""

    def test_each_is_found(self):
        self.addCleanup(self.splunkd.passwords.clear)
        self.splunkd.store('a b', 'secret', realm='a:b')
        entry, encode = atom.entry, httpd.Service.encode

        def silent(service, request, response):
            head, body = encode(service, request, response)
            return re.sub(rb'Connection: .*\r\n', b'', head), body

        def changed(**how):
            return mock.patch.object(atom, 'entry', lambda *arguments: {**entry(*arguments), **how})

        def use():
            one, = self.connect().storage_passwords.list()
            self.assertEqual((one.clear_password, one.realm), ('secret', 'a:b'))
            one.update(password='secret')
            self.assertIn('a\\:b:a b:', self.connect().storage_passwords)

        use()
        for mistake in (mock.patch.object(httpd.Service, 'encode', silent), changed(links={}), changed(content={}),
                        changed(acl={'app': 'other', 'owner': 'nobody', 'sharing': 'app'}),
                        mock.patch.object(splunkd, '_identity', lambda key: ''.join(part + ':' for part in key[1:])),
                        mock.patch.object(atom, 'unquote_plus', unquote),
                        mock.patch.object(atom, '_value', lambda _: '')):
            with mistake, self.assertRaises((AssertionError, AttributeError, HTTPError, SyntaxError, TypeError)):
                use()
        use()


class Passwords(WithClient):
    """storage/passwords"""

    def setUp(self):
        self.addCleanup(self.splunkd.passwords.clear)
        self.store = self.connect().storage_passwords

    def test_every_sign(self):
        """As name, as realm and as secret; found, changed and removed in each of the client's ways."""
        for text in ODD:
            with self.subTest(text):
                made = self.store.create(text, text, text)
                self.assertEqual(self.splunkd.passwords, {(APP, text, text): text})
                self.assertEqual((made.username, made.realm, made.clear_password), (text, text, text))
                listed, = self.store.list()
                self.assertEqual((listed.name, listed.username, listed.realm, listed.clear_password),
                                 (made.name, text, text, text))
                self.assertIn(made.name, self.store)
                self.assertEqual(self.store[made.name].clear_password, text)
                listed.update(password='2' + text)
                self.assertEqual(listed.refresh().clear_password, '2' + text)
                self.assertEqual(self.store[made.name[:-1]].name, made.name, 'the last colon may be left out')
                listed.delete()
                self.assertEqual(self.splunkd.passwords, {})
                self.store.create(text, text, text)
                self.store.delete(made.name)
                self.assertEqual(self.splunkd.passwords, {})
                if ':' not in text and '\\' not in text:        # the client does not escape these
                    self.store.create(text, text, text)
                    self.store.delete(text, text)
                    self.assertEqual(self.splunkd.passwords, {})

    def test_ids(self):
        """What Splunk's own tests of the client expect of splunkd."""
        for realm, name, wanted in (
                (None, 'n', ':n:'), ('r', 'n', 'r:n:'), (':r', 'n:', '\\:r:n\\::'), ('\\r', 'n', '\\\\r:n:'),
                ('/r', '/n', '/r:/n:'), ('r:e:', ':u', 'r\\:e\\::\\:u:')):
            made = self.store.create('secret', name, realm)
            self.assertEqual((made.name, made.realm, made.username), (wanted, realm, name))
            made.delete()

    def test_refusals(self):
        self.store.create('s', 'n', 'r')
        self.assertIn('already exists', self.refused(409, self.store.create, 's', 'n', 'r'))
        self.refused(400, self.store.create, '', 'blank', 'r')
        gone = self.store['r:n:']
        gone.delete()
        self.refused(404, gone.update, password='x')
        self.refused(404, gone.delete)
        with self.assertRaises(KeyError):
            self.store.delete('n', 'r')
        self.assertNotIn('r:n:', self.store)
        self.assertEqual(self.splunkd.passwords, {})

    def test_many(self):
        """All are listed although splunkd's own limit is thirty; pages, and a search."""
        for number in range(65):
            self.splunkd.store(f'n{number:02}', f's{number}', hosts=())
        self.splunkd.store('other', 'x', app='other')
        self.assertEqual(len(self.store), 65)
        self.assertEqual(len(self.store.list(count=7)), 7)
        self.assertEqual([one.username for one in self.store.iter(pagesize=20)], [f'n{n:02}' for n in range(65)])
        self.assertEqual([one.username for one in self.store.list(search='n64')], ['n64'])

    def test_the_apps_of_others(self):
        self.splunkd.store('n', 'theirs', app='other', realm='r')
        self.assertEqual(len(self.store), 0)
        theirs = self.connect(app='other').storage_passwords
        self.assertEqual([one.clear_password for one in theirs], ['theirs'])
        self.assertEqual(len(self.connect(app=None, owner=None).storage_passwords), 1)


class Inputs(WithClient):
    """data/inputs"""

    def setUp(self):
        self.addCleanup(self.splunkd.inputs.clear)
        self.inputs = self.connect().inputs

    def test_kinds(self):
        self.assertEqual(self.inputs.kinds, [KIND])
        self.assertEqual(self.inputs.list(KIND), [])
        self.assertEqual(self.inputs.list(), [])

    def test_every_sign(self):
        """As name and as value."""
        for text in ODD:
            with self.subTest(text):
                made = self.inputs.create(text, KIND, filter=text, interval='60')
                self.assertEqual(self.splunkd.inputs, {text: (APP, {'filter': text, 'interval': '60'})})
                self.assertEqual((made.name, made['filter']), (text, text))
                listed, = self.inputs.list(KIND)
                self.assertEqual((listed.name, listed['filter'], listed.access.app), (text, text, APP))
                self.assertEqual(self.inputs[text, KIND]['filter'], text)
                listed.update(filter='2' + text)
                self.assertEqual(listed.refresh()['filter'], '2' + text)
                listed.disable()
                self.assertEqual(listed.refresh()['disabled'], '1')
                self.assertEqual(self.splunkd.stanzas(), {})
                listed.enable()
                self.assertEqual(list(self.splunkd.stanzas()), [f'{KIND}://{text}'])
                self.inputs.delete(text, KIND)
                self.assertEqual(self.splunkd.inputs, {})

    def test_refusals(self):
        self.splunkd.arguments = {'tenant_id'}
        self.splunkd.validate = lambda name, params: None if params.get('tenant_id') else 'no tenant'
        self.addCleanup(setattr, self.splunkd, 'arguments', None)
        self.addCleanup(setattr, self.splunkd, 'validate', None)
        made = self.inputs.create('a', KIND, tenant_id='t')
        self.assertIn('already exists', self.refused(409, self.inputs.create, 'a', KIND, tenant_id='t'))
        self.assertIn('no tenant', self.refused(400, self.inputs.create, 'b', KIND, tenant_id=''))
        self.assertIn('not supported', self.refused(400, made.update, color='red'))
        made.delete()
        self.refused(404, made.update, tenant_id='t')
        for missing in (('a', KIND), ('a', 'other')):
            with self.assertRaises(KeyError):
                self.inputs[missing]
        self.assertEqual(self.splunkd.inputs, {})

    def test_they_live_where_they_were_made(self):
        """In any app; an edit goes there, whichever the client's own is."""
        self.splunkd.add_input('theirs', app='search', filter='x')
        self.assertEqual(self.inputs.list(KIND), [])
        found, = self.connect(app='-').inputs.list(KIND)
        found.update(filter='y')
        self.assertEqual(self.splunkd.inputs, {'theirs': ('search', {'filter': 'y'})})


class Messages(WithClient):
    """messages"""

    def test_every_sign(self):
        self.addCleanup(self.splunkd.messages.clear)
        messages = self.connect().messages
        for text in ODD:
            with self.subTest(text):
                made = messages.create(text, value=text, severity='warn', capability=f'edit_modinput_{KIND}')
                self.assertEqual((made.name, made.value, made['severity']), (text, text, 'warn'))
                self.assertEqual([one.name for one in messages], [text])
                messages.create(text, value='again')
                self.assertEqual(messages[text].value, 'again')
                made.delete()
                self.assertEqual(self.splunkd.messages, {})
        self.refused(400, messages.create, 'a', value='b', capability='none')
        self.splunkd.messages.forbidden = True
        self.assertIn('edit_messages', self.refused(403, messages.create, 'a', value='b'))


class KvStore(WithClient):
    """storage/collections"""

    def setUp(self):
        self.splunkd.kvstore.collections.clear()
        self.addCleanup(self.splunkd.kvstore.collections.clear)
        self.service = self.connect()
        self.service.kvstore.create('c', fields={'n': 'number', 'ok': 'bool'})
        self.data = self.service.kvstore['c'].data

    def test_collections(self):
        stores = self.service.kvstore
        self.assertEqual([one.name for one in stores], ['c'])
        self.assertEqual(stores['c'].content['field.n'], 'number')
        stores['c'].update_field('more', 'string')
        stores['c'].update_accelerated_field('by_n', {'n': 1})
        self.assertEqual(stores['c']['field.more'], 'string')
        self.assertEqual(stores['c'].content['accelerated_fields.by_n'], {'n': 1})
        self.refused(409, stores.create, 'c')
        self.assertNotIn('none', stores)
        stores['c'].delete()
        self.assertEqual(list(stores), [])
        self.refused(404, self.data.query)

    def test_every_sign(self):
        """In a key and in a value."""
        for text in ODD:
            with self.subTest(text):
                self.assertEqual(self.data.insert({'_key': text, 'v': text}), {'_key': text})
                self.assertEqual(self.data.query_by_id(text), {'_key': text, '_user': 'nobody', 'v': text})
                self.assertEqual(self.data.query(query={'v': text}), [self.data.query_by_id(text)])
                self.assertEqual(self.data.update(text, {'w': text}), {'_key': text})
                self.assertEqual(self.splunkd.kvstore.records('c', APP),
                                 {text: {'_key': text, '_user': 'nobody', 'w': text}}, 'replaced, not merged')
                self.data.delete_by_id(text)
                self.assertEqual(self.data.query(), [])

    def test_queries(self):
        self.data.batch_save(*({'_key': f'k{n}', 'n': str(n), 'half': n % 2, 'at': {'h': n // 4}} for n in range(10)))

        def keys(wanted, **how):
            return ''.join(row['_key'][1:] for row in self.data.query(query=wanted, sort='n', **how))

        for wanted, found in (
                ({}, '0123456789'), ({'n': 3}, '3'), ({'n': {'$gt': 7}}, '89'), ({'n': {'$gte': 7, '$lt': 9}}, '78'),
                ({'n': {'$lte': 1}}, '01'), ({'half': {'$ne': 0}}, '13579'), ({'at.h': 2}, '89'),
                ({'$or': [{'n': 1}, {'$and': [{'half': 0}, {'n': {'$gt': 6}}]}]}, '18'),
                ({'$not': {'half': 1}}, '02468'), ({'_key': {'$regex': '[25]$'}}, '25'), ({'none': 1}, ''),
                ({'n': '3'}, ''), ({'n': {'$gt': 'a'}}, '')):
            with self.subTest(wanted):
                self.assertEqual(keys(wanted), found)
        self.assertEqual(keys({}, skip=2, limit=3), '234')
        rows = self.data.query(sort='half:-1,n:-1', limit=2, fields='n,_key:0')
        self.assertEqual(rows, [{'n': 9}, {'n': 7}])
        self.assertEqual(self.data.query(query={'n': 1}, fields='at:0,_user:0'), [{'_key': 'k1', 'n': 1, 'half': 1}])
        self.refused(400, self.data.query, query={'n': {'$near': 1}})
        found = self.data.batch_find({'query': {'half': 1}}, {'query': {'n': 0}})
        self.assertEqual([len(rows) for rows in found], [5, 1])
        self.data.delete(json.dumps({'half': 1}))
        self.assertEqual(keys({}), '02468')
        self.data.delete()
        self.assertEqual(self.data.query(), [])

    def test_batches(self):
        """They insert and replace; none is taken that is too large."""
        made = self.data.insert({'n': 1})['_key']
        keys = self.data.batch_save({'_key': made, 'n': 2}, {'n': 3}, {'_key': 'own', 'n': 4})
        self.assertEqual((keys[0], keys[2], len(keys[1]) > 8), (made, 'own', True))
        self.assertEqual(sorted(row['n'] for row in self.data.query()), [2, 3, 4])
        self.assertIn('max_documents_per_batch_save=1000',
                      self.refused(400, self.data.batch_save, *({'n': 0} for _ in range(1001))))
        self.assertEqual(len(self.data.query()), 3)

    def test_refusals(self):
        self.data.insert({'_key': 'a', 'n': 1})
        self.assertIn('already exists', self.refused(409, self.data.insert, {'_key': 'a', 'n': 2}))
        for missing in (lambda: self.data.query_by_id('b'), lambda: self.data.update('b', {'n': 1}),
                        lambda: self.data.delete_by_id('b')):
            self.refused(404, missing)
        for wrong in (lambda: self.data.insert('no JSON'), lambda: self.data.update('a', '[]'),
                      lambda: self.data.batch_save('no object')):
            self.refused(400, wrong)
        self.splunkd.kvstore.down = 'KV Store initialization has not completed yet.'
        self.addCleanup(setattr, self.splunkd.kvstore, 'down', None)
        self.assertIn('initialization', self.refused(503, self.data.query))
        self.splunkd.kvstore.down = None
        self.splunkd.new_session()
        with self.assertRaises(AuthenticationError):
            self.data.query()
        self.assertEqual(self.splunkd.kvstore.records('c', APP)['a']['n'], 1)

    def test_owners_are_apart(self):
        self.data.insert({'_key': 'a', 'whose': 'all'})
        mine = self.connect(owner='admin')
        mine.kvstore_owner = 'admin'
        data = client.KVStoreCollectionData(mine.kvstore['c'])
        data.owner, data.sharing = 'admin', 'user'
        data.insert({'_key': 'a', 'whose': 'mine'})
        self.assertEqual([row['whose'] for row in [*self.data.query(), *data.query()]], ['all', 'mine'])


class Alike(WithClient):
    """The program and the client do the same, and each finds what the other did."""

    def setUp(self):
        self.addCleanup(self.splunkd.inputs.clear)
        self.addCleanup(self.splunkd.passwords.clear)

    def rows(self, world=None, **columns):
        """The parameters of an input for each odd name; the secret has all the signs, too."""
        world = world or self.world
        app = world.shared_app()
        app.secrets = {'\\'.join(ODD): None}
        for number, name in enumerate(TOGETHER):
            tenant = world.microsoft.tenant(f'customer{number}', app)
            yield {'name': name, **world.params(tenant, 'graph', client_secret='\\'.join(ODD), **columns)}

    def write(self, rows, key=None):
        """Hand the rows to the program; returns its answer."""
        path = os.path.join(self.world.home.path, 'customers.csv')
        quoted = [['"' + text.replace('"', '""') + '"' for text in row.values()] for row in rows]
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write('\r\n'.join(','.join(row) for row in [list(rows[0]), *quoted]) + '\r\n')
        return call(self.world.home, 'import', path, '--server-uri', self.splunkd.url,
                    stdin=(key or self.splunkd.session_key).encode())

    def state(self):
        """All inputs and passwords, as the client lists them."""
        service = self.connect(app='-')
        return ({one.name: (one.access.app, dict(one.content)) for one in service.inputs.list(KIND, count=-1)},
                {one.name: (one.realm, one.username, one.clear_password)
                 for one in self.connect().storage_passwords})

    def test_what_the_program_writes(self):
        """Inputs of every name and the secret: the client lists them, and makes the same ones in the same place."""
        rows = list(self.rows())
        done = self.write(rows)
        self.assertIn(f'{len(TOGETHER)} created, 0 updated, 0 unchanged, 0 refused', done.out, done.err)
        inputs, passwords = self.state()
        self.assertEqual(set(inputs), set(TOGETHER))
        secret, note = [secret for *_, secret in passwords.values()]
        self.assertEqual(secret, '\\'.join(ODD))
        self.assertTrue(note.startswith(f'{APP} hosts {hashlib.sha256(secret.encode()).hexdigest()} https://'), note)
        self.assertEqual(inputs, self.splunkd.inputs)
        self.assertEqual(passwords, {f'{realm}:{name}:': (realm, name, secret) for (_, realm, name), secret
                                     in self.splunkd.passwords.items()})
        self.splunkd.inputs.clear()
        self.splunkd.passwords.clear()
        service = self.connect()
        for realm, name, text in passwords.values():
            service.storage_passwords.create(text, name, realm)
        for row in rows:
            service.inputs.create(row['name'], KIND, **{key: text for key, text in row.items()
                                                        if key not in ('name', 'client_secret')})
        self.assertEqual(self.state(), (inputs, passwords))

    def test_what_the_client_wrote(self):
        """The program finds nothing to do, and each one's edit is what the other sees."""
        rows = list(self.rows())
        self.write(rows)
        before = self.state()
        self.assertIn(f'{len(TOGETHER)} unchanged', self.write(rows).out)
        service = self.connect()
        for one in service.inputs.list(KIND, count=-1):
            one.update(poll_interval='77')
        edited = self.state()
        self.assertIn(f'{len(TOGETHER)} unchanged', self.write([dict(row, poll_interval='77') for row in rows]).out)
        self.assertIn(f'{len(TOGETHER)} updated', self.write(rows).out)
        self.assertEqual(self.state(), before)
        self.assertIn(f'{len(TOGETHER)} updated', self.write([dict(row, poll_interval='77') for row in rows]).out)
        self.assertEqual(self.state(), edited)

    def test_the_state(self):
        """The records that the program writes are what the client reads, and its calls are those of the client."""
        self.splunkd.kvstore.collections.clear()
        self.splunkd.kvstore.collection(STATE, APP)
        self.addCleanup(self.splunkd.kvstore.collections.clear)
        self.addCleanup(self.splunkd.inputs.clear)
        seen = []

        def keep(request, answer):
            response = answer()
            seen.append((request.method, request.target.partition('?'), request.body, response.status))
            return response
        rule = self.world.faults.add(keep, service='splunkd', kind='kvstore')
        self.addCleanup(rule.remove)
        for name in TOGETHER:
            self.world.customer(name)
        data = self.connect().kvstore[STATE].data
        records = self.splunkd.kvstore.records(STATE, APP)
        data.insert(json.dumps({'_key': 'gone', 'input': 'gone', 'forwarder': 'test', 'updated': time.time()}))
        self.world.start()
        wait_for(lambda: 'gone' not in records and {record.get('condition') for record in records.values()} ==
                 {'no alert yet'}, 30, self.world.program.tail)
        self.world.program.terminate()
        self.assertEqual({row['input'] for row in data.query()}, set(TOGETHER))
        self.assertEqual(data.query(query={'_key': {'$regex': '^a%25b$'}}, fields='input'),
                         [{'_key': 'a%25b', 'input': 'a%b'}])
        rule.remove()
        mine = [call for call in seen if 'output_mode=json' in call[1][2]]
        seen.clear()
        rule = self.world.faults.add(keep, service='splunkd', kind='kvstore')
        rows = data.query(sort='_key', limit=100, fields=dict(parse_qsl(mine[0][1][2]))['fields'])
        data.batch_save(*({**row, 'n': 1} for row in rows))
        data.delete(json.dumps({'_key': 'gone'}))
        for method, (path, _, query), body, status in seen[-3:]:
            with self.subTest(method=method, path=path):
                alike = [(dict(parse_qsl(call[1][2])), call[2][:2]) for call in mine
                         if (call[0], call[1][0], call[3]) == (method, path.rstrip('/'), status)]
                self.assertTrue(alike)
                self.assertIn((sorted(dict(parse_qsl(query))), body[:2]),
                              [(sorted(set(options) - {'output_mode', 'skip'}), begin) for options, begin in alike])

    def test_secrets(self):
        """One in clear goes to the store, from which the client reads it; one that the client puts there is used,
        if the note that binds it to its hosts is put there, too."""
        app = self.world.microsoft.tenant('contoso').app
        for text in ODD:
            app.secrets[f'secret {text}'] = None
        feed = self.world.customer('contoso', stored=False, client_secret='secret ' + ODD[-1])
        feed.publish(1)
        program = self.world.start()
        program.wait_events(1)
        name = f'client_secret.{app.client_id}'
        stored = self.connect().storage_passwords[f'{APP}:{name}:']
        self.assertEqual((stored.realm, stored.username, stored.clear_password), (APP, name, 'secret ' + ODD[-1]))
        program.terminate()
        self.world.splunkd.inputs['contoso'][1]['client_secret'] = MASK
        note = self.connect().storage_passwords[f'{APP}:{name}.hosts:']
        for count, text in enumerate(ODD[:3] + ODD[-2:], 2):
            with self.subTest(text):
                stored.update(password='secret ' + text)
                digest = hashlib.sha256(f'secret {text}'.encode()).hexdigest()
                note.update(password=f'{APP} hosts {digest} {" ".join(self.world.splunkd.hosts)}')
                app.secrets = {'secret ' + text: None}
                feed.publish(1)
                self.world.start().wait_events(1)
                self.world.program.terminate()
                self.assertEqual(len(self.world.events()), count)

    def test_the_same_answers(self):
        """Every call of the program, made again by the client: the same status and the same answer."""
        seen = []

        def keep(request, answer):
            response = answer()
            seen.append((request.method, request.target, request.form, response.status, response.body))
            return response

        rule = self.world.faults.add(keep, service='splunkd')
        self.write(list(self.rows()))
        self.write([dict(row, poll_interval='9') for row in self.rows()])
        self.write(list(self.rows()))
        rule.remove()
        self.assertGreater(len(seen), 3 * len(TOGETHER))
        self.splunkd.inputs.clear()
        self.splunkd.passwords.clear()
        service = self.connect()
        for method, target, form, status, body in seen:
            path, _, query = target.partition('?')
            try:
                answer = service.request(client.UrlEncoded(f'{path}?{query}', skip_encode=True), method,
                                         body=form if method == 'POST' else '')
                found = answer.status, answer.body.read()
            except HTTPError as error:
                found = error.status, error.body
            # The client leaves the port out of the Host header, from which splunkd has the address in its ids.
            port = f':{self.splunkd.service.port}'.encode()
            self.assertEqual((found[0], json.loads(found[1])), (status, json.loads(body.replace(port, b''))), target)

    def test_refusals(self):
        """What the client learns by an exception, the program says."""
        rows = list(self.rows())[:1]
        for status in (401, 403):
            service, key = self.connect(), self.splunkd.session_key
            self.splunkd.forbidden = status == 403
            if status == 401:
                self.splunkd.new_session()
            try:
                with self.assertRaises((AuthenticationError, HTTPError)) as caught:
                    service.storage_passwords.list()
                self.assertIn(str(status), str(caught.exception.__context__ or caught.exception))
                done = self.write(rows, key=key)
                self.assertEqual(done.code, 1)
                self.assertIn(str(status), done.out + done.err)
            finally:
                self.splunkd.forbidden = False
        self.assertEqual(self.splunkd.inputs, {})


if __name__ == '__main__':
    unittest.main()
