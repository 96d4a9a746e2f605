"""edXML packets of QCVN 102:2016/BTTTT: values, tolerant reader, strict writer, attachments. Facts: `schemas/xsd/SOURCES.md`."""
