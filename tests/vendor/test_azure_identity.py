"""The stand-ins of a machine's metadata service, of Azure Arc's agent and of federated credentials as Microsoft's own
client sees them (azure-identity), and the requests of the program next to its own."""
import logging
import os
import tempfile
import unittest
from unittest import mock

import checks
import msal.managed_identity
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    ClientAssertionCredential,
    CredentialUnavailableError,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from cases import PLAIN, build_shim
from world.metadata import AUDIENCE, Issuer, Metadata
from world.world import World

GRAPH = 'https://graph.microsoft.com/.default'
ME = '11111111-2222-3333-4444-555555555555'

def setUpModule():
    """The client logs each refusal as a warning."""
    logging.disable(logging.WARNING)


class WithWorld(unittest.TestCase):
    """A world with a customer, and a client that signs in at its Entra."""

    def setUp(self):
        self.world = World(own_hosts=True)
        self.addCleanup(self.close)
        self.tenant = self.world.microsoft.tenant('one')
        self.app = self.tenant.app

    def close(self):
        problems = self.world.problems()
        self.world.close()
        assert not problems, problems

    def entra(self):
        """How the client gets to the stand-in of Entra."""
        return {'authority': self.world.microsoft.login.url, 'disable_instance_discovery': True,
                'connection_verify': self.world.authority.cert, 'retry_total': 0}

    def sign_in(self, assertion):
        """A token for Graph, by an assertion."""
        with ClientAssertionCredential(self.tenant.id, self.app.client_id, assertion, **self.entra()) as client:
            return client.get_token(GRAPH).token


class WithMachine(WithWorld):
    """A machine with managed identities."""

    def open(self, arc):
        metadata = Metadata(self.world, arc)
        self.addCleanup(metadata.close)
        places = {'IDENTITY_ENDPOINT': metadata.url, 'IMDS_ENDPOINT': metadata.service.url} if arc else {
            'AZURE_POD_IDENTITY_AUTHORITY_HOST': metadata.service.url}
        patch = mock.patch.dict(os.environ, places)
        patch.start()
        self.addCleanup(patch.stop)
        folder = mock.patch.dict(msal.managed_identity._supported_arc_platforms_and_their_prefixes,
                                 {'linux': metadata.folder})
        folder.start()
        self.addCleanup(folder.stop)
        return metadata


class Machine(WithMachine):
    """Managed identities."""

    def test_sign_in(self):
        """The machine's own identity, as the assertion of the customer's app."""
        for arc in (False, True):
            with self.subTest(arc=arc):
                metadata = self.open(arc)
                metadata.issuer.federate(self.app, metadata.identities[None])
                client = ManagedIdentityCredential()
                token = client.get_token(AUDIENCE + '/.default')
                self.assertAlmostEqual(token.expires_on, self.world.clock.now() + metadata.life_s, delta=60)
                self.assertTrue(self.sign_in(lambda value=token.token: value))
                self.assertEqual(len(metadata.asked), 1)

    def test_user_assigned(self):
        for arc in (False, True):
            with self.subTest(arc=arc):
                metadata = self.open(arc)
                with self.assertRaises((ClientAuthenticationError, CredentialUnavailableError)):
                    ManagedIdentityCredential(client_id=ME, retry_total=0).get_token(AUDIENCE + '/.default')
                metadata.identities[ME] = 'me'
                self.assertTrue(ManagedIdentityCredential(client_id=ME).get_token(AUDIENCE + '/.default').token)
                self.assertEqual([query['client_id'] for query in metadata.asked], [ME, ME])

    def test_older_agent(self):
        """Arc's agent that knows the machine's own identity only."""
        metadata = self.open(True)
        metadata.named, metadata.identities[ME] = False, 'me'
        with self.assertRaisesRegex((ClientAuthenticationError, CredentialUnavailableError), 'did not confirm'):
            ManagedIdentityCredential(client_id=ME).get_token(AUDIENCE + '/.default')

    def test_update(self):
        """The client asks again after the statuses that pass."""
        metadata = self.open(False)
        metadata.outage = [404, 429, 500]
        self.assertTrue(ManagedIdentityCredential(retry_backoff_factor=0.01).get_token(AUDIENCE + '/.default').token)

    def test_refused_assertions(self):
        """What Entra says of tokens that no federated credential fits, in this order."""
        metadata = self.open(False)
        token = ManagedIdentityCredential().get_token(AUDIENCE + '/.default').token
        for changes, code in (({'issuer': 'x'}, 700211), ({'audience': 'x'}, 700212), ({'subject': 'x'}, 700213)):
            metadata.issuer.federate(self.app, **{'subject': metadata.identities[None], **changes})
            with self.assertRaisesRegex(ClientAuthenticationError, f'AADSTS{code}: '):
                self.sign_in(lambda: token)


class TokenFile(WithWorld):
    """Workload identity federation."""

    def test_sign_in(self):
        issuer = Issuer(self.world.clock)
        self.addCleanup(issuer.close)
        issuer.federate(self.app, 'me')
        path = os.path.join(issuer.folder, 'token')
        for token, code in ((issuer.token('me'), None), (issuer.token('me', exp=1), 700024),
                            (issuer.token('other'), 700213)):
            with open(path, 'w', encoding='ascii') as file:
                file.write(token)
            client = WorkloadIdentityCredential(tenant_id=self.tenant.id, client_id=self.app.client_id,
                                                token_file_path=path, **self.entra())
            if code:
                with self.assertRaisesRegex(ClientAuthenticationError, f'AADSTS{code}: '):
                    client.get_token(GRAPH)
            else:
                self.assertTrue(client.get_token(GRAPH).token)


class Alike(WithMachine):
    """The program asks as Microsoft's client does."""

    def test_requests(self):
        """The metadata service, Arc's agent and Entra are asked the same."""
        with tempfile.TemporaryDirectory() as folder:
            shim = build_shim(folder, 'metadata')
            for arc in (False, True):
                with self.subTest(arc=arc):
                    self.compare(shim, arc)

    def compare(self, shim, arc):
        metadata = self.open(arc)
        metadata.issuer.federate(self.app, metadata.identities[None])
        seen = checks.Spy(self.world, kind='token')
        token = ManagedIdentityCredential().get_token(AUDIENCE + '/.default').token
        self.sign_in(lambda: token)
        feed = self.world.customer('one', client_secret=None, client_assertion='managed_identity')
        feed.publish(1)
        places = {'ARC_PORT': str(metadata.service.port), 'ARC_KEYS': metadata.folder} if arc else {
            'VM_PORT': str(metadata.service.port)}
        program = self.world.start(program=PLAIN, environment=self.world.home.environment(LD_PRELOAD=shim, **places))
        program.wait_events(1)
        program.terminate()
        self.world.splunkd.inputs.clear()
        seen.rule.remove()
        self.assertEqual(metadata.asked[0], metadata.asked[1])
        theirs, ours = ({name: text for name, text in form.items() if name not in (
            'client_info', 'claims', 'client_assertion')} for form in seen.forms)
        self.assertEqual(ours, theirs)


if __name__ == '__main__':
    unittest.main()
