#!/usr/bin/env python3
"""What the release build's compiler wrapper and headers promise: an overflow ends the process before it does harm.

    ARCH=x86_64 test_protections.py         after package/build-libs"""
import os
import platform
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ARCH = os.environ.get('ARCH') or platform.machine()
COMPILER = os.path.join(HERE, '../../build/release', ARCH, 'musl/bin/musl-gcc')
FLAGS = '''-std=c11 -D_GNU_SOURCE -O2 -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=3 -static-pie -w'''.split()
CALLS = '''memcpy memmove memset strcpy strncpy strcat strncat sprintf snprintf vsprintf vsnprintf read pread
    fread fgets getcwd readlink recv recvfrom poll heap'''.split()


class Protections(unittest.TestCase):
    """One program, told how to go wrong."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.program = os.path.join(cls.folder.name, 'overflow')
        subprocess.run([COMPILER, *FLAGS, '-o', cls.program, os.path.join(HERE, 'overflow.c')], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def outcome(self, how, size):
        emulator = [] if ARCH == platform.machine() else [f'qemu-{ARCH}-static']
        done = subprocess.run([*emulator, self.program, how, str(size)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, cwd=self.folder.name)
        return done.returncode, done.stderr.decode()

    def test_each_call_is_stopped_when_it_would_overflow_and_only_then(self):
        for call in CALLS:
            with self.subTest(call):
                code, said = self.outcome(call, 40)
                self.assertEqual(code, -signal.SIGABRT, said)
                self.assertTrue(said.startswith('FATAL buffer overflow stopped\n'), said)
                code, said = self.outcome(call, 15)
                self.assertIn(code, (0, 1), said)

    def test_the_stack_protector_sees_what_no_call_did(self):
        self.assertLess(self.outcome('loop', 400)[0], 0)
        self.assertEqual(self.outcome('loop', 10)[0], 0)


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - failed} passed, {failed} failed')
    sys.exit(1 if failed else 0)
