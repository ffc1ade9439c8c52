from __future__ import annotations

from typing import Optional


class AkidbError(Exception):
    """The server's refusal, or, with status 0, the lack of an answer: code CONNECTION_FAILED or TIMEOUT."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 0,
        field: Optional[str] = None,
        allowed: Optional[str] = None,
        request_id: Optional[str] = None,
        retry_after_s: Optional[int] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.field = field
        self.allowed = allowed
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        told = f"{self.code}: {self.message}"
        if self.field:
            told += f" (field {self.field})"
        if self.allowed:
            told += f"; allowed: {self.allowed}"
        return told
