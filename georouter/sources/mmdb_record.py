"""What a database file itself says of an address, read by its maker's own library.

The packet path never uses this; it is the second opinion for `georouter geo record` and for tests.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geoip2.database
import geoip2.errors
import maxminddb

from georouter.geo.map import Address
from georouter.words.errors import SourceError

READERS: Mapping[str, str] = {"City": "city", "Country": "country", "ASN": "asn", "Enterprise": "enterprise"}
"""Endings of GeoIP2 and GeoLite2 database types, and the method of `geoip2` that reads them."""


def record(path: Path, address: Address) -> dict[str, Any] | None:
    """The record of `address` as plain values; None when the file has none. SourceError says why not."""
    try:
        with maxminddb.open_database(path, maxminddb.MODE_FILE) as plain:
            kind = plain.metadata().database_type
            if address.version == 6 and plain.metadata().ip_version == 4:
                return None
            method = next((read for end, read in READERS.items() if kind.endswith(f"-{end}")), None)
            if method is None or not kind.startswith(("GeoIP2-", "GeoLite2-")):
                found = plain.get(address)
                return found if isinstance(found, dict) else None
        with geoip2.database.Reader(path, mode=maxminddb.MODE_FILE) as reader:
            try:
                return dict(getattr(reader, method)(address).to_dict())
            except geoip2.errors.AddressNotFoundError:
                return None
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise SourceError(f"{path}: {error}") from error
