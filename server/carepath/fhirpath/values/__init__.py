"""What expressions compute with: types, members, quantities, times."""

import carepath.fhirpath.values.members  # noqa: F401 - here the types learn how to find children
