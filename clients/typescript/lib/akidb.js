import { Collection } from "./collection.js";
import { Transport } from "./transport.js";

export class Akidb {
  #transport;

  constructor(url = "http://127.0.0.1:8080", options = {}) {
    this.#transport = new Transport(url, options);
  }

  /** Names a collection, by name, alias or id; asks nothing. */
  collection(name) {
    return new Collection(this.#transport, name);
  }

  async createCollection(settings, options) {
    await this.#transport.send({ method: "POST", path: "/api/v1/collections", body: settings, mayRepeat: false }, options);
    return this.collection(settings.name);
  }

  async listCollections(options) {
    return (await this.#transport.send({ method: "GET", path: "/api/v1/collections" }, options)).collections;
  }

  async listAliases(options) {
    return (await this.#transport.send({ method: "GET", path: "/api/v1/aliases" }, options)).aliases;
  }

  async changeAliases(actions, options) {
    const what = { method: "POST", path: "/api/v1/aliases", body: { actions }, mayRepeat: false };
    return (await this.#transport.send(what, options)).aliases;
  }

  health(options) {
    return this.#transport.send({ method: "GET", path: "/health" }, options);
  }

  /** Not ready is an answer here, no error. */
  ready({ for: purpose, ...options } = {}) {
    const query = purpose === undefined ? "" : `?for=${encodeURIComponent(purpose)}`;
    return this.#transport.send({ method: "GET", path: `/ready${query}`, answers: [503] }, options);
  }

  startup(options) {
    return this.#transport.send({ method: "GET", path: "/startup", answers: [503] }, options);
  }

  version(options) {
    return this.#transport.send({ method: "GET", path: "/" }, options);
  }

  metrics(options) {
    return this.#transport.send({ method: "GET", path: "/metrics", isText: true }, options);
  }
}
