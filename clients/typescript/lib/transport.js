// One request with its retries. A request is sent again after 429 and 503, and after no answer at all where a second time
// does no harm: reads, writes under a key, and what says of itself that it may be repeated.
import { randomUUID } from "node:crypto";

import { AkidbError } from "./error.js";
import { decode, encode } from "./json.js";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;

export class Transport {
  constructor(url, options = {}) {
    const { timeoutMs = 30_000, retries = 3, maxRetryWaitMs = 30_000, headers = {}, fetch = globalThis.fetch } = options;
    // Browsers have no environment.
    const { apiKey = globalThis.process?.env?.AKIDB_API_KEY } = options;
    if (!/^https?:\/\/./.test(String(url))) {
      throw new TypeError(`"${url}" is no address of a server, such as http://127.0.0.1:8080`);
    }
    this.url = String(url).replace(/\/+$/, "");
    this.timeoutMs = timeoutMs;
    this.retries = retries;
    this.maxRetryWaitMs = maxRetryWaitMs;
    this.headers = apiKey ? { Authorization: `Bearer ${apiKey}`, ...headers } : headers;
    this.fetch = fetch;
  }

  /**
   * @param what method and path; `body`; `isText` for an answer that is not JSON; `isKeyed` for a write that gets a key;
   *   `mayRepeat`: false where a second time would be another act; `answers`: statuses beside 2xx that are answers;
   *   `isLong`: no time limit but the caller's.
   * @param options timeoutMs, signal, idempotencyKey of the caller.
   */
  async send(what, options = {}) {
    const headers = { ...this.headers };
    if (what.body !== undefined) headers["Content-Type"] = "application/json";
    if (what.isKeyed) headers["Idempotency-Key"] = options.idempotencyKey ?? randomUUID();
    const request = { method: what.method, headers, body: what.body === undefined ? undefined : encode(what.body) };
    const timeoutMs = options.timeoutMs ?? (what.isLong ? 0 : this.timeoutMs);
    for (let attempt = 0; ; ++attempt) {
      try {
        return await this.attempt(what, request, timeoutMs, options.signal);
      } catch (error) {
        const waitMs = this.waitBeforeRetry(error, what, attempt);
        if (waitMs === undefined) throw error;
        await pause(waitMs, options.signal);
      }
    }
  }

  async attempt(what, request, timeoutMs, signal) {
    const timer = new AbortController();
    const timeout = timeoutMs > 0 ? setTimeout(() => timer.abort(), timeoutMs) : undefined;
    const forward = () => timer.abort();
    signal?.addEventListener("abort", forward);
    try {
      signal?.throwIfAborted();
      const { fetch } = this; // a browser's refuses to be called as somebody's method
      const response = await fetch(this.url + what.path, { ...request, signal: timer.signal });
      const text = await response.text();
      return readAnswer(what, response, text);
    } catch (error) {
      if (error instanceof AkidbError) throw error;
      if (signal?.aborted) throw signal.reason;
      if (timer.signal.aborted) {
        throw new AkidbError({ code: "TIMEOUT", message: `no answer within ${timeoutMs} ms`, cause: error });
      }
      const reason = error.cause?.message ?? error.message;
      throw new AkidbError({ code: "CONNECTION_FAILED", message: `${this.url}: ${reason}`, cause: error });
    } finally {
      clearTimeout(timeout);
      signal?.removeEventListener("abort", forward);
    }
  }

  waitBeforeRetry(error, what, attempt) {
    if (!(error instanceof AkidbError) || attempt >= this.retries || what.answers) return undefined;
    const isBusy = error.status === 429 || (error.status === 503 && error.code !== "DATA_LOSS");
    const isLost = error.code === "CONNECTION_FAILED" && what.mayRepeat !== false;
    if (!isBusy && !isLost) return undefined;
    if (error.retryAfterS !== undefined) {
      return error.retryAfterS * 1000 <= this.maxRetryWaitMs ? error.retryAfterS * 1000 : undefined;
    }
    return Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
  }
}

function readAnswer(what, response, text) {
  const isAnswer = response.ok || what.answers?.includes(response.status);
  if (isAnswer && what.isText) return text;
  let body;
  try {
    body = decode(text);
  } catch {
    body = undefined;
  }
  if (isAnswer && body !== undefined) {
    if (response.headers.get("Idempotency-Replayed") === "true") body.replayed = true;
    return body;
  }
  const told = body?.error ?? {};
  const retryAfter = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  throw new AkidbError({
    code: told.code ?? (isAnswer ? "INTERNAL" : "UNKNOWN"),
    message: told.message ?? `HTTP ${response.status}, and a body that is not AkiDB's`,
    status: response.status,
    field: told.field,
    allowed: told.allowed,
    requestId: told.request_id ?? response.headers.get("X-Request-Id") ?? undefined,
    retryAfterS: Number.isNaN(retryAfter) ? undefined : retryAfter,
  });
}

function pause(waitMs, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, waitMs);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
