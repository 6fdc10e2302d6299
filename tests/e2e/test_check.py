"""`check`: what it finds for each input, and what it leaves alone."""
import json
import os
import re
import socket
import unittest

import checks
import pytest
from world import faults
from world.runner import call
from world.world import World


def check(world, *arguments, **variant):
    """Run it with --json; returns (exit status, input name -> findings, the result of the call)."""
    result = call(world.home, 'check', '--json', *arguments, stdin=world.xml(**variant))
    return result.code, {row['input']: row for row in json.loads(result.out)['inputs']}, result


class Good(unittest.TestCase):
    @pytest.mark.promise('Calls',
                         '`check` tries DNS, TLS, token, permission and the newest alert, and exits with 0 or 1')
    @pytest.mark.promise('Calls', '`check` writes no events and stores nothing')
    def test_every_api_and_nothing_is_left_behind(self):
        with World() as world:
            for api in ('graph', 'endpoint', 'siem', 'incidents'):
                world.customer(api, api=api).publish(4, span_s=300)
            before = dict(world.splunkd.passwords)
            code, rows, result = check(world)
            self.assertEqual((code, result.err), (0, ''))
            for api, row in rows.items():
                with self.subTest(api):
                    self.assertEqual((row['ok'], row['api'], row['why']), (True, api, None))
                    self.assertEqual(row['login']['issuer'], 'Test authority of this run')
                    self.assertEqual(row['service']['ca_file'], world.authority.cert)
                    self.assertLess(abs(row['clock_difference_ms']), 3000)
                    self.assertLess(row['newest_alert_age_s'], 320)
            self.assertEqual(rows['graph']['token']['kind'], 'app')
            self.assertIn('SecurityAlert.Read.All', rows['graph']['token']['permissions'])
            self.assertEqual(world.splunkd.passwords, before)
            self.assertEqual(os.listdir(world.home.checkpoints), [])

    @pytest.mark.promise('Calls', '`check` writes no events and stores nothing')
    def test_secrets_in_clear_are_used_and_left_where_they_are(self):
        """It is a look: nothing is stored or masked, and nothing of an alert is printed."""
        with World() as world:
            feed = world.customer('contoso', stored=False)
            alert = feed.publish(1)[0]
            before = dict(world.splunkd.inputs['contoso'][1])
            code, rows, result = check(world)
            self.assertEqual((code, rows['contoso']['ok']), (0, True))
            self.assertEqual(world.splunkd.passwords, {})
            self.assertEqual(world.splunkd.inputs['contoso'][1], before)
            self.assertEqual({entry.method for entry in world.splunkd.log}, {'GET'})
            self.assertEqual(checks.in_files(world.home.checkpoints, [feed.tenant.app.secret, alert.key]), [])
            self.assertEqual(os.listdir(world.home.checkpoints), [])
            self.assertEqual(checks.in_bytes((result.out + result.err).encode(), [feed.tenant.app.secret]), [])
            self.assertNotIn(alert.fields['title'], result.out + result.err)
            self.assertNotIn('<event', call(world.home, 'check', stdin=world.xml()).out)

    @pytest.mark.promise('Calls',
                         '`check` tries DNS, TLS, token, permission and the newest alert, and exits with 0 or 1')
    def test_the_table_for_people(self):
        with World() as world:
            world.customer('contoso').publish(1)
            world.customer('fabrikam', client_secret='wrong')
            result = call(world.home, 'check', stdin=world.xml())
            self.assertEqual(result.code, 1)
            self.assertRegex(result.out, r'(?m)^contoso +graph +ok ')
            self.assertRegex(result.out, r'(?m)^fabrikam +graph +refused .*\n    AADSTS7000215: .*Our administrator')
            self.assertIn('1 of 2 inputs are good.', result.out)
            self.assertNotIn('\033', result.out)

    def test_one_input_by_name(self):
        with World() as world:
            world.customer('contoso')
            world.customer('fabrikam', client_secret='wrong')
            for name in ('contoso', 'defender_alerts://contoso'):
                code, rows, _ = check(world, '--input', name)
                self.assertEqual((code, list(rows)), (0, ['contoso']))
            result = call(world.home, 'check', '--input', 'nobody', stdin=world.xml())
            self.assertEqual(result.code, 1)
            self.assertIn("no enabled input 'nobody'", result.err)

    def test_three_hundred_side_by_side(self):
        with World() as world:
            for number in range(300):
                world.customer(f'c{number}').publish(1)
            code, rows, result = check(world)
            self.assertEqual((code, len(rows)), (0, 300), result.err)
            self.assertLess(result.seconds, 40)


    def test_many_that_do_not_answer_are_waited_for_together(self):
        """Their ten seconds pass at the same time."""
        with World(tls=False) as world:
            for number in range(120):
                world.customer(f'c{number}')
            world.faults.add(faults.black_hole(), kind='graph')
            code, rows, result = check(world)
            self.assertEqual((code, {row['result'] for row in rows.values()}), (1, {'failing'}))
            self.assertLess(result.seconds, 19)     # two rounds would take longer


class Bad(unittest.TestCase):
    def row(self, world, name='contoso'):
        code, rows, result = check(world)
        self.assertEqual(code, 1)
        secrets = [tenant.app.secret for tenant in world.microsoft.tenants.values()]
        self.assertEqual(checks.in_bytes((result.out + result.err).encode(), secrets), [])
        return rows[name]

    @pytest.mark.promise('Calls',
                         '`check` tries DNS, TLS, token, permission and the newest alert, and exits with 0 or 1')
    def test_the_permission_that_is_missing(self):
        with World() as world:
            feed = world.customer('contoso')
            feed.tenant.consent(given=False)
            row = self.row(world)
            self.assertEqual((row['result'], row['token']['missing']), ('refused', 'SecurityAlert.Read.All'))
            self.assertRegex(row['why'], r"\AHTTP 403: the token lacks the permission SecurityAlert\.Read\.All: .* "
                             r"The customer's administrator: grant admin consent to the permission "
                             r"SecurityAlert\.Read\.All")

    @pytest.mark.promise('Calls',
                         '`check` tries DNS, TLS, token, permission and the newest alert, and exits with 0 or 1')
    def test_no_name_no_connection_no_trust(self):
        with World() as world:
            world.customer('name', login_url='https://login.invalid')
            world.customer('port', api_url='https://127.0.0.1:1')
            world.customer('trust', ca_file=world.authority.server().cert)
            code, rows, _ = check(world)
            self.assertEqual(code, 1)
            self.assertEqual({row['result'] for row in rows.values()}, {'unreachable'})
            self.assertIn('login.invalid', rows['name']['why'])
            self.assertFalse(rows['port']['service']['reached'])
            self.assertIn("issued by 'Test authority of this run'", rows['trust']['why'])
            for name, said in (('name', 'correct the DNS'), ('port', 'TCP 443'), ('trust', 'set ca_file')):
                self.assertRegex(rows[name]['why'], r'\. Our administrator: .*' + said)
            self.assertEqual(world.microsoft.requests(kind='token'), [])

    @pytest.mark.promise('Calls', '`check` takes at most ten seconds per input')
    def test_a_host_that_never_answers_takes_ten_seconds_at_most(self):
        silent = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(silent.close)
        with World() as world:
            world.customer('silent', api_url=f'https://127.0.0.1:{silent.getsockname()[1]}')
            world.customer('slow').publish(1)
            world.faults.add(faults.black_hole(), kind='graph')
            code, rows, result = check(world)
            self.assertEqual(code, 1)
            self.assertLess(result.seconds, 11)
            self.assertEqual((rows['silent']['ok'], rows['slow']['ok']), (False, False))

    def test_a_stanza_that_cannot_be_used(self):
        with World() as world:
            world.customer('contoso')
            world.splunkd.add_input('broken', tenant_id='no tenant', client_id='x')
            row = self.row(world, 'broken')
            self.assertEqual(row['result'], 'bad input')
            self.assertIn('tenant_id', row['why'])

    def test_a_clock_that_is_wrong(self):
        with World() as world:
            world.clock.jump(600)
            world.customer('contoso')
            _, rows, _ = check(world)
            self.assertAlmostEqual(rows['contoso']['clock_difference_ms'], 600_000, delta=3000)


class Slow(unittest.TestCase):
    @pytest.mark.promise('Calls', '`check` calls no input failing because its tenant is slow')
    def test_a_slow_tenant_without_alerts(self):
        """Three looks in a row do not fit into ten seconds; the first answer tells that the input works."""
        for late in (faults.delay(4), faults.delay(6)):
            with World() as world:
                world.customer('slow')
                world.customer('quick')
                world.faults.add(late, kind='graph', tenant=world.feeds['slow'].tenant)
                code, rows, result = check(world)
                self.assertEqual((code, rows['slow']['result']), (0, 'ok'), rows['slow'])
                self.assertRegex(rows['slow']['note'], r'No alert in (1|24) h\. The service answered too slowly')
                self.assertIn('No alert in 30 days', rows['quick']['note'])
                self.assertLess(result.seconds, checks.end_within(11))
                self.assertIsNone(rows['slow']['newest_alert'])

    @pytest.mark.promise('Calls', '`check` calls no input failing because its tenant is slow')
    def test_a_gateway_that_does_not_wait_for_it(self):
        with World() as world:
            world.customer('slow')
            world.faults.add(faults.status(504), kind='graph', nth=2)
            code, rows, _ = check(world)
            self.assertEqual((code, rows['slow']['ok']), (0, True), rows['slow'])
            self.assertIn('No alert in 1 h.', rows['slow']['note'])

    def test_a_service_that_stays_silent_fails(self):
        """No answer at all is no slow answer. It is said in the words of the log."""
        with World() as world:
            world.customer('silent')
            world.faults.add(faults.black_hole(), kind='graph')
            code, rows, _ = check(world)
            self.assertEqual((code, rows['silent']['result']), (1, 'failing'))
            self.assertRegex(rows['silent']['why'], r'\Ano complete response from 127\.0\.0\.1 within 9 s')
            self.assertEqual(rows['silent']['cause'], 'no_complete_response')


class Words(unittest.TestCase):
    """What `check` says about a failure is what the log says."""

    @staticmethod
    def plain(why):
        """Without what differs from request to request. What a 400 needs is said once it is refused for good."""
        return re.sub(r"'|\"| \(?(request-id|trace ID|correlation ID) [^),]*[),]?", '', why)

    @pytest.mark.promise('Calls', '`check` describes a failure in the words of the log')
    def test_the_same_words_and_causes(self):
        body = {'error': {'code': 'UnknownError', 'message': 'It is broken.'}}
        for fault, where in ((faults.throttled(429, 30), 'graph'), (faults.status(503), 'graph'),
                             (faults.status(500, body), 'graph'), (faults.html(200), 'graph'),
                             (faults.html(502), 'graph'), (faults.html(403), 'graph'), (faults.empty(), 'graph'),
                             (faults.hang_up(), 'graph'), (faults.status(404, body), 'graph'),
                             (faults.status(400, body), 'graph'), (faults.status(204), 'graph'),
                             (faults.login_throttled(), 'token'), (faults.html(200), 'token'),
                             (faults.status(503), 'token'), (faults.status(401, {'error': 'invalid_client'}), 'token')):
            with World(tls=False) as world:
                world.customer('a')
                world.faults.add(fault, kind=where)
                program = world.start()
                line = program.wait_line(r'input=a .*why="', 30)
                program.terminate()
                _, rows, _ = check(world)
                with self.subTest(line.text):
                    self.assertTrue(self.plain(rows['a']['why']).startswith(self.plain(line.facts['why'])), rows)
                    self.assertTrue(rows['a']['cause'])
                    if 'cause' in line.facts:
                        self.assertEqual(rows['a']['cause'], line.facts['cause'])


class Refresh(unittest.TestCase):
    def delegated(self, world, stored=True):
        feed = world.customer('contoso')
        token = world.microsoft.identity.new_refresh_token(feed.tenant)
        name = f'refresh_token.{feed.tenant.id}.{feed.tenant.app.client_id}'
        if stored:
            world.splunkd.store(name, token)
        else:
            world.splunkd.inputs['contoso'][1]['refresh_token'] = token
        return name, token

    @pytest.mark.promise('Calls', '`check` redeems a refresh token only if it can store the next one')
    def test_is_redeemed_and_its_successor_stored(self):
        with World() as world:
            name, token = self.delegated(world)
            world.microsoft.identity.rotation = 'strict'
            code, rows, _ = check(world)
            self.assertEqual((code, rows['contoso']['token']['kind']), (0, 'user'))
            self.assertNotEqual(world.splunkd.password(name), token)
            code, _, _ = check(world)
            self.assertEqual(code, 0)

    @pytest.mark.promise('Calls', '`check` redeems a refresh token only if it can store the next one')
    def test_is_left_alone_when_its_successor_has_no_place(self):
        for trouble in ('read', 'write', 'clear'):
            with self.subTest(trouble), World() as world:
                self.delegated(world, trouble != 'clear')
                seen, xml = checks.Spy(world, kind='token'), world.xml()
                if trouble == 'read':
                    world.splunkd.new_session()
                elif trouble == 'write':
                    world.faults.add(faults.status(403), service='splunkd',
                                     match=lambda request: request.method == 'POST')
                result = call(world.home, 'check', '--json', stdin=xml)
                row = json.loads(result.out)['inputs'][0]
                self.assertEqual((result.code, row['result']), (1, 'not tried'), row)
                self.assertEqual(seen.requests, [])


    def test_a_store_that_does_not_say_whether_it_takes_it(self):
        """It is splunkd that is waited for, and said so."""
        with World() as world:
            self.delegated(world)
            seen = checks.Spy(world, kind='token')
            world.faults.add(faults.black_hole(), service='splunkd', match=lambda request: request.method == 'POST')
            code, rows, result = check(world)
            row = rows['contoso']
            self.assertEqual((code, row['result'], row['cause']), (1, 'not tried', 'splunkd_busy'), row)
            self.assertIn('the sign-in was not tried: splunkd ', row['why'])
            self.assertLess(result.seconds, checks.end_within(12))
            self.assertEqual(seen.requests, [])


class Splunkd(unittest.TestCase):
    """A splunkd that is no help."""

    def test_refused_connections_are_told_at_once(self):
        """And as what they are; it used to take 5 s, and to be no answer."""
        with World() as world:
            world.customer('contoso')
            xml = world.xml().replace(world.splunkd.url.encode(), f'https://127.0.0.1:{checks.closed_port()}'.encode())
            result = call(world.home, 'check', '--json', stdin=xml)
            row = json.loads(result.out)['inputs'][0]
            self.assertEqual((result.code, row['result']), (1, 'not tried'), row)
            self.assertRegex(row['why'], 'password store could not be read: splunkd at https://127.0.0.1:')
            self.assertLess(result.seconds, checks.end_within(2))
