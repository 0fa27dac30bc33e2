"""A certificate authority, and what it signs for a daemon and its clients, as Docker's manual has it made."""

import subprocess
from pathlib import Path

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """`folder` gets ca.pem; `issue` puts cert.pem and key.pem into a folder, beside a copy of ca.pem."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder
        self.name = name
        folder.mkdir(parents=True, exist_ok=True)
        self._openssl(
            *("req", "-x509", *_CURVE, "-days", "30", "-subj", f"/CN={name}"),
            *("-keyout", "ca-key.pem", "-out", "ca.pem"),
            *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"),
        )

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    def issue(self, folder: Path, *, purpose: str, address: str = "127.0.0.1") -> Path:
        """`purpose` is serverAuth or clientAuth."""
        folder.mkdir(parents=True, exist_ok=True)
        extensions = self.folder / "extensions"
        extensions.write_text(f"extendedKeyUsage = {purpose}\nsubjectAltName = IP:{address},DNS:localhost\n")
        self._openssl(
            "req", "-new", *_CURVE, "-subj", f"/CN={purpose}", "-keyout", "key.pem", "-out", "csr.pem"
        )
        self._openssl(
            *("x509", "-req", "-days", "30", "-in", "csr.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem"),
            *("-CAcreateserial", "-extfile", "extensions", "-out", "cert.pem"),
        )
        for name in ("key.pem", "cert.pem"):
            (self.folder / name).replace(folder / name)
        if folder != self.folder:
            (folder / "ca.pem").write_bytes(self.certificate.read_bytes())
        return folder

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=20)
