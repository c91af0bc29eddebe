"""The names things are known by; a `NewType` each, so that one is never passed for another."""

from typing import NewType

RegionName = NewType("RegionName", str)
ServiceName = NewType("ServiceName", str)
ZoneName = NewType("ZoneName", str)
"""Absolute, lower case, without the trailing dot: `example.com`."""
CheckName = NewType("CheckName", str)
SignalName = NewType("SignalName", str)
