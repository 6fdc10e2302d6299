#!/usr/bin/env python3
"""Runs all test_*.py of this folder, several modules side by side, each in a process of its own.

usage: run.py [-v] [-j N] [MODULE ...]

The program under test is the one that DEFENDER_ALERTS names, else bin/defender_alerts. A module that says
START_EARLY is one that mostly waits; those go first so that the others run beside them. The last line is
"N passed, N failed" (", N skipped" when some were).
"""
import argparse
import concurrent.futures
import glob
import json
import os
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
MODULE_MOST_S = 600
_TALLY = 'tally: '


class Count(unittest.TextTestResult):
    """Counts tests, not failures: one whose five subtests fail is one that failed."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.bad, self.seconds = set(), {}

    def startTest(self, test):
        self.seconds[test.id()] = -time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.seconds[test.id()] += time.monotonic()

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.bad.add(test.id())

    def addError(self, test, err):
        super().addError(test, err)
        self.bad.add(test.id())

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.bad.add(test.id())

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.bad.add(test.id())


def run_here(name):
    """Run one module in this process; its counts are the last line."""
    sys.path.insert(0, HERE)
    tests = unittest.defaultTestLoader.loadTestsFromName(name)
    result = unittest.TextTestRunner(sys.stdout, resultclass=Count, verbosity=2).run(tests)
    for test, seconds in sorted(result.seconds.items(), key=lambda pair: -pair[1])[:5]:
        print(f'{seconds:6.1f} s  {test}')
    skipped = len(result.skipped)
    passed = max(0, result.testsRun - skipped - len(result.bad))
    print(_TALLY + json.dumps([passed, len(result.bad), skipped]), flush=True)
    return 1 if result.bad else 0


def run_apart(name):
    """Run one module in a process of its own: (name, [passed, failed, skipped], seconds, output)."""
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, os.path.abspath(__file__), '--here', name], cwd=HERE,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output = process.communicate(timeout=MODULE_MOST_S)[0].decode('utf-8', 'replace')
    except subprocess.TimeoutExpired:
        process.kill()
        output = process.communicate()[0].decode('utf-8', 'replace') + f'\nnot done within {MODULE_MOST_S} s\n'
    last = output.rstrip().rpartition('\n')[2]
    tally = json.loads(last[len(_TALLY):]) if last.startswith(_TALLY) else [0, 1, 0]
    if process.returncode and not tally[1]:
        tally[1] = 1
    return name, tally, time.monotonic() - began, output


def modules(wanted):
    """Names of the modules, those that mostly wait first."""
    found = sorted(os.path.basename(path)[:-3] for path in glob.glob(os.path.join(HERE, 'test_*.py')))
    found = [name for name in found if not wanted or name in wanted]

    def later(name):
        with open(os.path.join(HERE, name + '.py'), encoding='utf-8') as file:
            return 'START_EARLY' not in file.read()
    return sorted(found, key=later)


def main():
    """See the top."""
    options = argparse.ArgumentParser()
    options.add_argument('-j', type=int, default=6, help='modules side by side')
    options.add_argument('-v', action='store_true', help='show the output of modules that passed, too')
    options.add_argument('--here', help=argparse.SUPPRESS)
    options.add_argument('modules', nargs='*')
    given = options.parse_args()
    if given.here:
        return run_here(given.here)
    wanted = {os.path.basename(name).removesuffix('.py') for name in given.modules}
    sums = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(max(1, given.j)) as pool:
        for job in concurrent.futures.as_completed([pool.submit(run_apart, name) for name in modules(wanted)]):
            name, tally, seconds, output = job.result()
            if tally[1] or given.v:
                print(output)
            print('{:24} {:4} passed {:3} failed {:3} skipped {:6.1f} s'.format(name, *tally, seconds), flush=True)
            sums = [a + b for a, b in zip(sums, tally)]
    print(f'{sums[0]} passed, {sums[1]} failed' + (f', {sums[2]} skipped' if sums[2] else ''))
    return 1 if sums[1] or not sums[0] else 0


if __name__ == '__main__':
    sys.exit(main())
