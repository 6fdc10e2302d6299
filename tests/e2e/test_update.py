"""The alert action: changes one alert or incident at Microsoft, as splunkd runs it."""
import json
import os
import subprocess
import threading

import pytest
from cases import DeliveryCase
from world import faults
from world.httpd import Response
from world.runner import binary, call, wait_for

PERMISSION = {'graph': 'SecurityAlert.ReadWrite.All', 'incidents': 'SecurityIncident.ReadWrite.All'}


class UpdateCase(DeliveryCase):
    """A customer who allows updates, and the action's payload."""

    def allowed(self, world, name='c', api='graph', **params):
        """A customer with the permission; returns its feed."""
        feed = world.customer(name, api=api, **{'allow_update': 'yes', 'poll_interval': '1', 'index': 'soc', **params})
        feed.tenant.app.writes.add(PERMISSION[api])
        return feed

    def run_action(self, world, result=None, **configuration):
        """Run it; returns the result of the process."""
        payload = {'server_uri': world.splunkd.url, 'session_key': world.splunkd.session_key, 'owner': 'analyst',
                   'app': 'search', 'search_name': 'Close what is noise', 'sid': 'scheduler__1',
                   'configuration': {'customer': 'c', **configuration}, 'result': result or {}}
        run = os.path.join(world.home.path, 'var/run/splunk')
        os.makedirs(run, exist_ok=True)
        lock = os.path.join(run, 'defender_mssp_update.lock')
        if os.path.exists(lock):
            os.utime(lock, (0, 0))          # the pause after the update before is a test of its own
        done = call(world.home, '--execute', stdin=json.dumps(payload).encode(), seconds=60)
        for secret in self.secrets(world):
            self.assertNotIn(secret, done.err + done.out)
        return done

    @staticmethod
    def secrets(world):
        return [world.splunkd.session_key, *world.splunkd.secrets().values()]

    @staticmethod
    def told(world):
        """The result events so far: (query, event)."""
        return [(args, json.loads(text)) for args, text in world.splunkd.received]

    def changes(self, world):
        """(method, status) of what was sent to change something."""
        return [(entry.method, entry.status) for entry in world.microsoft.requests(kind='changes')]


class Updates(UpdateCase):

    @pytest.mark.promise('Updates', 'a change and a comment reach Microsoft, and come back as versions, once')
    def test_change_and_comment(self):
        for api, state in (('graph', 'Resolved'), ('incidents', 'in progress')):
            with self.subTest(api), self.world() as world:
                feed = self.allowed(world, api=api)
                version = feed.publish(2)[0]
                program = world.start()
                program.wait_events(2)
                done = self.run_action(world, id=version.key, status=state, classification='false positive',
                                       determination='not_malicious', assigned_to='soc@example.com',
                                       comment='Seen: "noise" ü')
                self.assertEqual(done.code, 0, done.err)
                self.assertEqual(self.changes(world), [('PATCH', 200), ('POST', 200)])
                said = json.loads(feed.latest(version.key).raw)
                self.assertEqual([said[name] for name in ('status', 'classification', 'determination', 'assignedTo')],
                                 ['resolved' if api == 'graph' else 'inProgress', 'falsePositive', 'notMalicious',
                                  'soc@example.com'])
                self.assertEqual(said['comments'][-1]['comment'], 'Seen: "noise" ü')
                self.assertEqual(len(said['comments']), len(json.loads(version.raw).get('comments') or []) + 1)
                self.exact(world, feed)
                (args, first), (_, second) = self.told(world)
                self.assertEqual((args['index'], args['sourcetype']), ('soc', 'ms:defender:update'))
                self.assertEqual([first[name] for name in ('result', 'action_status', 'customer', 'id', 'http_status',
                                                           'user', 'search_name', 'sid', 'try', 'status')],
                                 ['done', 'success', 'c', version.key, 200, 'analyst', 'Close what is noise',
                                  'scheduler__1', 1, said['status']])
                self.assertEqual((second['comment'], second['result']), ('Seen: "noise" ü', 'done'))
                self.assertRegex(done.err, r'^INFO event=update input="c" kind=\w+ id="[^"]+" result=done step=comment '
                                           'tries=1 ')

    @pytest.mark.promise('Updates', 'bad input is told in one sentence, and nothing is sent')
    def test_bad_input(self):
        rows = ({'id': 'da1', 'status': 'done',
                 'says': "status is 'done'; it should be one of new, inProgress, resolved"},
                {'id': 'da1', 'says': 'there is nothing to change'},
                {'id': '', 'status': 'new', 'says': 'id is empty'},
                {'id': '$result.id$', 'status': 'new', 'says': 'the results of the search have no such field'},
                {'id': 'da1', 'status': 5, 'comment': 'x', 'says': 'status is no text in the JSON'},
                {'id': ['da1'], 'status': 'new', 'says': 'id is no text in the JSON'},
                {'id': 'x/../y', 'status': 'new', 'says': 'an ID has at most'},
                {'id': 'da1', 'kind': 'incident', 'status': 'active', 'says': 'the ID of an incident has digits only'},
                {'id': 'da1', 'kind': 'case', 'status': 'new', 'says': 'it should be alert or incident'},
                {'id': 'da1', 'status': 'new', 'customer': 'nobody', 'says': "no input 'nobody'"},
                {'id': 'da1', 'status': 'new', 'customer': '', 'says': 'customer is empty'},
                {'id': 'da1', 'status': 'new', 'says': 'has no alert with the ID', 'sent': 1},
                {'id': 'da1', 'comment': 'x' * 10001, 'says': 'comment has 10001 bytes'})
        with self.world() as world:
            self.allowed(world)
            for row in rows:
                row = dict(row)
                says, sent = row.pop('says'), row.pop('sent', 0)
                with self.subTest(says):
                    world.splunkd.received.clear()
                    before = len(self.changes(world))
                    done = self.run_action(world, **row)
                    self.assertEqual(done.code, 1)
                    self.assertIn(says, done.err)
                    self.assertEqual(len(done.err.splitlines()), 1, done.err)
                    self.assertEqual(len(self.changes(world)) - before, sent)
                    (_, event), = self.told(world)
                    self.assertEqual(event['result'], 'bad_input')
                    self.assertIn(says.replace('"', "'"), event['why'])
            for stdin in (b'', b'[]', b'{"configuration": {}}', b'\xff'):
                done = call(world.home, '--execute', stdin=stdin)
                self.assertEqual((done.code, len(done.err.splitlines())), (1, 1), done.err)
                self.assertIn('event=update result=bad_input', done.err)

    @pytest.mark.promise('Updates', 'a customer is changed only if its input allows it and its tenant granted it')
    def test_refused(self):
        with self.world() as world:
            feed = self.allowed(world)
            version, = feed.publish(1)
            feed.tenant.app.writes.clear()
            done = self.run_action(world, id=version.key, status='new')
            self.assertIn('the token lacks the permission SecurityAlert.ReadWrite.All', done.err)
            feed.tenant.app.writes.add(PERMISSION['graph'])
            world.splunkd.inputs['c'][1]['allow_update'] = 'no'
            done = self.run_action(world, id=version.key, status='new')
            self.assertIn('set allow_update of the input to yes', done.err)
            for path, capability in (('data/inputs', 'list_inputs'), ('storage/passwords', 'list_storage_passwords')):
                rule = world.faults.add(faults.status(403), service='splunkd', match=lambda request, path=path:
                                        path in request.path)
                world.splunkd.inputs['c'][1]['allow_update'] = 'yes'
                done = self.run_action(world, id=version.key, status='new')
                self.assertIn(f'give it {capability}', done.err)
                rule.remove()
            self.assertEqual(self.changes(world), [])
            self.assertEqual([event['result'] for _, event in self.told(world)], ['refused'] * 4)

    def test_token_without_claims_and_a_refusal(self):
        """The token does not tell; Microsoft does. A 401 is tried with a fresh token, once."""
        with self.world() as world:
            feed = self.allowed(world)
            version, = feed.publish(1)
            world.faults.add(faults.status(401), kind='changes', times=1)
            self.assertEqual(self.run_action(world, id=version.key, status='resolved').code, 0)
            self.assertEqual(self.changes(world), [('PATCH', 401), ('PATCH', 200)])
            world.faults.add(faults.html(200), kind='changes', times=1)     # a proxy's page is no success
            self.assertEqual(self.run_action(world, id=version.key, status='resolved').code, 0)
            self.assertEqual([event['result'] for _, event in self.told(world)[-2:]], ['again', 'done'])
            world.faults.add(faults.status(403), kind='changes')
            done = self.run_action(world, id=version.key, status='new')
            self.assertEqual((done.code, self.told(world)[-1][1]['result']), (1, 'refused'))

    @pytest.mark.promise('Updates', 'a wait that Microsoft asks for is kept; one that is too long ends the action')
    def test_throttled(self):
        with self.world() as world:
            feed = self.allowed(world)
            version, = feed.publish(1)
            world.faults.add(faults.throttled(429, 1), kind='changes', times=1)
            done = self.run_action(world, id=version.key, status='resolved')
            self.assertEqual(done.code, 0, done.err)
            first, second = world.microsoft.requests(kind='changes')
            self.assertGreaterEqual(second.when - first.when, 1)
            self.assertEqual([event['result'] for _, event in self.told(world)], ['again', 'done'])
            world.faults.add(faults.throttled(429, 3000), kind='changes', times=1)
            done = self.run_action(world, id=version.key, status='new')
            self.assertIn('Microsoft allows no more requests for 3000 s; run the action again after that', done.err)
            self.assertEqual(self.told(world)[-1][1]['result'], 'throttled')
            world.faults.add(faults.throttled(503, 3000), kind='changes', times=1)
            done = self.run_action(world, id=version.key, status='new')
            self.assertIn('result=throttled', done.err)

    @pytest.mark.promise('Updates', 'a comment is never added twice')
    def test_comment_with_a_lost_answer(self):
        """The connection ends after the service has done it: whether it has is not known."""
        for fault in (faults.reset(after=True), faults.status(500), faults.html(200), faults.html(503)):
            with self.subTest(fault), self.world() as world:
                feed = self.allowed(world)
                version, = feed.publish(1)
                had = len(json.loads(version.raw).get('comments') or [])
                world.faults.add(fault, kind='changes', match=lambda request: request.method == 'POST')
                done = self.run_action(world, id=version.key, status='resolved', comment='once')
                self.assertEqual(done.code, 1)
                self.assertIn('the comment may have been added or not', done.err)
                self.assertEqual([method for method, _ in self.changes(world)], ['PATCH', 'POST'])
                self.assertLessEqual(len(json.loads(feed.latest(version.key).raw).get('comments') or []), had + 1)
                self.assertEqual(self.told(world)[-1][1]['result'], 'unknown')

    def test_signal_while_a_comment_is_on_its_way(self):
        """Nobody could tell later whether it was added."""
        with self.world() as world:
            feed = self.allowed(world)
            version, = feed.publish(1)
            seen = threading.Event()
            world.faults.add(faults.black_hole(after=True), kind='changes', match=lambda request: seen.set() or True)
            payload = {'server_uri': world.splunkd.url, 'session_key': world.splunkd.session_key,
                       'configuration': {'customer': 'c', 'id': version.key, 'comment': 'once'}}
            with subprocess.Popen([binary(), '--execute'], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=world.home.environment()) as process:
                process.stdin.write(json.dumps(payload).encode())
                process.stdin.close()
                wait_for(seen.is_set)
                process.terminate()
                said = process.stderr.read().decode()
                self.assertEqual(process.wait(10), 1, said)
            self.assertIn('result=unknown step=comment', said)
            (_, event), = self.told(world)
            self.assertEqual(event['result'], 'unknown')
            self.assertIn('the action was stopped', event['why'])

    def test_result_that_cannot_be_told(self):
        """The change is made all the same; one line says what is missing."""
        with self.world() as world:
            feed = self.allowed(world)
            version, = feed.publish(1)
            world.splunkd.receives = False
            done = self.run_action(world, id=version.key, status='resolved', comment='x')
            self.assertEqual(done.code, 0, done.err)
            self.assertEqual(done.err.count('event=update_untold'), 1)
            self.assertIn('edit_tcp', done.err)

    @pytest.mark.promise('Updates', 'a result event is sent again until splunkd takes it, and is there once')
    def test_result_that_is_told_later(self):
        """splunkd turns the first one away. One whose answer is lost may be there, so it is not sent again."""
        with self.world() as world:
            feed = self.allowed(world)
            version, = feed.publish(1)
            rows = ((faults.status(503), 1, 0), (faults.reset(), 0, 1), (faults.reset(after=True), 1, 1))
            for fault, told, untold in rows:
                with self.subTest(fault):
                    world.splunkd.received.clear()
                    world.faults.add(fault, service='splunkd', times=1,
                                     match=lambda request: 'receivers/simple' in request.path)
                    done = self.run_action(world, id=version.key, status='resolved')
                    self.assertEqual(done.code, 0, done.err)
                    self.assertEqual((len(self.told(world)), done.err.count('event=update_untold')), (told, untold))

    def test_fields_of_the_results(self):
        """Where the action names neither, customer and id are those of the first row."""
        with self.world() as world:
            feed = self.allowed(world)
            version, = feed.publish(1)
            row = {'customer': 'defender_alerts://c', 'id': [version.key, 'other']}
            done = self.run_action(world, row, customer='', comment='from the results')
            self.assertEqual(done.code, 0, done.err)
            self.assertEqual(self.changes(world), [('POST', 200)])

    @pytest.mark.promise('Updates', 'updates of one host take turns, two seconds apart')
    def test_turns(self):
        with self.world() as world:
            feed = self.allowed(world)
            version, = feed.publish(1)
            self.run_action(world, id=version.key, status='new')
            lock = os.path.join(world.home.path, 'var/run/splunk/defender_mssp_update.lock')
            payload = {'server_uri': world.splunkd.url, 'session_key': world.splunkd.session_key,
                       'configuration': {'customer': 'c', 'id': version.key, 'status': 'resolved'}}
            self.assertTrue(os.path.exists(lock))
            os.utime(lock)
            done = call(world.home, '--execute', stdin=json.dumps(payload).encode())
            self.assertEqual(done.code, 0, done.err)
            self.assertGreaterEqual(done.seconds, 1.9)


class Hostile(UpdateCase):

    def test_words_of_a_service(self):
        """What Microsoft answers cannot forge a line or a field."""
        body = json.dumps({'error': {'code': 'x" result=done "', 'message': 'a\nERROR event=fatal \u202e"b'}}).encode()
        with self.world() as world:
            feed = self.allowed(world)
            version, = feed.publish(1)
            world.faults.add(lambda request, answer: Response(400, body, kind='application/json'), kind='changes')
            done = self.run_action(world, id=version.key, status='resolved')
            self.assertEqual(len(done.err.splitlines()), 1)
            self.assertIn(' result=bad_input ', done.err)
            self.assertNotIn('\u202e', done.err)
            self.assertEqual(done.err.count('" result=done'), 0, done.err)
