#!/usr/bin/env python3
"""Runs all test_*.py of this folder: fields, searches and views, without a Splunk.

The last line is "N passed, N failed" (", N skipped" where ../shared/samples is not at hand)."""
import glob
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'e2e')]


def main():
    """See the top."""
    from importlib.util import module_from_spec, spec_from_file_location
    spec = spec_from_file_location('e2e_run', os.path.join(os.path.dirname(HERE), 'e2e', 'run.py'))
    e2e = module_from_spec(spec)
    spec.loader.exec_module(e2e)
    names = sys.argv[1:] or sorted(os.path.basename(path)[:-3] for path in glob.glob(os.path.join(HERE, 'test_*.py')))
    tests = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(sys.stdout, resultclass=e2e.Count, verbosity=1).run(tests)
    skipped, failed = len(result.skipped), len(result.bad)
    print(f'{max(0, result.testsRun - skipped - failed)} passed, {failed} failed' +
          (f', {skipped} skipped' if skipped else ''))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
