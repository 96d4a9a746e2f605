"""Line-of-business messages: civil status, criminal records, land, enterprises, construction permits, directive tasks, online forms.

Models carry the names of the wire, typos included, and keep values as they came. What a field means stands in one place, the shared
dictionary (`schemas.dictionary`); `reader.read_business` takes bytes to a model and every violation. JSON is read and objects are built
as for dossiers (`schemas.dvcqg`). Dossiers themselves, the national portal and the LGSP's XML are described there, not here.

Which fields are mandatory is not published for any of these systems: only what a message is about has to be there [G].
"""
