"""`import`: many inputs from a CSV file, secrets into the store, safe to run again."""
import os
import unittest

import checks
import pytest
from test_sign_in import options
from world import faults
from world.runner import call
from world.world import World


def separated(text, sign):
    """The text of table() with another separator."""
    head, end, rows = text.partition('\r\n')
    return head.replace(',', sign) + end + rows.replace('","', f'"{sign}"')


def encoded(text, encoding):
    """The bytes; UTF-16 with a BOM."""
    return (('\ufeff' if encoding.startswith('utf-16') else '') + text).encode(encoding)


class Import(unittest.TestCase):
    def run_csv(self, world, text, *arguments, key=None):
        """Imports a file with this text, or these bytes."""
        path = os.path.join(world.home.path, 'customers.csv')
        with open(path, 'wb', opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(text if isinstance(text, bytes) else text.encode())
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
                     'name,tenant_id,client_id,Name \n': 'twice',
                     'name|tenant_id|client_id': 'line 1: .* is one column; commas, semicolons or tabs',
                     'name,tenant_id,client_id\n"a': 'line 2',
                     'name,tenant_id,client_id,authorization_code\n': 'sign-in --store'}
            for text, wanted in cases.items():
                result = self.run_csv(world, text)
                self.assertEqual((result.code, result.out), (1, ''))
                self.assertRegex(result.err, r'\AERROR .*' + wanted)
            self.assertEqual(self.run_csv(world, 'name,tenant_id,client_id\n', key='').code, 1)
            self.assertEqual(call(world.home, 'import').code, 1)
            self.assertEqual(call(world.home, 'import', '/nonexistent.csv', stdin=b'k').code, 1)

    @pytest.mark.promise('Calls', '`import` takes what Excel saves: UTF-8 or UTF-16, with commas, semicolons or tabs')
    def test_what_excel_saves(self):
        """With the empty rows and columns that it saves too."""
        with World() as world:
            files = {'CSV UTF-8': ('utf-8-sig', ',', ''), 'CSV UTF-8 where commas are decimal': ('utf-8-sig', ';', ''),
                     'Unicode Text': ('utf-16-le', '\t', ''), 'big-endian': ('utf-16-be', ';', ''),
                     'UTF-8': ('utf-8', '\t', ''), 'named': ('utf-8', '|', 'sep=|\r\n')}
            for number, (kind, (encoding, sign, first)) in enumerate(files.items()):
                with self.subTest(kind):
                    names = f'Müller {number} {sign}'.strip(), f'Łódź {number}'
                    lines = separated(self.table(world, names, source='"a,b"'), sign).split('\r\n')[:-1]
                    lines.append(sign * lines[0].count(sign))
                    text = first + ''.join(f'{line}{sign}{sign}\r\n' for line in lines)
                    done = self.run_csv(world, encoded(text, encoding))
                    self.assertEqual((done.code, done.err), (0, ''), done.out)
                    self.assertIn('2 created, 0 updated, 0 unchanged, 0 refused', done.out)
                    self.assertEqual([world.splunkd.inputs[name][1]['source'] for name in names], 2 * ['"a,b"'])
                    self.assertEqual(len({line.index('created') for line in done.out.split('\n')[:2]}), 1, done.out)

    @pytest.mark.promise('Calls', 'A file that `import` cannot read is refused in a sentence that says how to save it')
    def test_files_that_are_no_csv(self):
        with World() as world:
            head = b'name,tenant_id,client_id\r\n'
            cases = {b'': 'the file is empty', b'\xef\xbb\xbf': 'the file is empty',
                     b'\xff\xfe': 'the file is empty', b'\r\n\r\n': 'the file is empty',
                     head + 'Müller,'.encode('cp1252'): "line 2, column name: .*code page of Windows.*'CSV UTF-8",
                     head + b'a,' + 'Łódź,'.encode('cp1250'): "line 2, column tenant_id: .*'CSV UTF-8",
                     b'PK\x03\x04\x14\0\x06\0': r"Excel workbook \(.xlsx\).*'CSV UTF-8",
                     b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0': r"Excel workbook \(.xls\).*'CSV UTF-8",
                     head + b'a\0,b': "line 2: the file has zero bytes.*'CSV UTF-8",
                     head.decode().encode('utf-16-le'): "line 1: the file has zero bytes.*'CSV UTF-8",
                     b'\xff\xfe' + head.decode().encode('utf-16-le') + b'a': "line 2: .*UTF-16.*'CSV UTF-8",
                     head + b'a,b,"c\nd': 'line 2, column client_id: a quoted field is not closed',
                     head + b'a,b"c,d': 'line 2, column tenant_id: a quote is inside'}
            for data, wanted in cases.items():
                with self.subTest(data):
                    done = self.run_csv(world, data)
                    self.assertEqual((done.code, done.out, done.err.count('\n')), (1, '', 1))
                    self.assertRegex(done.err, r'\AERROR ' + ('' if wanted.startswith('line') else '.*') + wanted)
            self.assertEqual(len(world.splunkd.log), 0)

    def test_rows_that_do_not_fit_the_header(self):
        with World() as world:
            lines = self.table(world, ['a', 'b', 'c']).split('\r\n')
            lines[0] += ',,index'
            lines[1] += ',,main,,'
            lines[2] += ',odd,main'
            lines[3] += ',,main,,more'
            done = self.run_csv(world, '\r\n'.join([*lines[:4], '"x;y",""']))
            self.assertIn('1 created, 0 updated, 0 unchanged, 3 refused', done.out)
            for wanted in (r'line 3 +b +refused: field \d+ has a value, but the header has no name for its column',
                           r'line 4 +c +refused: the row has \d+ fields, but the header names \d+ columns; a field',
                           r'line 5 +refused: the row has 2 fields, .*; client_\w+ is missing'):
                self.assertRegex(done.out, wanted)

    def test_refusals_come_last(self):
        with World() as world:
            lines = self.table(world, ['bad', 'good', 'worse', 'fine']).split('\r\n')
            for number, name in ((1, 'bad'), (3, 'worse')):
                lines[number] = lines[number].replace(world.microsoft.tenant(name).id, 'no tenant')
            done = self.run_csv(world, '\r\n'.join(lines))
            self.assertRegex(done.out, r"""(?x) ^ line [ ]3 [ ]+ good [ ]+ created.* \n
                                       line [ ]5 [ ]+ fine [ ]+ created.* \n
                                       \n Refused: \n
                                       line [ ]2 [ ]+ bad [ ]+ refused: [ ]tenant_id [ ]is [ ]'no [ ]tenant' .* \n
                                       line [ ]4 [ ]+ worse [ ]+ refused: [ ]tenant_id .* \n
                                       \n 2 [ ]created, .* , [ ]2 [ ]refused[.] \n""")
            self.assertEqual(done.code, 1)

    @pytest.mark.promise('Calls', '`import --template` prints a file to fill in, without a session')
    def test_the_template(self):
        with World() as world:
            done = call(world.home, 'import', '--template')
            self.assertEqual((done.code, done.err), (0, ''))
            self.assertTrue(done.out.startswith('name,tenant_id,client_id,client_secret,client_certificate,'
                                                'client_assertion,api,'))
            tried = self.run_csv(world, done.out, '--dry-run')
            self.assertEqual((tried.code, tried.err), (0, ''), tried.out)
            self.assertIn('2 would be created', tried.out)
            told = call(world.home, 'import', '--help').out
            self.assertIn('--template', told)
            self.assertIn('poll_interval', told)

    @pytest.mark.promise('Secrets', 'A session key that a person mistyped is reported as not accepted')
    def test_a_mistyped_key(self):
        with World() as world:
            text = self.table(world, ['a'])
            for done in (self.run_csv(world, text, key='mistyped'),
                         call(world.home, 'export', '--server-uri', world.splunkd.url, stdin=b'mistyped\n'),
                         call(world.home, 'sign-in', '--store', '--server-uri', world.splunkd.url,
                              *options(world, world.microsoft.tenant('a')), stdin=b'mistyped\n')):
                self.assertEqual(done.code, 1)
                self.assertRegex(done.err, r'ERROR the session key is not accepted by splunkd \(HTTP 401\)')
                self.assertNotIn('no longer', done.err)

    @pytest.mark.promise('Secrets', '`import --remove-secrets` keeps the encoding and the separator of the file')
    def test_the_cleaned_file_is_as_it_was(self):
        with World() as world:
            path = os.path.join(world.home.path, 'customers.csv')
            files = (('utf-16-le', '\t', '', '\r\n'), ('utf-16-be', ',', '', '\r\n'),
                     ('utf-8-sig', ';', 'sep=;', '\r\n'), ('utf-8', ';', '', '\n'), ('utf-8', '|', 'sep=|', '\r'))
            for number, (encoding, sign, first, end) in enumerate(files):
                with self.subTest(encoding=encoding, sign=sign):
                    app = world.shared_app()
                    tenant = world.microsoft.tenant(f'a{number}', app)
                    rows = [[first]] if first else []
                    rows += [['name', ' Client_Secret', 'Tenant_ID', 'client_id', 'source', 'login_url'],
                             [f'Müller {number} 🔒', app.secret, tenant.id, app.client_id, '"a,b"', world.url('login')]]
                    before, after = (encoded(''.join(sign.join(row) + end for row in some), encoding)
                                     for some in (rows, [row[:1] + row[2:] for row in rows]))
                    done = self.run_csv(world, before, '--remove-secrets')
                    self.assertEqual((done.code, done.err), (0, ''), done.out)
                    self.assertIn('1 created', done.out)
                    with open(path, 'rb') as file:
                        self.assertEqual(file.read(), after)
                    self.assertIn('1 unchanged', self.run_csv(world, after).out)
