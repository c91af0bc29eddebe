"""The OPT record of a query and its options (RFC 6891), client subnet among them (RFC 7871).

Rules, and where they come from:

1. The version decides before the options: a higher version than 0 is BADVERS, its options are not
   read (RFC 6891 6.1.3).
2. An option that runs past the record is FORMERR, with an OPT record in the answer (RFC 6891 7).
3. Options we do not know are ignored (RFC 6891 6.1.2). A cookie is kept as it came: only who speaks
   cookies can say whether its length is right. Of several the first counts (RFC 7873 5.2).
4. A client subnet with an unknown FAMILY, a SOURCE beyond the family's width, a SCOPE other than 0,
   an ADDRESS of another length than SOURCE asks for, or bits set beyond SOURCE is FORMERR
   (RFC 7871 6 and 7.2.1). FAMILY 0 is well formed with SOURCE 0 and no address: "tell nobody where
   I am", as RFC 7871 7.1.2 lets stubs write it and `dig +subnet=0` does.
5. Two client subnets in one query are FORMERR: no answer could echo both.
"""

from dataclasses import dataclass

from georouter.wire.codes import (
    OPTION_COOKIE,
    OPTION_ECS,
    OPTION_EDE,
    OPTION_KEEPALIVE,
    OPTION_NSID,
    RCODE_BADVERS,
    RCODE_FORMERR,
    RCODE_NOERROR,
)

FAMILY_NONE, FAMILY_IPV4, FAMILY_IPV6 = 0, 1, 2
"""Address family numbers (IANA) of a client subnet."""
WIDTHS: dict[int, int] = {FAMILY_NONE: 0, FAMILY_IPV4: 32, FAMILY_IPV6: 128}
"""Widest SOURCE prefix of each family."""

MAPPED_PREFIX = bytes(10) + b"\xff\xff"
"""::ffff:0:0/96, IPv4 addresses in IPv6 clothes (RFC 4291 2.5.5.2)."""
MAPPED_BITS = 96

DO_FLAG = 0x8000
"""DNSSEC OK, the only OPT flag that is copied (RFC 3225 3)."""
OPT_START = b"\0\0\x29"
"""Root owner and type 41."""


@dataclass(frozen=True, slots=True)
class ClientSubnet:
    """A well-formed client subnet: `address` holds as many octets as `source` needs."""

    family: int
    source: int
    address: bytes

    def echo(self, scope: int) -> bytes:
        """The option for the response: everything as the client sent it, and our scope."""
        body = self.family.to_bytes(2) + bytes((self.source, scope)) + self.address
        return OPTION_ECS.to_bytes(2) + len(body).to_bytes(2) + body


@dataclass(frozen=True, slots=True)
class Opt:
    """What a query's OPT record says. `error` is the response code it earned, 0 for none.

    `cookie` is the data of a cookie option (RFC 7873); `nsid` whether the server's name is asked for
    (RFC 5001), `keepalive` whether how long a connection may stay (RFC 7828; such an option is empty).
    """

    payload: int
    dnssec_ok: bool
    subnet: ClientSubnet | None
    error: int
    cookie: bytes | None = None
    nsid: bool = False
    keepalive: bool = False


def parse_opt(payload: int, ttl: int, rdata: bytes) -> Opt:
    """Read an OPT record from its class, TTL and data fields. Never raises."""
    dnssec_ok = bool(ttl & DO_FLAG)
    if ttl >> 16 & 0xFF:
        return Opt(payload, dnssec_ok, None, RCODE_BADVERS)
    subnet: ClientSubnet | None = None
    cookie: bytes | None = None
    nsid = keepalive = False
    at = 0
    while at < len(rdata):
        code = int.from_bytes(rdata[at : at + 2])
        stop = at + 4 + int.from_bytes(rdata[at + 2 : at + 4])
        if at + 4 > len(rdata) or stop > len(rdata):
            return Opt(payload, dnssec_ok, None, RCODE_FORMERR)
        if code == OPTION_ECS:
            found = parse_subnet(rdata[at + 4 : stop])
            if found is None or subnet is not None:
                return Opt(payload, dnssec_ok, None, RCODE_FORMERR)
            subnet = found
        elif code == OPTION_COOKIE and cookie is None:
            cookie = rdata[at + 4 : stop]
        elif code == OPTION_NSID:
            nsid = True
        elif code == OPTION_KEEPALIVE:
            keepalive |= stop == at + 4
        at = stop
    return Opt(payload, dnssec_ok, subnet, RCODE_NOERROR, cookie, nsid, keepalive)


def parse_subnet(data: bytes) -> ClientSubnet | None:
    """Read the data of a client subnet option; None when it is malformed (rule 4)."""
    if len(data) < 4:
        return None
    family = int.from_bytes(data[:2])
    source, scope, address = data[2], data[3], data[4:]
    if family not in WIDTHS or source > WIDTHS[family] or scope != 0 or len(address) != (source + 7) // 8:
        return None
    if int.from_bytes(address) & ((1 << (-source % 8)) - 1):
        return None
    return ClientSubnet(family, source, address)


def make_opt(payload: int, dnssec_ok: bool, rcode: int, options: bytes) -> bytes:
    """An OPT record of ours: our payload size, version 0, the upper bits of `rcode`."""
    flags = DO_FLAG if dnssec_ok else 0
    return b"".join(
        (
            OPT_START,
            payload.to_bytes(2),
            bytes((rcode >> 4, 0)),
            flags.to_bytes(2),
            len(options).to_bytes(2),
            options,
        )
    )


def make_option(code: int, data: bytes) -> bytes:
    """An option with this data."""
    return code.to_bytes(2) + len(data).to_bytes(2) + data


def make_error(code: int, text: str = "") -> bytes:
    """An extended error option (RFC 8914 2)."""
    return make_option(OPTION_EDE, code.to_bytes(2) + text.encode())
