"""Let requests in and let people look: HTTP on loopback.

Guarantees that what comes in is judged by shape only (a malformed request ends here, as an error
that names its field), that every answer is JSON, and that a web page cannot trade. It knows the
gateway through the port in `arbees.interface.views` alone. It fails by answering a problem (RFC
9457) whose `code` says which.
"""

from arbees.api.http.server import ApiServer

__all__ = ["ApiServer"]
