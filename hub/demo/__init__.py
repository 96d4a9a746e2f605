"""The demonstration: a whole province on one machine, with real keys and real processes."""
