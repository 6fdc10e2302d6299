"""The stand-in of Entra as Microsoft's own client sees it (msal), and the requests of the program next to its own."""
import base64
import json
import time
import unittest
import urllib.parse

import checks
import msal
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from world.certs import signing_pair
from world.world import World

GRAPH = ['https://graph.microsoft.com/.default']
READ = ['https://graph.microsoft.com/SecurityAlert.Read.All']
REAL = 'https://login.microsoftonline.com'


class Link:
    """The client's HTTP. What it sends to Microsoft's own address goes to the stand-in."""

    def __init__(self, world):
        self.session, self.url, self.asked = requests.Session(), world.microsoft.login.url, []
        self.session.verify, self.session.trust_env = world.authority.cert, False

    def _to(self, url):
        self.asked.append(url)
        return self.url + url[len(REAL):] if url.startswith(REAL) else url

    def get(self, url, **how):
        return self.session.get(self._to(url), allow_redirects=False, **how)

    def post(self, url, **how):
        return self.session.post(self._to(url), **how)

    def close(self):
        self.session.close()


def part(token, number):
    """A part of a JSON Web Token, read."""
    text = token.split('.')[number]
    return json.loads(base64.urlsafe_b64decode(text + '=' * (-len(text) % 4)))


def read(path):
    """A file's text."""
    with open(path, encoding='ascii') as file:
        return file.read()


class WithEntra(unittest.TestCase):
    """One world for a class; a tenant with an app for each test."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.microsoft, cls.identity = cls.world.microsoft, cls.world.microsoft.identity

    @classmethod
    def tearDownClass(cls):
        problems = cls.world.problems()
        cls.world.close()
        assert not problems, problems

    def setUp(self):
        self.tenant = self.microsoft.tenant(self.id().rpartition('.')[2].replace('_', '-'))
        self.app = self.tenant.app
        self.link = Link(self.world)
        self.addCleanup(self.link.close)

    def confidential(self, credential=None, where=None, **how):
        """An app with a secret or a certificate."""
        how = {'instance_discovery': False, 'http_client': self.link, **how}
        return msal.ConfidentialClientApplication(
            self.app.client_id, client_credential=self.app.secret if credential is None else credential,
            authority=where or f'{self.microsoft.login.url}/{self.tenant.id}', **how)

    def public(self):
        """An app without."""
        self.app.public = True
        return msal.PublicClientApplication(self.app.client_id, http_client=self.link, instance_discovery=False,
                                            authority=f'{self.microsoft.login.url}/{self.tenant.id}')

    def refused(self, answer, error, code, **more):
        """An answer that is this refusal."""
        self.assertEqual((answer.get('error'), answer.get('error_codes')), (error, [code]), answer)
        self.assertTrue(answer['error_description'].startswith(f'AADSTS{code}: '))
        self.assertEqual({name: answer.get(name) for name in more}, more)

    def landed(self, address):
        """What the browser would bring back from the sign-in page."""
        answer = self.link.get(address)
        self.assertEqual(answer.status_code, 302, answer.text)
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers['Location']).query))

    def signed_in(self, **how):
        """(client, answer, account) of a user who has signed in by the browser."""
        client = self.confidential(**how)
        flow = client.initiate_auth_code_flow(GRAPH, redirect_uri=self.app.redirect_uris[0])
        answer = client.acquire_token_by_auth_code_flow(flow, self.landed(flow['auth_uri']))
        self.assertIn('access_token', answer, answer)
        account, = client.get_accounts()
        return client, answer, account


class Discovery(WithEntra):
    """How the client finds the endpoints."""

    def test_of_a_tenant(self):
        """By id and by domain; the endpoints have the id."""
        for name in (self.tenant.id, self.tenant.domain):
            client = self.confidential(where=f'{self.microsoft.login.url}/{name}')
            self.assertEqual(client.authority.tenant, self.tenant.id)
            self.assertIn('access_token', client.acquire_token_for_client(GRAPH))

    def test_of_no_tenant(self):
        with self.assertRaisesRegex(ValueError, 'double check your tenant name'):
            self.confidential(where=f'{self.microsoft.login.url}/nowhere')

    def test_of_an_alias(self):
        """It has a document, and no tokens for an app alone."""
        client = self.confidential(where=f'{self.microsoft.login.url}/organizations')
        self.assertEqual(client.authority.tenant, 'organizations')
        self.refused(client.acquire_token_for_client(GRAPH), 'invalid_request', 9001023)

    def test_of_the_instance(self):
        """The client asks whether the host is one of Entra's."""
        ask = f'{self.microsoft.login.url}/common/discovery/instance'
        client = self.confidential(instance_discovery=ask)
        self.assertEqual(self.link.asked[0], ask)
        self.assertIn('access_token', client.acquire_token_for_client(GRAPH))
        with self.assertRaisesRegex(ValueError, 'invalid_instance'):
            self.confidential(where=f'https://login.example.test/{self.tenant.id}', instance_discovery=ask)

    def test_of_microsofts_own_address(self):
        """As a client is set up that knows of no stand-in: the aliases of the host come from there, too."""
        client, _, account = self.signed_in(where=f'{REAL}/{self.tenant.id}', instance_discovery=None)
        for other in ('https://login.windows.net', 'https://sts.windows.net'):
            self.assertIn(other[8:], client._get_authority_aliases('login.microsoftonline.com'))
        self.assertIsNotNone(client.acquire_token_silent(GRAPH, account, force_refresh=True))


class App(WithEntra):
    """An app alone: secret and certificate."""

    def test_secret(self):
        client = self.confidential()
        first = client.acquire_token_for_client(GRAPH)
        self.assertEqual((first['token_type'], first['expires_in'], first['token_source']),
                         ('Bearer', 3599, 'identity_provider'))
        claims = part(first['access_token'], 1)
        self.assertEqual((claims['tid'], claims['appid'], claims['roles']),
                         (self.tenant.id, self.app.client_id, ['SecurityAlert.Read.All', 'SecurityIncident.Read.All']))
        self.assertNotIn('refresh_token', first)
        self.assertNotIn('id_token', first)
        again = client.acquire_token_for_client(GRAPH)
        self.assertEqual((again['access_token'], again['token_source']), (first['access_token'], 'cache'))

    def test_secrets_that_are_refused(self):
        self.refused(self.confidential('wrong').acquire_token_for_client(GRAPH), 'invalid_client', 7000215)
        self.app.secrets['old'] = time.time() - 1
        self.refused(self.confidential('old').acquire_token_for_client(GRAPH), 'invalid_client', 7000222)
        self.assertIn('access_token', self.confidential().acquire_token_for_client(GRAPH))

    def test_what_else_is_refused(self):
        client = self.confidential()
        for scope, error, code in ((['https://nothing.example/.default'], 'invalid_resource', 500011),
                                   (READ, 'invalid_scope', 1002012)):
            self.refused(client.acquire_token_for_client(scope), error, code)
        del self.tenant.apps[self.app.client_id]        # the customer removed the app
        self.refused(client.acquire_token_for_client(GRAPH), 'unauthorized_client', 700016)

    def test_certificate(self):
        """Both forms of the assertion, and those that do not hold."""
        pair, other = (signing_pair(self.world.home.path, self.tenant.name + name) for name in ('', '-other'))
        self.app.certificates.append(pair.cert)
        key, cert = read(pair.key), read(pair.cert)
        thumbprint = thumbprint_of(pair.cert)
        seen = checks.Spy(self.world, kind='token')
        self.addCleanup(seen.rule.remove)
        for credential, algorithm in (({'private_key': key, 'public_certificate': cert}, 'PS256'),
                                      ({'private_key': key, 'thumbprint': thumbprint}, 'RS256'),
                                      ({'private_key': key, 'thumbprint': thumbprint, 'public_certificate': cert},
                                       'RS256')):
            answer = self.confidential(credential).acquire_token_for_client(GRAPH)
            self.assertIn('access_token', answer, answer)
            self.assertEqual(part(seen.forms[-1]['client_assertion'], 0)['alg'], algorithm)
        for credential, code in (({'private_key': read(other.key), 'public_certificate': read(other.cert)}, 700027),
                                 ({'private_key': read(other.key), 'public_certificate': cert}, 50012),
                                 ({'private_key': read(other.key), 'thumbprint': thumbprint}, 50012)):
            self.refused(self.confidential(credential).acquire_token_for_client(GRAPH), 'invalid_client', code)
        for claims, code in (({'exp': 1}, 700024), ({'aud': 'https://other'}, 50012)):
            client = self.confidential({'private_key': key, 'public_certificate': cert}, client_claims=claims)
            self.refused(client.acquire_token_for_client(GRAPH), 'invalid_client', code)

    def test_withdrawn_consent(self):
        """The app still gets a token, without a role in it."""
        self.tenant.consent(given=False)
        claims = part(self.confidential().acquire_token_for_client(GRAPH)['access_token'], 1)
        self.assertNotIn('roles', claims)


class User(WithEntra):
    """A user signs in by the browser or by a device code, and the app goes on with a refresh token."""

    def test_code(self):
        """With state, PKCE, nonce and what is said of the user."""
        client, answer, account = self.signed_in()
        claims = answer['id_token_claims']
        self.assertEqual((claims['aud'], claims['tid'], claims['iss']), (
            self.app.client_id, self.tenant.id, f'{REAL}/{self.tenant.id}/v2.0'))
        self.assertEqual(account['home_account_id'], f'{claims["oid"]}.{self.tenant.id}')
        self.assertEqual(account['username'], f'reader@{self.tenant.domain}')
        self.assertIn('SecurityAlert.Read.All', part(answer['access_token'], 1)['scp'])
        self.assertEqual(client.acquire_token_silent(GRAPH, account)['token_source'], 'cache')

    def test_codes_that_are_refused(self):
        client = self.confidential()
        for change, error, code in (
                (lambda flow, landed: None, None, None),
                (lambda flow, landed: landed.update(code='1.Bnone'), 'invalid_grant', 70000),
                (lambda flow, landed: flow.update(code_verifier='x' * 43), 'invalid_grant', 501481),
                (lambda flow, landed: flow.update(redirect_uri='https://other.example'), 'invalid_client', 500112)):
            flow = client.initiate_auth_code_flow(READ, redirect_uri=self.app.redirect_uris[0])
            landed = self.landed(flow['auth_uri'])
            change(flow, landed)
            answer = client.acquire_token_by_auth_code_flow(flow, landed)
            if error:
                self.refused(answer, error, code)
                continue
            self.assertIn(READ[0], answer['scope'].split())
            flow = client.initiate_auth_code_flow(READ, redirect_uri=self.app.redirect_uris[0])
            again = {**self.landed(flow['auth_uri']), 'code': landed['code']}
            self.refused(client.acquire_token_by_auth_code_flow(flow, again), 'invalid_grant', 54005)
        with self.assertRaisesRegex(ValueError, 'state'):
            client.acquire_token_by_auth_code_flow(flow, {**landed, 'state': 'other'})
        self.assertEqual(self.link.get(flow['auth_uri'].replace('SiemMsspConnector', 'other')).status_code, 400)

    def test_device_code(self):
        client = self.public()
        flow = client.initiate_device_flow(READ)
        self.assertIn(flow['user_code'], flow['message'])
        self.assertEqual(flow['verification_uri'], self.microsoft.login.url + '/device')
        once = {'exit_condition': lambda flow: True}
        self.refused(client.acquire_token_by_device_flow(flow, **once), 'authorization_pending', 70016)
        self.identity.approve_device(flow['user_code'])
        answer = client.acquire_token_by_device_flow(flow)
        self.assertIn(READ[0], answer['scope'].split())
        self.assertEqual(answer['id_token_claims']['tid'], self.tenant.id)
        account, = client.get_accounts()
        self.assertEqual(client.acquire_token_silent(READ, account, force_refresh=True)['token_source'],
                         'identity_provider')
        self.refused(client.acquire_token_by_device_flow(flow, **once), 'bad_verification_code', 70018)

    def test_device_codes_that_end(self):
        client = self.public()
        declined, expired = client.initiate_device_flow(READ), client.initiate_device_flow(READ)
        self.identity.approve_device(declined['user_code'], declined=True)
        self.refused(client.acquire_token_by_device_flow(declined), 'authorization_declined', 65004)
        self.identity.devices[expired['device_code']].expires = 0
        self.refused(client.acquire_token_by_device_flow(expired), 'expired_token', 70019)

    def stored(self, client):
        """The refresh token that the client holds."""
        token, = client.token_cache.search(client.token_cache.CredentialType.REFRESH_TOKEN)
        return token['secret']

    def test_refresh_and_rotation(self):
        """Each refresh brings another token, which the client uses next; what becomes of the old one."""
        client, _, account = self.signed_in()
        tokens = [self.stored(client)]
        for _ in range(2):
            answer = client.acquire_token_silent(GRAPH, account, force_refresh=True)
            self.assertEqual(answer['token_source'], 'identity_provider')
            tokens.append(self.stored(client))
        self.assertEqual(len(set(tokens)), 3)
        self.assertIn('access_token', client.acquire_token_by_refresh_token(tokens[0], GRAPH))
        self.identity.rotation = 'same'
        self.addCleanup(setattr, self.identity, 'rotation', 'keep')
        before = self.stored(client)
        self.assertIsNotNone(client.acquire_token_silent(GRAPH, account, force_refresh=True))
        self.assertEqual(self.stored(client), before)
        self.identity.rotation = 'strict'
        self.refused(client.acquire_token_by_refresh_token(tokens[0], GRAPH), 'invalid_grant', 50173,
                     suberror='bad_token')

    def test_refresh_tokens_that_are_refused(self):
        client, _, account = self.signed_in()
        token = self.stored(client)
        self.refused(self.confidential('wrong').acquire_token_by_refresh_token(token, GRAPH), 'invalid_client', 7000215)
        self.refused(client.acquire_token_by_refresh_token('1.Anone', GRAPH), 'invalid_grant', 70000)
        self.identity.refresh[token].expires = 0
        answer = client.acquire_token_silent_with_error(GRAPH, account, force_refresh=True)
        self.assertEqual((answer['error'], answer['error_codes']), ('invalid_grant', [700082, 70008]))
        self.assertIsNone(client.acquire_token_silent(GRAPH, account, force_refresh=True))

    def test_withdrawn_consent(self):
        """The refresh ends with what the client needs to ask the user again; the user says no, then yes."""
        client, _, account = self.signed_in()
        self.tenant.consent(given=False)
        self.refused(client.acquire_token_silent_with_error(GRAPH, account, force_refresh=True), 'invalid_grant', 65001,
                     suberror='consent_required', classification='consent_required')
        flow = client.initiate_auth_code_flow(GRAPH, redirect_uri=self.app.redirect_uris[0])
        answer = client.acquire_token_by_auth_code_flow(flow, self.landed(flow['auth_uri']))
        self.assertEqual(answer['error'], 'access_denied')
        self.assertIn('AADSTS65004', answer['error_description'])
        self.tenant.consent()
        self.signed_in()


class Alike(WithEntra):
    """The program asks as Microsoft's client does."""

    def collect(self, **params):
        """The program collects an alert for an input of this tenant."""
        self.world.customer(self.tenant.name, **params).publish(1)
        program = self.world.start()
        program.wait_events(1)
        program.terminate()
        self.world.splunkd.inputs.clear()

    def asked(self, use, *arguments, **how):
        """The first token request in what use() does."""
        seen = checks.Spy(self.world, kind='token', tenant=self.tenant)
        use(*arguments, **how)
        seen.rule.remove()
        return seen.forms[0]

    def same(self, ours, theirs):
        """The same members with the same values, but for what the client asks about the user."""
        theirs = {name: text for name, text in theirs.items() if name not in ('client_info', 'claims')}
        self.assertEqual(ours, theirs)

    def test_secret(self):
        self.same(self.asked(self.collect), self.asked(self.confidential().acquire_token_for_client, GRAPH))

    def test_certificate(self):
        pair = signing_pair(self.world.home.path, self.tenant.name)
        self.app.certificates.append(pair.cert)
        both = pair.cert + '.both'
        with open(both, 'w', encoding='ascii') as file:
            file.write(read(pair.cert) + read(pair.key))
        credential = {'private_key': read(pair.key), 'public_certificate': read(pair.cert)}
        theirs = self.asked(self.confidential(credential).acquire_token_for_client, GRAPH)
        ours = self.asked(self.collect, client_secret=None, client_certificate=both)
        signed = [form.pop('client_assertion') for form in (ours, theirs)]
        self.same(ours, theirs)
        heads, bodies = ([part(text, number) for text in signed] for number in (0, 1))
        self.assertIsNotNone(heads[1].pop('x5c'))       # the whole chain, which only some of Microsoft's own need
        heads[1]['x5t#S256'] = heads[1]['x5t#S256'].rstrip('=')
        self.assertEqual(*heads)
        for name in ('aud', 'iss', 'sub'):
            self.assertEqual(bodies[0][name], bodies[1][name])
        self.assertLessEqual(set(bodies[1]), {*bodies[0], 'iat'})

    def test_refresh(self):
        token = self.identity.new_refresh_token(self.tenant)
        theirs = self.asked(self.confidential().acquire_token_by_refresh_token, token, GRAPH)
        name = f'refresh_token.{self.tenant.id}.{self.app.client_id}'
        self.world.splunkd.store(name, token)
        ours = self.asked(self.collect, refresh_token='********')
        scopes = [set(form.pop('scope').split()) for form in (ours, theirs)]
        self.assertEqual(scopes[1] - scopes[0], {'openid', 'profile'})     # the program needs no user
        self.assertLessEqual(scopes[0], scopes[1])
        self.same(ours, theirs)


def thumbprint_of(cert):
    """The SHA-1 thumbprint as an administrator copies it."""
    return x509.load_pem_x509_certificate(read(cert).encode()).fingerprint(hashes.SHA1()).hex().upper()


if __name__ == '__main__':
    unittest.main()
