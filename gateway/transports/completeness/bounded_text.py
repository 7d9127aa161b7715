"""Reading a small text that a sender wrote about its files: bounded, never through a link, in the usual encodings."""

from __future__ import annotations

import codecs
import os
import re
import stat
from pathlib import Path
from typing import Final

from gateway.domain.finding import Text

_ENDS: Final = re.compile(r"\r\n|\r|\n")


class Unusable(Exception):
    """The text is not what it must be. `why` continues a sentence, without a stop."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(en)
        self.why = Text(fr, en)


def read_text(path: Path, limit_bytes: int) -> str:
    """The text of a plain file of at most `limit_bytes`: UTF-8, or UTF-16 with its mark (PowerShell's `>` writes
    that). Bytes that are no UTF-8 survive as surrogates. Raises `Unusable`, and OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit_bytes:
            raise Unusable(f"il dépasse {limit_bytes} octets", f"it has more than {limit_bytes} bytes")
        content = b""
        while len(content) <= limit_bytes and (chunk := os.read(descriptor, limit_bytes + 1 - len(content))):
            content += chunk
    finally:
        os.close(descriptor)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16", "replace")
    else:
        text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    if "\0" in text or len(content) > limit_bytes:
        raise Unusable("ce n'est pas un texte", "it is no text")
    return text


def lines_of(text: str) -> list[str]:
    """The lines that hold something, without their ends. Only CR and LF end a line: a name may hold other signs."""
    return [line for line in _ENDS.split(text) if line.strip()]


def plain_name(text: str) -> bytes:
    """A file name out of such a text, in bytes. Raises `Unusable` for paths, control signs, and names too long."""
    try:
        name = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        name = b""
    if not 0 < len(name) <= 255 or name in (b".", b".."):
        raise Unusable("un nom de fichier est vide ou trop long", "a file name is empty or too long")
    if b"/" in name or b"\\" in name:
        raise Unusable("un nom de fichier contient un chemin", "a file name contains a path")
    if any(byte < 32 or byte == 127 for byte in name):
        raise Unusable("un nom contient un caractère de contrôle", "a file name contains a control character")
    return name
