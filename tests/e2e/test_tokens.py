"""Access tokens: which endpoint is asked for what, renewed in time, stored before use, and what a refusal does."""
import threading
import time
import unittest

import pytest
from checks import Spy, leaks
from world import faults
from world.login_errors import refusing
from world.runner import wait_for
from world.world import World

GRAPH = {'scope': 'https://graph.microsoft.com/.default'}
REQUESTS = {'graph': ('/oauth2/v2.0/token', GRAPH), 'incidents': ('/oauth2/v2.0/token', GRAPH),
            'siem': ('/oauth2/token', {'resource': 'https://graph.windows.net'}),
            'endpoint': ('/oauth2/v2.0/token', {'scope': 'https://api.securitycenter.microsoft.com/.default'})}


class Tokens(unittest.TestCase):
    """One world a test."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.identity = self.world.microsoft.identity

    def delegated(self, name='a', api='graph', **changes):
        """An input whose refresh token is in the store already; returns its feed and the token's name there."""
        tenant = self.world.microsoft.tenant(name)
        stored = f'refresh_token.{tenant.id}.{tenant.app.client_id}'
        self.world.splunkd.store(stored, self.identity.new_refresh_token(tenant))
        return self.world.customer(name, api, refresh_token='********', **changes), stored

    def exact(self):
        """Each alert once?"""
        self.assertTrue(self.world.verdict().exact, self.world.verdict())

    @pytest.mark.promise('Parameters',
                         'An input with a refresh token uses the delegated grant, any other `client_credentials`')
    @pytest.mark.promise('Parameters', 'Each API gets its token from the right endpoint, for the right audience')
    @pytest.mark.promise('Parameters', '`resource` overrides the audience, and `api_url` does not change it')
    def test_each_api_asks_the_right_endpoint(self):
        """v1 with the seed's resource for the exporter, v2 with one scope for the others, for both grants."""
        spy = Spy(self.world, service='login')
        feeds = {api: self.world.customer(api, api) for api in REQUESTS}
        feeds.update((f'delegated {api}', self.delegated(f'delegated {api}', api)[0]) for api in REQUESTS)
        for feed in feeds.values():
            feed.publish(1)
        self.world.start().wait_events(8, 30)
        for name, feed in feeds.items():
            request, = [request for request in spy.requests if request.tenant == feed.tenant.id]
            path, wanted = REQUESTS[feed.api]
            with self.subTest(name):
                form = request.form
                self.assertEqual(request.path, f'/{feed.tenant.id}{path}')
                self.assertEqual(form['client_secret'], feed.tenant.app.secret)
                for key in ('resource', 'scope'):
                    scopes = form.get(key, '').split()
                    self.assertEqual([s for s in scopes if s != 'offline_access'], wanted.get(key, '').split())
                grant = 'refresh_token' if name.startswith('delegated') else 'client_credentials'
                self.assertEqual(form['grant_type'], grant)
                self.assertEqual('offline_access' in form.get('scope', ''), grant == 'refresh_token' and
                                 feed.api != 'siem')
                self.assertEqual(request.query, '', 'a form belongs into the body, not into logged addresses')
        self.exact()

    @pytest.mark.promise('Parameters', '`cloud` selects the login host, the API host and the audience')
    @pytest.mark.promise('Parameters', '`resource` overrides the audience, and `api_url` does not change it')
    def test_resource_and_clouds(self):
        """The resource that is configured wins; other clouds have their own."""
        resource = 'https://securitycenter.onmicrosoft.com/windowsatpservice'
        cases = {'own': ({'resource': resource}, resource), 'gcc': ({'cloud': 'gcc_high'}, None),
                 'dod': ({'cloud': 'dod', 'api': 'graph'}, 'https://dod-graph.microsoft.us')}
        spy = Spy(self.world, service='login')
        for name, (changes, _) in cases.items():
            api = changes.pop('api', 'endpoint')
            self.world.customer(name, api, **changes).publish(1)
        self.world.start().wait_events(3, 30)
        for request in spy.requests:
            name = next(name for name in cases if self.world.microsoft.tenant(name).id == request.tenant)
            audience = request.form['scope'].removesuffix('/.default')
            self.assertEqual(audience, cases[name][1] or audience)
            if name == 'gcc':
                self.assertTrue(audience.endswith('.us'), audience)

    @pytest.mark.promise('Secrets', 'A rotated refresh token is stored before its access token is used')
    def test_a_rotated_token_is_in_the_store_before_it_is_used(self):
        """Whatever is asked with an access token, the refresh token that came along is stored by then."""
        feed, name = self.delegated()
        first = self.world.splunkd.password(name)
        self.world.faults.add(lambda _, answer: (time.sleep(1), answer())[1], kind='passwords',
                              match=lambda request: request.method == 'POST')
        spy = Spy(self.world, kind='graph', look=lambda _: self.world.splunkd.password(name))
        feed.publish(1)
        self.world.start().wait_events(1)
        self.assertNotEqual(spy.found[0], first)
        self.assertIn(spy.found[0], self.identity.refresh)

    @pytest.mark.promise('Secrets', 'A rotated refresh token is stored before its access token is used')
    @pytest.mark.waits(15)
    def test_it_waits_for_a_splunkd_that_is_away(self):
        """503 and refused connections while the new token is to be stored: not used, not lost, then used."""
        for away in (lambda: self.world.splunkd.starting(3), self._down_for_a_while):
            feed, name = self.delegated(f'a{len(self.world.feeds)}')
            first = self.world.splunkd.password(name)
            feed.publish(1)

            def answer(_, real, away=away):
                response = real()
                away()
                return response
            self.world.faults.add(answer, service='login', tenant=feed.tenant, times=1)
            spy = Spy(self.world, service='graph', tenant=feed.tenant,
                      look=lambda _, name=name: self.world.splunkd.password(name))
            began = time.monotonic()
            program = self.world.start()
            wait_for(lambda: len(self.world.events()) >= len(self.world.feeds), 25, program.tail)
            self.assertGreater(time.monotonic() - began, 2.5)
            self.assertNotEqual(spy.found[0], first)
            self.assertEqual(len(self.world.microsoft.requests(feed.tenant, service='login')), 1)
            program.terminate()
        self.exact()

    def _down_for_a_while(self):
        service = self.world.splunkd.service

        def absent():
            service.stop()
            time.sleep(3)
            service.start()
        threading.Thread(target=absent, daemon=True).start()

    @pytest.mark.waits(15)
    def test_renewal_ahead_of_expiry(self):
        """Short lives: no request ever carries a token that is over, and polls go on while a new one is fetched."""
        self.identity.life_s = 4
        feed = self.world.customer('a')
        self.world.start().wait_line('state=ok')
        slow = self.world.faults.add(faults.delay(0.2), service='login')
        end = time.monotonic() + 20
        while len(self.world.microsoft.requests(service='login')) < 4 and time.monotonic() < end:
            feed.publish(1)
            time.sleep(0.4)
        slow.remove()
        self.world.program.wait_events(len(feed.versions))
        answers = self.world.microsoft.requests(service='graph')
        self.assertEqual({entry.status for entry in answers}, {200})
        self.assertGreater(len(self.world.microsoft.requests(service='login')), 3)
        gaps = [b.when - a.when for a, b in zip(answers, answers[1:])]
        self.assertLess(max(gaps), 2.9)

    def test_a_401_in_the_middle_of_paging(self):
        """Revoked between two pages, or two polls: one new token, the rest is read, nobody is alarmed."""
        for api in ('graph', 'endpoint', 'siem'):
            feed = self.world.customer(api, api, start_time='-1h')
            feed.publish(60, span_s=3000)
            self.world.faults.add(lambda request, answer, feed=feed: (answer(), self.identity.revoke(feed.tenant))[0],
                                  kind=api, tenant=feed.tenant, nth=2, times=1)
        self.world.feeds['graph'].quirks.set(page_cap=20)
        program = self.world.start()
        program.wait_events(180, 30)
        for feed in self.world.feeds.values():
            wait_for(lambda feed=feed: len(self.world.microsoft.requests(feed.tenant, service='login')) > 1, 10,
                     feed.api)
            feed.publish(5)
        program.wait_events(195)
        for feed in self.world.feeds.values():
            self.assertEqual(len(self.world.microsoft.requests(feed.tenant, service='login')), 2, feed.api)
        self.assertEqual([line for line in program.lines if line.level in ('ERROR', 'WARN') and
                          'event=api_ends' not in line.text], [])
        self.exact()

    @pytest.mark.promise('Trouble', "A refusal is one ERROR with Entra's code and who has to act")
    def test_refusals_name_the_one_who_must_act(self):
        """One ERROR line with Entra's code for each customer, one request, and the others go on."""
        cases = {7000215: 'Our administrator', 7000222: 'Our administrator', 700016: 'administrator',
                 65001: "customer's administrator", 7000229: "customer's administrator",
                 53003: "customer's administrator",
                 1234567: '1234567'}
        good = self.world.customer('good')
        for code in cases:
            feed = self.world.customer(f'c{code}')
            self.world.faults.add(refusing(code), service='login', tenant=feed.tenant)
        program = self.world.start()
        for code, words in cases.items():
            with self.subTest(code):
                status = program.wait_line(f'event=status input=c{code} .*state=refused')
                self.assertIn(f'AADSTS{code}', status.text)
                lines = [line for line in program.lines if line.level == 'ERROR'
                         and line.facts.get('input') == f'c{code}']
                self.assertEqual(len(lines), 1, program.tail())
                self.assertIn(f'AADSTS{code}', lines[0].text)
                self.assertIn(words, lines[0].text)
        good.publish(1)
        program.wait_events(1)
        time.sleep(1.5)
        for code in cases:
            tenant = self.world.microsoft.tenant(f'c{code}')
            self.assertEqual(len(self.world.microsoft.requests(tenant, service='login')), 1)

    @pytest.mark.promise('Trouble', "A refusal is one ERROR with Entra's code and who has to act")
    def test_a_revoked_refresh_token(self):
        """Useless until somebody signs in again: said once, not tried over and over; a new one in the store helps."""
        feed, name = self.delegated()
        self.identity.revoke(feed.tenant, refresh=True)
        program = self.world.start()
        line = program.wait_line('ERROR .*input=a .*AADSTS50173')
        self.assertRegex(line.text, 'sign')
        time.sleep(2)
        self.assertEqual(len(self.world.microsoft.requests(service='login')), 1)
        feed.publish(1)
        self.world.splunkd.store(name, self.identity.new_refresh_token(feed.tenant))
        self.world.restart().wait_events(1)

    def test_what_passes_is_tried_again(self):
        """Throttling in plain text, 5xx, web pages, cut and empty answers, wrong types, transient codes."""
        cases = {'throttled': faults.login_throttled(1), 'status': faults.status(500), 'page': faults.html(200),
                 'proxy page': faults.html(403), 'cut': faults.cut(0.5), 'empty': faults.empty(),
                 'reset': faults.reset(after=True), 'transient': refusing(90033),
                 'length': faults.shaped(length=9999, close=True),
                 'type': faults.wrong_types('access_token', 7), 'none': faults.wrong_types('access_token', None),
                 'life': faults.wrong_types('expires_in', 'soon')}
        for name, fault in cases.items():
            feed = self.world.customer(name)
            feed.publish(1)
            self.world.faults.add(fault, service='login', tenant=feed.tenant, times=1)
        program = self.world.start()
        program.wait_events(len(cases), 30)
        self.assertEqual([line for line in program.lines if line.level == 'ERROR'], [])
        self.exact()

    def test_a_lost_answer_with_a_rotated_token(self):
        """The old one still works at Entra; what never arrived was never needed."""
        feed, name = self.delegated()
        feed.publish(1)
        self.world.faults.add(faults.cut(0.7), service='login', times=2)
        self.world.start().wait_events(1, 20)
        self.assertIn(self.world.splunkd.password(name), self.identity.refresh)

    def test_one_app_for_many_customers(self):
        """Forty tenants, one secret: each with its own token from its own endpoint."""
        feeds = [self.world.customer(f'customer{i}', ('graph', 'endpoint', 'siem', 'incidents')[i % 4], shared=True)
                 for i in range(40)]
        for feed in feeds:
            feed.publish(1)
        program = self.world.start()
        program.wait_events(40, 40)
        for feed in feeds:
            self.assertEqual(len(self.world.microsoft.requests(feed.tenant, service='login')), 1)
        self.assertEqual(len(self.world.splunkd.secrets()), 1)
        tokens = list(self.identity.access)
        self.assertEqual(leaks(self.world, [self.world.shared_app().secret] + tokens), [])
        self.exact()

    def test_inputs_of_the_same_sign_in_share_a_token(self):
        """Alerts and incidents of one tenant come with one token."""
        feed = self.world.customer('a')
        params = dict(self.world.splunkd.inputs['a'][1], api='incidents')
        self.world.splunkd.add_input('b', **params)
        other = feed.tenant.feed('incidents')
        self.world.ledger.bind('defender_alerts://b', other)
        feed.publish(1)
        other.publish(1)
        self.world.start().wait_events(2)
        self.assertEqual(len(self.world.microsoft.requests(service='login')), 1)
        self.exact()
