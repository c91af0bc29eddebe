"""Policies to break: a valid one in sections, of which a test replaces what it is about."""

import re

from georouter.policy.load import Loaded, PolicyFile, load
from georouter.words.errors import PolicyError

SECTIONS: dict[str, str] = {
    "version": "version: 1\n",
    "regions": """\
regions:
  us: {location: {lat: 39, lon: -77.5, country: US}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 53.3, lon: -6.3, country: IE}, endpoints: [192.0.2.20], labels: {law: EU}}
""",
    "services": """\
services:
  web: {regions: [us, eu]}
""",
    "zones": """\
zones:
  example.com:
    ns: [ns1.example.com]
    records:
      www: {service: web}
      ns1: {A: 192.0.2.53}
""",
}
"""By name; each stands alone."""


def complete(text: str) -> str:
    """`text` followed by every section of the valid policy that it does not write itself."""
    written = set(re.findall(r"^([a-z]+):", text, re.MULTILINE))
    return text + "".join(section for name, section in SECTIONS.items() if name not in written)


def load_text(text: str) -> Loaded:
    """Load one file, `/etc/p.yaml`."""
    return load([PolicyFile("/etc/p.yaml", text)], root="/")


def findings(text: str) -> list[str]:
    """What loading `text`, completed, says: errors and warnings, without the file's name."""
    try:
        found = load_text(complete(text)).warnings
    except PolicyError as error:
        found = error.diagnostics
    return [str(item).removeprefix("/etc/p.yaml:") for item in found]
