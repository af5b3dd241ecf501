"""The audit of a ticket history: what in it would teach a model the wrong thing."""
