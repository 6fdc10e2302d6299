"""Sign-in with a certificate: both forms of the assertion, its end, and files that cannot be used."""
import base64
import json
import os
import unittest

import checks
import pytest
from world.certs import openssl, signing_pair
from world.login_errors import refusing
from world.runner import call, validate, wait_for
from world.world import World


def header(form):
    """The header of the assertion that a token request carried."""
    part = form['client_assertion'].partition('.')[0]
    return json.loads(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))


def key_file(folder, name, days=365, valid=None, authority=None):
    """A PEM file with certificate and key; returns (its path, the certificate's path)."""
    cert, key, both = (os.path.join(folder, f'{name}.{kind}') for kind in ('crt', 'key', 'pem'))
    if valid:       # only "openssl ca" sets both dates
        openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert + '.csr', '-subj', '/CN=x')
        config = os.path.join(authority.folder, 'openssl.cnf')
        openssl('ca', '-batch', '-notext', '-config', config, '-name', 'authority', '-cert', authority.cert, '-keyfile',
                os.path.join(authority.folder, 'ca.key'), '-in', cert + '.csr', '-out', cert, '-startdate', valid[0],
                '-enddate', valid[1])
    else:
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', str(days),
                '-subj', '/CN=x')
    with open(both, 'wb') as file:
        for path in (cert, key):
            with open(path, 'rb') as part:
                file.write(part.read())
    os.chmod(both, 0o600)
    return both, cert


class Certificate(unittest.TestCase):
    def customer(self, world, name='contoso', days=365, **more):
        path, cert = key_file(world.home.path, name, days, **more)
        feed = world.customer(name, client_secret=None, client_certificate=path)
        feed.tenant.app.certificates.append(cert)
        return feed, path

    @pytest.mark.promise('Parameters', 'A certificate can replace the client secret')
    def test_collects_and_every_assertion_is_new(self):
        with World() as world:
            feed, path = self.customer(world)
            feed.publish(3)
            seen = checks.Spy(world, kind='token')
            program = world.start()
            program.wait_events(3)
            world.microsoft.identity.revoke()
            feed.publish(1)
            program.wait_events(4)
            forms = seen.forms
            self.assertGreaterEqual(len(forms), 2)
            self.assertEqual(len({form['client_assertion'] for form in forms}), len(forms))
            for form in forms:
                self.assertEqual((header(form)['alg'], 'x5t#S256' in header(form), 'client_secret' in form),
                                 ('PS256', True, False))
            with open(path, encoding='ascii') as file:
                key = file.read().split('PRIVATE KEY-----\n')[1][:60]
            self.assertEqual(program.secrets_seen([key, forms[0]['client_assertion']]), [])
            row = json.loads(call(world.home, 'check', '--json', stdin=world.xml()).out)['inputs'][0]
            self.assertEqual((row['ok'], row['certificate_days'] in (364, 365)), (True, True))

    def test_a_tenant_that_wants_the_older_form(self):
        with World() as world:
            self.customer(world)[0].publish(2)
            forms = []

            def older_only(request, answer):
                forms.append(request.form)
                return answer() if header(request.form)['alg'] == 'RS256' else refusing(700027)(request, answer)
            world.faults.add(older_only, kind='token')
            program = world.start()
            program.wait_events(2)
            self.assertEqual([header(form)['alg'] for form in forms], ['PS256', 'RS256'])
            self.assertIn('x5t', header(forms[1]))

    def test_the_end_is_warned_of_once_for_all_that_share_the_file(self):
        for days, wanted in ((25, 1), (6, 1), (1, 1), (60, 0)):
            with self.subTest(days), World() as world:
                path, cert = key_file(world.home.path, 'app', days)
                world.shared_app().certificates.append(cert)
                for name in ('a', 'b', 'c'):
                    world.customer(name, shared=True, client_secret=None, client_certificate=path).publish(1)
                program = world.start()
                program.wait_events(3)
                world.microsoft.identity.revoke()
                for feed in world.feeds.values():
                    feed.publish(1)
                program.wait_events(6)
                lines = [line for line in program.lines if 'event=certificate_ends' in line.text]
                self.assertEqual(len(lines), wanted)
                for line in lines:
                    self.assertEqual((line.level, int(line.facts['days']) in (days, days - 1)), ('WARN', True))

    @pytest.mark.waits(15)
    def test_the_end_of_each_new_file_is_said_once_however_often_it_is_used(self):
        with World() as world:
            feed, path = self.customer(world)
            program = world.start()
            written = 0
            for days, lines in ((25, 1), (6, 2), (1, 3), (60, 3)):
                fresh, cert = key_file(world.home.path, f'in{days}', days)
                feed.tenant.app.certificates.append(cert)
                os.rename(fresh, path)
                for _ in range(3):      # each new token takes the file in hand
                    written += 1
                    world.microsoft.identity.revoke()
                    feed.publish(1)
                    program.wait_events(written)
                said = [int(line.facts['days']) for line in program.lines if 'event=certificate_ends' in line.text]
                self.assertEqual(len(said), lines, said)
                if days != 60:
                    self.assertIn(said[-1], (days, days - 1))

    @pytest.mark.promise('Parameters', 'A certificate can replace the client secret')
    def test_files_that_cannot_be_used_are_named(self):
        with World() as world:
            folder = world.home.path
            expired, _ = key_file(folder, 'expired', valid=('20200101000000Z', '20200201000000Z'),
                                  authority=world.authority)
            good, cert = key_file(folder, 'good')
            other = signing_pair(folder, 'other')
            mixed = os.path.join(folder, 'mixed.pem')
            with open(mixed, 'wb') as file:
                for path in (cert, other.key):
                    with open(path, 'rb') as part:
                        file.write(part.read())
            tenant = world.microsoft.tenant('contoso')
            for path, wanted in ((expired, 'expired|ended'), (cert, 'key'), (other.key, 'certificate'),
                                 (mixed, 'belong'), ('/no/such.pem', 'client_certificate'), (good, 'AADSTS700027')):
                params = world.params(tenant, 'graph', client_secret=None, client_certificate=path)
                with self.subTest(path):
                    refused = validate(world.home, 'contoso', params, world.splunkd.session_key)
                    self.assertEqual(refused.code, 1)
                    self.assertRegex(refused.message, wanted)
                    if path != good:
                        self.assertIn(path, refused.message)

    @pytest.mark.promise('Parameters', 'A certificate can replace the client secret')
    def test_a_replaced_file_is_taken_up(self):
        with World() as world:
            feed, path = self.customer(world)
            feed.publish(1)
            right = path + '.right'
            os.rename(path, right)
            wrong, _ = key_file(world.home.path, 'wrong', valid=('20200101000000Z', '20200201000000Z'),
                                authority=world.authority)
            os.rename(wrong, path)
            program = world.start()
            line = program.wait_line('event=refused')
            self.assertIn(path, line.text)
            os.rename(right, path)
            program.wait_events(1)
            renewed, cert = key_file(world.home.path, 'renewed')
            feed.tenant.app.certificates[:] = [cert]
            os.rename(renewed, path)
            world.microsoft.identity.revoke()
            feed.publish(1)
            program.wait_events(2)
            self.assertTrue(wait_for(lambda: any('event=certificate ' in line.text for line in program.lines)))
