"""Dossier messages of a provincial LGSP in XML: dossiers, traces, statistics, votes, and what they are answered.

`reader.read_xml` and `writer.write_xml`; the shapes are in `documents`. The XML schema is made from them (`lgsp formats`).
"""
