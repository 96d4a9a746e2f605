"""Deadlines: working days as dated data, terms in days, working days and hours, pauses, and what "on time" means. docs/deadlines.md"""
