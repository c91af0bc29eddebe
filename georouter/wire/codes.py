"""The numbers of the protocol that this server names (IANA "DNS Parameters")."""

OPCODE_QUERY = 0
OPCODE_NOTIFY = 4
OPCODE_UPDATE = 5

RCODE_NOERROR = 0
RCODE_FORMERR = 1
RCODE_SERVFAIL = 2
RCODE_NXDOMAIN = 3
RCODE_NOTIMP = 4
RCODE_REFUSED = 5
RCODE_YXDOMAIN = 6
RCODE_NOTAUTH = 9
RCODE_BADVERS = 16
"""Does not fit the header: its upper bits travel in the OPT record (RFC 6891 6.1.3)."""
RCODE_BADSIG, RCODE_BADKEY, RCODE_BADTIME, RCODE_BADTRUNC = 16, 17, 18, 22
"""Of TSIG records only: in the header such an answer is NOTAUTH (RFC 8945 3)."""
RCODE_BADCOOKIE = 23
"""As BADVERS (RFC 7873 8)."""

RCODE_NAMES: dict[int, str] = {
    0: "NOERROR",
    1: "FORMERR",
    2: "SERVFAIL",
    3: "NXDOMAIN",
    4: "NOTIMP",
    5: "REFUSED",
    6: "YXDOMAIN",
    7: "YXRRSET",
    8: "NXRRSET",
    9: "NOTAUTH",
    10: "NOTZONE",
    11: "DSOTYPENI",
    16: "BADVERS",
    23: "BADCOOKIE",
}

CLASS_IN = 1
CLASS_CH = 3
CLASS_ANY = 255

TYPE_A = 1
TYPE_NS = 2
TYPE_CNAME = 5
TYPE_SOA = 6
TYPE_PTR = 12
TYPE_MX = 15
TYPE_TXT = 16
TYPE_SIG = 24
TYPE_KEY = 25
TYPE_AAAA = 28
TYPE_NXT = 30
TYPE_SRV = 33
TYPE_NAPTR = 35
TYPE_KX = 36
TYPE_DNAME = 39
TYPE_OPT = 41
TYPE_DS = 43
TYPE_RRSIG = 46
TYPE_NSEC = 47
TYPE_DNSKEY = 48
TYPE_NSEC3 = 50
TYPE_NSEC3PARAM = 51
TYPE_CDS = 59
TYPE_CDNSKEY = 60
TYPE_ZONEMD = 63
TYPE_SVCB = 64
TYPE_HTTPS = 65
TYPE_NXNAME = 128
TYPE_TKEY = 249
TYPE_TSIG = 250
TYPE_IXFR = 251
TYPE_AXFR = 252
TYPE_MAILB = 253
TYPE_MAILA = 254
TYPE_ANY = 255
TYPE_CAA = 257

_TYPES: dict[str, int] = {
    "A": TYPE_A,
    "NS": TYPE_NS,
    "MD": 3,
    "MF": 4,
    "CNAME": TYPE_CNAME,
    "SOA": TYPE_SOA,
    "MB": 7,
    "MG": 8,
    "MR": 9,
    "NULL": 10,
    "WKS": 11,
    "PTR": TYPE_PTR,
    "HINFO": 13,
    "MINFO": 14,
    "MX": TYPE_MX,
    "TXT": TYPE_TXT,
    "RP": 17,
    "AFSDB": 18,
    "X25": 19,
    "ISDN": 20,
    "RT": 21,
    "NSAP": 22,
    "NSAP-PTR": 23,
    "SIG": TYPE_SIG,
    "KEY": TYPE_KEY,
    "PX": 26,
    "GPOS": 27,
    "AAAA": TYPE_AAAA,
    "LOC": 29,
    "NXT": TYPE_NXT,
    "SRV": TYPE_SRV,
    "NAPTR": TYPE_NAPTR,
    "KX": TYPE_KX,
    "CERT": 37,
    "A6": 38,
    "DNAME": TYPE_DNAME,
    "OPT": TYPE_OPT,
    "APL": 42,
    "DS": TYPE_DS,
    "SSHFP": 44,
    "IPSECKEY": 45,
    "RRSIG": TYPE_RRSIG,
    "NSEC": TYPE_NSEC,
    "DNSKEY": TYPE_DNSKEY,
    "DHCID": 49,
    "NSEC3": TYPE_NSEC3,
    "NSEC3PARAM": TYPE_NSEC3PARAM,
    "TLSA": 52,
    "SMIMEA": 53,
    "HIP": 55,
    "NINFO": 56,
    "CDS": TYPE_CDS,
    "CDNSKEY": TYPE_CDNSKEY,
    "OPENPGPKEY": 61,
    "CSYNC": 62,
    "ZONEMD": TYPE_ZONEMD,
    "SVCB": TYPE_SVCB,
    "HTTPS": TYPE_HTTPS,
    "DSYNC": 66,
    "HHIT": 67,
    "BRID": 68,
    "SPF": 99,
    "UNSPEC": 103,
    "NID": 104,
    "L32": 105,
    "L64": 106,
    "LP": 107,
    "EUI48": 108,
    "EUI64": 109,
    "NXNAME": TYPE_NXNAME,
    "TKEY": TYPE_TKEY,
    "TSIG": TYPE_TSIG,
    "IXFR": TYPE_IXFR,
    "AXFR": TYPE_AXFR,
    "MAILB": TYPE_MAILB,
    "MAILA": TYPE_MAILA,
    "ANY": TYPE_ANY,
    "URI": 256,
    "CAA": TYPE_CAA,
    "AVC": 258,
    "AMTRELAY": 260,
    "RESINFO": 261,
    "WALLET": 262,
    "TA": 32768,
    "DLV": 32769,
}
_NAMES: dict[int, str] = {number: name for name, number in _TYPES.items()}

OPTION_NSID = 3
"""Name server identifier (RFC 5001)."""
OPTION_ECS = 8
"""Client subnet (RFC 7871)."""
OPTION_COOKIE = 10
"""DNS cookie (RFC 7873, 9018)."""
OPTION_KEEPALIVE = 11
"""TCP keepalive (RFC 7828)."""
OPTION_EDE = 15
"""Extended error (RFC 8914)."""

EDE_OTHER = 0
EDE_STALE_ANSWER = 3
EDE_NOT_READY = 14
EDE_FILTERED = 17
EDE_PROHIBITED = 18
EDE_NOT_AUTHORITATIVE = 20
EDE_NOT_SUPPORTED = 21
EDE_NO_REACHABLE_AUTHORITY = 22


def type_text(number: int) -> str:
    """The mnemonic of a record type, or `TYPEnnn` (RFC 3597 5)."""
    return _NAMES.get(number) or f"TYPE{number}"


def type_number(text: str) -> int:
    """The number of a record type written as mnemonic or `TYPEnnn`, in any case. ValueError otherwise."""
    name = text.upper()
    number = _TYPES.get(name)
    if number is not None:
        return number
    digits = name.removeprefix("TYPE")
    if name.startswith("TYPE") and digits.isascii() and digits.isdigit() and int(digits) <= 0xFFFF:
        return int(digits)
    raise ValueError(f"'{text}' is not a record type")


def rcode_text(number: int) -> str:
    """The mnemonic of a response code, or `RCODEnn`."""
    return RCODE_NAMES.get(number) or f"RCODE{number}"
