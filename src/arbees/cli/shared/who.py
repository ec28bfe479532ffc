"""Who types: a name for the record.

Guarantees an id of the record for everybody, also where the system has no name for them.
"""

import getpass
import os
import socket


def actor() -> str:
    """Return who types, as `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid-{os.getuid()}"
    text = f"{user}@{socket.gethostname()}".encode("ascii", "replace").decode()
    return text.replace(" ", "_")[:128]
