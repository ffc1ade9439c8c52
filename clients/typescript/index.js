// The client of AkiDB's REST interface: index.d.ts has the types, README.md the quick start. Names of fields are those of
// openapi.yaml; what the server would refuse is left for it to refuse, as it names the field and what is allowed.
export { Akidb } from "./lib/akidb.js";
export { Collection } from "./lib/collection.js";
export { AkidbError } from "./lib/error.js";
