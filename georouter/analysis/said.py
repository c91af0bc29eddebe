"""What a finished answer says about where to go: its addresses and the names it leads to.

Read by dnspython from the bytes, so that nothing of how they were made has a part in it.
"""

from dataclasses import dataclass
from struct import pack

import dns.message
import dns.name
import dns.rdata
import dns.rdatatype
from dns.rdtypes.svcbbase import ParamKey, SVCBBase

from georouter.answers.tables import Answer
from georouter.wire.codes import CLASS_IN, TYPE_A

_QUESTION = b"\x01q\0" + pack("!HH", TYPE_A, CLASS_IN)
"""Owners are pointers to the question's name, whatever it is."""


@dataclass(frozen=True, slots=True)
class Said:
    """Addresses (A, AAAA, hints of HTTPS and SVCB) and targets of CNAMEs as text, without final dot."""

    addresses: tuple[str, ...]
    hosts: tuple[str, ...]


def read(answer: Answer) -> Said:
    """Everything that all sections of the answer say."""
    message = dns.message.from_wire(b"\0\0" + answer.head[0] + _QUESTION + answer.body)
    addresses: dict[str, None] = {}
    hosts: dict[str, None] = {}
    for section in (message.answer, message.authority, message.additional):
        for rrset in section:
            for rdata in rrset:
                match rrset.rdtype:
                    case dns.rdatatype.A | dns.rdatatype.AAAA:
                        addresses[rdata.to_text()] = None
                    case dns.rdatatype.CNAME:
                        hosts[_text(rdata.target)] = None
                    case dns.rdatatype.HTTPS | dns.rdatatype.SVCB:
                        addresses |= dict.fromkeys(_hints(rdata))
                    case _:
                        pass
    return Said(tuple(addresses), tuple(hosts))


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _hints(rdata: SVCBBase) -> tuple[str, ...]:
    found: list[str] = []
    for key in (ParamKey.IPV4HINT, ParamKey.IPV6HINT):
        param = rdata.params.get(key)
        if param is not None:
            found += param.addresses
    return tuple(found)
