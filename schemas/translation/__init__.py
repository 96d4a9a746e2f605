"""Translation as data: mappings between wire formats and the canonical document, in keys of the shared dictionary.

`engine.translate` takes bytes of one format to bytes of another by the mappings it is given, and names everything that is lost. `mapping`
and `load` say what a mapping is, `table` applies one, `stylesheet` runs XSLT, `formats` reads and writes, `canonical` is the pivot. Shipped
mappings with their examples stand in `mappings/`, one folder each. Nothing here reads a clock, draws a number or opens a file but those.
"""
