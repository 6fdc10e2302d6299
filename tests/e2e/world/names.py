"""A name server for one zone, that answers as a cloud's does: through a long chain of aliases.

The chain does not fit into a datagram of 512 bytes, so the client must ask again over TCP. glibc and musl from 1.2.4 on
do; a resolver that does not says "Name does not resolve"."""
import socket
import struct
import threading

A, CNAME = 1, 5
CHAIN = 9


def _name(text):
    return b''.join(bytes([len(part)]) + part.encode() for part in text.split('.')) + b'\0'


def refusal(query, code):
    """The answer that there is none: 2 the server failed, 3 no such name, 5 it will not say."""
    question = query[12:query.index(b'\0', 12) + 5]
    return query[:2] + struct.pack('>HHHHH', 0x8180 | code, 1, 0, 0, 0) + question


class NameServer:
    """Answers every name of the zone with an address of this machine; other names do not exist. Needs port 53.

    over_tcp: questions that came by TCP. spoil(query, answer) returns what is said instead; None: nothing."""

    def __init__(self, zone, host='127.0.0.2', address='127.0.0.1', spoil=None):
        self.zone, self.host, self.address, self.over_tcp = zone, host, address, 0
        self.spoil = spoil or (lambda query, answer: answer)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._udp.bind((host, 53))
        self._tcp.bind((host, 53))
        self._tcp.listen(16)
        self._closing = False
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def close(self):
        """Give the port back. A socket in use by a waiting call would keep it, so both are woken up first."""
        self._closing = True
        self._tcp.shutdown(socket.SHUT_RDWR)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b'', (self.host, 53))
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self):
        while True:
            try:
                query, sender = self._udp.recvfrom(512)
                if self._closing:
                    return
                answer = self.spoil(query, self.answer(query))
                if answer is None:
                    continue
                if len(answer) > 512:       # the question again, and the bit that says: cut off
                    answer = answer[:2] + struct.pack('>H', 0x8780) + b'\0\1' + bytes(6) + query[12:]
                self._udp.sendto(answer, sender)
            except OSError:
                return

    def _serve_tcp(self):
        while True:
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection:
                self._talk(connection)

    def _talk(self, connection):
        """All questions that come over one connection: glibc sends those for both kinds of address together."""
        connection.settimeout(5)
        try:
            while len(size := connection.recv(2)) == 2:
                self.over_tcp += 1
                query = connection.recv(struct.unpack('>H', size)[0])
                answer = self.spoil(query, self.answer(query))
                if answer is not None:
                    connection.sendall(struct.pack('>H', len(answer)) + answer)
        except OSError:
            pass

    def answer(self, query):
        """The whole answer to a query, however long."""
        end = query.index(b'\0', 12)
        labels, at = [], 12
        while at < end:
            labels.append(query[at + 1:at + 1 + query[at]].decode('latin-1'))
            at += 1 + query[at]
        name, question = '.'.join(labels).lower(), query[12:end + 5]
        if not name.endswith('.' + self.zone):
            return refusal(query, 3)
        records, owner = [], name
        for step in range(CHAIN):
            alias = f'{"a-rather-long-name-of-a-load-balancer"}-{step}.{name}'
            records.append(_name(owner) + struct.pack('>HHIH', CNAME, 1, 60, len(_name(alias))) + _name(alias))
            owner = alias
        if struct.unpack('>H', question[-4:-2])[0] == A:
            records.append(_name(owner) + struct.pack('>HHIH', A, 1, 60, 4) + socket.inet_aton(self.address))
        return query[:2] + struct.pack('>HHHHH', 0x8580, 1, len(records), 0, 0) + question + b''.join(records)
