"""Sizes the packet path keeps to."""

from dataclasses import dataclass

MIN_PAYLOAD = 512
"""What every UDP client can take (RFC 1035 2.3.4); smaller offers count as this (RFC 6891 6.2.3)."""
MAX_PAYLOAD = 4096
"""What a worker's send buffer holds."""
MAX_TCP = 65535


@dataclass(frozen=True, slots=True)
class Limits:
    """`udp_payload` octets are the most we send over UDP and what we offer in OPT.

    The default avoids fragments on every usual path (DNS flag day 2020).
    """

    udp_payload: int = 1232

    def __post_init__(self) -> None:
        if not MIN_PAYLOAD <= self.udp_payload <= MAX_PAYLOAD:
            raise ValueError(f"udp_payload must be {MIN_PAYLOAD} to {MAX_PAYLOAD}, not {self.udp_payload}")
