/** The server's refusal, or, with status 0, the lack of an answer: code CONNECTION_FAILED or TIMEOUT. */
export class AkidbError extends Error {
  constructor({ code, message, status = 0, field, allowed, requestId, retryAfterS, cause }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "AkidbError";
    this.code = code;
    this.status = status;
    this.field = field;
    this.allowed = allowed;
    this.requestId = requestId;
    this.retryAfterS = retryAfterS;
  }
}
