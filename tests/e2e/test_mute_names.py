"""A name server that never answers: what waits for it must not keep the program from ending. Needs root, for a
resolv.conf of its own in a mount namespace."""
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

import pytest
from world.runner import binary

ADDRESS = '127.0.0.153'
INPUT = '''<input><server_host>h</server_host><server_uri>https://splunkd.example:8089</server_uri><session_key>key</session_key>
<checkpoint_dir>{}</checkpoint_dir><configuration></configuration></input>'''
STANZA = '''<stanza name="defender_alerts://c"><param name="tenant_id">017bfe7c-b27d-5c48-bdd4-f827e9bb2069</param>
<param name="client_id">017bfe7c-b27d-5c48-bdd4-f827e9bb2069</param><param name="client_secret">secret</param>
</stanza></configuration>'''


def may_mount():
    return os.geteuid() == 0 and shutil.which('unshare') and not subprocess.run(
        ['unshare', '-m', 'mount', '--bind', '/etc/resolv.conf', '/etc/resolv.conf'], stderr=subprocess.DEVNULL,
        check=False).returncode


class MuteNames(unittest.TestCase):
    @pytest.mark.promise('Calls', 'SIGTERM and SIGINT end the program within a second, with exit code 0')
    @unittest.skipUnless(may_mount(), 'needs root and mount namespaces')
    def test_sigterm_is_not_held_up(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind((ADDRESS, 53))
            server.settimeout(20)
            conf = os.path.join(folder, 'resolv.conf')
            with open(conf, 'w', encoding='utf-8') as file:
                file.write(f'nameserver {ADDRESS}\n')
            environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=0')   # the lookup's thread is left to its fate
            program = subprocess.Popen(
                ['unshare', '-m', 'sh', '-c', 'mount --bind "$1" /etc/resolv.conf && exec "$2"', 'sh', conf, binary()],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
            program.stdin.write(INPUT.format(folder).replace('</configuration>', STANZA).encode())
            program.stdin.flush()
            self.assertIn(b'splunkd', server.recv(512))
            began = time.monotonic()
            program.terminate()
            _, errors = program.communicate(timeout=30)
            took = time.monotonic() - began
            self.assertEqual(program.returncode, 0, errors)
            self.assertLess(took, 3, errors)        # glibc would wait for ten seconds
