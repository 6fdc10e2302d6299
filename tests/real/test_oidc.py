"""Signing in at a real OAuth server (npm's oidc-provider): every grant, certificates, rotation, refusals."""
import os
import unittest
import urllib.parse

import checks
import oidc
from needs import needs
from realworld import REDIRECT, RealWorld
from world.certs import signing_pair
from world.clock import Clock
from world.metadata import Issuer
from world.runner import validate, wait_for

LIFE_S = 6       # a token is renewed in the last tenth of its life


def setUpModule():
    needs(oidc.install, oidc.Unavailable, 'OAuth server')


class AppItself(unittest.TestCase):
    """client_credentials."""

    def test_secrets_at_both_endpoints(self):
        apis = {'one': 'graph', 'two': 'endpoint', 'three': 'siem', 'four': 'incidents'}
        with RealWorld(apis) as world:
            feeds = {name: world.customer(name, api) for name, api in apis.items()}
            for feed in feeds.values():
                feed.publish(10)
            world.start().wait_events(40)
            self.assertTrue(world.verdict().exact, world.verdict())
            for name, api in apis.items():
                lines = world.granted(name, 1)
                self.assertEqual([(line['grant'], line['v1'], line['ok']) for line in lines],
                                 [('client_credentials', api == 'siem', True)])
            self.assertEqual(checks.leaks(world, [feed.tenant.app.secret for feed in feeds.values()]), [])

    def test_tenant_named_by_its_domain(self):
        with RealWorld(['one']) as world:
            feed = world.customer('one', tenant_id=world.microsoft.tenant('one').domain)
            feed.publish(5)
            world.start().wait_events(5)
            self.assertTrue(world.verdict().exact, world.verdict())

    def test_wrong_secret_stops_nobody_else(self):
        with RealWorld(['one', 'two']) as world:
            world.customer('one', client_secret='not~the+secret/of=this%app', stored=False).publish(5)
            world.customer('two').publish(5)
            program = world.start()
            line = program.wait_line('AADSTS7000215')
            self.assertEqual(line.level, 'ERROR')
            self.assertIn("Our administrator: enter the secret's value", line.text)
            program.wait_events(5)
            self.assertEqual({event.stanza for event in program.events}, {'defender_alerts://two'})
            self.assertEqual(checks.leaks(world, ['not~the+secret/of=this%app']), [])
            self.assertEqual(len(world.granted('one', 1)), 1, 'a refusal is not repeated at once')

    def test_validation(self):
        with RealWorld(['one']) as world:
            tenant = world.microsoft.tenant('one')
            tenant.feed('graph')
            rows = ((tenant.app.secret, 0, None), ('wrong', 1, 'AADSTS7000215'))
            for secret, code, part in rows:
                with self.subTest(code=code):
                    done = validate(world.home, 'one', world.params(tenant, 'graph', client_secret=secret),
                                    world.splunkd.session_key)
                    self.assertEqual(done.code, code, done)
                    if part:
                        self.assertIn(part, done.message)

    def test_throttled(self):
        with RealWorld(['one', 'two']) as world:
            tenant = world.microsoft.tenant('one')
            world.oidc.order(tenant.id, 'fail', status=429, body='Too Many Requests',
                             headers={'Retry-After': '2', 'Content-Type': 'text/plain'})
            world.customer('one').publish(5)
            world.customer('two').publish(5)
            program = world.start()
            self.assertIn('input=one', program.wait_line('sign-in service: HTTP 429').text)
            program.wait_events(10)
            first, second = world.granted('one', 2)[:2]
            self.assertEqual((first['status'], second['ok']), (429, True))
            self.assertGreaterEqual(second['when'] - first['when'], 2.0)
            self.assertTrue(world.verdict().exact, world.verdict())


class Certificates(unittest.TestCase):
    """private_key_jwt."""

    def test_ps256(self):
        with RealWorld(['one', 'two'], certificates=['one', 'two'], algorithms=['PS256']) as world:
            world.customer('one', 'graph').publish(5)
            world.customer('two', 'siem').publish(5)
            world.start().wait_events(10)
            self.assertTrue(world.verdict().exact, world.verdict())
            for name in ('one', 'two'):
                self.assertEqual([(line['ok'], line['alg']) for line in world.granted(name, 1)], [(True, 'PS256')])

    def test_falls_back_to_rs256(self):
        with RealWorld(['one'], certificates=['one'], algorithms=['RS256'], lifetime_s=LIFE_S) as world:
            world.customer('one').publish(5)
            program = world.start()
            program.wait_events(5)
            wait_for(lambda: len(world.granted('one', ok=True)) >= 2, LIFE_S + 15, 'a second token')
            self.assertEqual([(line['ok'], line['alg']) for line in world.granted('one')][:3],
                             [(False, 'PS256'), (True, 'RS256'), (True, 'RS256')], 'the form that worked is kept')
            self.assertTrue(world.verdict().exact, world.verdict())

    def test_certificate_of_another_app(self):
        with RealWorld(['one'], certificates=['one']) as world:
            other = world.one_file(signing_pair(world.home.path, 'other'))
            world.customer('one', client_certificate=other).publish(5)
            program = world.start()
            line = program.wait_line('AADSTS700027')
            self.assertIn('Our administrator: upload the certificate', line.text)
            self.assertEqual([line['alg'] for line in world.granted('one', 2)], ['PS256', 'RS256'])
            self.assertEqual(program.events, [])


class Federated(unittest.TestCase):
    """A token that others issue, as the app's assertion: jose verifies it."""

    def test_token_file(self):
        issuer = Issuer(Clock())
        self.addCleanup(issuer.close)
        path = os.path.join(issuer.folder, 'token')
        trust = {'issuer': issuer.issuer, 'subject': 'me', 'audience': issuer.audience, 'certificate': issuer.pair.cert}
        good = issuer.token('me')
        rows = ((good, None), (issuer.token('you'), 'AADSTS700213'),
                (issuer.token('me', aud='api://other'), 'AADSTS700212'),
                (issuer.token('me', iss='https://other'), 'AADSTS700211'),
                (good[:-8] + 'AAAAAAAA', 'AADSTS50012'))
        with RealWorld(['one'], federated={'one': trust}) as world:
            tenant = world.microsoft.tenant('one')
            tenant.feed('graph')
            how = {'client_secret': None, 'client_assertion': 'file:' + path}
            for token, code in rows:
                self.write(path, token)
                done = validate(world.home, 'one', world.params(tenant, 'graph', **how), world.splunkd.session_key)
                with self.subTest(code):
                    self.assertEqual(done.code, 1 if code else 0, done)
                    self.assertIn(code or '', done.message or '')
            self.write(path, good)
            world.customer('one', **how).publish(5)
            world.start().wait_events(5)
            self.assertTrue(world.verdict().exact, world.verdict())
            self.assertEqual(len(world.granted('one', 2, federated='me')), 2)
            self.assertEqual(checks.leaks(world, [good]), [])

    @staticmethod
    def write(path, text):
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)


class SignedIn(unittest.TestCase):
    """authorization_code and refresh_token."""

    def _code_input(self, world, name, code, api='siem'):
        world.follow_edits()
        feed = world.customer(name, api, authorization_code=code)
        feed.publish(10)
        world.start()
        return feed

    def _wait_events(self, world, count):
        wait_for(lambda: len(world.events()) >= count, 20, lambda: f'{count} events; {world.program.tail()}')

    def _wait_line(self, world, part):
        """Of any run: an edit that the program makes itself starts it again."""
        def found():
            return next((line for program in world.programs for line in list(program.lines) if part in line.text), None)
        return wait_for(found, 20, lambda: f'{part}; {world.program.tail()}')

    def _wait_cleared(self, world, name):
        """The code is taken out of the input, and the program that was started for it has settled."""
        runs = len(world.programs) if world.splunkd.inputs[name][1].get('authorization_code') else 1
        wait_for(lambda: not world.splunkd.inputs[name][1].get('authorization_code'), 10, 'no code in the input')
        wait_for(lambda: len(world.programs) > runs, 10, 'the run after that edit')
        wait_for(lambda: any('event=start' in line.text for line in list(world.program.lines)), 10, 'its start')

    def _wait_renewal(self, world, name):
        """Until another refresh token is in the store."""
        before = world.refresh_token(name)
        wait_for(lambda: world.refresh_token(name) != before, 20, 'a renewal')

    def test_pasted_address(self):
        with RealWorld(['one']) as world:
            landing = world.landing('one')
            self.assertTrue(landing.startswith('https://siemmsspconnector/?code='))
            self._code_input(world, 'one', landing)
            self._wait_events(world, 10)
            self.assertTrue(world.verdict().exact, world.verdict())
            self.assertEqual([line['grant'] for line in world.granted('one', 1)][0], 'authorization_code')
            self.assertEqual(len(world.granted('one', 1, grant='authorization_code')), 1, 'a code is used once')
            self._wait_cleared(world, 'one')
            token = world.refresh_token('one')
            self.assertGreater(len(token), 1000)
            code = urllib.parse.parse_qs(urllib.parse.urlsplit(landing).query)['code'][0]
            self.assertEqual(checks.leaks(world, [code, token]), [])

    def test_rotation_survives_restarts(self):
        """The strict server lets each refresh token be used once: one that was not stored would end it all."""
        with RealWorld(['one'], rotation='strict', lifetime_s=LIFE_S) as world:
            feed = self._code_input(world, 'one', world.landing('one'))
            self._wait_events(world, 10)
            self._wait_cleared(world, 'one')
            for _ in range(3):
                self._wait_renewal(world, 'one')
                world.restart()
                feed.publish(5)
            self._wait_events(world, 25)
            self.assertGreaterEqual(len(world.granted('one', 4, grant='refresh_token')), 4)
            self.assertEqual(world.granted('one', ok=False), [])
            self.assertTrue(world.verdict().exact, world.verdict())

    def test_rotation_survives_being_killed(self):
        """At Entra an old refresh token stays good, so nothing is lost even between answer and store."""
        with RealWorld(['one'], rotation='entra', lifetime_s=LIFE_S) as world:
            feed = self._code_input(world, 'one', world.landing('one'))
            self._wait_events(world, 10)
            for count in range(1, 4):
                wait_for(lambda count=count: len(world.granted('one', grant='refresh_token')) >= count, 20, 'a renewal')
                world.program.kill()
                feed.publish(2)
                world.start()
            self._wait_events(world, 16)
            verdict = wait_for(lambda: not world.verdict().lost and world.verdict(), 20, world.verdict)
            self.assertFalse(verdict.altered or verdict.unexpected, verdict)
            self.assertEqual(world.granted('one', ok=False), [])

    def test_address_of_a_refused_sign_in(self):
        with RealWorld(['one']) as world:
            tenant = world.microsoft.tenant('one')
            world.oidc.order(tenant.id, 'deny')
            landing = wait_for(lambda: world.landing('one'), 5)
            self.assertIn('error=access_denied', landing)
            self._code_input(world, 'one', landing)
            line = self._wait_line(world, 'AADSTS65004')
            self.assertEqual(line.level, 'ERROR')
            self.assertIn("The customer's administrator", line.text)
            self.assertEqual(world.granted('one', grant='authorization_code'), [])

    def test_code_that_was_used_before(self):
        with RealWorld(['one', 'two'], rotation='entra') as world:
            landing = world.landing('one')
            self._code_input(world, 'one', landing)
            self._wait_events(world, 10)
            self._wait_cleared(world, 'one')
            world.customer('again', 'siem', authorization_code=landing,
                           tenant_id=world.microsoft.tenant('one').id,
                           client_id=world.microsoft.tenant('one').app.client_id,
                           client_secret='********')
            world.restart()
            line = self._wait_line(world, 'AADSTS54005')
            self.assertIn('Somebody must sign in', line.text)
            self._wait_cleared(world, 'again')

    def test_delegated_at_v2(self):
        with RealWorld(['one']) as world:
            landing = world.landing('one', v1=False, resource='https://graph.microsoft.com')
            self._code_input(world, 'one', landing, 'graph')
            self._wait_events(world, 10)
            self.assertEqual([(line['grant'], line['v1']) for line in world.granted('one', 1)][:1],
                             [('authorization_code', False)])
            self.assertTrue(world.verdict().exact, world.verdict())
            self._wait_cleared(world, 'one')


class Addresses(unittest.TestCase):
    """The redirect URI must be the registered one, letter by letter."""

    def test_other_spelling(self):
        with RealWorld(['one']) as world:
            tenant = world.microsoft.tenant('one')
            with self.assertRaisesRegex(RuntimeError, 'redirect_uri'):
                world.oidc.sign_in(world.oidc.address(tenant.id, tenant.app.client_id, REDIRECT.lower(),
                                                      'https://graph.windows.net'))
