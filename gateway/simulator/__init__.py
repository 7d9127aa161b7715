"""A Chorus Pro to develop and test against: real HTTP, real unpacking, real schemas, a clock that a test drives.

It shares no code with the gateway (not even its domain), so that it can disprove it. What it answers follows
chorus-pro.md and the official OpenAPI files; what it had to invent is listed in docs/simulator.md.

    from gateway.simulator import running_simulator

    with running_simulator() as chorus:
        ...                                    # point the gateway at chorus.url
        chorus.advance(timedelta(hours=1))     # flows are processed, invoices move on
        chorus.deposits()                      # every deposit received, before any de-duplication
"""

from gateway.simulator.running import Simulator, running_simulator, serve

__all__ = ["Simulator", "running_simulator", "serve"]
