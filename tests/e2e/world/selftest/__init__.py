"""The stand-ins tested for themselves; tests/e2e/test_world.py runs all of it."""
