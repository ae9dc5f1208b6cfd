"""FHIR XML, read and written by the element tables: every R4 resource, nothing lost.

https://hl7.org/fhir/R4/xml.html
"""

from carepath.xml_codec.reading import decode
from carepath.xml_codec.writing import encode

__all__ = ["decode", "encode"]
