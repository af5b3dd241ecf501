"""Ticket triage for tiered help desks: tickets in, suggestions out."""
