"""Drift: whether what comes in, and what is made of it, is still what the model learned from."""
