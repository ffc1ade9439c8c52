from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Optional, Sequence, Union
from urllib.parse import quote

from . import types as t
from ._errors import AkidbError
from ._transport import Call, Transport

# Paths take "7" for the integer, and ways to the server may resolve segments of dots; such ids go in bodies.
_NOT_FOR_PATHS = re.compile(r"[0-9]*|\.\.?")


class Collection:
    """Documents of one collection. Each method is one request, but scroll; all may raise AkidbError."""

    def __init__(self, transport: Transport, name: str) -> None:
        if name in ("", ".", ".."):
            raise ValueError(f"a collection cannot be named {name!r}")
        self.name = name
        self._transport = transport
        self._path = f"/api/v1/collections/{quote(name, safe='')}"

    def __repr__(self) -> str:
        return f"Collection({self.name!r})"

    def describe(self) -> t.Description:
        answer: t.Description = self._transport.send(Call("GET", self._path))
        return answer

    def stats(self) -> t.Description:
        answer: t.Description = self._transport.send(Call("GET", self._path + "/stats"))
        return answer

    def change(
        self,
        *,
        settings: Optional[t.OwnSettings] = None,
        metadata_indexes: Optional[Dict[str, Optional[t.IndexType]]] = None,
    ) -> t.Description:
        """Settings and metadata indexes, all or nothing; None takes one away. Answers the collection as it is then."""
        change = _given(settings=settings, metadata_indexes=metadata_indexes)
        answer: t.Description = self._transport.send(Call("PATCH", self._path, change))
        return answer

    def drop(self) -> None:
        """Deletes the collection and its documents."""
        self._transport.send(Call("DELETE", self._path, may_repeat=False))

    def upsert(
        self,
        documents: Sequence[t.NewDocument],
        *,
        idempotency_key: Optional[str] = None,
        timeout_s: Optional[float] = None,
    ) -> t.Write:
        """Inserts or replaces 1 to 10,000 documents, all or nothing; durable when it returns."""
        return self._write("PUT", "/documents", {"documents": documents}, idempotency_key, timeout_s)

    def update(
        self,
        *,
        ids: Optional[Sequence[t.DocumentId]] = None,
        filter: Optional[t.Filter] = None,
        documents: Optional[Sequence[t.DocumentChange]] = None,
        set: Optional[t.Metadata] = None,
        merge: Optional[t.Metadata] = None,
        remove: Optional[Sequence[str]] = None,
        remove_vectors: Optional[Sequence[str]] = None,
        expires_at: Optional[str] = None,
        never_expires: bool = False,
        idempotency_key: Optional[str] = None,
        timeout_s: Optional[float] = None,
    ) -> t.Write:
        """One change (set, or remove and merge, remove_vectors and expires_at) for many (ids or filter), or one for each
        (documents)."""
        change = _given(
            ids=ids,
            filter=filter,
            documents=documents,
            set=set,
            merge=merge,
            remove=remove,
            remove_vectors=remove_vectors,
            expires_at=expires_at,
        )
        if never_expires:
            change["expires_at"] = None
        return self._write("PATCH", "/documents", change, idempotency_key, timeout_s)

    def get(self, ids: Sequence[t.DocumentId], *, include: Optional[Sequence[t.Part]] = None) -> List[t.Document]:
        """In the order asked; missing ones are absent."""
        found: List[t.Document] = self._post("/documents/get", _given(ids=ids, include=include))["documents"]
        return found

    def get_one(self, id: t.DocumentId) -> Optional[t.Document]:
        """None when it is not there."""
        if isinstance(id, str) and _NOT_FOR_PATHS.fullmatch(id):
            found = self.get([id])
            return found[0] if found else None
        try:
            document: t.Document = self._transport.send(Call("GET", f"{self._path}/documents/{quote(str(id), safe='')}"))
        except AkidbError as error:
            if error.status == 404 and error.field == "id":
                return None
            raise
        return document

    def delete(
        self,
        *,
        ids: Optional[Sequence[t.DocumentId]] = None,
        filter: Optional[t.Filter] = None,
        idempotency_key: Optional[str] = None,
        timeout_s: Optional[float] = None,
    ) -> t.Write:
        """By ids or by filter; only an explicit empty filter deletes all documents."""
        return self._write("POST", "/documents/delete", _given(ids=ids, filter=filter), idempotency_key, timeout_s)

    def delete_one(self, id: t.DocumentId, *, idempotency_key: Optional[str] = None) -> t.Write:
        if isinstance(id, str) and _NOT_FOR_PATHS.fullmatch(id):
            return self.delete(ids=[id], idempotency_key=idempotency_key)
        return self._write("DELETE", f"/documents/{quote(str(id), safe='')}", None, idempotency_key, None)

    def erase(
        self,
        *,
        ids: Optional[Sequence[t.DocumentId]] = None,
        filter: Optional[t.Filter] = None,
        timeout_s: Optional[float] = None,
    ) -> t.Receipt:
        """Deletes, and purges the bytes from all files; takes as long as writing the collection anew."""
        call = Call("POST", self._path + "/documents/erase", _given(ids=ids, filter=filter), is_long=True)
        receipt: t.Receipt = self._transport.send(call, timeout_s)
        return receipt

    def count(self, filter: Optional[t.Filter] = None, *, exact: Optional[bool] = None) -> int:
        count: int = self._post("/count", _given(filter=filter, exact=exact))["count"]
        return count

    def facet(self, key: str, *, filter: Optional[t.Filter] = None, limit: Optional[int] = None) -> t.Facets:
        facets: t.Facets = self._post("/facet", _given(key=key, filter=filter, limit=limit))
        return facets

    def search(
        self,
        vector: Optional[t.Vector] = None,
        *,
        using: Optional[str] = None,
        id: Optional[t.DocumentId] = None,
        positive: Optional[Sequence[t.Like]] = None,
        negative: Optional[Sequence[t.Like]] = None,
        top_k: Optional[int] = None,
        offset: Optional[int] = None,
        filter: Optional[t.Filter] = None,
        score_threshold: Optional[float] = None,
        include: Optional[Sequence[t.Part]] = None,
        group_by: Optional[t.GroupBy] = None,
        diversity: Optional[t.Diversity] = None,
        fusion: Optional[t.Fusion] = None,
        deadline_ms: Optional[int] = None,
        params: Optional[t.SearchParams] = None,
        explain: Optional[bool] = None,
        timeout_s: Optional[float] = None,
    ) -> t.Found:
        """Exactly one of vector, id, positive and fusion. Answers groups with group_by, else matches, best first."""
        request = _given(
            using=using,
            vector=vector,
            id=id,
            positive=positive,
            negative=negative,
            top_k=top_k,
            offset=offset,
            filter=filter,
            score_threshold=score_threshold,
            include=include,
            group_by=group_by,
            diversity=diversity,
            fusion=fusion,
            deadline_ms=deadline_ms,
            params=params,
            explain=explain,
        )
        found: t.Found = self._post("/search", request, timeout_s)
        return found

    def search_batch(self, searches: Sequence[t.Search], *, timeout_s: Optional[float] = None) -> t.FoundBatch:
        found: t.FoundBatch = self._post("/search/batch", {"searches": searches}, timeout_s)
        return found

    def scroll_page(
        self,
        *,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
        filter: Optional[t.Filter] = None,
        include: Optional[Sequence[t.Part]] = None,
        order_by: Optional[t.OrderBy] = None,
    ) -> t.Page:
        request = _given(limit=limit, cursor=cursor, filter=filter, include=include, order_by=order_by)
        page: t.Page = self._post("/scroll", request)
        return page

    def scroll(
        self,
        *,
        limit: Optional[int] = None,
        filter: Optional[t.Filter] = None,
        include: Optional[Sequence[t.Part]] = None,
        order_by: Optional[t.OrderBy] = None,
    ) -> Iterator[t.Document]:
        """All documents, a page at a time as they are asked for; limit is the size of a page."""
        cursor: Union[str, None] = None
        while True:
            page = self.scroll_page(limit=limit, cursor=cursor, filter=filter, include=include, order_by=order_by)
            yield from page["documents"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def optimize(self, *, timeout_s: Optional[float] = None) -> t.Optimized:
        """Writes the live documents anew without deleted and replaced ones, now."""
        answer: t.Optimized = self._transport.send(Call("POST", self._path + "/optimize", is_long=True), timeout_s)
        return answer

    def create_index(self, field: str, type: t.IndexType) -> t.Index:
        path = f"{self._path}/metadata-indexes/{quote(field, safe='')}"
        index: t.Index = self._transport.send(Call("PUT", path, {"type": type}))
        return index

    def drop_index(self, field: str) -> None:
        path = f"{self._path}/metadata-indexes/{quote(field, safe='')}"
        self._transport.send(Call("DELETE", path, may_repeat=False))

    def _post(self, path: str, body: Dict[str, Any], timeout_s: Optional[float] = None) -> Any:
        return self._transport.send(Call("POST", self._path + path, body), timeout_s)

    def _write(
        self,
        method: str,
        path: str,
        body: Optional[Dict[str, Any]],
        idempotency_key: Optional[str],
        timeout_s: Optional[float],
    ) -> t.Write:
        call = Call(method, self._path + path, body, is_keyed=True)
        answer: t.Write = self._transport.send(call, timeout_s, idempotency_key)
        return answer


def _given(**fields: Any) -> Dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
