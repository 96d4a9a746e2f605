"""Dossiers of the one-stop shop as JSON: the national portal (QCVN 120:2019), the ministry adapter, national monitoring, our own.

`reader.read_json` takes bytes to a model and every violation; `reader.validate` is the same as a list. `kinds` names what there is,
`describe`, `xsd` and `pages` write it down. LGSP's XML forms live in `schemas.lgsp`, checks of honesty in `schemas.honesty`.

Facts and their certainty: [C] read in real code or in a legal text, [S] told by a third party, [G] inference. The standard's own tables
could not be retrieved, so what implementers do decides, and a rule that rests on it warns rather than refuses.
"""
