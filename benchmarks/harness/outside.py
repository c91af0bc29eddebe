"""A recursive server as a stub resolver sees it; what it knows, and its troubles, are set by hand."""

import time

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from benchmarks.harness.background import Background

TURN_S = 0.05
"""How soon the end is noticed."""


class Outside(Background):
    """Answers on a loopback port of its own. `records` are zone-file lines with absolute names."""

    def __init__(self, *records: str) -> None:
        super().__init__()
        self.records = records
        self.rcode = dns.rcode.NOERROR
        """Anything else is the answer to everything."""
        self.silent = False
        self.slow_s = 0.0
        self.asked: list[str] = []
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(TURN_S)

    @property
    def address(self) -> str:
        """As a policy writes it."""
        host, port = self.socket.getsockname()
        return f"{host}:{port}"

    def work(self) -> None:
        """Answer until the end."""
        while not self.stopped.is_set():
            try:
                wire, client = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            query = dns.message.from_wire(wire)
            self.asked.append(query.question[0].name.to_text())
            time.sleep(self.slow_s)
            if not self.silent:
                self.socket.sendto(self._answer(query).to_wire(), client)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        """The chain of CNAMEs and what is at its end, or NXDOMAIN where nothing has the name."""
        answer = dns.message.make_response(query, recursion_available=True)
        answer.set_rcode(self.rcode)
        if self.rcode != dns.rcode.NOERROR:
            return answer
        name, kind = query.question[0].name.to_text(), dns.rdatatype.to_text(query.question[0].rdtype)
        rows = [line.split() for line in self.records]
        while True:
            held = [row for row in rows if row[0] == name]
            answer.answer += [dns.rrset.from_text(*_words(row)) for row in held if row[2] in (kind, "CNAME")]
            chain = [row[3] for row in held if row[2] == "CNAME"]
            if not chain:
                break
            name = chain[0]
        if not held:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        merged: dict[tuple[object, ...], dns.rrset.RRset] = {}
        for rrset in answer.answer:
            merged.setdefault(
                (rrset.name, rrset.rdtype), dns.rrset.RRset(rrset.name, 1, rrset.rdtype)
            ).update(rrset)
        answer.answer = list(merged.values())
        return answer


def _words(row: list[str]) -> tuple[str, int, str, str, str]:
    """Name, TTL, type, data -> what `dns.rrset.from_text` takes."""
    return row[0], int(row[1]), "IN", row[2], row[3]
