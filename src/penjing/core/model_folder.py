"""A folder with a model that a recipe names and that is run as it is: a translator, known by the hash of its files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from penjing.core.canon import digest, digest_file
from penjing.core.errors import UsageError

_CONFIG = "config.json"


@dataclass(frozen=True)
class ModelFolder:
    """id: SHA-256 (hex) over the names and the bytes of its files."""

    folder: Path
    id: str


def read_translator_folder(written: str, near: Path) -> ModelFolder:
    """The folder of an encoder-decoder in Hugging Face form, relative to `near`; nothing of it is loaded.

    Raises UsageError for a folder that is missing, or that holds another kind of model.
    """
    folder = near / Path(written).expanduser()
    fix = "give the folder of a translation model in Hugging Face form, such as one of Opus-MT"
    try:
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        what = f"`{written[:80]}` is no folder of a model: it has no readable {_CONFIG}"
        raise UsageError(what, where=str(folder), fix=fix) from None
    if not isinstance(config, dict) or config.get("is_encoder_decoder") is not True:
        raise UsageError(
            f"`{written[:80]}` holds no encoder-decoder, so it cannot translate", where=str(folder), fix=fix
        )
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return ModelFolder(folder, digest([[path.name, digest_file(path)] for path in files]))
