"""The store that forwarders share, with its records in three etcd servers."""
import unittest

import etcd
from scenarios import Scenarios
from store_facts import Facts


def setUpModule():
    etcd.program()


class InEtcd(Facts, unittest.TestCase):
    """Reads are old, and nothing is lost."""

    make_engine = etcd.Etcd


class ProgramsInEtcd(Scenarios):
    """Two real programs."""

    __test__ = True
    make_engine = etcd.Etcd
