"""The store that forwarders share, with its records in servers that others wrote: what is relied on, and two real
programs."""
import unittest

import etcd
import postgres
from scenarios import Scenarios
from store_facts import Facts


class Etcd:
    """Three servers: reads are old, and nothing is lost."""

    make_engine = etcd.Etcd

    @classmethod
    def setUpClass(cls):
        etcd.program()
        super().setUpClass()


class Postgres:
    """Two servers with asynchronous replication: writes go to the primary, reads to the standby."""

    make_engine = postgres.Postgres

    @classmethod
    def setUpClass(cls):
        postgres.programs()
        super().setUpClass()


class InEtcd(Etcd, Facts, unittest.TestCase):
    """The facts."""


class InPostgres(Postgres, Facts, unittest.TestCase):
    """The facts."""


class ProgramsInEtcd(Etcd, Scenarios):
    """Two real programs."""

    __test__ = True


class ProgramsInPostgres(Postgres, Scenarios):
    """Two real programs."""

    __test__ = True
