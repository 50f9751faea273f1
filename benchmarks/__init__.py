"""Measure how long a sync takes, compared with its lower bound and with alternatives."""
