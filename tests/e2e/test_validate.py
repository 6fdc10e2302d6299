"""--validate-arguments: what is refused, with which words, and what cannot be tried and is let through."""
import concurrent.futures
import os
import re
import signal
import subprocess
import unittest

import pytest
from checks import BlackHole, Mute, Spy, closed_port, end_within
from world import faults, inputxml
from world.certs import Authority
from world.login_errors import refusing
from world.proxy import Proxy
from world.runner import SplunkHome, binary, call, listens_to, validate, wait_for
from world.world import World

GUID = '0123abcd-89ab-cdef-0123-456789abcdef'
APIS = ('graph', 'endpoint', 'siem', 'incidents')
SECRET = 'Qx8Q~never-in-a-message.+/=%&'
NOWHERE = {'tenant_id': 'contoso.com', 'client_id': GUID, 'refresh_token': 'r' * 40,    # nobody listens there
           'login_url': 'https://127.0.0.1:1'}

# (parameter, value that is refused): the message names it, what it held and what it should hold.
BAD = [
    ('tenant_id', 'contoso'), ('tenant_id', 'common'), ('tenant_id', 'a b.com'), ('tenant_id', '../x.com'),
    ('tenant_id', '10.0.0.1'), ('tenant_id', 'https://contoso.com'), ('tenant_id', '-a.com'),
    ('client_id', 'abc'), ('client_id', GUID[:-1]), ('client_id', GUID + '0'), ('client_id', '{' + GUID + '}'),
    ('api', 'alerts'), ('api', 'graph,siem'), ('cloud', 'china'), ('cloud', 'GCC-High'),
    ('poll_interval', '0'), ('poll_interval', '86401'), ('poll_interval', '-1'), ('poll_interval', '1.5'),
    ('allow_update', 'maybe'), ('client_assertion', 'file:relative'), ('client_assertion', 'secret'),
    ('audit', '-1'), ('audit', '36'), ('audit', 'all'),
    ('poll_interval', '60s'), ('poll_interval', '9' * 30), ('poll_interval', '0x10'),
    ('overlap', '-1'), ('overlap', '86401'), ('overlap', 'none'),
    ('start_time', '30d'), ('start_time', '-30'), ('start_time', '-d'), ('start_time', 'yesterday'),
    ('start_time', '2026-13-01'), ('start_time', '2026-02-30T00:00:00Z'), ('start_time', '01/02/2026'),
    ('start_time', '-99999999999d'), ('start_time', '1969-01-01'),
    ('filter', "severity eq 'high"), ('filter', "(a eq 1"), ('filter', 'a eq 1) or (b eq 2'),
    ('filter', "$filter=severity eq 'high'"),
    ('login_url', 'http://login.example.com'), ('login_url', 'login.microsoftonline.com'),
    ('login_url', 'https://login.microsoftonline.com/common'), ('login_url', 'ftp://x'), ('login_url', 'https://'),
    ('api_url', 'http://10.0.0.1'), ('api_url', 'https://x/?a=b'), ('api_url', 'https://x#f'),
    ('api_url', 'http://127.0.0.1.example.com'), ('api_url', 'https://x:99999'),
    ('resource', 'two words'), ('redirect_uri', 'SiemMsspConnector'), ('redirect_uri', 'https://x/#part'),
    ('proxy', 'proxy.example.com'), ('proxy', 'proxy.example.com:8080'), ('proxy', 'socks5://x:1'),
    ('proxy', 'http://x'), ('proxy', 'http://x:0'), ('proxy', 'http://a b:80'),
    ('share_url', 'https://ds.example.com'), ('share_url', 'http://ds.example.com:8089'),
    ('share_url', 'https://a:8089;https://b:8089'), ('share_group', 'a b'), ('share_lost', 'wait'),
    ('share_ca_file', 'ca.pem'), ('ca_file', '/no/such/file.pem'), ('ca_file', 'ca.pem'), ('ca_file', '/'),
    ('client_certificate', '/no/such/file.pem'), ('client_certificate', 'cert.pem')]

GOOD = [
    {'tenant_id': GUID.upper()}, {'tenant_id': 'Contoso.OnMicrosoft.com'}, {'client_id': GUID.upper()},
    {'api': 'endpoint'}, {'api': 'SIEM'}, {'cloud': 'gcc_high'}, {'poll_interval': '1'}, {'poll_interval': ' 86400 '},
    {'share_url': 'https://ds.example.com:8089, https://[::1]:8089', 'share_group': 'eu-1', 'share_lost': 'stop'},
    {'allow_update': 'yes'}, {'audit': '0'}, {'audit': '35'},
    {'overlap': '0'}, {'overlap': '86400'}, {'start_time': '-12h'}, {'start_time': '2025-11-01'},
    {'start_time': '2025-11-01T08:00:00+02:00'}, {'start_time': '2025-11-01T08:00:00.1234567Z'},
    {'filter': "severity eq 'it''s (high' and (a eq 1)"}, {'login_url': 'https://login.microsoftonline.us/'},
    {'api_url': 'http://127.0.0.1:8080'}, {'api_url': 'http://[::1]:8080'}, {'api_url': 'http://localhost:1'},
    {'resource': 'https://graph.windows.net'}, {'resource': GUID}, {'redirect_uri': 'urn:ietf:wg:oauth:2.0:oob'},
    {'proxy': 'http://proxy:3128'}, {'proxy': 'http://us%40er:pa%3Ass@[::1]:3128/'}, {'ca_file': ''}, {'api': ''},
    {'index': 'nope', 'host': '$decideOnStartup', 'interval': 'x', 'brand_new': '<&>'}]


class Stopped(unittest.TestCase):
    """Stop signals before the program has read its stdin."""

    def status_after(self, stop, *arguments):
        process = subprocess.Popen([binary(), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.communicate)
        wait_for(lambda: listens_to(process.pid, stop), 10, f'signal {stop} caught', pause=0)
        process.send_signal(stop)
        return process.wait(10)

    def test_a_stopped_validation_is_not_good(self):
        """splunkd reads status 0 as a valid input."""
        for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self.assertEqual(self.status_after(stop, '--validate-arguments'), 1)

    def test_a_run_ends_with_0_from_its_first_moment(self):
        for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self.assertEqual(self.status_after(stop), 0)


class Offline(unittest.TestCase):
    """Checks that need nobody else."""

    @classmethod
    def setUpClass(cls):
        cls.home = SplunkHome()
        cls.addClassCleanup(cls.home.close)
        cls.pool = concurrent.futures.ThreadPoolExecutor(4)
        cls.addClassCleanup(cls.pool.shutdown)

    def many(self, cases):
        """Validate all of them, a few at a time; yields (case, result)."""
        jobs = [(case, self.pool.submit(validate, self.home, 'a', {**NOWHERE, **case})) for case in cases]
        for case, job in jobs:
            yield case, job.result()

    def refusal(self, result):
        """The message, after checking its form: one error element, one line, exit 1, nothing else on stdout."""
        self.assertEqual(result.code, 1)
        self.assertRegex(result.out, r'\A<error><message>[^<>\n]+</message></error>\n?\Z')
        self.assertNotIn(SECRET, result.out + result.err)
        return result.message

    @pytest.mark.promise('Calls',
                         '`--validate-arguments` prints one `<error>` and exits with 1 if the input is not valid')
    @pytest.mark.promise('Parameters', 'Each parameter accepts and refuses what its documentation says')
    @pytest.mark.promise('Parameters', 'A refusal names the parameter, its value and what is expected')
    def test_each_kind_of_bad_value(self):
        """The message names the parameter, what it held and what it should hold."""
        for case, result in self.many([{name: value} for name, value in BAD]):
            (name, value), = case.items()
            with self.subTest(case):
                text = self.refusal(result)
                self.assertTrue(text.startswith(name), text)
                self.assertIn(f"'{value[:60]}", text)
                self.assertIn('should be', text)

    @pytest.mark.promise('Calls', '`--validate-arguments` prints nothing and exits with 0 if the input is valid')
    def test_each_kind_of_good_value(self):
        """Silence on stdout, exit 0."""
        for case, result in self.many(GOOD):
            with self.subTest(case):
                self.assertEqual((result.code, result.out), (0, ''), result.err)

    @pytest.mark.promise('Parameters', 'A refusal says what to enter in place of what people often paste')
    def test_what_people_paste(self):
        """The wrong part of the right thing."""
        for name, value, words in (
                ('tenant_id', 'joe@contoso.com', 'only the domain after the @'),
                ('tenant_id', f'https://security.microsoft.com/?tid={GUID}', 'only the GUID after tid='),
                ('tenant_id', 'https://contoso.com', "only the tenant's GUID or domain"),
                ('start_time', '30d', 'minus sign'), ('start_time', '29.11.2026', 'year-month-day'),
                ('start_time', '29/11/2026', 'year-month-day'), ('start_time', '29-11-2026', 'year-month-day'),
                ('start_time', '2099-01-01', 'in the future'), ('start_time', '20261129', 'year-month-day'),
                ('start_time', '1764412800', 'year-month-day'), ('start_time', '30 days', 'such as -30d'),
                ('start_time', '-30', 'such as -30d'), ('start_time', '-1mon', 'such as -30d'),
                ('start_time', '\N{EN DASH}30d', 'typographic dash'),
                ('tenant_id', f'{{{GUID}}}', 'only the GUID in it'),
                ('tenant_id', f'Tenant ID: {GUID}', 'only the GUID in it'),
                ('tenant_id', GUID.replace('-', ''), 'with its hyphens'),
                ('tenant_id', 'contoso.com, fabrikam.com', 'an input of its own'),
                ('tenant_id', '\u200bcontoso.com', 'not visible'), ('client_id', f'"{GUID}"', 'only the GUID in it'),
                ('client_id', 'Qx8Q~abcdefghijklmnopqrstuvwxyz', 'belongs in client_secret'),
                ('proxy', 'proxy:8080', 'Put http:// before'),
                ('client_id', f'https://portal.azure.com/#view/appId/{GUID}', 'only the ID')):
            with self.subTest(name, value=value):
                self.assertIn(words, self.refusal(validate(self.home, 'a', {**NOWHERE, name: value})))

    @pytest.mark.promise('Parameters', 'A file that is missing, a folder or not PEM has a sentence of its own')
    def test_files(self):
        """Each of the three parameters. What Splunk's user may not read is in the unit tests."""
        other = os.path.join(self.home.path, 'other.pem')
        with open(other, 'wb') as file:
            file.write(b'\x30\x82\0\0-----BEGIN CERTIFICATE-----')
        for name in ('ca_file', 'client_certificate', 'share_ca_file'):
            for path, words in (('/no/such.pem', 'No such file'), (self.home.path, 'is a folder'),
                                (other, 'should be a PEM file')):
                with self.subTest(name, path=path):
                    text = self.refusal(validate(self.home, 'a', {**NOWHERE, name: path}))
                    self.assertTrue(text.startswith(f"{name} is '{path}', but it should be"), text)
                    self.assertIn(words, text)

    @pytest.mark.promise('Parameters', 'A file that is missing, a folder or not PEM has a sentence of its own')
    def test_a_shared_ca_file_that_is_none(self):
        """Nothing is tried with it, so it is read: a key, something cut or damaged, no text at all."""
        authority = Authority()
        self.addCleanup(authority.close)
        with open(authority.cert, encoding='ascii') as file:
            good = file.read()
        path = os.path.join(self.home.path, 'none.pem')
        for content in (good.replace('CERTIFICATE', 'PRIVATE KEY'), good[:len(good) // 2], 'CERTIFICATE',
                        good + '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
                        good.replace('M', 'N'), '-----BEGIN ENCRYPTED PRIVATE KEY-----\n', good):
            with open(path, 'w', encoding='ascii') as file:
                file.write(content)
            result = validate(self.home, 'a', {**NOWHERE, 'share_ca_file': path})
            if content == good:
                self.assertEqual(result.code, 0, result.message)
            else:
                self.assertEqual(
                    self.refusal(result),
                    f"share_ca_file is '{path}', but it should be a PEM file with the certificate of the authority "
                    'that issued the one of the Splunk instance of share_url: it holds no certificate, or a damaged '
                    'one')

    @pytest.mark.promise('Parameters', 'A refusal says what to enter in place of what people often paste')
    def test_the_id_of_a_secret(self):
        """The portal lists it next to the value; it is not repeated, as it may be something else."""
        for value in (GUID, GUID.upper(), f' {GUID} '):
            text = self.refusal(validate(self.home, 'a', {**NOWHERE, 'client_secret': value}))
            self.assertRegex(text, "^client_secret is a GUID .*the ID of a secret, .*should be the secret's Value")
            self.assertNotIn(GUID, text.lower())

    @pytest.mark.promise('Parameters', 'A refusal says what to enter in place of what people often paste')
    def test_one_field_too_low(self):
        """The page that a sign-in ended on, and what is no code; neither is repeated."""
        for name, value, words in (
                ('refresh_token', f'https://siem/?code=0.AX{SECRET}', 'is an address .*in authorization_code'),
                ('refresh_token', f'code=0.AX{SECRET}', 'is an address .*in authorization_code'),
                ('authorization_code', 'joe@contoso.com', 'it is no authorization code: copy the whole address')):
            with self.subTest(name, value=value):
                self.assertRegex(self.refusal(validate(self.home, 'a', {**NOWHERE, name: value})), f'^{name}.* {words}')

    @pytest.mark.promise('Parameters', 'A refusal names the parameter, its value and what is expected')
    def test_what_is_missing(self):
        """Required parameters, absent, empty or blank."""
        for name in ('tenant_id', 'client_id'):
            for value in (None, '', '  '):
                params = {key: text for key, text in {**NOWHERE, name: value}.items() if text is not None}
                with self.subTest(name, value=value):
                    text = self.refusal(validate(self.home, 'a', params))
                    self.assertTrue(text.startswith(f'{name} is missing'), text)
                    self.assertIn('should be', text)

    @pytest.mark.promise('Parameters', '`filter` is refused with `siem`')
    def test_what_excludes_each_other(self):
        """The exporter knows no OData; one app signs in with one credential."""
        certificate = os.path.join(self.home.path, 'c.pem')
        with open(certificate, 'w', encoding='ascii') as file:
            file.write('-----BEGIN CERTIFICATE-----')
        for case, words in (({'api': 'siem', 'filter': "a eq 'b'"}, ('filter', 'siem')),
                            ({'client_secret': SECRET, 'client_certificate': certificate},
                             ('client_secret', 'client_certificate'))):
            text = self.refusal(validate(self.home, 'a', {**NOWHERE, **case}))
            for word in words:
                self.assertIn(word, text)

    def test_no_secret_in_a_message(self):
        """Bad values that hold one: control characters, too long, a password where none belongs."""
        cases = [{'client_secret': SECRET + '\n' + SECRET}, {'refresh_token': SECRET * 2000},
                 {'authorization_code': SECRET + '\t\x7f'}, {'proxy': f'http://user:{SECRET}@host'},
                 {'proxy': f'https://user:{SECRET}@host:1'}, {'proxy': f'user:{SECRET}@host:1'},
                 {'proxy': f'http://:{SECRET}@host:1'}, {'login_url': f'https://user:{SECRET}@host'},
                 {'api_url': f'https://{SECRET}@host'}, {'redirect_uri': f'https//user:{SECRET}@host'}]
        for case, result in self.many(cases):
            (name, _), = case.items()
            with self.subTest(name, value=case[name][:40]):
                text = self.refusal(result)
                self.assertTrue(text.startswith(name), text)
                for piece in (SECRET[:12], SECRET[5:17], SECRET[-12:]):
                    self.assertNotIn(piece, text + result.err)

    def test_hostile_values_stay_one_harmless_line(self):
        """Markup, quotes, control characters, other scripts and great length."""
        for value in ('</message></error><x>', '"\'&<>]]>', 'ünï\u202ecode 東京', 'a' * 5000, '\u0085\u2028x',
                      '%s%n%s'):
            with self.subTest(value[:20]):
                text = self.refusal(validate(self.home, 'a', {**NOWHERE, 'api': value}))
                self.assertLess(len(text), 1000)

    @pytest.mark.promise('Calls',
                         '`--validate-arguments` prints one `<error>` and exits with 1 if the input is not valid')
    def test_document_forms(self):
        """Both spellings of the name, all encodings and orders; broken documents are refused, not left unanswered."""
        for name in ('a', 'defender_alerts://a', 'Zürich & <Sons>'):
            for variant in ({}, {'encoding': 'utf-16-le', 'order': 'last'},
                            {'encoding': 'utf-16-be', 'order': 'middle'}):
                result = validate(self.home, name, NOWHERE, **variant)
                self.assertEqual((result.code, result.out), (0, ''), result.err)
        good = inputxml.validation_items(self.home.header(), 'a', NOWHERE)
        item = re.search(rb'<item .*</item>', good, re.DOTALL).group()
        for name, document in (('nothing', b''), ('cut', good[:-20]), ('two', good.replace(item, item * 2)),
                               ('none', good.replace(item, b'')), ('input', good.replace(b'items>', b'input>')),
                               ('doctype', good.replace(b'<items>', b'<!DOCTYPE items><items>')),
                               ('no name', good.replace(b' name="a"', b'', 1))):
            with self.subTest(name):
                self.assertTrue(self.refusal(call(self.home, '--validate-arguments', stdin=document)))


class Online(unittest.TestCase):
    """The sign-in is tried while the administrator waits."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)

    def setUp(self):
        self.world.faults.clear()
        self.world.splunkd.passwords.clear()
        self.tenant = self.world.microsoft.tenant('customer')
        for api in APIS:
            self.tenant.feed(api)

    def validate(self, environment=None, api='graph', **changes):
        """Validate an input of the customer, without side effects in the store; anything over 10 s is an error."""
        params = self.world.params(self.tenant, api, **changes)
        before = dict(self.world.splunkd.passwords)
        result = validate(self.world.home, 'new', params, self.world.splunkd.session_key, environment)
        self.assertEqual(self.world.splunkd.passwords, before)
        self.assertLess(result.seconds, end_within(10))
        for secret in (self.tenant.app.secret, SECRET):
            self.assertNotIn(secret, result.out + result.err)
        return result

    def accept(self, **how):
        """Accepted without a word?"""
        result = self.validate(**how)
        self.assertEqual((result.code, result.out, result.err), (0, '', ''))

    def warn(self, pattern, **how):
        """Accepted, and a WARN line says what could not be tried?"""
        result = self.validate(**how)
        self.assertEqual((result.code, result.out), (0, ''))
        self.assertRegex(result.err, r'\AWARN [^\n]+\n\Z')
        self.assertRegex(result.err, pattern)
        return result

    def refuse(self, pattern, **how):
        """Refused with these words?"""
        result = self.validate(**how)
        self.assertEqual(result.code, 1)
        self.assertRegex(result.message or '', pattern)

    @pytest.mark.promise('Parameters', 'Saving tries the sign-in and one record with the filter')
    def test_good_credentials_of_each_api(self):
        """One request for a token, and one for a record at most."""
        for api in APIS:
            with self.subTest(api):
                spy, service = Spy(self.world, service='login'), self.world.microsoft.service(api)
                before = len(list(service.log))
                self.accept(api=api)
                self.assertEqual(len(spy.requests), 1)
                entries = list(service.log)[before:]
                self.assertEqual(len(entries), 1)
                if api != 'siem':
                    self.assertRegex(entries[0].query, 'top=1(&|$)')
                spy.rule.remove()

    @pytest.mark.promise('Parameters', 'Saving refuses what the service refuses: a missing role, a filter')
    def test_a_missing_role_is_refused(self):
        """The message names it."""
        granted = self.tenant.app.granted
        self.addCleanup(setattr, self.tenant.app, 'granted', granted)
        self.tenant.app.granted = ()
        for api in APIS:
            with self.subTest(api):
                self.refuse('sign-in works.*HTTP 40[13].*administrator', api=api)
        self.refuse('SecurityAlert.Read.All')

    @pytest.mark.promise('Parameters', 'Saving refuses what the service refuses: a missing role, a filter')
    def test_a_filter_that_the_service_refuses(self):
        """In the service's words."""
        for text in ("severity = 'high'", "severity == 'high'", 'severity eq high'):
            with self.subTest(text):
                self.refuse('HTTP 400, with a filter set.*check filter', filter=text)
        self.accept(filter="severity eq 'high'")

    @pytest.mark.promise('Parameters',
                         'Saving accepts an input with a WARN after a temporary failure, or if it could not be tried')
    def test_trouble_of_the_alert_service_is_not_refused(self):
        for fault in (faults.status(503), faults.status(429), faults.reset(), faults.html(200)):
            self.world.faults.clear()
            self.world.faults.add(fault, service='graph')
            self.warn('sign-in works, but .* could not be tried')

    @pytest.mark.promise('Parameters', "Saving refuses an input that Entra refuses, with Entra's code")
    def test_a_wrong_secret_is_refused_with_entras_code(self):
        """And whose move it is."""
        self.refuse('AADSTS7000215.*administrator', client_secret=SECRET)
        self.refuse('AADSTS7000215', client_secret=SECRET, api='siem')

    def test_a_wrong_tenant_or_app_is_refused(self):
        """As Entra says it."""
        self.refuse('AADSTS90002', tenant_id='nobody.example.test')
        self.refuse('AADSTS700016', client_id=GUID)

    def test_other_refusals_carry_their_code(self):
        """Expired secret, missing consent, conditional access: and who has to act."""
        for code, who in ((7000222, 'Our'), (7000229, "The customer's"), (65001, "The customer's"),
                          (53003, "The customer's")):
            self.world.faults.add(refusing(code), service='login', times=1)
            self.refuse(f'AADSTS{code}: .* {who} administrator: ')

    @pytest.mark.promise('Parameters', 'A customer that has not consented yet is refused, unless the input is disabled')
    def test_a_customer_that_has_not_consented(self):
        """Entra does not know the app, or gives tokens without roles. A disabled input may be prepared."""
        self.tenant.consent(given=False)
        self.addCleanup(self.tenant.consent)
        self.refuse('HTTP 403: the token lacks the permission SecurityAlert.Read.All.* administrator: ')
        self.warn('HTTP 403: the token lacks the permission .* was saved because it is disabled', disabled='1')
        self.world.faults.add(refusing(65001), service='login', times=2)
        self.refuse("AADSTS65001.* The customer's administrator: ")
        self.warn("AADSTS65001.* The customer's administrator: .* was saved because it is disabled", disabled='1')

    def test_a_disabled_input_is_no_excuse_for_bad_values(self):
        """What needs nobody else is checked all the same; what works has nothing to tell."""
        self.refuse('tenant_id is', tenant_id='contoso', disabled='1')
        self.refuse('is the ID of a secret', client_secret=GUID, disabled='1')
        self.world.splunkd.store(f'client_secret.{self.tenant.app.client_id}', self.tenant.app.secret)
        self.refuse('stored client_secret may go to .*, not to', client_secret='********', disabled='1',
                    login_url='https://login.evil.example')
        self.accept(disabled='1')

    @pytest.mark.promise('Parameters',
                         'Saving accepts an input with a WARN after a temporary failure, or if it could not be tried')
    def test_a_refusal_of_a_moment(self):
        """A 401, 403 or 404 after which the same request is answered, as just after a consent."""
        for status in (401, 403, 404):
            self.world.faults.clear()
            rule = self.world.faults.add(faults.status(status), service='graph', times=1)
            self.accept()
            self.assertEqual(rule.hits, 1)
            self.world.faults.add(faults.status(status), service='graph')
            self.refuse(f'HTTP {status}')

    @pytest.mark.promise('Parameters', 'An empty or masked secret means the stored one')
    def test_a_mask_or_nothing_means_the_stored_secret(self):
        """Absent, empty, eight or any number of stars."""
        self.world.splunkd.store(f'client_secret.{self.tenant.app.client_id}', self.tenant.app.secret)
        for value in (None, '', '********', '*', '*' * 20):
            with self.subTest(value):
                self.accept(client_secret=value)
        self.world.splunkd.store(f'client_secret.{self.tenant.app.client_id}', SECRET)
        self.refuse('AADSTS7000215', client_secret='********')

    def test_a_mask_without_a_stored_secret_is_refused(self):
        """The input could never work."""
        self.refuse('client_secret is empty', client_secret='********')

    @pytest.mark.promise('Parameters',
                         'Saving accepts an input with a WARN after a temporary failure, or if it could not be tried')
    def test_a_code_is_not_used_up(self):
        """It is good once; only a WARN says that nothing was tried."""
        identity = self.world.microsoft.identity
        code, spy = identity.landing_address(identity.new_code(self.tenant)), Spy(self.world, service='login')
        self.assertNotIn(code, self.warn('not tried', authorization_code=code).err)
        self.assertEqual(spy.requests, [])

    @pytest.mark.promise('Parameters', 'Saving redeems a refresh token once, and discards the new one')
    def test_a_refresh_token_is_redeemed_once(self):
        """Typed or stored; the one that Entra refuses is refused."""
        identity = self.world.microsoft.identity
        token, spy = identity.new_refresh_token(self.tenant), Spy(self.world, service='login')
        name = f'refresh_token.{self.tenant.id}.{self.tenant.app.client_id}'
        self.accept(refresh_token=token)
        self.assertEqual(len(spy.requests), 1)
        self.world.splunkd.store(name, token)
        self.accept()
        self.assertEqual(len(spy.requests), 2)
        self.refuse('AADSTS', refresh_token='r' * 40)
        self.world.splunkd.store(name, 'r' * 40)
        self.refuse('AADSTS')

    @pytest.mark.promise('Parameters',
                         'A stored refresh token is redeemed only if saving changes the sign-in or the request')
    def test_a_stored_refresh_token_is_left_alone(self):
        """By the edit that masks it, and by others that it does not matter for; a strict service would end it."""
        identity = self.world.microsoft.identity
        token, spy = identity.new_refresh_token(self.tenant), Spy(self.world, service='login')
        self.world.splunkd.store(f'refresh_token.{self.tenant.id}.{self.tenant.app.client_id}', token)
        self.world.splunkd.store(f'client_secret.{self.tenant.app.client_id}', self.tenant.app.secret)
        self.world.splunkd.add_input('new', 'search', **self.world.params(self.tenant, 'graph', refresh_token=token))
        self.addCleanup(self.world.splunkd.inputs.clear)
        masked = {'client_secret': '********', 'refresh_token': '********'}
        for changes in ({}, {'poll_interval': '7'}, {'index': 'other'}):
            self.accept(**masked, **changes)
        self.assertEqual(spy.requests, [])
        self.accept(**masked, filter="severity eq 'high'")
        self.assertEqual(len(spy.requests), 1)

    @pytest.mark.promise('Parameters',
                         'Saving accepts an input with a WARN after a temporary failure, or if it could not be tried')
    def test_what_passes_by_itself_is_not_refused(self):
        """Throttling, a service in trouble, web pages, resets, certificates that do not fit."""
        for name, fault in (('throttled', faults.login_throttled()), ('503', faults.status(503)),
                            ('transient', refusing(90033)), ('page', faults.html(200)), ('reset', faults.reset()),
                            ('cut', faults.cut(0.3)), ('empty', faults.empty())):
            with self.subTest(name):
                self.world.faults.clear()
                self.world.faults.add(fault, service='login')
                self.warn('could not be tried')

    @pytest.mark.promise('Parameters',
                         'Saving accepts an input with a WARN after a temporary failure, or if it could not be tried')
    def test_unreachable_is_not_refused(self):
        """Nobody listens, no such name."""
        self.warn('could not be tried', login_url=f'https://127.0.0.1:{closed_port()}')
        self.warn('could not be tried', login_url='https://login.invalid')

    @pytest.mark.promise('Parameters',
                         'Saving refuses an authority that is unknown, and a proxy that refuses or is not there')
    def test_a_certificate_of_another_authority_is_refused(self):
        self.refuse('no trusted TLS connection.*ca_file', ca_file='/etc/ssl/certs/ca-certificates.crt')

    def test_a_ca_file_that_is_none(self):
        """Damaged, cut, or of another kind: the file is to blame, not the service."""
        with open(self.world.authority.cert, 'rb') as file:
            good = file.read()
        path = os.path.join(self.world.home.path, 'none.pem')
        for content in (good[:len(good) // 2], good.replace(b'CERTIFICATE', b'PRIVATE KEY'),
                        b'-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'):
            with open(path, 'wb') as file:
                file.write(content)
            self.refuse(f'CA file {path} cannot be read: it holds no certificate, or a damaged one. Our', ca_file=path)

    @pytest.mark.promise('Parameters',
                         'Saving refuses an authority that is unknown, and a proxy that refuses or is not there')
    def test_a_proxy_that_is_not_there_is_refused(self):
        """Nor is one that is out of order a reason to refuse."""
        far = f'https://far.localhost:{self.world.microsoft.login.port}'
        port = closed_port()
        self.refuse(f"proxy is 'http://joe@127.0.0.1:{port}', but no proxy answers there",
                    proxy=f'http://joe:{SECRET}@127.0.0.1:{port}', login_url=far)
        self.refuse("proxy is 'http://no-such-proxy.invalid:8080', but no proxy answers there; it should be .*resolve",
                    proxy='http://no-such-proxy.invalid:8080', login_url=far)
        proxy = Proxy(self.world.loop)
        self.addCleanup(proxy.close)
        for proxy.status in (429, 502, 503):
            self.warn('the proxy .* is in trouble, or cannot reach it.*check on the proxy', proxy=proxy.url,
                      login_url=far)
        proxy.status, proxy.headers = 407, 'Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n'
        self.refuse('such as NTLM or Kerberos, and not Basic .*without a sign-in', proxy=proxy.url, login_url=far)
        proxy.headers += 'Proxy-Authenticate: Basic realm="x"\r\n'
        self.refuse('it wants a user name and password', proxy=proxy.url, login_url=far)
        proxy.status, proxy.headers = 302, ''
        self.warn('the proxy .* does not let us through', proxy=proxy.url, login_url=far)
        proxy.status = 200      # and a web page in the place of TLS
        self.warn('the answer for far.localhost is not TLS', proxy=proxy.url, login_url=far)
        for proxy.status in (403, 501):
            self.refuse('proxy .* does not let us through', proxy=proxy.url, login_url=far)
        port = self.world.microsoft.login.port      # where TLS is spoken
        self.refuse(f"proxy is 'http://127.0.0.1:{port}', but no proxy answers there",
                    proxy=f'http://127.0.0.1:{port}', login_url=far)

    def test_black_holes_end_within_ten_seconds(self):
        """A connection that never comes, one that stays mute, a splunkd that stays mute; side by side."""
        secret = {'client_secret': self.tenant.app.secret}
        with BlackHole() as hole, Mute() as mute:
            mute_home = SplunkHome(self.world.authority.cert, uri=mute.url)
            self.addCleanup(mute_home.close)
            cases = [(self.world.home, {'login_url': hole.url}), (self.world.home, {'login_url': mute.url}),
                     (self.world.home, {'proxy': f'http://127.0.0.1:{mute.port}', 'login_url': 'https://far.localhost:1'}),
                     (mute_home, {}),
                     (mute_home, {'login_url': hole.url})]
            with concurrent.futures.ThreadPoolExecutor(5) as pool:
                jobs = [pool.submit(validate, home, 'new', self.world.params(self.tenant, 'graph', **secret, **changes),
                                    self.world.splunkd.session_key) for home, changes in cases]
                for (_, changes), job in zip(cases, jobs):
                    with self.subTest(changes):
                        result = job.result()
                        self.assertEqual((result.code, result.out), (0, ''))
                        self.assertRegex(result.err, r'\AWARN [^\n]+\n\Z')
                        self.assertLess(result.seconds, end_within(10))
                        if 'proxy' in changes:
                            self.assertIn('no connection to the proxy', result.err)

    def test_without_splunkd_a_typed_secret_is_still_tried(self):
        """A store that refuses, or a session key that is no good, hides no wrong secret."""
        self.world.splunkd.forbidden = True
        self.addCleanup(setattr, self.world.splunkd, 'forbidden', False)
        self.refuse('AADSTS7000215', client_secret=SECRET)
        self.accept()
        self.warn('could not be tried', client_secret='********')

    def test_through_the_proxy_of_the_input(self):
        """With the password that was typed, or the stored one behind a mask."""
        proxy = Proxy(self.world.loop, 'us@er', 'pass:w/rd')
        self.addCleanup(proxy.close)
        address = f'http://us%40er:{{}}@127.0.0.1:{proxy.port}'
        far = f'far.localhost:{self.world.microsoft.login.port}'
        how = {'login_url': 'https://' + far}
        self.accept(proxy=address.format('pass%3Aw%2Frd'), **how)
        self.accept(proxy=address.format('pass:w/rd'), **how)
        self.world.splunkd.store('proxy_password.new', 'pass:w/rd', hosts=[proxy.url])
        self.accept(proxy=address.format('********'), **how)
        self.assertEqual(set(proxy.connects), {far})
        self.refuse('HTTP 407', proxy=address.format(SECRET), **how)
