"""Zone transfers as they are written: keys of the server, secondaries of a zone."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from georouter.policy.fields import FileModel, Shorthand, Text, Texts, as_list
from georouter.wire.tsig import ALGORITHMS, parse_algorithm

Algorithm = Annotated[str, AfterValidator(parse_algorithm), WithJsonSchema({"enum": list(ALGORITHMS)})]


class KeyFile(FileModel):
    """A secret shared with somebody who signs messages (RFC 8945)."""

    algorithm: Algorithm = Field(default="hmac-sha256", description="Of both sides.")
    secret_file: Text = Field(description="File with the secret in base64, as key generators write it.")


class NotifyFile(FileModel):
    """A secondary that is told when the zone has changed (RFC 1996)."""

    address: Text = Field(description='Address, with a port where it is not 53: 192.0.2.1, "[::1]:5301".')
    key: Text | None = Field(default=None, description="A key of server.keys to sign with.")


_Notify = Annotated[
    NotifyFile,
    BeforeValidator(lambda value: {"address": value} if isinstance(value, str) else value),
    Shorthand({"type": "string"}),
]


class TransferFile(FileModel):
    """Who may copy the zone (AXFR, IXFR); nobody where this is missing."""

    allow: Texts = Field(default=[], description="Addresses and networks that may.")
    keys: Texts = Field(default=[], description="Keys of server.keys; who signs with one may, from anywhere.")
    notify: Annotated[list[_Notify], BeforeValidator(as_list), Shorthand({"type": "string"})] = Field(
        default=[], description="Secondaries to tell of changes."
    )
    steered: Literal["default", "refuse"] = Field(
        default="default",
        description="Copies have default answers of steered names, or zones that have any are refused.",
    )
