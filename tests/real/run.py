#!/usr/bin/env python3
"""Runs all test_*.py of this folder: the program against servers that others wrote.

usage: run.py [MODULE ...]. The last line is "N passed, N failed" (", N skipped" when a server cannot be had here).
"""
import glob
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), 'e2e'), HERE]

from run import Count       # noqa: E402    tests/e2e/run.py


def main():
    """See the top."""
    names = sys.argv[1:] or sorted(os.path.basename(path)[:-3] for path in glob.glob(os.path.join(HERE, 'test_*.py')))
    tests = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(sys.stdout, resultclass=Count, verbosity=2).run(tests)
    skipped, failed = len(result.skipped), len(result.bad)
    passed = max(0, result.testsRun - skipped - failed)
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
