"""People under other names: a keyed hash of who took part, and the key it needs.

HMAC-SHA-256 (RFC 2104; FIPS 198-1), the first 16 hexadecimal digits. Without the key nobody can
try out a list of known names; who holds the key and such a list can. That is a pseudonym, no
anonymity: gaze itself tells people apart.
"""

import hmac
import os
import secrets
from pathlib import Path

from gazecode.errors import ParameterError
from gazecode.study.scrubbing import Scrubber, names_of
from gazecode.study.sections import Study

__all__ = ["MIN_KEY_BYTES", "load_key", "nameless", "new_key", "pseudonym", "pseudonymous"]

MIN_KEY_BYTES = 16
MAX_KEY_BYTES = 4096
NEW_KEY_BYTES = 32
DIGITS = 16
PERSON = "[person]"
RECORDING = "[recording]"


def pseudonym(key: bytes, name: str) -> str:
    """Another name for a person: the same for the same key and name, in whatever run.

    Examples
    --------
    >>> pseudonym(b"sixteen bytes or", "P1")
    'e97eaa4f58d0ddd8'
    """
    return hmac.new(key, name.encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:DIGITS]


def new_key(path: Path | str, *, out: Path | None = None) -> Path:
    """Write a new key: 32 random bytes in a file that its owner alone can read.

    Parameters
    ----------
    out
        Where outputs go: nothing is written there.

    Raises
    ------
    ParameterError
        If the file is there already: another key would give everybody another name. Or if it would
        lie in the folder of the outputs.
    """
    path = Path(path)
    _check_place(path, out)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ParameterError(
            f"{path} is there already; use it with --key, or name another file for a new key"
        ) from None
    except OSError as error:
        raise ParameterError(f"{path}: no key can be written there ({error.strerror})") from error
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(NEW_KEY_BYTES))
    return path


def load_key(path: Path | str, *, out: Path | None = None) -> bytes:
    """Read a key: the bytes of a file, whatever made them.

    Parameters
    ----------
    out
        Where outputs go: a key that lies there would be given away with them.

    Raises
    ------
    ParameterError
        No such file, shorter than 16 bytes, longer than 4096, or in the folder of the outputs.
    """
    path = Path(path)
    _check_place(path, out)
    try:
        with path.open("rb") as file:
            key = file.read(MAX_KEY_BYTES + 1)
    except OSError as error:
        raise ParameterError(
            f"{path}: the key cannot be read ({(error.strerror or 'no file').lower()}); "
            "check the path, or make a key with --new-key"
        ) from error
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        found = f"{len(key)} bytes" if len(key) <= MAX_KEY_BYTES else "a longer file"
        raise ParameterError(
            f"{path}: expected a key of {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes, found {found}; "
            "make a key with --new-key"
        )
    return key


def _check_place(path: Path, out: Path | None) -> None:
    if out is not None and path.resolve().is_relative_to(out.resolve()):
        raise ParameterError(
            f"{path} lies in the folder of the outputs and would be given away with them; "
            "keep the key elsewhere"
        )


def pseudonymous(study: Study, key: bytes) -> tuple[Study, Scrubber]:
    """The study with everybody under a pseudonym, and what takes their names out of texts.

    Recordings get another name as well, for their files are mostly called after people, and are
    sorted by it: the order of a study file is the order of a list of participants.
    """

    def file(name: str) -> str:
        return pseudonym(key, f"recording\0{name}")

    scrub = Scrubber(names_of(study, person=lambda who: pseudonym(key, who), file=file))
    renamed = [
        entry.model_copy(
            update={
                "participant": pseudonym(key, entry.participant),
                "name": file(entry.name),
                "group": scrub.text(entry.group),
            }
        )
        for entry in study.recordings
    ]
    ordered = sorted(renamed, key=lambda entry: (entry.participant, entry.name))
    return scrubbed(study, scrub).model_copy(update={"recordings": tuple(ordered)}), scrub


def nameless(study: Study) -> tuple[Study, Scrubber]:
    """The study as it may be told without people, and what hides their names in texts."""
    scrub = Scrubber(names_of(study, person=lambda _: PERSON, file=lambda _: RECORDING))
    return scrubbed(study, scrub), scrub


def scrubbed(study: Study, scrub: Scrubber) -> Study:
    """The study without names in what it says of itself; its recordings are left alone."""
    said = {name: scrub.text(getattr(study.study, name)) for name in ("name", "description")}
    # A licence is a word of its own, such as CC-BY-4.0.
    card = {k: v if k == "license" else scrub.text(v) for k, v in study.card.model_dump().items()}
    return study.model_copy(
        update={
            "study": study.study.model_copy(update=said),
            "card": study.card.model_copy(update=card),
        }
    )
