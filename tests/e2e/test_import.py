"""`import`: many inputs from a CSV file, secrets into the store, safe to run again."""
import os
import unittest

import checks
from world import faults
from world.runner import call
from world.world import World


class Import(unittest.TestCase):
    def run_csv(self, world, text, *arguments, key=None):
        path = os.path.join(world.home.path, 'customers.csv')
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
        key = world.splunkd.session_key if key is None else key
        return call(world.home, 'import', path, '--server-uri', world.splunkd.url, *arguments, stdin=key.encode())

    def table(self, world, names, **columns):
        """CSV text of tenants that share one app."""
        app = world.shared_app()
        rows = []
        for name in names:
            tenant = world.microsoft.tenant(name, app)
            rows.append(world.params(tenant, 'graph', **columns) | {'name': name})
        quoted = [['"' + row.get(column, '').replace('"', '""') + '"' for column in rows[0]] for row in rows]
        return '\r\n'.join([','.join(rows[0])] + [','.join(row) for row in quoted]) + '\r\n'

    def test_creates_then_leaves_alone_then_updates(self):
        with World() as world:
            text = self.table(world, ['contoso', 'fabrikam', 'with blank/and slash'], index='main')
            secret = world.shared_app().secret
            dry = self.run_csv(world, text, '--dry-run')
            self.assertEqual((dry.code, dry.err, world.splunkd.inputs), (0, '', {}))
            self.assertIn('3 would be created', dry.out)
            self.assertEqual(world.splunkd.passwords, {})
            done = self.run_csv(world, text)
            self.assertEqual((done.code, done.err), (0, ''))
            self.assertIn('3 created, 0 updated, 0 unchanged, 0 refused', done.out)
            self.assertEqual(sorted(world.splunkd.inputs), ['contoso', 'fabrikam', 'with blank/and slash'])
            self.assertEqual(list(world.splunkd.secrets().values()), [secret])
            self.assertEqual(checks.in_bytes(repr(world.splunkd.inputs).encode() + done.out.encode(), [secret]), [])
            self.assertEqual(world.splunkd.inputs['contoso'][1]['index'], 'main')
            before = len(world.splunkd.log)
            again = self.run_csv(world, text)
            self.assertIn('0 created, 0 updated, 3 unchanged, 0 refused', again.out)
            self.assertEqual({entry.method for entry in list(world.splunkd.log)[before:]}, {'GET'})
            changed = self.run_csv(world, text.replace('"1"', '"7"', 1))
            self.assertRegex(changed.out, r'contoso +updated: poll_interval')
            self.assertEqual(world.splunkd.inputs['contoso'][1]['poll_interval'], '7')

    def test_what_is_created_collects(self):
        with World() as world:
            feeds = [world.microsoft.tenant(name, world.shared_app()).feed('graph') for name in ('a', 'b')]
            for feed in feeds:
                feed.publish(3)
            done = self.run_csv(world, self.table(world, ['a', 'b']))
            self.assertEqual(done.code, 0, done.out + done.err)
            world.start().wait_events(6)

    def test_a_refresh_token_that_was_renewed_stays(self):
        with World() as world:
            tenant = world.microsoft.tenant('a', world.shared_app())
            token = world.microsoft.identity.new_refresh_token(tenant)
            text = self.table(world, ['a'], refresh_token=token, proxy='http://joe:pa.ss@127.0.0.1:1')
            self.assertEqual(self.run_csv(world, text).code, 0)
            name = f'refresh_token.{tenant.id}.{tenant.app.client_id}'
            self.assertEqual(world.splunkd.password(name), token)
            self.assertEqual(world.splunkd.password('proxy_password.a'), 'pa.ss')
            self.assertEqual(world.splunkd.inputs['a'][1]['proxy'], 'http://joe:********@127.0.0.1:1')
            world.splunkd.store(name, 'renewed')
            self.assertIn('1 unchanged', self.run_csv(world, text).out)
            self.assertEqual(world.splunkd.password(name), 'renewed')

    def test_rows_that_cannot_be_taken_do_not_hold_up_the_others(self):
        with World() as world:
            text = self.table(world, ['good', 'bad', 'short', 'good'])
            lines = text.split('\r\n')
            lines[2] = lines[2].replace(world.microsoft.tenant('bad').id, 'no tenant')
            lines[3] = lines[3].rpartition(',')[0]
            done = self.run_csv(world, '\r\n'.join(lines))
            self.assertEqual(done.code, 1)
            self.assertIn('1 created, 0 updated, 0 unchanged, 3 refused', done.out)
            self.assertRegex(done.out, r'line 3 .*refused: tenant_id')
            self.assertRegex(done.out, r'line 4 .*refused: the row has')
            self.assertRegex(done.out, r'line 5 .*refused: another row')
            self.assertEqual(list(world.splunkd.inputs), ['good'])

    def test_a_contradiction_is_refused_at_each_run(self):
        """Two secrets for one app: the second run must not take what the first refused."""
        with World() as world:
            lines = self.table(world, ['first', 'second']).split('\r\n')
            secret = world.shared_app().secret
            lines[2] = lines[2].replace(secret, 'another~secret')
            for done, counts in ((self.run_csv(world, '\r\n'.join(lines)), '1 created, 0 updated, 0 unchanged'),
                                 (self.run_csv(world, '\r\n'.join(lines)), '0 created, 0 updated, 1 unchanged')):
                self.assertEqual(done.code, 1)
                self.assertIn(counts + ', 1 refused', done.out)
                self.assertRegex(done.out, r'line 3 .*refused: client_secret differs from the one in line 2')
                self.assertEqual(list(world.splunkd.secrets().values()), [secret])

    def test_a_store_that_refuses_leaves_no_input_without_its_secret(self):
        with World() as world:
            world.faults.add(faults.status(403), service='splunkd', kind='passwords',
                             match=lambda request: request.method == 'POST')
            done = self.run_csv(world, self.table(world, ['a']))
            self.assertEqual((done.code, world.splunkd.inputs), (1, {}))
            self.assertIn('403', done.out)

    def test_files_that_make_no_sense(self):
        with World() as world:
            cases = {'': 'empty', 'name,client_id\n': 'no column tenant_id', 'name,tenant_id,client_id,x\n': "'x'",
                     'name,tenant_id,client_id,name\n': 'twice', 'name,tenant_id,client_id\n"a': 'line 2',
                     'name,tenant_id,client_id,authorization_code\n': 'sign-in --store'}
            for text, wanted in cases.items():
                result = self.run_csv(world, text)
                self.assertEqual((result.code, result.out), (1, ''))
                self.assertRegex(result.err, r'\AERROR .*' + wanted)
            self.assertEqual(self.run_csv(world, 'name,tenant_id,client_id\n', key='').code, 1)
            self.assertEqual(call(world.home, 'import').code, 1)
            self.assertEqual(call(world.home, 'import', '/nonexistent.csv', stdin=b'k').code, 1)
