"""Evidence for outsiders: containers that are checked without the hub (docs/evidence.md)."""
