"""tests/vendor/run and tests/package/run: no clients, no test, a test that fails, a part that counts nothing."""
import os
import shutil
import sys

import plant
import pytest

TEST = 'import unittest\nclass T(unittest.TestCase):\n    def test_it(self):\n        {}\n'


def test_no_clients(tmp_path):
    """What install-tools says, and a failure. tests/package/test_judges.py has it without a network."""
    plant.copy(tmp_path, 'tests/vendor')
    plant.write(tmp_path, 'tools/install-tools', '#!/bin/sh\necho "cannot be installed: $1" >&2\nexit 1\n', 0o755)
    code, said = plant.run(str(tmp_path / 'tests/vendor/run'), cwd=tmp_path)
    assert (code, said) == (1, 'cannot be installed: splunk\n0 passed, 1 failed\n')


@pytest.mark.parametrize('text, code, wanted', [
    (TEST.format('pass'), 0, '1 passed, 0 failed'), (TEST.format('self.fail()'), 1, '0 passed, 1 failed'),
    (TEST.format('self.skipTest("x")'), 0, '0 passed, 0 failed, 1 skipped'),
    ('import no_such_module\n', 1, '0 passed, 1 failed'),
    ('', 1, '0 passed, 0 failed'), (None, 1, '0 passed, 0 failed')], ids=lambda value: str(value)[-25:])
def test_suite(tmp_path, text, code, wanted):
    """A test that passes, fails, cannot be imported, or is not there."""
    os.makedirs(tmp_path / 'tests/vendor')
    shutil.copy(os.path.join(plant.ROOT, 'tests/vendor/suite.py'), tmp_path / 'tests/vendor')
    if text is not None:
        plant.write(tmp_path, 'tests/vendor/test_x.py', text)
    found, said = plant.run(sys.executable, str(tmp_path / 'tests/vendor/suite.py'))
    assert (found, plant.last_line(said)) == (code, wanted), said


def test_parts_of_the_package_tests(tmp_path):
    """What breaks or counts nothing is a failure; the sum has all of it."""
    script = plant.read(plant.ROOT, 'tests/package/run')
    head, tail = script[:script.index("part 'the package")], script[script.index('echo "$passed passed'):]
    for command, code, wanted in (('echo 2 passed, 0 failed', 0, '2 passed, 0 failed'),
                                  ('echo 2 passed, 1 failed; exit 1', 1, '2 passed, 1 failed'),
                                  ('echo 2 passed, 0 failed; exit 1', 1, '2 passed, 1 failed'),
                                  ('true', 1, '0 passed, 1 failed'),
                                  ('echo 0 passed, 0 failed', 1, '0 passed, 1 failed'),
                                  ('no-such-command', 1, '0 passed, 1 failed'),
                                  ('echo 0 passed, 0 failed, 1 skipped', 0, '0 passed, 0 failed, 1 skipped')):
        path = plant.write(tmp_path, 'tests/package/run', f"{head}part planted sh -c '{command}'\n{tail}", 0o755)
        found, said = plant.run(path, 'x86_64')
        assert (found, plant.last_line(said)) == (code, wanted), (command, said)
