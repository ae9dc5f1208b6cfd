"""FHIR XML, read and written by the element tables: every R4 resource, nothing lost.

https://hl7.org/fhir/R4/xml.html
"""

from carepath.formats.xml.reading import decode
from carepath.formats.xml.writing import encode

__all__ = ["decode", "encode"]
