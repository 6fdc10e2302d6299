#!/usr/bin/env python3
"""Validates and draws the dashboard with Splunk's own packages, from what the program really wrote.

    run.py            play a scene, validate, draw in Chromium, use the inputs; screenshots in build/dashboard
    run.py --again    the same with the last scene

The packages come from npm by the committed lock file, into build/dashboard. The last line is "N passed, N failed";
where a part cannot be had, the tests are skipped.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]

import scene                                    # noqa: E402
from splunkd import Splunkd                     # noqa: E402

sys.path.insert(0, os.path.join(HERE, '..', 'e2e'))
from run import Count                           # noqa: E402    tests/e2e/run.py

ROOT = os.path.dirname(os.path.dirname(HERE))
VIEW = os.path.join(ROOT, 'default', 'data', 'ui', 'views', 'customers.xml')
WEB = os.path.join(HERE, 'web')
TARGET = os.path.join(ROOT, 'build', 'dashboard')


def definition():
    """The JSON in the shipped view."""
    with open(VIEW, encoding='utf-8') as file:
        return re.search(r'<definition><!\[CDATA\[(.*)\]\]></definition>', file.read(), re.DOTALL).group(1)


def install():
    """Brings build/dashboard up to date: packages by the lock file, our pages beside them."""
    for program in ('node', 'npm', 'chromium'):
        if not shutil.which(program):
            raise unittest.SkipTest(f'{program} is not installed')
    os.makedirs(TARGET, exist_ok=True)
    lock, there = os.path.join(WEB, 'package-lock.json'), os.path.join(TARGET, 'installed-lock.json')
    for name in os.listdir(WEB):
        shutil.copy(os.path.join(WEB, name), TARGET)
    if os.path.exists(there) and open(there, 'rb').read() == open(lock, 'rb').read():
        return
    done = subprocess.run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], cwd=TARGET, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise unittest.SkipTest('npm ci failed (no network?): ' + done.stdout[-300:])
    shutil.copy(lock, there)


def play():
    """The scene's events: a new run of the program, or the last one."""
    path = os.path.join(TARGET, 'scene.json')
    if '--again' not in sys.argv or not os.path.exists(path):
        try:
            scene.Scene().save(path)
        except scene.Unavailable as why:
            raise unittest.SkipTest(str(why))
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def node(*command):
    """Runs a script of the target folder; its standard output."""
    done = subprocess.run(['node', *command], cwd=TARGET, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=300, check=False)
    if done.returncode:
        raise AssertionError(f'{command[0]}: {done.stdout[-1500:]}{done.stderr[-1500:]}')
    return done.stdout


class Dashboard(unittest.TestCase):
    """One run of the program, one of Chromium, and what was seen."""

    @classmethod
    def setUpClass(cls):
        install()
        cls.path = os.path.join(TARGET, 'definition.json')
        with open(cls.path, 'w', encoding='utf-8') as file:
            file.write(definition())
        played = play()
        node('build.mjs', TARGET)
        cls.splunkd = Splunkd(played['log'] + played['alerts'], played['now'], TARGET, definition())
        try:
            cls.seen = json.loads(node('shoot.mjs', cls.splunkd.url, TARGET, shutil.which('chromium')))
        finally:
            cls.splunkd.close()

    def test_validates_in_node(self):
        """Panel types, their options and bindings, layout."""
        self.assertEqual(json.loads(node('validate.mjs', self.path)), [])

    def test_seen(self):
        print(json.dumps({k: v for k, v in self.seen.items() if k != 'x'}, indent=1)[:6000])
        print(self.splunkd.errors)
        for s in self.splunkd.searches: print(s[0], s[2], len(s[4]), str(s[1])[:90])


if __name__ == '__main__':
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(Dashboard)
    result = unittest.TextTestRunner(sys.stdout, resultclass=Count, verbosity=2).run(tests)
    skipped, failed = len(result.skipped), len(result.bad) + len([e for e in result.errors if 'setUpClass' in str(e[0])])
    print(f'{result.testsRun - len(result.bad)} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    sys.exit(1 if failed else 0)
