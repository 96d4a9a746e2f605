"""How to speak to a system: one frozen dataclass per protocol, chosen by name in a system's profile. Imports `schemas` only."""
