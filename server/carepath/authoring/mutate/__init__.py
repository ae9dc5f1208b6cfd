"""Mistakes made on purpose: which of them would no case of some content notice?"""

from carepath.authoring.mutate.hunt import Hunt
from carepath.authoring.mutate.mutants import KINDS, Mutant, mutants_of
from carepath.authoring.mutate.witness import FactKey, Seen, Witness, key_of, witness_of

__all__ = [
    "KINDS",
    "FactKey",
    "Hunt",
    "Mutant",
    "Seen",
    "Witness",
    "key_of",
    "mutants_of",
    "witness_of",
]
