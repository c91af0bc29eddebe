"""Which autonomous system announces an address: the ranges of an ASN database."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AsnInfo:
    """Where the numbers came from."""

    database: str
    build_epoch_s: int


@dataclass(frozen=True, slots=True, eq=False)
class AsnMap:
    """Ranges as in `GeoMap`, with a number each; 0 is "not known"."""

    starts4: NDArray[np.uint32]
    asn4: NDArray[np.uint32]
    starts6: NDArray[np.uint64]
    asn6: NDArray[np.uint32]
    info: AsnInfo
