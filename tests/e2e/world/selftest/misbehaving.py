"""Faults: each must look on the wire as it is meant to, and strike when its rule says."""
import email.utils
import http.client
import socket
import ssl
import time
import zlib

from .. import faults
from ..login_errors import refusing
from ..proxy import Proxy
from ..runner import wait_for
from .base import GRAPH, WithWorld


class Misbehaving(WithWorld):
    """Over plain http, where the bytes can be seen."""

    def setUp(self):
        super().setUp()
        self.tenant.feed('graph').publish(20)
        self.ask = self.client('graph', self.token())
        self.faults = self.world.faults

    def test_statuses_and_waits(self):
        rows = (('seconds', 7, '7'), ('fraction', 2.128, '2.128'), ('body', 52, None), ('absent', None, None))
        for form, wait, header in rows:
            self.faults.add(faults.throttled(429, wait, form), kind='graph', times=1)
            status, body, headers = self.ask()
            self.assertEqual((status, headers['Retry-After']), (429, header))
            self.assertEqual('52 seconds' in body['error']['message'], form == 'body')
        self.faults.add(faults.throttled(503, 30, 'date'), kind='graph', times=1)
        moment = email.utils.parsedate_to_datetime(self.ask()[2]['Retry-After']).timestamp()
        self.assertLess(abs(moment - time.time() - 30), 3)
        self.faults.add(faults.login_throttled(), service='login', times=1)
        status, body, headers = self.login(grant_type='client_credentials', scope=GRAPH + '/.default')
        self.assertEqual((status, body, headers['Retry-After']), (429, b'Too Many Requests', '60'))
        self.faults.add(refusing(53003), service='login', tenant=self.tenant, times=1)
        self.assertEqual(self.login()[1]['error_codes'], [53003])
        for fault, wanted in ((faults.html(), 200), (faults.empty(), 200), (faults.status(407), 407),
                              (faults.redirect('https://x.example.test/'), 302), (faults.page_over(items=5), 500)):
            self.faults.add(fault, kind='graph', times=1)
            self.assertEqual(self.ask()[0], wanted)
        self.faults.add(faults.page_over(items=5), kind='graph')
        self.assertEqual((self.ask(top=6)[0], self.ask(top=5)[0]), (500, 200))

    def test_broken_bodies(self):
        whole = len(self.ask()[1]['value'])
        for fault in (faults.cut(), faults.cut(10), faults.cut(chunked=True), faults.wrong_length(10)):
            self.faults.add(fault, kind='graph', times=1)
            self.assertRaises(http.client.IncompleteRead, self.ask)
        self.faults.add(faults.cut(0.9, compress=True, chunked=False), kind='graph', times=1)
        link = self.link(self.microsoft.graph).link
        link.request('GET', '/v1.0/security/alerts_v2', headers={'Authorization': 'Bearer ' + self.token(),
                                                                 'Accept-Encoding': 'gzip'})
        answer = link.getresponse()
        try:
            answer.read()
        except http.client.IncompleteRead as broken:
            unpacker = zlib.decompressobj(31)
            self.assertGreater(len(unpacker.decompress(broken.partial)), 1000)
            self.assertFalse(unpacker.eof)
        self.faults.add(faults.wrong_types(), kind='graph', times=1)
        self.assertEqual(self.ask()[1]['value'], 'none')
        self.faults.add(faults.too_big(3_000_000), kind='graph', times=1)
        self.assertEqual(len(self.ask()[1]['value']), whole)
        self.faults.add(faults.trickle(40000, 0.02), kind='graph', times=1)
        self.assertEqual(len(self.ask()[1]['value']), whole)

    def test_broken_connections(self):
        for fault, wanted in ((faults.reset(), ConnectionResetError), (faults.hang_up(), http.client.BadStatusLine)):
            self.faults.add(fault, kind='graph', times=1)
            self.assertRaises(wanted, self.ask)
        link = self.link(self.microsoft.graph)
        link.link.timeout = 0.2
        self.faults.add(faults.black_hole(), kind=None, service='graph', times=1)
        self.assertRaises(socket.timeout, link.ask, '/v1.0/security/alerts_v2')
        wait_for(lambda: self.microsoft.graph.active == 0, 2)
        self.microsoft.graph.stop()
        self.assertRaises(ConnectionRefusedError, self.link(self.microsoft.graph).ask, '/')
        self.microsoft.graph.start()
        self.assertEqual(self.link(self.microsoft.graph).ask('/')[0], 404)

    def test_frozen_connections(self):
        old, swallowed = self.link(self.microsoft.graph), []
        self.microsoft.graph.on_silent = swallowed.append
        self.assertEqual(old.ask('/')[0], 404)
        self.microsoft.graph.freeze()
        old.link.sock.settimeout(0.2)
        self.assertRaises(socket.timeout, old.ask, '/')
        self.assertEqual([request.path for request in swallowed], ['/'])
        self.assertEqual(self.link(self.microsoft.graph).ask('/')[0], 404)

    def test_a_lost_answer_has_had_its_effect(self):
        self.identity.rotation = 'strict'
        text = self.identity.new_refresh_token(self.tenant)
        self.faults.add(faults.reset(after=True), service='login', kind='token', times=1)
        form = {'grant_type': 'refresh_token', 'refresh_token': text, 'scope': GRAPH + '/.default'}
        self.assertRaises(ConnectionResetError, self.login, **form)
        self.assertEqual(self.login(**form)[1]['error_codes'], [50173])

    def test_rules(self):
        other = self.microsoft.tenant('other')
        other.feed('graph')
        rule = self.faults.add(faults.status(500), tenant=self.tenant, kind='graph', nth={2, 4})
        ask_other = self.client('graph', self.token(tenant=other))
        self.assertEqual([self.ask()[0] for _ in range(5)], [200, 500, 200, 500, 200])
        self.assertEqual((ask_other()[0], rule.hits), (200, 2))
        self.faults.clear()
        runs = []
        for _ in range(2):
            self.faults.add(faults.status(500), kind='graph', probability=0.5)
            runs.append([self.ask()[0] for _ in range(20)])
            self.faults.clear()
        self.assertEqual(runs[0], runs[1])
        self.assertEqual(set(runs[0]), {200, 500})

    def test_proxy(self):
        proxy = Proxy(self.world.loop, 'user', 'p@ss:word')
        self.addCleanup(proxy.close)
        for password, wanted in ((None, 407), ('dXNlcjpwQHNzOndvcmQ=', 404)):
            link = http.client.HTTPConnection('127.0.0.1', proxy.port, timeout=5)
            self.addCleanup(link.close)
            headers = {'Proxy-Authorization': 'Basic ' + password} if password else {}
            link.request('GET', self.microsoft.graph.url + '/x', headers=headers)
            self.assertEqual(link.getresponse().status, wanted)
        tunnel = http.client.HTTPConnection('127.0.0.1', proxy.port, timeout=5)
        self.addCleanup(tunnel.close)
        tunnel.set_tunnel('127.0.0.1', self.microsoft.graph.port, {'Proxy-Authorization': headers.popitem()[1]})
        tunnel.request('GET', '/x')
        self.assertEqual((tunnel.getresponse().status, proxy.refused, len(proxy.connects)), (404, 1, 3))


class Certificates(WithWorld):
    """TLS, good and bad."""
    tls = True

    def test_certificates(self):
        service, authority = self.microsoft.graph, self.world.authority
        self.assertEqual(self.link(service).ask('/')[0], 404)
        for pair in (authority.server(expired=True), authority.server('other.example.test')):
            service.restart(pair)
            self.assertRaises(ssl.SSLCertVerificationError, self.link(service).ask, '/')
        service.restart(authority.server())
        link = self.link(service)
        self.assertEqual(link.ask('/')[0], 404)
        self.assertEqual(len(service.connections), 1)
