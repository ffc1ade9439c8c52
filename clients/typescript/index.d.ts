// The types of the client. Fields are named as in openapi.yaml, which also has the limits.

/** Integers beyond 2^53 are bigints, in answers always and in requests necessarily. */
export type DocumentId = number | bigint | string;
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };
export type Metadata = { [key: string]: Json };
export type Vector = readonly number[] | Float32Array | Float64Array;
export type Metric = "cosine" | "dot" | "l2";
export type Storage = "f32" | "f16" | "int8";
export type Policy = "memory" | "memory_s3" | "s3_only";
export type IndexType = "keyword" | "integer" | "float" | "bool" | "datetime" | "uuid";
export type Part = "vector" | "metadata" | `vectors.${string}`;

// Filters: docs/filters.md says what each condition means.
export type OneOrMany<T> = T | T[];
export interface Filter {
  must?: OneOrMany<Condition>;
  should?: OneOrMany<Condition>;
  must_not?: OneOrMany<Condition>;
  min_should?: { conditions: Condition[]; min_count: number };
}
export type Condition = Filter | KeyCondition | OtherCondition;
export type Scalar = string | number | bigint | boolean;
export interface KeyCondition {
  key: string;
  match?:
    | { value: Scalar }
    | { any: Scalar[] }
    | { except: Scalar[] }
    | { text: string }
    | { text_any: string }
    | { phrase: string }
    | { prefix: string };
  range?: Range<number | bigint> | Range<string>;
  geo_radius?: { center: Place; radius: number };
  geo_box?: { top_left: Place; bottom_right: Place };
  geo_polygon?: { exterior: Ring; interiors?: Ring[] };
  values_count?: Range<number>;
}
export interface OtherCondition {
  is_empty?: { key: string };
  is_null?: { key: string };
  has_id?: DocumentId[];
  nested?: { key: string; filter: Filter };
}
export interface Range<T> {
  gt?: T;
  gte?: T;
  lt?: T;
  lte?: T;
}
export interface Place {
  lat: number;
  lon: number;
}
export interface Ring {
  points: Place[];
}

// Collections and aliases.
export interface VectorSettings {
  dimension: number;
  metric?: Metric;
  storage?: Storage;
}
/** `dimension`, `metric` and `storage` are those of the vector without a name, `vectors` those with names. */
export interface CollectionSettings extends Partial<VectorSettings> {
  name: string;
  vectors?: Record<string, VectorSettings>;
  policy?: Policy;
  metadata_indexes?: Record<string, IndexType>;
}
export interface Description {
  id: string;
  name: string;
  /** With metric and storage: of the vector without a name, where there is one. */
  dimension?: number;
  metric?: Metric;
  storage?: Storage;
  vectors?: Record<string, Required<VectorSettings> & { rows?: number; linked_rows?: number }>;
  count: number;
  created_at: string;
  condition: "loading" | "serving" | "quarantined" | "no_space" | "asleep";
  policy: Policy;
  tier: "hot" | "warm" | "cold";
  pinned: boolean;
  reason?: string;
  rows: number;
  linked_rows: number;
  head_rows: number;
  sequence: number;
  covered_sequence: number;
  log_bytes: number;
  segment_files: number;
  log_poisoned: boolean;
  scrubbed_at?: string;
  jobs: { kind: "link" | "rewrite" | "scrub"; done: number; total: number; seconds_left?: number }[];
  metadata_indexes: Record<string, { type: IndexType; ready?: boolean; indexed_rows?: number; bytes?: number }>;
  /** Those that the collection has of its own. */
  settings: OwnSettings;
  /** What reads filtered on without an index, the dearest first. */
  unindexed_fields: { field: string; type: IndexType; reads: number; evaluated: number; seconds: number }[];
}
export interface OwnSettings {
  ef?: number;
  recall_target?: number;
  layout?: "auto" | "split" | "turbo";
}
/** Null takes a setting or an index away. */
export interface CollectionChange {
  settings?: { [name in keyof OwnSettings]: OwnSettings[name] | null };
  metadata_indexes?: Record<string, IndexType | null>;
}
export interface Alias {
  alias: string;
  collection: string;
}
export type AliasAction = { create: Alias } | { rename: { alias: string; to: string } } | { delete: { alias: string } };

// Documents.
export interface NewDocument {
  /** The server makes one where it is left out. */
  id?: DocumentId;
  /** Needed where the collection has a vector without a name. */
  vector?: Vector;
  vectors?: Record<string, Vector>;
  metadata?: Metadata;
  /** The version that must be there, 0 for none. */
  if_version?: number;
  /** RFC 3339: from when on it is not there any more. */
  expires_at?: string | null;
}
export interface Document {
  id: DocumentId;
  vector?: number[];
  vectors?: Record<string, number[]>;
  metadata?: Metadata;
  version: number;
  /** Beside the metadata, where the document expires. */
  expires_at?: string;
  /** Its value at the key of `order_by`, in a scroll that has one. */
  order_value?: Scalar;
}
export interface Change {
  /** Takes the place of all metadata. */
  set?: Metadata;
  merge?: Metadata;
  remove?: string[];
  /** Names; what is not there is no fault. */
  remove_vectors?: string[];
  /** Null takes it away. */
  expires_at?: string | null;
}
export interface DocumentChange extends Change {
  id: DocumentId;
  vector?: Vector;
  /** Take the place of those with these names; the others stay. */
  vectors?: Record<string, Vector>;
  if_version?: number;
}
export type Update =
  | (Change & { ids: DocumentId[] })
  | (Change & { filter: Filter })
  | { documents: DocumentChange[] };
export type Which = { ids: DocumentId[] } | { filter: Filter };

/** `replayed` where the server had seen the write's key: nothing was done again. */
export interface Upserted {
  upserted: number;
  sequence: number;
  durability: "local";
  ids?: DocumentId[];
  replayed?: true;
}
export interface Updated {
  updated: number;
  sequence: number;
  replayed?: true;
}
export interface Deleted {
  deleted: number;
  sequence: number;
  replayed?: true;
}
export interface HeldBackup {
  id: string;
  created_at: string;
  /** At the latest, if backups go on as scheduled; without it, until somebody prunes. */
  until?: string;
}
export interface HeldBy {
  backups: HeldBackup[];
  archived_log: boolean;
  archived_log_until?: string;
  error?: string;
}
export interface Receipt {
  erased: number;
  sequence: number;
  rewritten: string[];
  removed: string[];
  copy_renewed: boolean;
  completed_at: string;
  held_by: HeldBy;
}

// Questions.
export interface SearchOptions {
  /** The name of the vector to compare with; without it, the one that has none. */
  using?: string;
  top_k?: number;
  offset?: number;
  filter?: Filter;
  score_threshold?: number;
  include?: Part[];
  group_by?: { key: string; size?: number };
  diversity?: { weight?: number; candidates?: number };
  deadline_ms?: number;
  params?: { ef?: number; recall_target?: number; exact?: boolean };
  explain?: boolean;
}
export type Search = SearchOptions &
  (Target | { fusion: Fusion });
export type Target =
  | { vector: Vector }
  | { id: DocumentId }
  | { positive: (DocumentId | Vector)[]; negative?: (DocumentId | Vector)[] };
/** Several searches in one answer, by reciprocal rank. */
export interface Fusion {
  queries: (Target & Pick<SearchOptions, "using" | "top_k" | "filter" | "score_threshold" | "params">)[];
  method?: "rrf";
  k?: number;
}
export interface Match {
  id: DocumentId;
  score: number;
  vector?: number[];
  vectors?: Record<string, number[]>;
  metadata?: Metadata;
  expires_at?: string;
}
export interface Group {
  value: Scalar;
  matches: Match[];
}
export interface Explanation {
  plan: "exact" | "flat" | "graph" | "brute" | "codes" | "inline" | "two_hop" | "cold";
  estimated_matches: number;
  estimated_cost_us: number;
  actual_cost_us: number;
  distances: number;
  candidates: number;
  abandoned: boolean;
  ef: number;
  estimated_recall?: number;
  round_trips?: number;
  fetched_bytes?: number;
}
interface Found {
  partial?: boolean;
  explain?: Explanation;
}
/** `groups` where the search had `group_by`, else `matches`. */
export interface Matches extends Found {
  matches: Match[];
}
export interface Groups extends Found {
  groups: Group[];
}
export interface Took {
  took_ms: number;
}
export interface ScrollRequest {
  /** Documents in a page. */
  limit?: number;
  cursor?: string;
  filter?: Filter;
  include?: Part[];
  order_by?: { key: string; direction?: "asc" | "desc" };
  deadline_ms?: number;
}
export interface Page {
  documents: Document[];
  next_cursor: string | null;
}
export interface Facets {
  facets: { value: Scalar; count: number }[];
  distinct: number;
}

// The client.
export interface ClientOptions {
  /** An API key or session token; by default what the environment has in AKIDB_API_KEY, "" for none. */
  apiKey?: string;
  /** Of one attempt, 30,000 without it; 0 is no limit. */
  timeoutMs?: number;
  /** How often a request is sent again after 429, 503 or no answer; 3 without it. */
  retries?: number;
  /** A Retry-After beyond this is not waited for; 30,000 without it. */
  maxRetryWaitMs?: number;
  headers?: Record<string, string>;
  fetch?: typeof globalThis.fetch;
}
export interface RequestOptions {
  timeoutMs?: number;
  /** Gives up, also between attempts, with the signal's reason. */
  signal?: AbortSignal;
}
export interface WriteOptions extends RequestOptions {
  /** The client makes one for each write; yours lets a retry outlive the process. */
  idempotencyKey?: string;
}

export class AkidbError extends Error {
  readonly name: "AkidbError";
  /** As in openapi.yaml; CONNECTION_FAILED and TIMEOUT, with status 0, where no answer came. */
  readonly code: string;
  readonly status: number;
  /** The field at fault, as it was sent. */
  readonly field?: string;
  /** What would have been accepted, in words. */
  readonly allowed?: string;
  readonly requestId?: string;
  readonly retryAfterS?: number;
}

export class Akidb {
  constructor(url?: string | URL, options?: ClientOptions);
  collection(name: string): Collection;
  createCollection(settings: CollectionSettings, options?: RequestOptions): Promise<Collection>;
  listCollections(options?: RequestOptions): Promise<Description[]>;
  listAliases(options?: RequestOptions): Promise<Alias[]>;
  /** All or none; answers all aliases as they are then. */
  changeAliases(actions: AliasAction[], options?: RequestOptions): Promise<Alias[]>;
  health(options?: RequestOptions): Promise<{ status: string; uptime_seconds: number }>;
  ready(options?: RequestOptions & { for?: "read" | "write" }): Promise<Readiness>;
  startup(options?: RequestOptions): Promise<{ status: string }>;
  version(options?: RequestOptions): Promise<{ name: string; akidb_version: string; title: string; version: string }>;
  /** In the Prometheus text format. */
  metrics(options?: RequestOptions): Promise<string>;
}
export interface Readiness {
  status: "ready" | "not_ready";
  database?: string;
  collections_loaded?: number;
  storage_backends?: string;
  reason?: string;
  progress?: string;
}

export class Collection {
  private constructor();
  readonly name: string;
  describe(options?: RequestOptions): Promise<Description>;
  stats(options?: RequestOptions): Promise<Description>;
  /** Settings and metadata indexes, all or nothing; answers the collection as it is then. */
  change(change: CollectionChange, options?: RequestOptions): Promise<Description>;
  /** Deletes the collection and its documents. */
  drop(options?: RequestOptions): Promise<true>;
  /** Inserts or replaces 1 to 10,000 documents, all or nothing; durable when it answers. */
  upsert(documents: NewDocument[], options?: WriteOptions): Promise<Upserted>;
  update(change: Update, options?: WriteOptions): Promise<Updated>;
  /** In the order asked; missing ones are absent. */
  get(ids: DocumentId[], options?: RequestOptions & { include?: Part[] }): Promise<Document[]>;
  getOne(id: DocumentId, options?: RequestOptions): Promise<Document | undefined>;
  /** Only an explicit empty filter deletes all documents. */
  delete(which: Which, options?: WriteOptions): Promise<Deleted>;
  deleteOne(id: DocumentId, options?: WriteOptions): Promise<Deleted>;
  /** Deletes, and purges the bytes from all files; takes as long as writing the collection anew. */
  erase(which: Which, options?: RequestOptions): Promise<Receipt>;
  count(options?: RequestOptions & { filter?: Filter; exact?: boolean }): Promise<number>;
  facet(request: { key: string; filter?: Filter; limit?: number; deadline_ms?: number }, options?: RequestOptions): Promise<Facets>;
  search(request: Search & { group_by: { key: string; size?: number } }, options?: RequestOptions): Promise<Groups & Took>;
  search(request: Search & { group_by?: undefined }, options?: RequestOptions): Promise<Matches & Took>;
  searchBatch(
    searches: Search[],
    options?: RequestOptions,
  ): Promise<{ results: (Found & Partial<Matches & Groups>)[] } & Took>;
  scrollPage(request?: ScrollRequest, options?: RequestOptions): Promise<Page>;
  /** All documents, a page at a time; `limit` is the size of a page. */
  scroll(request?: ScrollRequest, options?: RequestOptions): AsyncGenerator<Document, void, undefined>;
  /** Writes the live documents anew without deleted and replaced ones, now. */
  optimize(options?: RequestOptions): Promise<{ dropped_rows: number } & Took>;
  createIndex(field: string, type: IndexType, options?: RequestOptions): Promise<{ field: string; type: IndexType }>;
  dropIndex(field: string, options?: RequestOptions): Promise<true>;
}
