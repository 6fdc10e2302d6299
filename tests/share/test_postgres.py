"""The store that forwarders share, with its records in two PostgreSQL servers with asynchronous replication."""
import unittest

import postgres
from scenarios import Scenarios
from store_facts import Facts


def setUpModule():
    postgres.programs()


class InPostgres(Facts, unittest.TestCase):
    """Writes go to the primary, reads to the standby."""

    make_engine = postgres.Postgres


class ProgramsInPostgres(Scenarios):
    """Two real programs."""

    __test__ = True
    make_engine = postgres.Postgres
