"""Runs the tests of this folder, or those that are named, with the Python that has the clients: see run."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'e2e')]


def main(names):
    """The last line is the sum. No test at all is a failure."""
    loader = unittest.TestLoader()
    tests = loader.loadTestsFromNames(names) if names else loader.discover(HERE)
    done = unittest.TextTestRunner(verbosity=1, warnings='ignore').run(tests)
    failed = len({test.id().partition(' ')[0] for test, _ in done.failures + done.errors})
    for test, reason in done.skipped:
        print(f'skipped: {test.id()}: {reason}')
    print(f'{done.testsRun - failed - len(done.skipped)} passed, {failed} failed' +
          (f', {len(done.skipped)} skipped' if done.skipped else ''))
    return 0 if done.wasSuccessful() and done.testsRun else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
