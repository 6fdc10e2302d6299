"""Memory that is not there: whichever allocation fails, the program says so in one line or goes on, and loses nothing.

A preloaded shim refuses the n-th allocation."""
import os
import random
import re
import subprocess

from cases import ShimCase
from world.runner import wait_for
from world.world import World

SAID = re.compile(r'out of memory|no random bytes', re.I)    # OpenSSL's generator needs memory too


class Scarce(ShimCase):

    SHIM = 'scarce'

    def environment(self, n):
        return {'LD_PRELOAD': self.shim, 'FAIL_AT': str(n)}

    def call(self, n, arguments, stdin):
        return subprocess.run([self.program, *arguments], input=stdin, capture_output=True, timeout=30, check=False,
                              env={**os.environ, **self.environment(n)})

    def test_the_reader_of_stdin_survives_any_refusal(self):
        """Validation of a value that is wrong: no network, so each allocation is the reader's."""
        items = (b'<items><server_host>h</server_host><server_uri>https://127.0.0.1:1</server_uri>'
                 b'<session_key>k</session_key><checkpoint_dir>/none</checkpoint_dir><item name="a">'
                 b'<param name="tenant_id">not a tenant</param><param name="client_id">x</param></item></items>')
        for n in range(1, 260):
            done = self.call(n, ['--validate-arguments'], items)
            with self.subTest(n=n):
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertTrue(SAID.search(done.stderr.decode()) or b'<message>' in done.stdout, done.stderr)

    def test_the_collector_says_so_and_goes_on_after_a_restart(self):
        """A checkpoint, a token and a page are read while one allocation fails; splunkd starts the program again."""
        numbers = random.Random(4).sample(range(1, 12000), 24)
        with World() as world:
            feed = world.customer('one', api='graph', poll_interval='1')
            feed.publish(30)
            world.start(program=self.program).wait_events(30)
            world.program.terminate()
            for n in numbers:
                feed.publish(1)
                program = world.start(program=self.program, environment=world.home.environment(**self.environment(n)))
                wait_for(lambda p=program: not p.running or len(p.events) >= 1, 20, f'allocation {n}')
                with self.subTest(n=n):
                    if not program.running:
                        self.assertEqual(program.wait(5), 1)
                        self.assertTrue(any(SAID.search(line.text) for line in program.lines), program.tail())
                        world.programs.remove(program)      # its stream has no end, which is as it must be
                program.terminate()
            last = world.start(program=self.program)
            last.wait_line('state=ok')
            last.terminate()
            self.assertEqual((world.verdict().lost, world.verdict().repeated), ([], []), world.verdict())
