"""What came out as it was: the new parts of a build give way to the old ones that are equal.

An object that stays need not travel to the daemon, which then need not take it over: a million names have an
index of their own, and making it anew costs the processor that answers, too.
"""

from dataclasses import fields, replace

from georouter.answers.copies import Content
from georouter.compiler.plan import Plan
from georouter.policy.files import PolicyFile
from georouter.policy.model import Policy


def same_files(new: tuple[PolicyFile, ...], old: tuple[PolicyFile, ...]) -> tuple[PolicyFile, ...]:
    """`new` with the texts of `old`; stamps are those of `new`."""
    texts = {file.name: file.text for file in old}
    return tuple(
        replace(file, text=texts[file.name]) if texts.get(file.name) == file.text else file for file in new
    )


def same_records(new: Policy, old: Policy) -> Policy:
    """`new` with the records of zones of `old`."""
    zones = {
        name: replace(zone, records=old.zones[name].records)
        if name in old.zones and old.zones[name].records == zone.records
        else zone
        for name, zone in new.zones.items()
    }
    return replace(new, zones=zones)


def same_names(new: Plan, old: Plan) -> Plan:
    """`new` with the directory and the copies of zones of `old`."""
    contents = {
        name: old.contents[name] if name in old.contents and _is(content, old.contents[name]) else content
        for name, content in new.contents.items()
    }
    directory = old.directory if new.directory == old.directory else new.directory
    return replace(new, directory=directory, contents=contents)


def _is(one: Content, other: Content) -> bool:
    return all(getattr(one, field.name) == getattr(other, field.name) for field in fields(one))
