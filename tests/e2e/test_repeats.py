"""The soak's judge of repetitions (tests/soak/repeats.py): it must let pass what a kill explains, and nothing else."""
import os
import sys
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'soak'))

from repeats import UNSAVED_S, Repeats  # noqa: E402


class Judge(unittest.TestCase):
    """Times of arrivals of one version, of blows and of a sick disk; how many are against the promise."""

    def judge(self, *arrivals, ends=(), sick=None):
        """The number of repetitions that nothing explains."""
        repeats = Repeats()
        if sick:
            repeats.sick(sick[0])(sick[1])
        for begun, over in ends:
            repeats.ended(begun, over)
        for when in arrivals:
            repeats.arrived('version', when)
        self.assertEqual(repeats.total, len(arrivals) - 1)
        return len(repeats.unexplained)

    def test_it(self):
        late = UNSAVED_S + 1
        self.assertEqual(self.judge(0, 5), 1, 'without a kill')
        self.assertEqual(self.judge(110, 120, ends=[(100, 101)]), 1, 'a kill before both')
        self.assertEqual(self.judge(0, 102, ends=[(100, 101)]), 0, 'just written at the kill')
        self.assertEqual(self.judge(100.5, 102, ends=[(100, 101)]), 0, 'still in the pipe at the kill')
        self.assertEqual(self.judge(0, late + 5, ends=[(late, late + 1)]), 1, 'too old at the kill')
        self.assertEqual(self.judge(0, late + 9, ends=[(9, 10), (late, late + 1)]), 0, 'the first kill counts')
        self.assertEqual(self.judge(0, late + 5, ends=[(late, late + 1)], sick=(10, 20)), 0, 'the disk took nothing')
        self.assertEqual(self.judge(0, 15, 30, ends=[(10, 11)]), 1, 'a second time after one kill')
