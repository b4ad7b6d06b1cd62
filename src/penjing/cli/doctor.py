"""`penjing doctor`: the hardware, the installed packages, and the commands that can run here."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from typing import Annotated, Any

import typer

PACKAGES = (
    "penjing", "numpy", "tokenizers", "onnxruntime", "openvino", "nncf", "torch", "transformers", "accelerate", "onnx",
    "polars", "scikit-learn", "jieba", "fastapi", "starlette", "uvicorn", "sqlalchemy", "zen-engine", "psycopg",
)  # fmt: skip
# Import names of the packages that each extra needs.
EXTRAS = {
    "openvino": ("openvino",),
    "train": ("torch", "transformers", "accelerate", "onnx", "openvino", "nncf", "polars", "sklearn"),
    "postgres": ("psycopg",),
    "demo": ("torch", "snownlp"),
}
NEEDED_DISK, NEEDED_MEMORY = 3e9, 3e9
# Font families with Chinese characters, as fontconfig and font files name them.
_CJK = ("noto sans cjk", "notosanscjk", "noto serif cjk", "wqy", "wenquanyi", "source han", "simhei", "simsun",
        "msyh", "pingfang", "heiti", "songti", "uming", "ukai", "droidsansfallback")  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command `doctor`."""
    app.command("doctor")(doctor)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="print as JSON")] = False) -> None:
    """Show versions, CPU features (VNNI, AMX), memory, GPU, disk, SQLite and fonts, and which commands can run here."""
    from penjing.cli.show import out, out_json

    found = examine()
    if as_json:
        out_json(found)
        return
    cpu, memory, disk = found["cpu"], found["memory"], found["disk"]
    out(f"python    {found['python']} on {found['system']}")
    out(f"cpu       {cpu['name']}, {cpu['cores']} cores; INT8: {cpu['int8']}")
    out(f"memory    {memory['available_gb']:.1f} GB available")
    out(f"disk      {disk['free_gb']:.1f} GB free at {disk['path']}")
    out(f"gpu       {found['gpu'] or 'none found (none is needed)'}")
    out(f"sqlite    {found['sqlite']['version']} from {found['sqlite']['module']}")
    if key := found["audit_key"]:
        out(f"audits    drawn by the key {key['fingerprint']}, from {key['file']}")
    out(f"fonts     {found['fonts']['chinese'] or 'none with Chinese (reports use the fonts of their reader)'}")
    for name, state in found["extras"].items():
        out(f"extra     {name}: {'installed' if not state['missing'] else 'missing ' + ', '.join(state['missing'])}")
    out("packages  " + ", ".join(f"{name} {version}" for name, version in found["packages"].items() if version))
    for line in found["warnings"]:
        out(f"! {line}")
    out("can       " + ", ".join(f"{name}: {'yes' if able else 'no'}" for name, able in found["can"].items()))


def examine() -> dict[str, Any]:
    """All values that `doctor` shows."""
    import platform
    from pathlib import Path

    from penjing.core.machine import available_memory, cores, cpu_name, instruction_set, int8_instructions

    here = Path.cwd()
    free, memory = shutil.disk_usage(here).free, available_memory()
    extras = {name: {"missing": [part for part in parts if not _has(part)]} for name, parts in EXTRAS.items()}
    sqlite = _sqlite()
    int8 = int8_instructions()
    warnings = [sqlite["warning"]] if sqlite["warning"] else []
    audit_key = _audit_key(warnings)
    if not int8:
        warnings.append(
            "this CPU has no INT8 dot product (VNNI, AMX): INT8 on OpenVINO is slow here, and a release of it made "
            "elsewhere fails its self-check; INT8 on ONNX Runtime works (`engine: auto` takes it here)"
        )
    if free < NEEDED_DISK:
        warnings.append(f"only {free / 1e9:.1f} GB of disk are free: training needs about 3 GB")
    if memory and memory < NEEDED_MEMORY:
        warnings.append(f"only {memory / 1e9:.1f} GB of memory are free: making a release needs about 3 GB")
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpu": {
            "name": cpu_name(),
            "cores": cores(),
            "instruction_set": instruction_set(),
            "int8": ", ".join(int8) or "none",
            "vnni": bool({"avx512_vnni", "avx_vnni"} & {*int8}),
            "amx": "amx_int8" in int8,
        },
        "memory": {"available_gb": round(memory / 1e9, 2)},
        "disk": {"path": str(here), "free_gb": round(free / 1e9, 2)},
        "gpu": _gpu(),
        "sqlite": sqlite,
        "audit_key": audit_key,
        "fonts": {"chinese": _chinese_font()},
        "packages": {name: _version(name) for name in PACKAGES},
        "extras": extras,
        "warnings": warnings,
        "can": {
            "serve": _has("onnxruntime") or _has("openvino"),
            "serve on OpenVINO": _has("openvino"),
            "make": not extras["train"]["missing"],
            "demo": not extras["train"]["missing"] and not extras["demo"]["missing"],
        },
    }


def _has(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _sqlite() -> dict[str, Any]:
    from penjing.store.sqlite import driver, warning

    module = driver()
    version = tuple(module.sqlite_version_info)
    return {
        "module": module.__name__.split(".")[0],
        "version": module.sqlite_version,
        "warning": warning((version[0], version[1], version[2])),
    }


def _audit_key(warnings: list[str]) -> dict[str, str] | None:
    """The key of PENJING_AUDIT_KEY, by its fingerprint; None where it is not set or cannot be used, with a warning."""
    from penjing.core.errors import UsageError
    from penjing.store.audit_key import read_audit_key
    from penjing.store.settings import StoreSettings, from_environment

    if not (file := from_environment(StoreSettings).audit_key):
        return None
    try:
        return {"file": file, "fingerprint": read_audit_key(file).fingerprint}
    except UsageError as error:
        warnings.append(f"{error.where}: {error.what}")
        return None


def _gpu() -> str | None:
    """The first GPU that the tool of the driver names; importing torch would take seconds."""
    tool = shutil.which("nvidia-smi")
    return _first_line([tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]) if tool else None


def _chinese_font() -> str | None:
    from pathlib import Path

    tool = shutil.which("fc-list")
    if tool:
        return _first_line([tool, ":lang=zh", "family"])
    for folder in ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts"):
        for path in sorted(Path(folder).expanduser().rglob("*.[to]t[fc]")):
            if any(family in path.name.lower() for family in _CJK):
                return path.name
    return None


def _first_line(command: list[str]) -> str | None:
    import subprocess

    try:
        ran = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = ran.stdout.strip().splitlines()
    return lines[0].strip() if ran.returncode == 0 and lines else None
