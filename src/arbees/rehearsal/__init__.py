"""Lets others trust it: playback in recorded time, generated evenings, fault injection, torture.

Shipped to users: whoever runs the gateway can rehearse with it what may go wrong.
"""
