"""How splunkd calls the program: arguments, the scheme, and the XML on stdin in all its forms."""
import configparser
import os
import time
import unittest
from xml.etree import ElementTree

import pytest
from checks import spawn
from world import inputxml
from world.runner import SplunkHome, call, wait_for
from world.world import World

PARAMETERS = {'tenant_id', 'client_id', 'client_secret', 'client_certificate', 'client_assertion', 'refresh_token',
              'authorization_code', 'redirect_uri', 'api', 'cloud', 'login_url', 'api_url', 'resource', 'filter',
              'start_time', 'poll_interval', 'overlap', 'audit', 'allow_update', 'proxy', 'ca_file',
              'share_url', 'share_group', 'share_ca_file', 'share_lost'}
RESERVED = {'source', 'sourcetype', 'host', 'index', 'disabled', 'interval', 'persistentQueue', 'persistentQueueSize',
            'queueSize', 'start_by_shell', 'output_mode', 'output_field', 'owner', 'app', 'sharing'}
SECRET = 'Zq8Q~do-not-repeat-this+/=.&%'


PRESETS = {'start_by_shell': 'false', 'interval': '60', 'api': 'graph', 'cloud': 'commercial', 'start_time': '-30d',
           'redirect_uri': 'https://SiemMsspConnector', 'poll_interval': '60', 'overlap': '900',
           'audit': '3', 'allow_update': 'no', 'share_group': 'default', 'share_lost': 'continue'}
HERE = os.path.dirname(os.path.abspath(__file__))


class Files(unittest.TestCase):
    """What splunkd reads beside the scheme."""

    @pytest.mark.promise('Calls', 'Splunk starts the program without a shell')
    @pytest.mark.promise('Calls', 'Splunk applies the default settings of an input')
    def test_presets(self):
        """Without a shell in between, and with the values that an input has unless it says otherwise."""
        found = configparser.ConfigParser(interpolation=None)
        found.read(os.path.join(HERE, '..', '..', 'default', 'inputs.conf'))
        self.assertEqual(found.sections(), ['defender_alerts'])
        self.assertEqual(dict(found['defender_alerts']), PRESETS)


class Calls(unittest.TestCase):
    """Arguments and exit codes."""

    def setUp(self):
        self.home = SplunkHome()
        self.addCleanup(self.home.close)

    @pytest.mark.promise('Calls', '`--scheme` lists all parameters in order, without those that Splunk defines')
    def test_scheme_is_complete_and_in_order(self):
        """What is left out gets splunkd's own presets, which are not what we need."""
        result = call(self.home, '--scheme')
        self.assertEqual((result.code, result.err), (0, ''))
        scheme = ElementTree.fromstring(result.out)
        self.assertEqual(scheme.tag, 'scheme')
        self.assertEqual([child.tag for child in scheme],
                         ['title', 'description', 'use_external_validation', 'use_single_instance', 'streaming_mode',
                          'endpoint'])
        self.assertEqual([scheme.findtext(name) for name in ('use_external_validation', 'use_single_instance',
                                                             'streaming_mode')], ['true', 'true', 'xml'])
        arguments = scheme.findall('endpoint/args/arg')
        names = [argument.get('name') for argument in arguments]
        self.assertEqual(set(names) - {'name'}, PARAMETERS)
        self.assertEqual(len(names), len(set(names)))
        self.assertFalse(set(names) & RESERVED)
        for argument in arguments:
            with self.subTest(argument.get('name')):
                needed = 'true' if argument.get('name') in ('name', 'tenant_id', 'client_id') else 'false'
                self.assertEqual(argument.findtext('required_on_create'), needed)
                self.assertEqual(argument.findtext('required_on_edit'), 'false')
                self.assertIn(argument.findtext('data_type'), ('string', 'number', 'boolean'))
                self.assertTrue(argument.findtext('title') and argument.findtext('description'))

    @pytest.mark.promise('Calls', '`--scheme` uses neither the network nor the disk')
    def test_scheme_needs_nothing_around_it(self):
        """splunkd asks for it before any input exists: no environment, no home, nothing on stdin, no reader of logs."""
        usual = call(self.home, '--scheme').out
        result = call(self.home, '--scheme', environment={'PATH': '/nonexistent'}, stdin=b'<items>')
        self.assertEqual((result.code, result.out), (0, usual))
        process = spawn(self.home, '--scheme')
        self.addCleanup(process.communicate)
        self.assertEqual(process.wait(5), 0, 'it waits for stdin')

    @pytest.mark.promise('Calls', '`--version` prints the version, and `--help` the usage')
    def test_version_and_help(self):
        """For people."""
        version, helped = call(self.home, '--version'), call(self.home, '--help')
        self.assertEqual((version.code, version.err, version.out.count('\n')), (0, '', 1))
        self.assertRegex(version.out, r'\d+\.\d+\.\d+')
        self.assertEqual((helped.code, helped.err), (0, ''))
        for word in ('--scheme', '--validate-arguments', '--version'):
            self.assertIn(word, helped.out)

    @pytest.mark.promise('Calls', '`-h` and `--help` work alone, and before and after each command')
    def test_help_everywhere(self):
        """With a command, it is the help of that command, and nothing else is done."""
        told = {'check': 'usage: .*defender_alerts check', 'sign-in': 'usage: defender_alerts sign-in',
                'import': 'usage: defender_alerts import', 'export': 'usage: defender_alerts export',
                '--scheme': 'usage: defender_alerts --scheme',
                '--validate-arguments': 'usage: defender_alerts --validate-arguments'}
        overview = call(self.home, '--help').out
        for option in ('-h', '--help'):
            self.assertEqual(call(self.home, option).out, overview)
            for command, usage in told.items():
                for arguments in ((command, option), (option, command), (command, 'x', '--json', option)):
                    with self.subTest(arguments):
                        result = call(self.home, *arguments)
                        self.assertEqual((result.code, result.err), (0, ''))
                        self.assertRegex(result.out, usage)

    @pytest.mark.promise('Calls', 'Any other argument is answered with one line and exit code 1')
    def test_anything_else_is_one_line_and_exit_1(self):
        """Unknown words, known ones with more behind them, and an empty one."""
        for arguments in (['--sheme'], ['x'], [''], ['--scheme', 'x'], ['--version', '--help'], ['-h', '-h'],
                          ['--validate-arguments', '--scheme'], ['--scheme=1'], [SECRET], ['-' * 5000]):
            with self.subTest(arguments):
                result = call(self.home, *arguments)
                self.assertEqual((result.code, result.out), (1, ''))
                self.assertRegex(result.err, r'\A(ERROR|FATAL) [^\n]+\n\Z')
                self.assertNotIn(SECRET, result.err)
        for arguments, words in ((['help'], "the command is '--help'"), (['--Check'], "the command is 'check'"),
                                 (['version'], "the command is '--version'"), (['--scheme', 'x'], 'takes no arguments'),
                                 (['import', 'a.csv', 'b.csv'], "one file is expected, .*'a.csv' and 'b.csv'")):
            with self.subTest(arguments):
                self.assertRegex(call(self.home, *arguments).err, rf'\AERROR [^\n]*{words}')

    def test_an_unwritable_stdout_is_no_success(self):
        """splunkd would take an empty scheme for a good one."""
        with open('/dev/full', 'wb') as full:
            process = spawn(self.home, '--scheme', stdout=full)
            process.communicate()
        self.assertEqual(process.returncode, 1)


class GoodInput(unittest.TestCase):
    """XML that must be understood."""

    @pytest.mark.promise('Calls', 'XML of every encoding and order is understood')
    def test_encodings_and_orders(self):
        """All that splunkd and the SDKs' samples have been seen to write, header elements anywhere."""
        with World(tls=False) as world:
            feed = world.customer('Zürich & <Sons> "東京"', stored=False, filter="severity ne 'x<&>\"é'")
            feed.publish(1)
            count = 0
            for encoding, order in (('utf-8', 'first'), ('utf-8', 'last'), ('utf-8-sig', 'middle'), ('utf-8', 7),
                                    ('utf-16-le', 'last'), ('utf-16-be', 'middle'), ('utf-16-be', 'first')):
                with self.subTest(encoding=encoding, order=order):
                    variant = {'encoding': encoding, 'order': order, 'indent': order != 'last'}
                    program = world.start(variant=variant, stdin_open=order != 'last')
                    program.wait_line('state=ok')
                    wait_for(world.events, 10, program.tail)    # what is left unread would rightly come again
                    count += 1
                    program.terminate()
            self.assertEqual(count, 7)
            self.assertTrue(world.verdict().exact, world.verdict())

    @pytest.mark.promise('Calls', 'The configuration is complete at its closing tag; stdin may stay open')
    def test_it_ends_reading_at_the_closing_tag(self):
        """In small pieces, in the middle of characters, and with stdin left open: no waiting for its end."""
        home = SplunkHome()
        self.addCleanup(home.close)
        header = dict(home.header(), server_host='Grüße')
        for encoding in ('utf-8', 'utf-16-le'):
            process = spawn(home)
            for byte in inputxml.stream_input(header, {}, encoding=encoding)[:-len('\n'.encode(encoding))]:
                process.stdin.write(bytes([byte]))
                process.stdin.flush()
            self.assertEqual(process.wait(3), 0)
            self.assertEqual(process.communicate()[0], b'')

    def test_an_empty_configuration_is_no_error(self):
        """All inputs disabled or deleted: leave quietly."""
        home = SplunkHome()
        self.addCleanup(home.close)
        for xml in (inputxml.stream_input(home.header(), {}),
                    inputxml.stream_input(home.header(), {}).replace(b'<configuration/>',
                                                                     b'<configuration></configuration>')):
            result = call(home, stdin=xml)
            self.assertEqual((result.code, result.out, result.err), (0, '', ''))

    @pytest.mark.promise('Calls', 'Unknown elements and parameters are skipped')
    def test_what_is_unknown_is_skipped(self):
        """New elements, attributes, name spaces and parameters, splunkd's own keys, `$decideOnStartup`, comments."""
        with World(tls=False) as world:
            feed = world.customer('a', index='main', sourcetype='defender_alerts', interval='60',
                                  host='$decideOnStartup', disabled='0',
                                  **{'python.version': 'python3', 'future_key': 'x'})
            feed.publish(2)
            xml = world.xml().decode()
            xml = xml.replace('<input>', '<!-- made by hand --><input version="9"'
                              ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
                              '<extra><deep a="1">x</deep></extra><xsi:session_key>wrong</xsi:session_key>')
            xml = xml.replace('<stanza ', '<stanza xsi:type="x" new="1" ')
            xml = xml.replace('<param name="api">', '<note>n</note><param_list name="list"><value>1</value><value>2'
                              '</value></param_list><param xsi:x="1" name="api">')
            program = world.start(xml=xml.encode())
            program.wait_events(2)
            for event in program.events:
                self.assertEqual((event.index, event.host, event.source), (None, None, None))
                self.assertEqual(event.sourcetype, 'ms:defender:atp:alerts')
            program.terminate()
            self.assertTrue(world.verdict().exact, world.verdict())

    def test_almost_four_mebibytes_are_read(self):
        """Hundreds of inputs with long texts; the one among them that is in order runs."""
        with World(tls=False) as world:
            world.customer('last').publish(1)
            filler = ''.join(f'<stanza name="defender_alerts://off{i}" app="a"><param name="disabled">1</param>'
                             f'<param name="note">{"x" * 4000}</param></stanza>' for i in range(1000))
            xml = world.xml().replace(b'<configuration>', b'<configuration>' + filler.encode())
            self.assertGreater(len(xml), 4_000_000)
            program = world.start(xml=xml)
            program.wait_events(1)
            program.wait_line('state=ok')
            self.assertEqual({line.facts.get('input') for line in program.lines if 'input' in line.facts}, {'last'})

    @pytest.mark.promise('Calls', 'An invalid input does not stop the others')
    def test_one_bad_input_does_not_stop_the_others(self):
        """It gets one line that names it, the parameter, what it held and what it should hold."""
        with World(tls=False) as world:
            good = world.customer('good')
            world.customer('bad', poll_interval='weekly')
            world.ledger.unbind('defender_alerts://bad')
            good.publish(1)
            program = world.start()
            program.wait_events(1)
            lines = [line for line in program.lines if line.level == 'ERROR']
            self.assertEqual(len(lines), 1, lines)
            for word in ('bad', 'poll_interval', "'weekly'", '86400'):
                self.assertIn(word, lines[0].text)


def _document(text):
    return f'<?xml version="1.0"?>\n{text}'.encode()


_HEADER = ('<server_host>h</server_host><server_uri>https://127.0.0.1:1</server_uri><session_key>k</session_key>'
           '<checkpoint_dir>/tmp/x</checkpoint_dir>')
_STANZA = ('<stanza name="defender_alerts://a" app="s"><param name="tenant_id">contoso.com</param><param '
           f'name="client_secret">{SECRET.replace("&", "&amp;")}</param></stanza>')
_BODY = f'{_HEADER}<configuration>{_STANZA}</configuration>'
_LAUGHS = '<!DOCTYPE input [<!ENTITY a "ha">' + ''.join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)) + ']>'
BROKEN = {
    'nothing at all': b'',
    'white space only': b' \n\n',
    'cut in a tag': _document(f'<input>{_BODY}</inp'),
    'cut in a secret': _document(f'<input>{_BODY}')[:-60],
    'cut UTF-16': inputxml.stream_input({'server_uri': 'x'}, {}, encoding='utf-16-le')[:-9],
    'wrong root': _document(f'<items>{_BODY}</items>'),
    'tags crossed': _document(f'<input>{_BODY}<a><b></a></b></input>'),
    'doctype': _document(f'<!DOCTYPE input><input>{_BODY}</input>'),
    'external entity': _document(
        f'<!DOCTYPE input [<!ENTITY x SYSTEM "file:///etc/passwd">]><input>{_BODY}&x;</input>'),
    'external subset': _document(f'<!DOCTYPE input SYSTEM "http://127.0.0.1:9/x.dtd"><input>{_BODY}</input>'),
    'entity bomb': _document(f'{_LAUGHS}<input>{_BODY}<session_key>&j;</session_key></input>'),
    'unknown entity': _document(f'<input>{_BODY.replace("contoso", "con&nbsp;toso")}</input>'),
    'bare ampersand': _document(f'<input>{_BODY.replace("&amp;", "&")}</input>'),
    'not UTF-8': _document(f'<input>{_BODY}</input>').replace(b'contoso', b'con\xff\xfetoso'),
    'a NUL': _document(f'<input>{_BODY}</input>').replace(b'contoso', b'con\0toso'),
    'binary': bytes(range(256)) * 40,
    'a web page': b'<!doctype html><html><body>503</body></html>',
    'JSON': b'{"server_uri": "https://127.0.0.1:8089"}',
    'too deep': _document(f'<input>{_BODY}{"<a>" * 100000}'),
    'too large': _document(f'<input>{_BODY}{"<a>x</a>" * (9 << 20)}</input>'),
    'no session key': _document(f'<input>{_BODY.replace("session_key>", "other>")}</input>'),
    'empty session key': _document(f'<input>{_BODY.replace(">k<", "><")}</input>'),
    'no server_uri': _document(f'<input>{_BODY.replace("server_uri>", "other>")}</input>'),
    'no checkpoint_dir': _document(f'<input>{_BODY.replace("checkpoint_dir>", "other>")}</input>'),
    'nameless stanza': _document(
        f'<input>{_BODY.replace(" name=" + chr(34) + "defender_alerts://a" + chr(34), "")}</input>'),
}


class BrokenInput(unittest.TestCase):
    """XML that must be refused: an ERROR line, no event, exit 1, and not before three seconds."""

    @pytest.mark.promise('Calls', 'A DOCTYPE or a malformed document causes one ERROR, no event, and exit code 1')
    def test_each_kind(self):
        """All side by side, since each waits its three seconds."""
        home = SplunkHome()
        self.addCleanup(home.close)
        runs = {}
        for name, document in BROKEN.items():
            process, began = spawn(home), time.monotonic()
            try:
                process.stdin.write(document)
                process.stdin.close()
            except BrokenPipeError:     # it need not read to the end of what it refuses
                pass
            process.stdin = None
            runs[name] = process, began
        for name, (process, began) in runs.items():
            out, err = process.communicate(timeout=20)
            with self.subTest(name):
                self.assertEqual((process.returncode, out), (1, b''))
                self.assertGreater(time.monotonic() - began, 2.9)
                lines = err.decode().splitlines()
                self.assertEqual(len(lines), 1, lines)
                self.assertTrue(lines[0].startswith('ERROR '), lines)
                self.assertLess(len(lines[0]), 2048)
                for part in (SECRET, SECRET[:10], 'root:', 'haha'):
                    self.assertNotIn(part, lines[0])

    @pytest.mark.promise('Calls', 'After a malformed document the exit waits three seconds')
    def test_it_is_slow_and_not_longer(self):
        """Three seconds keep a restart loop slow; more would only hide the message."""
        home = SplunkHome()
        self.addCleanup(home.close)
        result = call(home, stdin=b'<input>')
        self.assertEqual(result.code, 1)
        self.assertGreaterEqual(result.seconds, 2.95)
        self.assertLess(result.seconds, 5)

    def test_a_descriptor_that_cannot_be_read(self):
        """A folder as stdin."""
        home = SplunkHome()
        self.addCleanup(home.close)
        folder = os.open('/', os.O_RDONLY)
        process = spawn(home, stdin=folder)
        os.close(folder)
        out, err = process.communicate(timeout=20)
        self.assertEqual((process.returncode, out), (1, b''))
        self.assertRegex(err.decode(), r'\AERROR [^\n]+\n\Z')
