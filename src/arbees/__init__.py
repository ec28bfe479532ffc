"""Stand between trading strategies and prediction-market exchanges, and keep both honest.

A strategy asks Arbees to execute an order. Arbees decides whether that order is safe, makes the
decision durable, sends it, finds out what really happened, and can prove all of it afterwards.
"""

__version__ = "0.1.0"
