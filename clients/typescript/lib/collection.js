export class Collection {
  #transport;
  #path;

  constructor(transport, name) {
    this.name = name;
    this.#transport = transport;
    this.#path = `/api/v1/collections/${segment(name, "a collection's name")}`;
  }

  describe(options) {
    return this.#send("GET", "", undefined, options);
  }

  stats(options) {
    return this.#send("GET", "/stats", undefined, options);
  }

  change(change, options) {
    return this.#send("PATCH", "", change, options);
  }

  async drop(options) {
    return (await this.#send("DELETE", "", undefined, options, { mayRepeat: false })).deleted;
  }

  async upsert(documents, options) {
    for (const document of documents) exact(document.id);
    return this.#send("PUT", "/documents", { documents }, options, { isKeyed: true });
  }

  async update(change, options) {
    change.ids?.forEach(exact);
    change.documents?.forEach((document) => exact(document.id));
    return this.#send("PATCH", "/documents", change, options, { isKeyed: true });
  }

  /** In the order asked; missing ones are absent. */
  async get(ids, { include, ...options } = {}) {
    ids.forEach(exact);
    return (await this.#send("POST", "/documents/get", { ids, include }, options)).documents;
  }

  /** Undefined when it is not there. */
  async getOne(id, options) {
    exact(id);
    // The path takes "7" for the integer, and URLs lose segments of dots; by the body both arrive as they are.
    if (!fitsPath(id)) return (await this.get([id], options))[0];
    try {
      return await this.#send("GET", `/documents/${segment(id)}`, undefined, options);
    } catch (error) {
      if (error.status === 404 && error.field === "id") return undefined;
      throw error;
    }
  }

  async delete(which, options) {
    which.ids?.forEach(exact);
    return this.#send("POST", "/documents/delete", which, options, { isKeyed: true });
  }

  async deleteOne(id, options) {
    exact(id);
    if (!fitsPath(id)) return this.delete({ ids: [id] }, options);
    return this.#send("DELETE", `/documents/${segment(id)}`, undefined, options, { isKeyed: true });
  }

  async erase(which, options) {
    which.ids?.forEach(exact);
    return this.#send("POST", "/documents/erase", which, options, { isLong: true });
  }

  async count({ filter, exact: isExact, ...options } = {}) {
    return (await this.#send("POST", "/count", { filter, exact: isExact }, options)).count;
  }

  facet(request, options) {
    return this.#send("POST", "/facet", request, options);
  }

  search(request, options) {
    return this.#send("POST", "/search", request, options);
  }

  async searchBatch(searches, options) {
    return this.#send("POST", "/search/batch", { searches }, options);
  }

  scrollPage(request = {}, options) {
    return this.#send("POST", "/scroll", request, options);
  }

  /** All documents, page by page as they are asked for; `limit` is the size of a page. */
  async *scroll(request = {}, options) {
    let cursor = request.cursor;
    do {
      const page = await this.scrollPage({ ...request, cursor }, options);
      yield* page.documents;
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
  }

  optimize(options) {
    return this.#send("POST", "/optimize", undefined, options, { isLong: true });
  }

  createIndex(field, type, options) {
    return this.#send("PUT", `/metadata-indexes/${segment(field)}`, { type }, options);
  }

  async dropIndex(field, options) {
    const what = { mayRepeat: false };
    return (await this.#send("DELETE", `/metadata-indexes/${segment(field)}`, undefined, options, what)).deleted;
  }

  #send(method, path, body, options, how = {}) {
    return this.#transport.send({ method, path: this.#path + path, body, ...how }, options);
  }
}

function segment(value, what = "this") {
  const text = String(value);
  if (text === "" || text === "." || text === "..") throw new RangeError(`${what} cannot be "${text}"`);
  return encodeURIComponent(text);
}

function fitsPath(id) {
  return typeof id !== "string" || !/^(?:\d*|\.\.?)$/.test(id);
}

/** A number beyond 2^53 was rounded before it came here, to another document's id. */
function exact(id) {
  if (typeof id === "number" && Number.isInteger(id) && !Number.isSafeInteger(id)) {
    throw new RangeError(`${id} is beyond what a number holds exactly: ids beyond 2^53 are given as bigint`);
  }
}
