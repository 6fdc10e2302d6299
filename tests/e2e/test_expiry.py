"""When the credentials of an app end, as its registration says: status, warnings, and what is missing for it."""
import hashlib
import ssl
import time

import pytest
from cases import HastyCase
from world.certs import signing_pair

DAY = 86400
HASTE = 120     # the first look comes after a minute


class Expiry(HastyCase):
    def customers(self, world, *names, ends=None, home='msp', **params):
        """Customers that share an app, which is registered in another tenant. Returns the app."""
        app = world.shared_app()
        if home:
            app.home = world.microsoft.tenant(home, app).id
        if ends:
            app.secrets[app.secret] = time.time() + ends
        for name in names:
            world.customer(name, shared=True, poll_interval=3600, **params)
        return app

    @pytest.mark.promise('Trouble',
                         'Before a secret ends, one WARN for its app at 30, 7 and 1 days, from its registration')
    def test_the_home_tenant_tells(self):
        """It is found without a parameter; of several secrets, the one in use is recognized by its hint."""
        world = self.world()
        app = self.customers(world, 'a', 'b', ends=6.5 * DAY)
        app.secrets.update({'Zz1~an older secret, which ends sooner': time.time() + DAY,
                            app.secret[:3] + '~expired': time.time() - DAY})
        app.at_home = {'Application.Read.All'}
        program = self.start(world, HASTE)
        line = program.wait_line('event=secret_ends')
        self.assertEqual((line.level, line.facts['client'], line.facts['days']), ('WARN', app.client_id, '6'))
        self.assertIn('make a new secret', line.text)
        for name in ('a', 'b'):
            self.assertEqual(program.wait_line(f'event=status input={name} .*secret_days=').facts['secret_days'], '6')
        program.terminate()
        self.assertEqual(len([line for line in program.lines if 'event=secret_ends' in line.text]), 1)
        self.assertFalse([line for line in program.lines if 'event=expiry_unknown' in line.text])
        asked = world.microsoft.requests(kind='applications')
        self.assertEqual([entry.tenant for entry in asked], [app.home])
        self.assertEqual(len(world.microsoft.requests(kind='servicePrincipals')), 1)
        self.assertEqual(program.secrets_seen([app.secret, app.secret[:12]]), [])

    @pytest.mark.promise('Trouble',
                         'What is missing to read when secrets end is said in one line that names the permission')
    def test_without_the_permission_one_line_names_it(self):
        world = self.world()
        app = self.customers(world, 'a', 'b', ends=6.5 * DAY, api='endpoint')
        world.microsoft.tenants['a'].feed('graph')
        program = self.start(world, HASTE)
        line = program.wait_line('event=expiry_unknown')
        self.assertEqual((line.level, line.facts['client'], line.facts['home']), ('INFO', app.client_id, app.home))
        self.assertIn('HTTP 403', line.facts['why'])
        self.assertIn('Application.Read.All', line.text)
        time.sleep(1)
        program.terminate()
        self.assertEqual(len([line for line in program.lines if 'event=expiry_unknown' in line.text]), 1)
        self.assertFalse([line for line in program.lines if 'secret_days' in line.text or line.level == 'ERROR'])

    def test_a_certificate_by_its_thumbprint(self):
        """The registration may end it before the file does."""
        world = self.world()
        pair = signing_pair(world.home.path)
        world.customer('c', poll_interval=3600, client_secret=None, client_certificate=self.both(world, pair))
        app = world.microsoft.tenants['c'].app
        app.certificates.append(pair.cert)
        app.at_home = {'Application.ReadWrite.OwnedBy'}
        with open(pair.cert, encoding='ascii') as file:
            text = file.read()
        der = ssl.PEM_cert_to_DER_cert(text[text.index('-----BEGIN CERT'):text.index('-----END CERT') + 25])
        app.key_credentials = [
            {'customKeyIdentifier': 'AA' * 20, 'endDateTime': '2026-12-01T00:00:00Z', 'keyId': 'x', 'key': None},
            {'customKeyIdentifier': hashlib.sha1(der).hexdigest().upper(), 'type': 'AsymmetricX509Cert',
             'endDateTime': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 3.5 * DAY)), 'key': None}]
        program = self.start(world, HASTE)
        program.wait_line('event=status input=c .*certificate_days=3 ')

    @staticmethod
    def both(world, pair):
        path = f'{world.home.path}/both.pem'
        with open(path, 'w', encoding='ascii') as file:
            for part in (pair.key, pair.cert):
                with open(part, encoding='ascii') as source:
                    file.write(source.read())
        return path
