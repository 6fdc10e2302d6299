"""The stand-ins tested for themselves: they must behave as documented before they can judge a program."""
from world.selftest.alerts import *  # noqa: F401,F403
from world.selftest.misbehaving import *  # noqa: F401,F403
from world.selftest.pure import *  # noqa: F401,F403
from world.selftest.signing import *  # noqa: F401,F403
from world.selftest.splunkside import *  # noqa: F401,F403
from world.selftest.whole import *  # noqa: F401,F403
