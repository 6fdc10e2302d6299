"""The store that forwarders share, with its records in two PostgreSQL servers with asynchronous replication."""
import unittest

import postgres
from store_facts import Facts


def setUpModule():
    postgres.programs()


class InPostgres(Facts, unittest.TestCase):
    """Writes go to the primary, reads to the standby."""

    make_engine = postgres.Postgres
