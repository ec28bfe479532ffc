"""A simulated Kalshi: its REST and WebSocket protocol, its matching, and all that goes wrong.

Ships with the project, so that anyone can rehearse before a dollar is at risk. `exchange` holds the
rules (pure, one clock), `rest` and `streams` speak the protocol, `faults` breaks it on request.
"""
