"""Shared by all pytest modules: the order of the tests, how they are handed out, and the rows of subTest."""
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
        return nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Each test has its own world, so any worker may run any test."""
    return OneByOne(config, log)


def _seconds(item):
    mark = item.get_closest_marker('waits')
    return mark.args[0] if mark else 0


def pytest_collection_modifyitems(items):
    """The tests that wait longest start first, so that the others run beside them."""
    items.sort(key=_seconds, reverse=True)


@contextlib.contextmanager
def _row(_self, message=None, **values):
    """pytest ends a test at its first failing subTest; its captured output then names the row."""
    try:
        yield
    except Exception:
        print('in the row', *([] if message is None else [repr(message)]), *(f'{k}={v!r}' for k, v in values.items()))
        raise


unittest.TestCase.subTest = _row
