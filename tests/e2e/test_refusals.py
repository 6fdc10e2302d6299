"""Refusals, throttling and simpler queries: what lasts seconds costs seconds, and what was left out comes later."""
import json
import os
import re
import time
import urllib.parse

import pytest
from cases import APIS, SECOND, DeliveryCase, HastyCase
from world import faults
from world.httpd import Response
from world.login_errors import refusing
from world.runner import wait_for

ERROR = {'error': {'code': 'BadRequest', 'message': 'No.'}}
HASTE = 60      # so many times as fast the program's own clock runs, where a test needs minutes


def bearer(request):
    """The token of a request."""
    return request.headers.get('authorization')


def _refuse_top(request, answer, most):
    """A service whose largest $top is smaller than documented, and that takes no fractions of a second."""
    if int(request.args.get('$top', 0)) > most or '.' in request.args.get('$filter', ''):
        return Response(400, b'{"error":{"code":"BadRequest","message":"no"}}')
    return answer()


class Refusals(DeliveryCase):
    """In real time."""

    @pytest.mark.promise('Trouble', 'A refusal that lasts seconds costs seconds')
    @pytest.mark.waits(20)
    def test_refusals_of_three_seconds(self):
        """401, 403, 404 and 400, of the services and of the sign-in, whole or cut: no ERROR, everybody is back."""
        world, rules = self.world(), []
        for status in (400, 401, 403, 404):
            for api in APIS:
                feed = world.customer(f'{api}-{status}', api)
                feed.publish(3)
                rules.append(world.faults.add(faults.status(status, ERROR), kind=api, tenant=feed.tenant))
            feed = world.customer(f'login-{status}')
            feed.publish(3)
            rules.append(world.faults.add(faults.status(status, b'Not now.', kind='text/plain'), service='login',
                                          tenant=feed.tenant))
        program = world.start()
        wait_for(lambda: all(rule.hits for rule in rules), 15, lambda: [rule.hits for rule in rules])
        time.sleep(3)
        for rule in rules:
            rule.remove()
        self.arrives(world, 15)
        self.exact(world)
        self.assertFalse([line for line in program.lines if line.level == 'ERROR' or 'event=form' in line.text])
        self.assertFalse([line for line in program.lines if 'state=refused' in line.text])
        program.wait_line('WARN event=trouble input=graph-403 .*HTTP 403.*retrying in 2 s')

    @pytest.mark.promise('Trouble', "A refusal is one ERROR with Entra's code and who has to act")
    def test_a_wrong_secret_is_refused_at_once(self):
        world = self.world()
        feed = world.customer('c')
        world.faults.add(refusing(7000215), service='login', tenant=feed.tenant)
        program = world.start()
        program.wait_line('ERROR event=refused input=c .*AADSTS7000215')
        time.sleep(4)
        self.assertEqual(len(world.microsoft.requests(feed.tenant, service='login')), 1)

    @pytest.mark.promise('Trouble', 'After a 403 the next try has a fresh token')
    @pytest.mark.waits(5)
    def test_consent_counts_with_a_fresh_token(self):
        """The roles of a token are those of the moment when it was issued."""
        world, refused = self.world(), {}
        for status in (403, 404):
            feed = world.customer(f'c{status}')
            feed.publish(2)
            seen = refused[feed.tenant.id] = []

            def old(request, seen=seen):
                if not seen:
                    seen.append(bearer(request))
                return bearer(request) in seen
            world.faults.add(faults.status(status, ERROR), kind='graph', tenant=feed.tenant, match=old)
        world.start()
        self.exact(world, seconds=10)

    @pytest.mark.promise('Trouble', 'The wait that a 429 or 503 asks for is kept, even if its body is cut')
    @pytest.mark.waits(5)
    def test_the_wait_is_kept_if_the_body_is_cut(self):
        def cut(code, **how):
            def fault(request, answer):
                response = faults.status(code, ERROR, retry_after=3)(request, answer)
                for name, value in how.items():
                    setattr(response, name, value)
                return response
            return fault
        ways = {'cut': {'cut': 5}, 'chunked': {'cut': 5, 'chunked': True}, 'gzip': {'cut': 10, 'compress': True},
                'none': {'cut': 0}}
        world, rules = self.world(), {}
        for code in (429, 503):
            for name, how in ways.items():
                feed = world.customer(f'{name}-{code}')
                feed.publish(2)
                rules[feed] = world.faults.add(cut(code, **how), kind='graph', tenant=feed.tenant, times=1)
            feed = world.customer(f'login-{code}')
            feed.publish(2)
            rules[feed] = world.faults.add(cut(code, cut=5), service='login', tenant=feed.tenant, times=1)
        feed = world.customer('token', poll_interval=5)
        feed.publish(2)
        rules[feed] = world.faults.add(cut(401, cut=5), kind='graph', tenant=feed.tenant, times=1)
        world.start()
        self.exact(world)
        for feed, rule in rules.items():
            first, second = world.microsoft.requests(feed.tenant, service=rule.service, kind=rule.kind)[:2]
            with self.subTest(feed.tenant.name):
                self.assertEqual(rule.hits, 1)
                if feed.tenant.name == 'token':
                    self.assertLess(second.when - first.when, 1)
                    self.assertNotEqual(bearer(first), bearer(second))
                else:
                    self.assertGreaterEqual(second.when - first.when, 2.9)

    @pytest.mark.promise('Trouble', 'While throttling goes on, waits grow, whatever the service asks for')
    @pytest.mark.waits(15)
    def test_a_service_that_asks_for_one_second_each_time(self):
        world = self.world()
        cases = {'pages': {'kind': 'graph'}, 'pages-503': {'kind': 'endpoint'}, 'login': {'service': 'login'}}
        for name, where in cases.items():
            feed = world.customer(name, where.get('kind', 'graph'))
            world.faults.add(faults.status(503 if name.endswith('503') else 429, ERROR, retry_after=1),
                             tenant=feed.tenant, **where)
        world.start()
        time.sleep(15)
        for name, where in cases.items():
            asked = world.microsoft.requests(world.feeds[name].tenant, **where)
            gaps = [after.when - before.when for before, after in zip(asked, asked[1:])]
            with self.subTest(name, gaps=gaps):
                self.assertLessEqual(len(asked), 7)
                self.assertGreaterEqual(min(gaps), 1)
                self.assertGreater(gaps[-1], 2)

    @pytest.mark.promise('Trouble', 'The hourly limit holds across restarts')
    @pytest.mark.waits(10)
    def test_what_is_left_of_the_hour_is_in_the_checkpoint(self):
        world = self.world()
        feed = world.customer('c', 'endpoint')
        feed.publish(3)
        world.start().wait_events(3)
        path = os.path.join(world.home.checkpoints, 'c.json')

        def rate():
            with open(path, encoding='utf-8') as file:
                return json.load(file).get('rate')
        self.assertIsNone(rate())
        world.program.terminate()
        left = rate()['hour']
        self.assertTrue(100 < left < 135, left)
        with open(path, encoding='utf-8') as file:
            text = file.read()
        with open(path, 'w', encoding='utf-8') as file:
            file.write(re.sub(r'"rate": {"hour": [0-9.]+', '"rate": {"hour": 0.0', text))
        begun = time.time()
        feed.publish(1)
        world.start().wait_events(1)
        self.assertGreater(time.time() - begun, 2.5)        # a request comes back every 3.6 s
        self.assertIsNone(rate())                           # whoever is killed leaves nothing to rely on
        world.program.kill()
        asked = len(world.microsoft.requests(kind='endpoint'))
        world.start()
        time.sleep(5)
        self.assertLess(len(world.microsoft.requests(kind='endpoint')) - asked, 13)
        self.arrives(world)


class Hours(HastyCase):
    """With a clock that runs faster."""

    def start(self, world, haste=HASTE):
        return super().start(world, haste)

    @pytest.mark.promise('Trouble', 'A 400 is repeated first. Then simpler queries are tried, and then it is a refusal')
    @pytest.mark.promise('Trouble', "A refusal is one ERROR with Entra's code and who has to act")
    @pytest.mark.waits(8)
    def test_refusals_that_last(self):
        """Three repetitions, each simpler query once, then one ERROR line and no hammering."""
        world = self.world()
        for status in (400, 401, 403, 404):
            for api in APIS:
                feed = world.customer(f'{api}-{status}', api, poll_interval=60)
                world.faults.add(faults.status(status, ERROR), kind=api, tenant=feed.tenant)
        program = self.start(world)
        for name in world.feeds:
            program.wait_line(f'event=status input={name} .*state=failing')
            program.wait_line(f'event=status input={name} .*state=refused')
        time.sleep(2)       # two minutes
        for name, feed in world.feeds.items():
            api, status = name.split('-')
            asked = len(world.microsoft.requests(feed.tenant, kind=api))
            lines = [line for line in program.lines if line.facts.get('input') == name]
            errors = [line.text for line in lines if line.level == 'ERROR']
            with self.subTest(name):
                self.assertLessEqual(asked, 8)
                self.assertEqual(len(errors), 1)
                self.assertRegex(errors[0], f'event=refused .*HTTP {status}.*administrator.*again at .*in 15 min')
                self.assertEqual(len([line for line in lines if 'event=trouble' in line.text]), 1)
                simpler = {'graph': 3, 'endpoint': 2, 'siem': 2, 'incidents': 3}[api] if status == '400' else 0
                self.assertEqual(len([line for line in lines if 'WARN event=form' in line.text]), simpler)
        self.ends(world)

    @pytest.mark.promise('Trouble', 'A page that keeps failing is requested in smaller pieces')
    @pytest.mark.waits(5)
    def test_a_400_for_large_pages_leads_to_smaller_ones(self):
        """The backfill asks for larger pages than the polls do."""
        world = self.world()
        feed = world.customer('small-pages', api='endpoint', poll_interval=60)
        feed.publish(2600, ticks=self.now(world) - 300 * SECOND, size='small')
        feed.publish(600, span_s=20 * 86400, size='small')
        world.faults.add(lambda request, answer: _refuse_top(request, answer, 1000), kind='endpoint')
        program = self.start(world)
        self.exact(world, seconds=30, polls=1)
        self.assertFalse([line for line in program.lines if line.level == 'ERROR'])

    def evidence(self, end):
        """The service refuses to expand evidence for a while, in which the program may end."""
        world = self.world()
        feed = world.customer('c', 'endpoint', poll_interval=60, start_time='-2h', overlap=2)
        before = feed.publish(10, span_s=6000)
        program = self.start(world)
        program.wait_events(10)
        rule = world.faults.add(faults.status(400, ERROR), kind='endpoint',
                                match=lambda request: 'expand' in urllib.parse.unquote(request.query))
        program.wait_line('WARN event=form input=c .*form=2 .*leaves out', 30)
        bare = feed.publish(5)
        program.wait_events(15, 30)
        self.assertEqual(len(world.verdict().altered), 5, 'nothing was left out')
        if end:
            getattr(program, end)()
            program = self.start(world)
            program.wait_line('WARN event=form input=c .*form=2 .*leaves out', 30)
        time.sleep(3)       # the first five are out of the polls' reach then
        bare += feed.publish(5)
        wait_for(lambda: len(world.events()) >= 20, 30, program.tail)
        rule.remove()
        wait_for(lambda: world.verdict().delivered == 20, 30, world.verdict)
        program.wait_line('INFO event=form input=c .*form=0', 30)
        self.polls(world, feed, 3)
        verdict = world.verdict()
        self.assertEqual((len(verdict.lost), len(verdict.unexpected)), (0, 0), verdict)
        allowed = set(before) if end == 'kill' else set()
        self.assertLessEqual({version for version, _ in verdict.repeated}, allowed, verdict)
        self.assertEqual({version for _, version, _ in verdict.altered} - allowed, set(bare), verdict)
        self.ends(world)

    @pytest.mark.promise('Trouble', 'A simpler query is temporary, and what it leaves out is read again')
    @pytest.mark.promise('Events', 'Endpoint alerts include their evidence')
    @pytest.mark.waits(15)
    def test_evidence_comes_later(self):
        self.evidence(None)

    @pytest.mark.promise('Trouble', 'A simpler query is temporary, and what it leaves out is read again')
    @pytest.mark.waits(15)
    def test_evidence_comes_later_after_a_stop(self):
        self.evidence('terminate')

    @pytest.mark.promise('Trouble', 'A simpler query is temporary, and what it leaves out is read again')
    @pytest.mark.waits(15)
    def test_evidence_comes_later_after_a_kill(self):
        self.evidence('kill')

    @pytest.mark.promise('Trouble', 'Inputs that share a rate limit are served in turn')
    @pytest.mark.waits(25)
    def test_sixty_inputs_of_one_tenant(self):
        """Each asks every second; the limit gives each a request in 36 s."""
        haste, count = 10, 60
        world = self.world()
        tenant = world.microsoft.tenant('t')
        tenant.feed('graph')
        params = world.params(tenant, 'graph')
        world.splunkd.store(f'client_secret.{params["client_id"]}', params['client_secret'])
        params['client_secret'] = '********'
        for number in range(count):
            world.splunkd.add_input(f'i{number}', 'search', **{**params, 'filter': f"serviceSource ne 'i{number}'"})
        self.start(world, haste)
        time.sleep(22)
        moments = {number: [] for number in range(count)}
        for entry in world.microsoft.requests(tenant, kind='graph'):
            moments[int(re.search(r"'i([0-9]+)'", urllib.parse.unquote(entry.query))[1])].append(entry.when)
        gaps = [(after - before) * haste for each in moments.values() for before, after in zip(each, each[1:])]
        self.assertGreaterEqual(min(len(each) for each in moments.values()), 3)
        self.assertLess(max(gaps), 36 * 1.3)
        self.ends(world)
