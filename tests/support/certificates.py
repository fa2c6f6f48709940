"""Certificates of a private CA, for mail servers."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
OURS = "IP:127.0.0.1"


@dataclass(frozen=True)
class Authority:
    """A CA that only its own people know."""

    folder: Path

    @property
    def pem(self) -> Path:
        return self.folder / "ca.pem"

    def certificate(self, name: str, subject: str = OURS, days: int = 365) -> Path:
        """A server's certificate; its key stands beside it. With less than no days it has expired."""
        key, request, made = (self.folder / f"{name}.{ending}" for ending in ("key", "csr", "pem"))
        extensions = ["-addext", f"subjectAltName={subject}", "-addext", "basicConstraints=critical,CA:FALSE"]
        openssl("req", *KEY, "-subj", f"/CN={name}", *extensions, "-keyout", key, "-out", request)
        signed_by = ["-CA", self.pem, "-CAkey", self.folder / "ca.key", "-copy_extensions", "copy"]
        openssl("x509", "-req", "-in", request, *signed_by, "-days", days, "-out", made)
        return made


def authority(folder: Path) -> Authority:
    folder.mkdir(exist_ok=True)
    made = Authority(folder)
    use = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    ours = ["-keyout", folder / "ca.key", "-out", made.pem]
    openssl("req", "-x509", *KEY, "-days", 3650, "-subj", "/CN=Private CA", *use, *ours)
    return made


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
