"""The client of AkiDB's REST interface, of the standard library alone.

Names of fields are those of openapi.yaml; what the server would refuse is left for it to refuse, as it names the field and
what is allowed. README.md has the quick start.
"""

from ._client import Client
from ._collection import Collection
from ._errors import AkidbError

__all__ = ["AkidbError", "Client", "Collection"]
__version__ = "0.1.0"
