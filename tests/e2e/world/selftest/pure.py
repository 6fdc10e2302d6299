"""Parts that need no server."""
import json
import random
import unittest
from xml.etree import ElementTree

from .. import generate, inputxml, jsonnorm, odata, ticks
from ..feed import UPDATE_FIELD
from ..stream import StreamReader


class Pure(unittest.TestCase):
    """Parts that need no server."""

    def test_strip_leaves_all_but_blanks(self):
        for text, wanted in ((b' { "a b" : [ 1.0 , "\\" : " ] }\r\n', b'{"a b":[1.0,"\\" : "]}'),
                             (b'"\\\\" , "x y"', b'"\\\\","x y"'), (b'{"a":1e400}', b'{"a":1e400}')):
            self.assertEqual(jsonnorm.strip(text), wanted)
            self.assertEqual(jsonnorm.strip(jsonnorm.spread(text)), wanted)

    def test_replace_member_of_the_outermost_object_only(self):
        text = b'{"x":{"e":[1]},"s":"\\"e\\":","e" : [{"a":"}]"}], "z":1}'
        self.assertEqual(jsonnorm.replace_member(text, b'e', b'[]'), b'{"x":{"e":[1]},"s":"\\"e\\":","e" :[], "z":1}')
        self.assertEqual(jsonnorm.replace_member(b'{"a":1}', b'e', b'[]'), b'{"a":1}')

    def test_records_of_captured_answers(self):
        one, two = b'{"value":{"a" : [1]}}', b'{ "b":"]}" }'
        for text in (b'{"@odata.context":"value", "value" : [' + one + b' , ' + two + b'],"n":1}',
                     b'[' + one + b',' + two + b']', one + b'\n' + two + b'\n'):
            self.assertEqual(jsonnorm.records(text), [one, two])
        self.assertEqual((jsonnorm.records(two), jsonnorm.records(b'[]')), ([two], []))
        nested = b'{"evidence":[{"value":[{"x":1}]}]}'
        self.assertEqual((jsonnorm.records(nested), jsonnorm.records(b'{"value":[' + nested + b']}')), ([nested],) * 2)

    def test_ticks(self):
        base = ticks.parse('2026-11-01T08:00:00Z')
        rows = (('2026-11-01T08:00:00.5Z', 5_000_000), ('2026-11-01T08:00:00.0000001Z', 1),
                ('2026-11-01T10:00:01+02:00', 10_000_000))
        for text, more in rows:
            self.assertEqual(ticks.parse(text), base + more)
        self.assertEqual(ticks.iso(base + 10), '2026-11-01T08:00:00.000001Z')
        self.assertEqual(ticks.iso(base, 3), '2026-11-01T08:00:00.000Z')
        self.assertEqual(ticks.of_epoch('1793520000.50'), base + 5_000_000)
        for bad in ('2026-11-01', '2026-11-01T08:00:00', '2026-11-01T08:00:00.12345678Z', '2026-13-01T00:00:00Z'):
            self.assertRaises(ValueError, ticks.parse, bad)

    def test_odata_refuses_what_the_services_refuse(self):
        fields = {'lastUpdateDateTime': 'time', 'severity': 'text', 'incidentId': 'number'}
        good = ("lastUpdateDateTime ge 2026-11-01T00:00:00.1234567Z and severity eq 'high'",
                "(severity eq 'it''s' or incidentId gt -3) and lastUpdateDateTime lt 2026-11-01T00:00:00+02:00",
                'severity eq null')
        bad = ("lastUpdateDateTime ge '2026-11-01T00:00:00Z'", 'lastUpdateDateTime ge 2026-11-01T00:00:00',
               'lastUpdateDateTime ge 2026-11-01', 'lastUpdateDateTime ge 2026-11-01T00:00:00.12345678Z',
               "investigationState eq 'x'", "severity = 'x'", '(severity eq null', "contains(severity,'x')", '',
               "severity eq 'x' and", "severity eq 'x' severity eq 'y'", 'incidentId eq 1a', "severity eq 'x")
        for text in good:
            odata.parse_filter(text, fields, 'lastUpdateDateTime')
        for text in bad:
            with self.assertRaises(odata.ODataError, msg=text):
                odata.parse_filter(text, fields, 'lastUpdateDateTime')

    def test_made_alerts(self):
        rng, base = random.Random(1), ticks.parse('2026-11-01T08:00:00Z')
        for api, low, high in (('graph', 5500, 8500), ('endpoint', 3000, 4600), ('siem', 800, 2500),
                               ('incidents', 500, 2500)):
            maker = generate.Maker(api, 'tenant', 7)
            sizes, widths = [], set()
            for _ in range(200):
                moment = generate.spread_ticks(rng, base)
                raw = maker.alert(moment)
                said = json.loads(raw)[UPDATE_FIELD[api]]
                self.assertEqual(ticks.parse(said), moment)
                sizes.append(len(raw))
                widths.add(len(said) - len('2026-11-01T08:00:00Z'))
            self.assertTrue(low < sum(sizes) / len(sizes) < high, (api, sum(sizes) / len(sizes)))
            self.assertTrue({0, 2, 4, 8} <= widths, widths)
            self.assertLess(len(maker.alert(base, size='small')), 700)
            self.assertLessEqual(abs(len(maker.alert(base, size=50000)) - 50000), 20)

    def test_stream_reader_is_strict(self):
        good = (b'<?xml version="1.0"?>\n<stream>\n<event stanza="k://a" unbroken="1"><time>1.5</time>'
                b'<data>&lt;\xc3\xa9</data><done/></event></stream>\n'
                b'<stream><event stanza="k://b"><data>x</data></event></stream>')
        for size in (1, 7, len(good)):
            events = []
            reader = StreamReader(events.append)
            for start in range(0, len(good), size):
                reader.feed(good[start:start + size])
            reader.close()
            self.assertEqual((reader.errors, [e.data for e in events], reader.finished), ([], ['<é', 'x'], 2))
            self.assertTrue(events[0].raw.startswith(b'<event stanza="k://a"') and events[0].raw.endswith(b'</event>'))
        bad = (b'<stream><event><data>x</data></event></stream>', b'<stream><evnt/></stream>', b'<stream>x</stream>',
               b'<stream><event stanza="a"><data>1\n2</data></event></stream>', b'<stream><event stanza="a"><data>x',
               b'<stream><event stanza="a"><data>\x01</data></event></stream>', b'hello', b'<stream></stream>junk',
               b'<stream><event stanza="a"><data><![CDATA[x]]></data></event></stream>',
               b'<stream><event stanza="a"><time>soon</time><data>x</data></event></stream>')
        for data in bad:
            reader = StreamReader(lambda event: None)
            reader.feed(data)
            reader.close()
            self.assertTrue(reader.errors, data)

    def test_input_xml_variants(self):
        header = {'server_host': 'h', 'server_uri': 'https://127.0.0.1:1', 'session_key': 'k<&', 'checkpoint_dir': '/c'}
        for encoding in ('utf-8', 'utf-8-sig', 'utf-16-le', 'utf-16-be'):
            for order in ('first', 'last', 'middle', 3):
                data = inputxml.stream_input(header, {'k://ü "x"': ('search', {'a': '1<2', 'b': ''})}, encoding, order)
                root = ElementTree.fromstring(data)
                self.assertEqual(root.find('configuration/stanza').get('name'), 'k://ü "x"')
                self.assertEqual(root.find('session_key').text, 'k<&')
                self.assertEqual([p.text for p in root.iter('param')], ['1<2', None])
