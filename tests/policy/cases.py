"""A policy that says something wrong, and everything that is found."""


class Case:
    """`text` replaces its sections of the valid policy; `findings` are all of them, in order."""

    def __init__(self, name: str, text: str, *findings: str) -> None:
        self.name = name
        self.text = text
        self.findings = list(findings)
