"""One request with its retries, over connections that are kept. Thread-safe.

A request is sent again after 429 and 503, and after no answer at all where a second time does no harm: reads, writes under
a key, and what says of itself that it may be repeated.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import time
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any, Deque, Dict, Mapping, Optional, Tuple
from urllib.parse import urlsplit

from ._errors import AkidbError

_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 5.0


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    body: Optional[Mapping[str, Any]] = None
    is_text: bool = False
    """The answer is not JSON."""
    is_keyed: bool = False
    """A write that gets an Idempotency-Key."""
    may_repeat: bool = True
    """False where a second time would be another act."""
    answers: Tuple[int, ...] = ()
    """Statuses beside 2xx that are answers."""
    is_long: bool = False
    """No time limit but the caller's."""


class Transport:
    def __init__(
        self, url: str, timeout_s: Optional[float], retries: int, max_retry_wait_s: float, headers: Mapping[str, str]
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a server, such as http://127.0.0.1:8080")
        self._is_tls = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._url = url
        self._timeout_s = timeout_s
        self._retries = retries
        self._max_retry_wait_s = max_retry_wait_s
        self._headers = dict(headers)
        self._idle: Deque[http.client.HTTPConnection] = deque()

    def send(self, call: Call, timeout_s: Optional[float] = None, idempotency_key: Optional[str] = None) -> Any:
        headers = dict(self._headers)
        body = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            body = encode(call.body)
        if call.is_keyed:
            headers["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
        if timeout_s is None and not call.is_long:
            timeout_s = self._timeout_s
        attempt = 0
        while True:
            try:
                return self._attempt(call, headers, body, timeout_s)
            except AkidbError as error:
                wait_s = self._wait_before_retry(error, call, attempt)
                if wait_s is None:
                    raise
            time.sleep(wait_s)
            attempt += 1

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _attempt(self, call: Call, headers: Dict[str, str], body: Optional[bytes], timeout_s: Optional[float]) -> Any:
        while True:
            connection, is_kept = self._connection(call, timeout_s)
            try:
                connection.request(call.method, self._prefix + call.path, body=body, headers=headers)
                response = connection.getresponse()
                content = response.read()
            except (socket.timeout, TimeoutError) as error:  # one and the same from Python 3.10 on
                connection.close()
                raise AkidbError("TIMEOUT", f"no answer within {timeout_s} s") from error
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if is_kept:  # the server may have ended it while it was idle: nothing is known of this request's fate yet
                    continue
                told = str(error) or type(error).__name__
                raise AkidbError("CONNECTION_FAILED", f"{self._url}: {told}") from error
            except BaseException:
                connection.close()
                raise
            if not response.will_close:
                self._idle.append(connection)
            return _read_answer(call, response, content)

    def _connection(self, call: Call, timeout_s: Optional[float]) -> Tuple[http.client.HTTPConnection, bool]:
        if call.may_repeat:
            try:
                connection = self._idle.pop()
            except IndexError:
                pass
            else:
                connection.timeout = timeout_s
                if connection.sock is not None:
                    connection.sock.settimeout(timeout_s)
                return connection, True
        kind = http.client.HTTPSConnection if self._is_tls else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=timeout_s), False

    def _wait_before_retry(self, error: AkidbError, call: Call, attempt: int) -> Optional[float]:
        if attempt >= self._retries or call.answers:
            return None
        is_busy = error.status == 429 or (error.status == 503 and error.code != "DATA_LOSS")
        is_lost = error.code == "CONNECTION_FAILED" and call.may_repeat
        if not is_busy and not is_lost:
            return None
        if error.retry_after_s is not None:
            return float(error.retry_after_s) if error.retry_after_s <= self._max_retry_wait_s else None
        return min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S) * random.uniform(0.5, 1.0)


def encode(value: Any) -> bytes:
    def plain(item: Any) -> Any:
        if hasattr(item, "tolist"):  # numpy and array.array
            return item.tolist()
        if hasattr(item, "isoformat"):
            return item.isoformat()
        if hasattr(item, "__iter__"):
            return list(item)
        return str(item) if isinstance(item, uuid.UUID) else json.JSONEncoder().default(item)

    return json.dumps(value, default=plain, allow_nan=False, separators=(",", ":")).encode()


def _read_answer(call: Call, response: http.client.HTTPResponse, content: bytes) -> Any:
    is_answer = response.status // 100 == 2 or response.status in call.answers
    if is_answer and call.is_text:
        return content.decode()
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if is_answer and isinstance(body, dict):
        if response.getheader("Idempotency-Replayed") == "true":
            body["replayed"] = True
        return body
    told = body.get("error") if isinstance(body, dict) else None
    if not isinstance(told, dict):
        told = {}
    retry_after = response.getheader("Retry-After") or ""
    raise AkidbError(
        told.get("code") or ("INTERNAL" if is_answer else "UNKNOWN"),
        told.get("message") or f"HTTP {response.status}, and a body that is not AkiDB's",
        status=response.status,
        field=told.get("field"),
        allowed=told.get("allowed"),
        request_id=told.get("request_id") or response.getheader("X-Request-Id"),
        retry_after_s=int(retry_after) if retry_after.isdigit() else None,
    )
