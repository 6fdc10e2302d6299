"""Shared by all pytest modules: the order of the tests, how they are handed out, and the rows of subTest."""
import collections
import contextlib
import unittest

import pytest

try:
    from xdist.scheduler.loadscope import LoadScopeScheduling
except ImportError:         # one process is enough for a few tests
    LoadScopeScheduling = object


class OneByOne(LoadScopeScheduling):
    """Hands out single tests in order. xdist's own `load` would give the long ones at the start to one worker."""

    def _split_scope(self, nodeid):
        module = nodeid.partition('::')[0]
        return nodeid if module.startswith(('tests/e2e/', 'tests/real/')) else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Each test has its own world, so any worker may run any test."""
    return OneByOne(config, log)


def _seconds(item):
    mark = item.get_closest_marker('waits')
    return mark.args[0] if mark else 0


def pytest_collection_modifyitems(config, items):
    """In the workers of xdist, the tests that wait longest start first, so that the others run beside them. Then each
    module has its turn, since the tests of one module need the same, such as a server that takes long to start."""
    if not hasattr(config, 'workerinput'):
        return
    turn, counted = {}, collections.Counter()
    for item in items:
        turn[item] = counted[item.path]
        counted[item.path] += 1
    items.sort(key=lambda item: (-_seconds(item), turn[item]))


@contextlib.contextmanager
def _row(_self, message=None, **values):
    """pytest ends a test at its first failing subTest; its captured output then names the row."""
    try:
        yield
    except Exception:
        print('in the row', *([] if message is None else [repr(message)]), *(f'{k}={v!r}' for k, v in values.items()))
        raise


unittest.TestCase.subTest = _row
