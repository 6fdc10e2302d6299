"""Services, names and files that mean harm: floods of log lines, forged fields, characters that act on a terminal, and
small responses that want much memory."""
import gzip
import importlib.util
import json
import os
import re
import time
import unittest

import pytest
from cases import PLAIN, DeliveryCase
from test_check import check
from world import faults
from world.certs import Authority
from world.httpd import Response
from world.ledger import UNREADABLE
from world.runner import call, validate, wait_for

HAVE_H2 = importlib.util.find_spec('h2') is not None
MIB = 1024 * 1024
MANY_MOST = 72              # with 200 customers; glibc keeps some of what is freed (the release: 50 of 64)
HIDDEN = re.compile('[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb'
                    '\U000e0000-\U000e007f\ufffd]')
FORGED = 'x" event=status input=victim state=ok why="\\'
ACTING = '\u202ea\u2066b\u200fc\u061cd\u2028e\u2029f\x85g\x9b31mh\x1b[2Ji\x07\r\nERROR event=forged input=victim '
HOSTILE = FORGED + ' ' + ACTING + FORGED


def outside(line):
    """What a reader of key=value sees besides values in quotes: one who knows escapes, and one who does not."""
    return [re.sub(r'\w+="(?:[^"\\]|\\.)*"', '', line), re.sub(r'\w+="[^"]*"', '', line)]


def high_water_mib(program):
    """The most memory that it had resident."""
    with open(f'/proc/{program.pid}/status', encoding='ascii', errors='replace') as file:
        return int(re.search(r'VmHWM:\s+(\d+)', file.read()).group(1)) / 1024


class Lines(DeliveryCase):
    """What is written on stderr, on a terminal and into conf files."""

    def plain(self, text):
        """No character of it acts or deceives."""
        for line in text.split('\n'):
            self.assertIsNone(HIDDEN.search(line), repr(line))

    def unforged(self, program):
        """The lines are plain, and their fields are ours."""
        for line in program.lines:
            self.plain(line.text)
            for rest in outside(line.text):
                self.assertNotRegex(rest, 'victim|forged', line.text)
                self.assertEqual(rest.count('event='), 1, line.text)

    @pytest.mark.promise('Log lines', 'Text of a service forges no field of a log line')
    @pytest.mark.promise('Log lines', 'Control characters and marks of text direction reach neither the log nor a '
                         'terminal')
    def test_words_of_services(self):
        """In whatever part of a response they are."""
        error = {'error': {'code': FORGED, 'message': HOSTILE}}
        cases = {
            'api': faults.status(403, error), 'busy': faults.status(503, error), 'text': faults.status(500, error),
            'id': faults.status(500, headers={'request-id': FORGED + ' \x9b31m'}),
            'encoding': faults.status(200, b'x', headers={'Content-Encoding': FORGED}),
            'status': faults.shaped(raw=f'HTTP/1.1 500 {FORGED} \x1b[2J\r\nContent-Length: 0\r\n\r\n'.encode()),
            'nostatus': faults.shaped(raw=f'HTTP/1.1 {HOSTILE}'.encode() + b'\r\n\r\n'),
            'next': faults.status(200, {'value': [], '@odata.nextLink': 'https://victim/' + HOSTILE}),
            'inside': faults.status(200, {'value': [], 'error': {'message': HOSTILE}}),
            'plain': faults.status(403, HOSTILE.encode(), kind='text/plain'),
            'bytes': faults.status(403, b'{"error":{"code":"a\xff\xfe","message":"\x80\xc3\xed\xa0\x80 b"}}')}
        world = self.world()
        for name, fault in cases.items():
            world.faults.add(fault, kind='graph', tenant=world.customer(name).tenant)
        entra = {'error': 'invalid_client', 'error_codes': [7654321], 'trace_id': FORGED,
                 'error_description': 'AADSTS7654321: ' + HOSTILE}
        world.faults.add(faults.status(400, entra), service='login', tenant=world.customer('entra').tenant)
        program = world.start()
        for name in [*cases, 'entra']:
            program.wait_line(f'event=(trouble|refused|form) input={name} ', 30)
            program.wait_line(f'event=status input={name} .*state=(failing|refused)', 30)
        program.terminate()
        self.unforged(program)

    def test_words_of_splunkd_and_names(self):
        """splunkd's messages, the names of inputs, values that are refused, and a checkpoint."""
        world = self.world()
        name = 'n" event=status input=victim \u202e\\'
        carried = re.sub('[\x00-\x1f]', '', HOSTILE)       # what XML can carry
        world.customer(name, overlap=carried)
        world.customer('b' + name).publish(1)
        world.customer('stores', stored=False).publish(1)
        world.customer('foreign').publish(1)
        with open(os.path.join(world.home.checkpoints, 'foreign.json'), 'w', encoding='utf-8') as file:
            json.dump({'version': 1, 'tenant_id': HOSTILE, 'api': HOSTILE}, file)
        world.faults.add(faults.status(400, {'messages': [{'type': 'ERROR', 'text': HOSTILE}]}), kind='passwords',
                         match=lambda request: request.method == 'POST')
        program = world.start()
        program.wait_line('event=bad_input')
        program.wait_line('event=secret_not_stored input=stores', 30)
        program.wait_line('event=checkpoint_(bad|renewed) input=foreign')
        program.wait_events(3)
        program.terminate()
        self.unforged(program)

    @pytest.mark.promise('Log lines', 'Control characters and marks of text direction reach neither the log nor a '
                         'terminal')
    def test_check(self):
        """Its table and its JSON: names, Entra's words, and a certificate's."""
        world = self.world(tls=True)
        evil = Authority(name='Evil \x1b]0;x\x07 \x9b31m \u202e')
        self.addCleanup(evil.close)
        name = 'a \u202eb\x85c\u200f'
        world.customer(name)
        world.faults.add(faults.status(400, {'error': 'invalid_client', 'error_description': HOSTILE}),
                         service='login', tenant=world.feeds[name].tenant)
        world.customer('tls')
        world.microsoft.graph.restart(evil.server())
        table = call(world.home, 'check', stdin=world.xml())
        self.plain(table.out + table.err)
        self.assertIn('Evil', table.out)
        _, rows, result = check(world)
        self.plain(result.out + result.err)
        self.assertEqual(set(rows), {name, 'tls'})      # escapes lose nothing

    @pytest.mark.promise('Parameters', 'Control characters and marks of text direction reach no conf file')
    def test_import_and_validation(self):
        """A CSV with them is refused row by row, and so is an input that is saved; the report is plain."""
        world = self.world(tls=True)
        tenant = world.microsoft.tenant('good', world.shared_app())
        params = world.params(tenant, 'graph') | {'host': 'h'}
        rows = [('good', {}), ('a\u202eb', {}), ('c\x1b[2J', {}), ('d\u009b', {}), ('e', {'host': 'h\n[script://x]'}),
                ('f', {'host': '\u200fh'}), ('g', {'filter': "title eq '\u2066'"}), ('h\r\ni', {})]
        path = os.path.join(world.home.path, 'customers.csv')
        with open(path, 'w', encoding='utf-8', newline='') as file:
            for number, (name, change) in enumerate(rows):
                row = {'name': name, 'filter': '', **params, **change}
                if not number:
                    file.write(','.join(row) + '\r\n')
                file.write(','.join('"' + value.replace('"', '""') + '"' for value in row.values()) + '\r\n')
        done = call(world.home, 'import', path, '--server-uri', world.splunkd.url,
                    stdin=world.splunkd.session_key.encode())
        self.plain(done.out + done.err)
        self.assertIn('1 created, 0 updated, 0 unchanged, 7 refused', done.out)
        self.assertEqual(list(world.splunkd.inputs), ['good'])
        for name, change in rows[1:-1]:         # a line end in an attribute of XML is a blank
            result = validate(world.home, name, params | change)
            self.assertEqual(result.code, 1, name)
            self.assertRegex(result.message, 'should be|cannot be read')
            self.plain(result.message + result.err)

    def test_sign_in(self):
        """The words that a device code comes with."""
        world = self.world(tls=True)
        tenant = world.microsoft.tenant('a')
        world.faults.add(faults.status(200, {'device_code': 'd', 'user_code': ACTING, 'expires_in': 2, 'interval': 1,
                                             'verification_uri': 'https://x/' + ACTING}), service='login', times=1)
        world.faults.add(faults.status(400, {'error': 'expired_token', 'error_description': HOSTILE}), service='login')
        done = call(world.home, 'sign-in', '--tenant', tenant.id, '--client-id', tenant.app.client_id, '--device-code',
                    '--login-url', world.microsoft.url('login'), '--ca-file', world.authority.cert, stdin=b'\n\n')
        self.assertIn('https://x/', done.out)
        self.plain(done.out + done.err)

    @pytest.mark.promise('Log lines', 'Of one kind of line, an input writes five and then a count each minute')
    def test_a_flood_of_broken_records(self):
        """100,000 of them in a response: five lines, the number of all others, and the good record."""
        world = self.world()
        feed = world.customer('c')
        world.customer('other').publish(1)
        good = feed.publish(1)[0]
        feed.damaged = True
        sent = []

        def flood(request, answer):
            response = answer()
            if response.status == 200 and not sent and 'skip' not in request.target:
                broken = b','.join(b'{"id":%d,"x":fals}' % number for number in range(100000))
                response.body = b'{"value":[' + broken + b',' + good.raw + b']}'
                floods.append(request)
            return response
        floods = []
        world.faults.add(flood, kind='graph', tenant=feed.tenant)
        program = world.start()
        program.wait_line('event=bad_record input=c .*record=', 60)
        sent.append(True)
        program.wait_events(100002, 60)
        self.polls(world, feed, 2)
        self.assertLess(program.terminate(), 5)
        self.assertTrue(world.verdict().exact, world.verdict())
        lines = [line for line in program.lines if line.facts['event'] == 'bad_record']
        counts = [int(line.facts['more']) for line in lines if 'more' in line.facts]
        self.assertEqual(len(lines) - len(counts), 5)
        self.assertEqual((len(counts), sum(counts) + 5), (1, 100000), lines)
        self.assertGreaterEqual(len(floods), 3)
        self.assertLess(len(program.lines), 60)
        self.assertRegex(lines[-1].text, r'ERROR event=bad_record input=c tenant=\S+ api=graph more=\d+ like it in the '
                         r'last \d+ s; the latest: record=\d+ offset=.* why="[^"]+" a record .* id="\d+"')

    @pytest.mark.waits(65)
    def test_a_count_each_minute(self):
        """While the process runs, too; the status lines are complete."""
        world = self.world()
        feed = world.customer('c')
        odd = {'value': [{'title': 'neither an id nor a time'}]}

        def more(_, answer):
            response = answer()
            if response.status == 200:
                odd['value'][0]['n'] = time.time()
                response.body = json.dumps(odd).encode()
            return response
        world.faults.add(more, kind='graph', tenant=feed.tenant)
        program = world.start()
        program.wait_line('event=odd_record input=c')
        line = program.wait_line('WARN event=odd_record input=c .*more=', 85)
        written = [each for each in program.lines if each.facts['event'] == 'odd_record']
        self.assertEqual((len(written), written[-1]), (6, line))
        self.assertGreater(int(line.facts['more']), 20)
        world.ledger.unbind('defender_alerts://c')


@unittest.skipUnless(os.path.exists(PLAIN), 'needs the plain program (make)')
class Memory(DeliveryCase):
    """What a sanitizer would distort."""

    def peak(self, world, count, size, seconds=12):
        """The most memory that the program took, in MiB, while `count` customers sent an unfinished record each."""
        body = gzip.compress(b'{"value":[{"id":"' + b'x' * size, 9)
        hostile = [world.customer(f'c{number}', shared=True) for number in range(count)]
        good = world.customer('good', shared=True)
        good.publish(5)

        def unfinished(request, answer):
            response = answer()
            if response.status == 200 and request.tenant != good.tenant.id:
                response = Response(200, body, {'Content-Encoding': 'gzip'})
                response.compress, response.trickle = False, (len(body) - 1 if size < 20 * MIB else 16000, 2)
            return response
        world.faults.add(unfinished, kind='graph')
        program = world.start(program=PLAIN)
        wait_for(lambda: world.microsoft.graph.most_active >= min(count, 60) // 2, 30, program.tail)
        time.sleep(seconds)
        program.wait_events(5, 30)
        good.publish(3)
        program.wait_events(8, 30)
        peak = high_water_mib(program)
        self.assertLess(program.terminate(), 3)
        for feed in hostile:
            world.ledger.unbind(f'defender_alerts://{feed.tenant.name}')
        print(f'{count} customers, {size // MIB} MiB each: {peak:.0f} MiB')
        return peak

    def test_an_end_in_the_middle_of_them(self):
        """They come over one connection and are read at one go, which took twelve seconds."""
        world = self.world(tls=True, http2=True)
        body = gzip.compress(b'{"value":[' + b'A' * (63 * MIB), 9)
        for number in range(40):
            world.customer(f'c{number}')

        def broken(_, answer):
            return Response(200, body, {'Content-Encoding': 'gzip'}) if answer().status == 200 else answer()
        world.microsoft.graph.gzip = False
        world.faults.add(broken, kind='graph')
        program = world.start(program=PLAIN)
        wait_for(lambda: len(world.microsoft.requests(service='graph')) >= 40, 30, program.tail)
        self.assertLess(program.terminate(30), 3)

    @pytest.mark.promise('Trouble', 'All unfinished records together take at most 32 MiB')
    @pytest.mark.waits(15)
    def test_records_of_63_mib(self):
        """1.5 MB of gzip from 24 customers took 1.6 GB."""
        self.assertLess(self.peak(self.world(), 24, 63 * MIB), 64)

    @pytest.mark.waits(15)
    def test_records_that_may_be_large(self):
        self.assertLess(self.peak(self.world(), 24, 15 * MIB), 64)

    @pytest.mark.waits(20)
    def test_many_customers(self):
        self.assertLess(self.peak(self.world(), 200, 15 * MIB), MANY_MOST)

    @unittest.skipUnless(HAVE_H2, 'needs python3-h2')
    @pytest.mark.waits(15)
    def test_over_one_connection(self):
        self.assertLess(self.peak(self.world(tls=True, http2=True), 24, 63 * MIB), 64)

    @unittest.skipUnless(HAVE_H2, 'needs python3-h2')
    @pytest.mark.waits(20)
    def test_many_customers_over_one_connection(self):
        self.assertLess(self.peak(self.world(tls=True, http2=True), 200, 15 * MIB), MANY_MOST)

    @pytest.mark.waits(15)
    def test_bodies_of_the_login_service(self):
        """They become a tree, so all of a body is kept."""
        world = self.world()
        body = gzip.compress(b'{"access_token":"' + b'x' * (4 * MIB - 100), 9)
        good = world.customer('good')
        for number in range(100):
            world.customer(f'c{number}')
            world.ledger.unbind(f'defender_alerts://c{number}')

        def unfinished(request, answer):
            if request.tenant == good.tenant.id:
                return answer()
            response = Response(200, body, {'Content-Encoding': 'gzip'})
            response.compress, response.trickle = False, (len(body) - 1, 20)
            return response
        world.faults.add(unfinished, service='login')
        program = world.start(program=PLAIN)
        wait_for(lambda: world.microsoft.login.most_active >= 40, 30, program.tail)
        good.publish(3)
        program.wait_events(3, 30)
        time.sleep(6)
        self.assertLess(high_water_mib(program), 64)
        self.assertLess(program.terminate(), 3)

    @pytest.mark.promise('Trouble', 'A record of more than 16 MiB is named, and the others of its response arrive')
    def test_a_record_that_is_too_long(self):
        """It is skipped; those around it are written."""
        world = self.world()
        feed = world.customer('c')
        first, last = feed.publish(2)
        feed.damaged = True

        def longer(_, answer):
            response = answer()
            if response.status == 200 and b'"id"' in response.body:
                huge = b'{"id":"huge","title":"' + b'y' * (17 * MIB) + b'"}'
                response.body = b'{"value":[' + first.raw + b',' + huge + b',' + last.raw + b']}'
            return response
        world.faults.add(longer, kind='graph', tenant=feed.tenant)
        program = world.start()
        line = program.wait_line('ERROR event=bad_record input=c .*larger than 16 MiB', 60)
        self.assertEqual(line.facts['record'], '1')
        self.exact(world)
        found = [json.loads(event.data) for event in world.events() if event.sourcetype == UNREADABLE]
        self.assertEqual([(one['id'], one['bytes'], one['cut']) for one in found], [('huge', 17 * MIB + 24, True)])
        self.assertTrue(found[0]['raw'].startswith('{"id":"huge","title":"yyy'))
        self.assertEqual(len(found[0]['raw']), 65536)
        self.ends(world)


if __name__ == '__main__':
    unittest.main()
