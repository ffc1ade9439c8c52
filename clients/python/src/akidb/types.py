"""The shapes of requests and answers, as in openapi.yaml; docs/filters.md says what each condition of a filter means."""

from __future__ import annotations

from typing import Any, Dict, List, Literal, Sequence, TypedDict, Union

DocumentId = Union[int, str]
Vector = Sequence[float]
"""Anything with numbers in it; arrays of numpy and of the standard library too."""
Metadata = Dict[str, Any]
Filter = Dict[str, Any]
Metric = Literal["cosine", "dot", "l2"]
Storage = Literal["f32", "f16", "int8"]
Policy = Literal["memory", "memory_s3", "s3_only"]
IndexType = Literal["keyword", "integer", "float", "bool", "datetime", "uuid"]
Part = Union[Literal["vector", "metadata"], str]  # "vectors.NAME" is the one with that name
Like = Union[DocumentId, Vector]


class _VectorSettings(TypedDict):
    dimension: int


class VectorSettings(_VectorSettings, total=False):
    metric: Metric
    storage: Storage


class NewDocument(TypedDict, total=False):
    """vector where the collection has one without a name, vectors for those with names. Without an id the server makes one.
    if_version is the version that must be there, 0 for none; expires_at is an RFC 3339 time."""

    vector: Vector
    vectors: Dict[str, Vector]
    id: DocumentId
    metadata: Metadata
    if_version: int
    expires_at: Union[str, None]


class _DocumentChange(TypedDict):
    id: DocumentId


class DocumentChange(_DocumentChange, total=False):
    if_version: int
    vector: Vector
    vectors: Dict[str, Vector]
    remove_vectors: List[str]
    set: Metadata
    merge: Metadata
    remove: List[str]
    expires_at: Union[str, None]


class _Document(TypedDict):
    id: DocumentId
    version: int


class Document(_Document, total=False):
    vector: List[float]
    vectors: Dict[str, List[float]]
    metadata: Metadata
    expires_at: str
    order_value: Union[str, int, float, bool]
    """Its value at the key of order_by, in a scroll that has one."""


class _Match(TypedDict):
    id: DocumentId
    score: float


class Match(_Match, total=False):
    vector: List[float]
    vectors: Dict[str, List[float]]
    metadata: Metadata
    expires_at: str


class Group(TypedDict):
    value: Union[str, int, float, bool]
    matches: List[Match]


class GroupBy(TypedDict, total=False):
    key: str
    size: int


class Diversity(TypedDict, total=False):
    weight: float
    candidates: int


class SearchParams(TypedDict, total=False):
    ef: int
    recall_target: float
    exact: bool


class FusedQuery(TypedDict, total=False):
    """Exactly one of vector, id and positive."""

    using: str
    vector: Vector
    id: DocumentId
    positive: Sequence[Like]
    negative: Sequence[Like]
    top_k: int
    filter: Filter
    score_threshold: float
    params: SearchParams


class _Fusion(TypedDict):
    queries: Sequence[FusedQuery]


class Fusion(_Fusion, total=False):
    """Several searches in one answer, by reciprocal rank."""

    method: Literal["rrf"]
    k: int


class Search(TypedDict, total=False):
    """Exactly one of vector, id, positive and fusion. using is the name of the vector to compare with."""

    using: str
    vector: Vector
    id: DocumentId
    positive: Sequence[Like]
    negative: Sequence[Like]
    top_k: int
    offset: int
    filter: Filter
    score_threshold: float
    include: Sequence[Part]
    group_by: GroupBy
    diversity: Diversity
    fusion: Fusion
    deadline_ms: int
    params: SearchParams
    explain: bool


class Found(TypedDict, total=False):
    """`groups` where the search had group_by, else `matches`; `partial` where its deadline came first."""

    matches: List[Match]
    groups: List[Group]
    partial: bool
    explain: Dict[str, Any]
    took_ms: float


class FoundBatch(TypedDict):
    results: List[Found]
    took_ms: float


class OrderBy(TypedDict, total=False):
    key: str
    direction: Literal["asc", "desc"]


class Page(TypedDict):
    documents: List[Document]
    next_cursor: Union[str, None]


class FacetCount(TypedDict):
    value: Union[str, int, float, bool]
    count: int


class Facets(TypedDict):
    facets: List[FacetCount]
    distinct: int


class Write(TypedDict, total=False):
    """One of the counts; `replayed` where the server had seen the write's key: nothing was done again."""

    upserted: int
    updated: int
    deleted: int
    sequence: int
    durability: str
    ids: List[DocumentId]
    replayed: bool


class _HeldBackup(TypedDict):
    id: str
    created_at: str


class HeldBackup(_HeldBackup, total=False):
    until: str


class _HeldBy(TypedDict):
    backups: List[HeldBackup]
    archived_log: bool


class HeldBy(_HeldBy, total=False):
    archived_log_until: str
    error: str


class Receipt(TypedDict):
    erased: int
    sequence: int
    rewritten: List[str]
    removed: List[str]
    copy_renewed: bool
    completed_at: str
    held_by: HeldBy


class Optimized(TypedDict):
    dropped_rows: int
    took_ms: float


class Index(TypedDict):
    field: str
    type: IndexType


class OwnSettings(TypedDict, total=False):
    """Of a collection, in place of the server's; None takes one away."""

    ef: Union[int, None]
    recall_target: Union[float, None]
    layout: Union[Literal["auto", "split", "turbo"], None]


class _Description(TypedDict):
    id: str
    name: str
    count: int
    created_at: str
    condition: Literal["loading", "serving", "quarantined", "no_space", "asleep"]
    policy: Policy
    tier: Literal["hot", "warm", "cold"]
    pinned: bool


class Description(_Description, total=False):
    dimension: int
    metric: Metric
    storage: Storage
    vectors: Dict[str, Dict[str, Any]]
    reason: str
    rows: int
    linked_rows: int
    head_rows: int
    sequence: int
    covered_sequence: int
    log_bytes: int
    segment_files: int
    log_poisoned: bool
    scrubbed_at: str
    jobs: List[Dict[str, Any]]
    metadata_indexes: Dict[str, Dict[str, Any]]
    settings: OwnSettings
    unindexed_fields: List[Dict[str, Any]]


class Alias(TypedDict):
    alias: str
    collection: str
