"""Servers that others wrote are not on every machine."""
import unittest


def needs(prepare, unavailable, what):
    """Prepare the server, or skip the module's tests when that raises this exception."""
    try:
        prepare()
    except unavailable as why:
        raise unittest.SkipTest(f'no {what}: {why}') from why
