"""The login service."""
import base64
import hashlib
import json
import time
import urllib.parse

from ..certs import openssl, signing_pair
from .base import GRAPH, WithWorld


class Signing(WithWorld):
    """The login service."""

    def code(self, answer):
        self.assertEqual(sorted(answer[1])[:3], ['correlation_id', 'error', 'error_codes'])
        self.assertTrue(answer[1]['error_description'].startswith(f'AADSTS{answer[1]["error_codes"][0]}: '))
        return answer[1]['error_codes'][0]

    def test_client_credentials(self):
        status, body, headers = self.login(grant_type='client_credentials', scope=GRAPH + '/.default')
        self.assertEqual((status, body['expires_in'], 'refresh_token' in body), (200, 3599, False))
        self.assertGreater(len(body['access_token']), 1400)
        self.assertIn('Date', headers)
        body = self.login(1, grant_type='client_credentials', resource='https://graph.windows.net')[1]
        self.assertEqual((body['expires_in'], body['resource']), ('3599', 'https://graph.windows.net'))

    def test_refusals(self):
        rows = ((7000215, {'client_secret': 'wrong'}), (7000218, {'client_secret': None}),
                (700016, {'client_id': '0' * 36}), (500011, {'scope': 'https://x/.default'}),
                (70011, {'scope': '.default'}), (1002012, {'scope': GRAPH + '/User.Read'}), (900144, {'scope': None}),
                (901002, {'resource': GRAPH}), (70003, {'grant_type': 'password'}))
        for code, changes in rows:
            form = dict({'grant_type': 'client_credentials', 'scope': GRAPH + '/.default'}, **changes)
            self.assertEqual(self.code(self.login(**form)), code)
        self.tenant.app.secrets[self.tenant.app.secret] = self.world.clock.now() - 1
        self.assertEqual(self.code(self.login(grant_type='client_credentials', scope=GRAPH + '/.default')), 7000222)
        nowhere = self.link(self.microsoft.login).ask('/nowhere/oauth2/v2.0/token', form={'a': 'b'})
        self.assertEqual(self.code(nowhere), 90002)

    def test_refresh_rotation(self):
        first = self.identity.new_refresh_token(self.tenant)

        def ask(text):
            return self.login(grant_type='refresh_token', refresh_token=text, scope=GRAPH + '/.default')

        second = ask(first)[1]['refresh_token']
        self.assertEqual(ask(first)[0], 200)
        self.identity.rotation = 'strict'
        self.assertEqual(self.code(ask(first)), 50173)
        self.assertEqual(self.code(ask(second)), 50173)
        self.identity.rotation = 'same'
        self.assertNotIn('refresh_token', ask(self.identity.new_refresh_token(self.tenant))[1])

    def test_authorization_code(self):
        link = self.link(self.microsoft.login)
        status, _, headers = link.ask(f'/{self.tenant.domain}/oauth2/authorize', {
            'client_id': self.tenant.app.client_id, 'redirect_uri': 'https://SiemMsspConnector',
            'response_type': 'code', 'resource': 'https://graph.windows.net', 'state': 'a b'})
        address = urllib.parse.urlsplit(headers['Location'])
        self.assertEqual((status, address.netloc, address.path), (302, 'siemmsspconnector', '/'))
        code = urllib.parse.parse_qs(address.query)['code'][0]

        def ask(uri):
            return self.login(1, grant_type='authorization_code', code=code, redirect_uri=uri,
                              resource='https://graph.windows.net')

        self.assertEqual(self.code(ask('https://siemmsspconnector/')), 500112)
        self.assertIn('refresh_token', ask('https://SiemMsspConnector')[1])
        self.assertEqual(self.code(ask('https://SiemMsspConnector')), 54005)

    def test_device_code(self):
        link = self.link(self.microsoft.login)
        device = link.ask(f'/{self.tenant.id}/oauth2/v2.0/devicecode', form={
            'client_id': self.tenant.app.client_id, 'scope': GRAPH + '/.default offline_access'})[1]

        def ask():
            return self.login(grant_type='urn:ietf:params:oauth:grant-type:device_code',
                              device_code=device['device_code'])

        self.assertEqual(ask()[1]['error'], 'authorization_pending')
        self.identity.approve_device(device['user_code'])
        self.assertIn('refresh_token', ask()[1])

    def test_client_assertion(self):
        pair = signing_pair(self.world.home.path)
        self.tenant.app.certificates.append(pair.cert)

        def pack(data):
            return base64.urlsafe_b64encode(data).rstrip(b'=').decode()

        url = f'{self.microsoft.login.url}/{self.tenant.id}/oauth2/v2.0/token'

        def assertion(**claims):
            thumb = hashlib.sha256(openssl('x509', '-in', pair.cert, '-outform', 'DER')).digest()
            now, who = int(time.time()), self.tenant.app.client_id
            body = dict({'aud': url, 'iss': who, 'sub': who, 'jti': '1', 'nbf': now, 'exp': now + 600}, **claims)
            parts = [pack(json.dumps(part).encode()) for part in
                     ({'alg': 'PS256', 'typ': 'JWT', 'x5t#S256': pack(thumb)}, body)]
            signature = openssl('dgst', '-sha256', '-sign', pair.key, '-sigopt', 'rsa_padding_mode:pss', '-sigopt',
                                'rsa_pss_saltlen:32', data='.'.join(parts).encode())
            return '.'.join(parts + [pack(signature)])

        def ask(text):
            return self.login(grant_type='client_credentials', scope=GRAPH + '/.default', client_secret=None,
                              client_assertion=text)

        self.assertEqual(ask(assertion())[0], 200)
        self.assertEqual(self.code(ask(assertion(exp=1))), 700024)
        self.assertEqual(self.code(ask(assertion(aud='https://other'))), 50012)
        self.assertEqual(self.code(ask(assertion()[:-8] + 'AAAAAAAA')), 50012)
