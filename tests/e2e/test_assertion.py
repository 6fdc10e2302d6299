"""Sign-in without a secret: the token of a managed identity (Azure VM, Azure Arc) or of a token file as assertion."""
import json
import os
import unittest
import uuid

import checks
import pytest
from cases import ShimCase
from world.metadata import Issuer, Metadata
from world.runner import call, validate, wait_for
from world.world import World

ME = '11111111-2222-3333-4444-555555555555'


class Identity(ShimCase):
    """Managed identities, at the addresses that they have on Azure."""

    SHIM = 'metadata'

    def setUp(self):
        self.world = World(own_hosts=True)
        self.addCleanup(self.world.close)

    def open(self, arc=False, **more):
        """The metadata service, and the environment of a program next to it."""
        self.metadata = Metadata(self.world, arc)
        self.addCleanup(self.metadata.close)
        places = {'ARC_PORT': str(self.metadata.service.port), 'ARC_KEYS': self.metadata.folder} if arc else {
            'VM_PORT': str(self.metadata.service.port)}
        self.how = {'program': self.program, 'environment': self.world.home.environment(
            LD_PRELOAD=self.shim, http_proxy='http://127.0.0.1:9', HTTP_PROXY='http://127.0.0.1:9', **places, **more)}

    def customer(self, name, word='managed_identity', identity=None, federated=True, **changes):
        """A customer of the provider's one app, which trusts the identity."""
        feed = self.world.customer(name, shared=True, client_secret=None, client_assertion=word, **changes)
        app = feed.tenant.app
        if federated and not app.federated:
            self.metadata.issuer.federate(app, self.metadata.identities[identity])
        feed.publish(2)
        return feed

    @pytest.mark.promise('Parameters', 'A managed identity can replace the client secret, for all customers at once')
    def test_virtual_machine(self):
        self.open()
        feeds = [self.customer(name) for name in ('one', 'two', 'three')]
        seen = checks.Spy(self.world, kind='token')
        program = self.world.start(**self.how)
        program.wait_events(6)
        self.assertTrue(self.world.verdict().exact, self.world.verdict())
        self.assertEqual(self.metadata.asked, [{'api-version': '2018-02-01', 'resource': 'api://AzureADTokenExchange'}])
        tokens = {form['client_assertion'] for form in seen.forms}
        self.assertEqual((len(seen.forms), len(tokens)), (3, 1))
        for form in seen.forms:
            self.assertEqual((form['client_assertion_type'], 'client_secret' in form),
                             ('urn:ietf:params:oauth:client-assertion-type:jwt-bearer', False))
        program.wait_line('event=status input=one .* credential=managed_identity ')
        self.assertEqual(program.secrets_seen(tokens), [])
        self.assertEqual(checks.leaks(self.world, tokens), [])
        rows = json.loads(call(self.world.home, 'check', '--json', stdin=self.world.xml(), **self.how).out)['inputs']
        self.assertEqual({(row['ok'], row['credential']) for row in rows}, {(True, 'managed_identity')})
        said = call(self.world.home, 'check', stdin=self.world.xml(), **self.how).out
        self.assertIn('app, by managed identity: ', said)
        self.assertEqual(len(self.metadata.asked), 3)
        self.assertEqual(len(feeds), 3)

    def test_user_assigned(self):
        """Its client ID is asked for, also at the sign-in of a user."""
        self.open()
        self.metadata.identities = {ME: str(uuid.uuid4())}
        self.customer('one', 'managed_identity:' + ME.upper(), ME)
        program = self.world.start(**self.how)
        program.wait_events(2)
        self.assertEqual(self.metadata.asked[0]['client_id'], ME)
        tenant, identity = self.world.microsoft.tenant('one'), self.world.microsoft.identity
        code = identity.new_code(tenant, scope='https://graph.microsoft.com/.default offline_access')
        done = call(self.world.home, 'sign-in', '--tenant', tenant.id, '--client-id', tenant.app.client_id,
                    '--client-assertion', 'managed_identity:' + ME, '--proxy', self.world.proxy.url, '--ca-file',
                    self.world.authority.cert, stdin=(identity.landing_address(code) + '\n').encode(), **self.how)
        self.assertEqual((done.code, len(self.metadata.asked)), (0, 2), done)

    @pytest.mark.promise('Trouble', 'A metadata service that is being updated is asked again, and the sign-in goes on')
    def test_service_that_is_updated(self):
        self.open()
        self.metadata.outage = [404, 500]
        self.customer('one')
        program = self.world.start(**self.how)
        line = program.wait_line('event=status input=one .*state=failing')
        self.assertIn('169.254.169.254/metadata/identity/oauth2/token answers HTTP 404', line.text)
        program.wait_events(2)
        self.assertTrue(self.world.verdict().exact, self.world.verdict())

    @pytest.mark.promise('Parameters', 'A managed identity of a server that Azure Arc connects can replace the client '
                                       'secret')
    def test_arc(self):
        """By its program, and by the variables of its agent."""
        self.open(arc=True)
        self.customer('one')
        program = self.world.start(**self.how)
        program.wait_events(2)
        self.assertEqual(self.metadata.asked[0]['api-version'], '2020-06-01')
        program.terminate()
        environment = dict(self.how['environment'], IDENTITY_ENDPOINT=self.metadata.url, IMDS_ENDPOINT='http://x')
        del environment['ARC_PORT']
        self.world.microsoft.identity.revoke()
        self.world.feeds['one'].publish(1)
        self.world.start(program=self.program, environment=environment).wait_events(1)
        self.assertEqual(len(self.metadata.asked), 2)
        with open(os.path.join(self.metadata.folder, os.listdir(self.metadata.folder)[0]), encoding='ascii') as file:
            self.assertEqual(checks.leaks(self.world, [file.read()]), [])

    def test_arc_that_asks_for_another_file(self):
        self.open(arc=True)
        self.metadata.challenge = 'Basic realm=/etc/passwd'
        self.customer('one')
        line = self.world.start(**self.how).wait_line('ERROR event=refused input=one')
        self.assertIn('is no file *.key in /var/opt/azcmagent/tokens, so it gets none', line.text)
        self.assertEqual(self.metadata.asked, [])

    def test_validation(self):
        """One sentence for what a person has to do, and who."""
        self.open()
        tenant = self.world.microsoft.tenant('one')
        tenant.feed('graph')
        rows = (('managed_identity', lambda app: None, 'AADSTS700211: .*Our administrator: make issuer, subject and '
                                                       'audience of a federated credential'),
                ('managed_identity:' + ME, lambda app: None, "'Identity not found'. Our administrator: give this "
                                                             'machine the identity'),
                ('managed_identity', lambda app: self.metadata.issuer.federate(app, 'x', audience='y'),
                 'AADSTS700212: .* audience'),
                ('managed_identity', lambda app: self.metadata.issuer.federate(app, 'x'), 'AADSTS700213: .* subject'),
                ('managed_identity', lambda app: self.metadata.issuer.federate(app, self.metadata.identities[None]),
                 None))
        for word, prepare, pattern in rows:
            prepare(tenant.app)
            params = self.world.params(tenant, 'graph', client_secret=None, client_assertion=word)
            done = validate(self.world.home, 'one', params, self.world.splunkd.session_key, **self.how)
            with self.subTest(word):
                self.assertEqual(done.code, 1 if pattern else 0, done)
                if pattern:
                    self.assertRegex(done.message, pattern)


class TokenFile(unittest.TestCase):
    """A file that others renew."""

    def setUp(self):
        self.world = World(own_hosts=True)
        self.addCleanup(self.world.close)
        self.issuer = Issuer(self.world.clock)
        self.addCleanup(self.issuer.close)
        self.path = os.path.join(self.issuer.folder, 'token')

    def write(self, text):
        """Replace the file as Kubernetes does: by a link."""
        target = f'{self.path}.{uuid.uuid4()}'
        with open(target, 'w', encoding='ascii') as file:
            file.write(text)
        os.symlink(target, target + '.link')
        os.replace(target + '.link', self.path)

    def customer(self, name='one', **changes):
        feed = self.world.customer(name, client_secret=None, client_assertion='file:' + self.path, **changes)
        self.issuer.federate(feed.tenant.app, 'system:serviceaccount:splunk:forwarder')
        feed.publish(2)
        return feed

    def token(self, **how):
        return self.issuer.token('system:serviceaccount:splunk:forwarder', **how)

    @pytest.mark.promise('Parameters', 'A token file that others renew can replace the client secret')
    def test_is_read_at_each_sign_in(self):
        feed, tokens = self.customer(), [self.token(), self.token()]
        self.write(tokens[0])
        seen = checks.Spy(self.world, kind='token')
        program = self.world.start()
        program.wait_events(2)
        program.wait_line('event=status input=one .* credential=token_file ')
        self.write(tokens[1] + '\n')
        self.world.microsoft.identity.revoke()
        feed.publish(1)
        program.wait_events(3)
        self.assertEqual([form['client_assertion'] for form in seen.forms], tokens)
        self.assertEqual(program.secrets_seen(tokens), [])
        self.assertEqual(checks.leaks(self.world, tokens), [])

    def test_that_cannot_be_used(self):
        """A sentence, and the sign-in at once when the file can be used. It may come after splunkd."""
        self.customer()
        program = self.world.start()
        self.assertIn('No such file', program.wait_line('ERROR event=refused input=one').text)
        program.terminate()
        self.write('root:x:0:0:secret of this host\n')
        program = self.world.start()
        line = program.wait_line('ERROR event=refused input=one')
        self.assertIn('holds no JSON Web Token, so nothing of it is sent. Our administrator: ', line.text)
        self.assertNotIn('secret of this host', program.tail(1000))
        self.assertEqual(self.world.microsoft.requests(service='login', kind='token'), [])
        self.write(self.token(exp=self.world.clock.now() + 900.5))      # a fraction, as RFC 7519 allows
        program.wait_events(2, 45)

    @pytest.mark.promise('Secrets', "An assertion goes only to Microsoft's own sign-in hosts")
    def test_goes_to_nobody_else(self):
        self.write(self.token())
        self.customer('one', login_url=self.world.microsoft.login.url)
        self.customer('two', api_url=self.world.microsoft.graph.url)
        program = self.world.start()
        for name, words in (('one', "may go to only Microsoft's own sign-in hosts, not to .* \\(login_url\\)"),
                            ('two', "may go to only Microsoft's own hosts, not to .* \\(api_url\\)")):
            self.assertRegex(program.wait_line(f'ERROR event=refused input={name}').text, words)
            tenant = self.world.microsoft.tenant(name)
            params = self.world.splunkd.inputs[name][1]
            done = validate(self.world.home, name, params, self.world.splunkd.session_key)
            self.assertRegex(done.message, words)
            self.assertEqual(self.world.microsoft.requests(tenant, service='login', kind='token'), [])
        rows = json.loads(call(self.world.home, 'check', '--json', stdin=self.world.xml()).out)['inputs']
        for row in rows:
            self.assertRegex(row['why'], "only Microsoft's own")
        done = call(self.world.home, 'sign-in', '--tenant', 'one.example.test', '--client-id', ME, '--client-assertion',
                    'file:' + self.path, '--login-url', self.world.microsoft.login.url, '--ca-file',
                    self.world.authority.cert)
        self.assertEqual(done.code, 1)
        self.assertIn("only Microsoft's own sign-in hosts", done.err)

    def test_saving(self):
        tenant = self.world.microsoft.tenant('one')
        tenant.feed('graph')
        for prepare, pattern in ((lambda: None, "client_assertion is 'file:/.*token', but it should be .*No such file"),
                                 (lambda: self.write('x' * 20000), 'client_assertion is .*larger than 16384'),
                                 (lambda: self.write('x.y.z'), 'holds no JSON Web Token'),
                                 (lambda: self.write(self.token(exp=1)), 'expired at 1970-01-01T00:00:01Z'),
                                 (lambda: self.write(self.token()), 'AADSTS700211')):
            prepare()
            params = self.world.params(tenant, 'graph', client_secret=None, client_assertion='file:' + self.path)
            done = validate(self.world.home, 'one', params, self.world.splunkd.session_key)
            with self.subTest(pattern):
                self.assertEqual(done.code, 1)
                self.assertRegex(done.message, pattern)

    def test_delegated(self):
        """The app shows it with a refresh token, too, and at the sign-in of a user."""
        self.write(self.token())
        feed = self.customer()
        token = self.world.microsoft.identity.new_refresh_token(feed.tenant)
        self.world.splunkd.store(f'refresh_token.{feed.tenant.id}.{feed.tenant.app.client_id}', token)
        seen = checks.Spy(self.world, kind='token')
        program = self.world.start()
        program.wait_events(2)
        self.assertEqual((seen.forms[0]['grant_type'], seen.forms[0]['refresh_token'], 'client_assertion' in
                          seen.forms[0]), ('refresh_token', token, True))
        identity = self.world.microsoft.identity
        code = identity.new_code(feed.tenant, scope='https://graph.microsoft.com/.default offline_access')
        done = call(self.world.home, 'sign-in', '--tenant', feed.tenant.id, '--client-id', feed.tenant.app.client_id,
                    '--client-assertion', 'file:' + self.path, '--proxy', self.world.proxy.url, '--ca-file',
                    self.world.authority.cert, stdin=(identity.landing_address(code) + '\n').encode())
        self.assertEqual(done.code, 0, done)
        wait_for(lambda: len(seen.forms) >= 2, 5)
        self.assertIn('client_assertion', seen.forms[-1])


if __name__ == '__main__':
    unittest.main()
