"""Record types that are not written by hand here, whatever their data."""

from georouter.wire import codes

SIGNED = frozenset(
    {
        codes.TYPE_SIG,
        codes.TYPE_KEY,
        codes.TYPE_NXT,
        codes.TYPE_RRSIG,
        codes.TYPE_NSEC,
        codes.TYPE_DNSKEY,
        codes.TYPE_NSEC3,
        codes.TYPE_NSEC3PARAM,
        codes.TYPE_CDS,
        codes.TYPE_CDNSKEY,
        codes.TYPE_ZONEMD,
    }
)
"""What a signer makes of a zone. Steered answers change all the time: signatures, denials and digests that
stand beside them in a file would be wrong for most clients. DS is not among them: a parent writes it."""


def signed_text(number: int) -> str:
    """Why a type of `SIGNED` is refused."""
    return (
        f"{codes.type_text(number)} records are made by a signer, and DNSSEC is not available in this version"
    )
