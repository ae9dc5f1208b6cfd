"""Generate the R4 tables of `carepath.r4` from the official definitions."""
