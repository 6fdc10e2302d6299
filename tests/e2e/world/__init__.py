"""Stand-ins for what surrounds bin/defender_alerts: Microsoft's services, splunkd and a proxy.

They follow the documentation of the real ones, not the program under test. README.md shows how a test uses them.
"""
