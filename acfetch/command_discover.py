"""`acfetch discover`: options in, one call, one print."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acfetch import insecure
from acfetch.config import Config
from acfetch.connection import Connection
from acfetch.endpoints import endpoint_lines, endpoint_object, get_endpoints
from acspec.directories import config_directories


def discover(
    name: Annotated[str, typer.Argument(metavar="NAME", help="NAME[:VERSION][,LABEL=VALUE…].")],
    insecure_options: Annotated[str, typer.Option(metavar="WORD,…", help="Go without: tls (certificate), http (plain).")] = "",
    cafile: Annotated[
        str | None, typer.Option(metavar="FILE", help="PEM certificate authorities, instead of the system's.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show where an image, its signature and its keys may lie. Each page that was asked is named; nothing is fetched."""
    config = Config(config_directories())
    words = insecure.parse_insecure(insecure_options, insecure.DISCOVERING)
    config.policy.check_words(words)
    plain_http, any_certificate = insecure.HTTP in words, insecure.TLS in words
    with Connection(config, plain_http=plain_http, any_certificate=any_certificate, cafile=cafile) as connection:
        found = get_endpoints(name, config, connection, plain_http=plain_http)
    sys.stdout.buffer.write(endpoint_object(found) if json else endpoint_lines(found).encode())
