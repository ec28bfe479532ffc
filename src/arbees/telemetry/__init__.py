"""Lets facts out: the audit log, logs and alerts.

Guarantees that nothing here stands on the order path: each part reads what is durable already, at
its own pace, and a part that fails says so and trades on.
"""
