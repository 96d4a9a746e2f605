"""Faults on purpose: processes killed, services taken away. Afterwards the journal must prove itself."""
