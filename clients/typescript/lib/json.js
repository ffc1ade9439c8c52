// JSON whose integers are exact: beyond 2^53 they are bigints, in both directions, as ids may be up to 2^64 - 1. Node 18
// has neither JSON.rawJSON nor the source text in revivers, so both ways are written out for values that need them.
import { randomUUID } from "node:crypto";

/** Arrays of numbers and texts go through JSON.stringify as a whole: a vector has thousands of numbers. */
export function encode(value) {
  if (typeof value === "bigint") return value.toString();
  if (isLargeWhole(value)) return value.toExponential();
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (ArrayBuffer.isView(value)) {
    const items = Array.from(value);
    return typeof items[0] === "bigint" ? `[${items.join()}]` : JSON.stringify(items);
  }
  if (typeof value.toJSON === "function") return encode(value.toJSON());
  if (Array.isArray(value)) {
    const isPlain = value.every((item) => typeof item === "number" && !isLargeWhole(item));
    return isPlain ? JSON.stringify(value) : `[${value.map(encode).join()}]`;
  }
  const members = [];
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined && typeof item !== "function") members.push(`${JSON.stringify(key)}:${encode(item)}`);
  }
  return `{${members.join()}}`;
}

/** A number that is no exact integer any more: with an exponent it stays a number on its way there and back. */
function isLargeWhole(value) {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

export function decode(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  // A text that nobody could have sent stands for "what follows was an integer".
  const mark = randomUUID();
  const pieces = [];
  let copied = 0;
  const token = /"|-?\d[\d.eE+-]*/g;
  for (let found = token.exec(text); found; found = token.exec(text)) {
    if (found[0] === '"') {
      token.lastIndex = endOfText(text, token.lastIndex);
    } else if (found[0].length >= 16 && /^-?\d+$/.test(found[0]) && !Number.isSafeInteger(Number(found[0]))) {
      pieces.push(text.slice(copied, found.index), `"${mark}${found[0]}"`);
      copied = token.lastIndex;
    }
  }
  if (copied === 0) return JSON.parse(text);
  pieces.push(text.slice(copied));
  return JSON.parse(pieces.join(""), (_, value) =>
    typeof value === "string" && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value);
}

/** Behind the closing quote. By hand, as regular expressions overflow on texts of a megabyte. */
function endOfText(text, from) {
  for (let at = from; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let escapes = 0;
    while (text[quote - 1 - escapes] === "\\") ++escapes;
    if (escapes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}
