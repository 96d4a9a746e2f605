"""Who said it: verification and making of signatures. `verify.py` is the procedure; the rest are its steps."""
