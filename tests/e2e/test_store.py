"""The stand-in of the KV store that forwarders share, with its records in memory."""
import unittest

from store_facts import Facts
from world.records import Replicated


class InMemory(Facts, unittest.TestCase):
    """A primary and a standby that is behind."""

    make_engine = Replicated
