// A key whose row rule shows it Ann's documents alone, and what of Bob's it can find out or change.
#include "arena.h"

namespace akidb::attack {
namespace {

constexpr const char* kOpen = "/api/v1/collections/open";
constexpr const char* kVector = "[1,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5]";

/// 1 and 3 are Bob's; 2 and 4 Ann's.
bool has_bobs(const std::string& text) {
    return text.find("bob") != std::string::npos || text.find(R"("id":1,)") != std::string::npos ||
           text.find(R"("id":3,)") != std::string::npos;
}

class AnnsKey {
  public:
    AnnsKey(World& world, Cases& cases)
        : world_(world),
          cases_(cases),
          key_(world.key(R"("actions":["collection::read","document::search","document::insert",)"
                         R"("document::update","document::delete"],)"
                         R"("row_rule":{"must":[{"key":"owner","match":{"value":"ann"}}]})")) {}

    void reads(const std::string& name, const std::string& method, const std::string& path,
               const std::string& body = "") {
        cases_.push_back({"a key for Ann's documents: " + name,
                          [this_world = &world_, key = key_, method, path, body]() -> Gain {
                              const HttpReply reply = this_world->target.ask(
                                  {.method = method, .path = path, .body = body, .token = key});
                              return has_bobs(reply.body) ? reply.body : Gain();
                          }});
    }
    /// What Bob has is as it was.
    void writes(const std::string& name, const std::string& method, const std::string& path,
                const std::string& body) {
        cases_.push_back({"a key for Ann's documents: " + name,
                          [this_world = &world_, key = key_, method, path, body]() -> Gain {
                              const auto bobs = [&] {
                                  return this_world->target
                                      .must({.method = "POST",
                                             .path = std::string(kOpen) + "/documents/get",
                                             .body = R"({"ids":[1,3],"include":["metadata","vector"]})",
                                             .token = this_world->root})
                                      .dump();
                              };
                              const std::string before = bobs();
                              this_world->target.ask(
                                  {.method = method, .path = path, .body = body, .token = key});
                              const std::string after = bobs();
                              return before == after ? Gain() : after;
                          }});
    }

  private:
    World& world_;
    Cases& cases_;
    std::string key_;
};

}  // namespace

void add_document_cases(World& world, Cases& cases) {
    AnnsKey ann(world, cases);
    const std::string open = kOpen;
    const std::string query =
        std::string(R"({"vector":)") + kVector + R"(,"top_k":10,"include":["metadata"])";
    ann.reads("a search", "POST", open + "/search", query + "}");
    ann.reads("a search for Bob's", "POST", open + "/search",
              query + R"(,"filter":{"must":[{"key":"owner","match":{"value":"bob"}}]}})");
    ann.reads("a search for what is not Ann's", "POST", open + "/search",
              query + R"(,"filter":{"must_not":[{"key":"owner","match":{"value":"ann"}}]}})");
    ann.reads("a search for either", "POST", open + "/search",
              query + R"(,"filter":{"should":[{"key":"owner","match":{"value":"bob"}},)"
                      R"({"key":"owner","match":{"value":"ann"}}]}})");
    ann.reads("a search by Bob's document", "POST", open + "/search",
              R"({"id":1,"top_k":10,"include":["metadata"]})");
    ann.reads("a search that explains itself", "POST", open + "/search", query + R"(,"explain":true})");
    ann.reads("documents by id", "POST", open + "/documents/get",
              R"({"ids":[1,2,3,4],"include":["metadata"]})");
    ann.reads("a document by its path", "GET", open + "/documents/1");
    ann.reads("a page", "POST", open + "/scroll", R"({"limit":10,"include":["metadata"]})");
    ann.reads("a facet", "POST", open + "/facet", R"({"key":"owner"})");
    ann.reads("points of the dialect", "POST", "/collections/open/points",
              R"({"ids":[1,2,3,4],"with_payload":true})");
    ann.reads("a query of the dialect", "POST", "/collections/open/points/query",
              std::string(R"({"query":)") + kVector + R"(,"limit":10,"with_payload":true})");
    cases.push_back(
        {"a key for Ann's documents counts Bob's", [&world]() -> Gain {
             const std::string key =
                 world.key(R"("actions":["document::search"],)"
                           R"("row_rule":{"must":[{"key":"owner","match":{"value":"ann"}}]})");
             const Json counted = world.target.must(
                 {.method = "POST", .path = std::string(kOpen) + "/count", .body = "{}", .token = key});
             return counted.at("count") == 2 ? Gain() : counted.dump();
         }});
    const std::string bobs_place = std::string(R"({"documents":[{"id":1,"vector":)") + kVector;
    ann.writes("an upsert over Bob's", "PUT", open + "/documents",
               bobs_place + R"(,"metadata":{"owner":"ann"}}]})");
    ann.writes("an upsert as Bob", "PUT", open + "/documents",
               bobs_place + R"(,"metadata":{"owner":"bob"}}]})");
    ann.writes("an update of Bob's", "PATCH", open + "/documents", R"({"ids":[1,3],"set":{"owner":"ann"}})");
    ann.writes("an update of all", "PATCH", open + "/documents", R"({"filter":{},"merge":{"owner":"ann"}})");
    ann.writes("a deletion by id", "POST", open + "/documents/delete", R"({"ids":[1,3]})");
    ann.writes("a deletion by path", "DELETE", open + "/documents/1", "");
    ann.writes("a deletion by filter", "POST", open + "/documents/delete",
               R"({"filter":{"must":[{"key":"owner","match":{"value":"bob"}}]}})");
    ann.writes("an erasure", "POST", open + "/documents/erase", R"({"ids":[1,3]})");
    ann.writes("a deletion by the dialect", "POST", "/collections/open/points/delete", R"({"points":[1,3]})");
    ann.writes("a payload by the dialect", "POST", "/collections/open/points/payload",
               R"({"points":[1,3],"payload":{"owner":"ann"}})");
    ann.writes("a batch of the dialect", "POST", "/collections/open/points/batch",
               R"({"operations":[{"delete":{"points":[1,3]}}]})");
}

}  // namespace akidb::attack
