"""What happened: the store, the journal and its proofs. Imports `schemas` and `signing`; the hub owns the transaction."""
