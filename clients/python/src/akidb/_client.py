from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Type

from . import types as t
from ._collection import Collection
from ._transport import Call, Transport


class Client:
    """Thread-safe; connections are kept until close(), or the end of `with`.

    timeout_s is of one attempt (None: no limit), retries is how often a request is sent again after 429, 503 or no answer;
    a Retry-After beyond max_retry_wait_s is not waited for. api_key is an API key or session token, by default what the
    environment has in AKIDB_API_KEY; an empty one sends none.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        timeout_s: Optional[float] = 30.0,
        retries: int = 3,
        max_retry_wait_s: float = 30.0,
        headers: Optional[Mapping[str, str]] = None,
        api_key: Optional[str] = None,
    ) -> None:
        token = os.environ.get("AKIDB_API_KEY", "") if api_key is None else api_key
        credentials = {"Authorization": f"Bearer {token}"} if token else {}
        self._transport = Transport(url, timeout_s, retries, max_retry_wait_s, {**credentials, **(headers or {})})

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def collection(self, name: str) -> Collection:
        """Names a collection, by name, alias or id; asks nothing."""
        return Collection(self._transport, name)

    def create_collection(
        self,
        name: str,
        dimension: Optional[int] = None,
        *,
        metric: Optional[t.Metric] = None,
        storage: Optional[t.Storage] = None,
        policy: Optional[t.Policy] = None,
        vectors: Optional[Mapping[str, t.VectorSettings]] = None,
        metadata_indexes: Optional[Mapping[str, t.IndexType]] = None,
    ) -> Collection:
        """dimension, metric and storage are those of the vector without a name; vectors are those with names."""
        settings: Dict[str, Any] = {"name": name}
        if dimension is not None:
            settings["dimension"] = dimension
        if vectors is not None:
            settings["vectors"] = vectors
        if metric is not None:
            settings["metric"] = metric
        if storage is not None:
            settings["storage"] = storage
        if policy is not None:
            settings["policy"] = policy
        if metadata_indexes is not None:
            settings["metadata_indexes"] = metadata_indexes
        self._transport.send(Call("POST", "/api/v1/collections", settings, may_repeat=False))
        return self.collection(name)

    def list_collections(self) -> List[t.Description]:
        collections: List[t.Description] = self._transport.send(Call("GET", "/api/v1/collections"))["collections"]
        return collections

    def list_aliases(self) -> List[t.Alias]:
        aliases: List[t.Alias] = self._transport.send(Call("GET", "/api/v1/aliases"))["aliases"]
        return aliases

    def change_aliases(self, actions: Sequence[Mapping[str, Mapping[str, str]]]) -> List[t.Alias]:
        """All or none: create {alias, collection}, rename {alias, to}, delete {alias}. Answers all as they are then."""
        call = Call("POST", "/api/v1/aliases", {"actions": actions}, may_repeat=False)
        aliases: List[t.Alias] = self._transport.send(call)["aliases"]
        return aliases

    def health(self) -> Dict[str, Any]:
        answer: Dict[str, Any] = self._transport.send(Call("GET", "/health"))
        return answer

    def ready(self, purpose: Optional[str] = None) -> Dict[str, Any]:
        """purpose is "read" or "write". Not ready is an answer here, no error."""
        query = "" if purpose is None else f"?for={purpose}"
        answer: Dict[str, Any] = self._transport.send(Call("GET", f"/ready{query}", answers=(503,)))
        return answer

    def startup(self) -> Dict[str, Any]:
        answer: Dict[str, Any] = self._transport.send(Call("GET", "/startup", answers=(503,)))
        return answer

    def version(self) -> Dict[str, str]:
        answer: Dict[str, str] = self._transport.send(Call("GET", "/"))
        return answer

    def metrics(self) -> str:
        """In the Prometheus text format."""
        text: str = self._transport.send(Call("GET", "/metrics", is_text=True))
        return text
