// Row rules against a model: keys that see the documents of one owner, others that see those of another, one
// without a rule, and a second tenant with a collection of the same name, ask and write at random; whatever
// comes back must be what the model says, and never a document that the asker may not see.
#include <cstdio>
#include <future>
#include <map>
#include <random>

#include "server/access_stack_for_tests.h"

namespace akidb::server {
namespace {

using model::DocumentId;

constexpr uint64_t kIds = 48;
constexpr int kOperations = 110'000 / AKIDB_TEST_SHARE;

struct Held {
    std::string owner;  // empty: the document names none
    int64_t number = 0;
};
using Documents = std::map<uint64_t, Held>;

struct Asker {
    service::RequestContext context;
    std::string owner;  // of the documents that it sees; empty: all
    Documents* documents = nullptr;

    bool sees(const Held& held) const { return owner.empty() || held.owner == owner; }
};

std::string metadata_of(const Held& held) {
    model::MetadataWriter writer;
    writer.begin_object();
    if (!held.owner.empty()) {
        writer.key("owner");
        writer.put_string(held.owner);
    }
    writer.key("number");
    writer.put_int(held.number);
    writer.end();
    return std::move(writer).finish().value();
}

Held held_in(const model::Document& document) {
    const model::MetadataView metadata(document.metadata);
    Held held;
    if (const auto owner = metadata.member("owner")) {
        held.owner = owner->as_string();
    }
    held.number = metadata.member("number")->as_int();
    return held;
}

uint64_t id_in(const model::Document& document) {
    return std::get<uint64_t>(document.id.value());
}

std::shared_ptr<const model::Filter> below(int64_t bound) {
    auto filter = std::make_shared<model::Filter>();
    filter->must.emplace_back(model::RangeCondition{.key = "number", .lt = static_cast<double>(bound)});
    return filter;
}

class AccessRules : public AccessStack {
  protected:
    AccessRules() {
        const std::string root = set_up();
        EXPECT_EQ(ask(root, "POST", "/api/v1/tenants", R"({"name":"acme"})").status, 201);
        for (const std::string tenant : {"default", "acme"}) {
            const std::string developer =
                make_key(root, R"("role":"developer","tenant":")" + tenant + R"(")");
            const rest::HttpResponse made = ask(
                developer, "POST", "/api/v1/collections",
                R"({"name":"words","dimension":16,"metric":"l2","metadata_indexes":{"owner":"keyword"}})");
            EXPECT_EQ(made.status, 201) << made.body;
            Documents* documents = tenant == "acme" ? &of_acme_ : &of_default_;
            askers_.push_back({context_of(developer), "", documents});
            for (const std::string owner : {"ann", "bob"}) {
                const std::string key =
                    make_key(root, R"("actions":["document::insert","document::search","document::update",)"
                                   R"("document::delete","collection::read"],"tenant":")" +
                                       tenant + R"(","row_rule":{"must":[{"key":"owner","match":{"value":")" +
                                       owner + R"("}}]})");
                askers_.push_back({context_of(key), owner, documents});
            }
        }
    }
    service::RequestContext context_of(const std::string& token) {
        service::Admission admission;
        EXPECT_TRUE(service_->admit(model::Access::anyone_known(), bearer(token), admission));
        return {.principal = admission.principal, .request_id = "r"};
    }
    uint64_t below_n(uint64_t bound) { return random_numbers_() % bound; }
    bool one_in(uint64_t count) { return below_n(count) == 0; }
    Held random_held() {
        constexpr std::array<std::string_view, 4> kOwners{"ann", "bob", "cid", ""};
        return {std::string(kOwners[below_n(kOwners.size())]), static_cast<int64_t>(below_n(100))};
    }
    static std::vector<float> vector_for(uint64_t id) {
        return std::vector<float>(16, static_cast<float>(id));
    }

    template <class Submit>
    static Result<engine::WriteReply> wait(Submit submit) {
        auto promise = std::make_shared<std::promise<Result<engine::WriteReply>>>();
        auto waiting = promise->get_future();
        submit([promise](Result<engine::WriteReply> done) { promise->set_value(std::move(done)); });
        return waiting.get();
    }
    /// What he may see of it is as the model has it, and he may.
    void expect_seen(const Asker& asker, const model::Document& document) {
        ++seen_;
        const Held held = held_in(document);
        const auto known = asker.documents->find(id_in(document));
        const bool is_right = known != asker.documents->end() && asker.sees(known->second) &&
                              known->second.owner == held.owner && known->second.number == held.number;
        leaks_ += asker.sees(held) ? 0 : 1;
        EXPECT_TRUE(is_right) << asker.owner << " saw " << id_in(document) << " of " << held.owner;
    }
    template <class Test>
    std::vector<uint64_t> visible(const Asker& asker, Test test) const {
        std::vector<uint64_t> ids;
        for (const auto& [id, held] : *asker.documents) {
            if (asker.sees(held) && test(held)) {
                ids.push_back(id);
            }
        }
        return ids;
    }

    void upsert(Asker& asker);
    void remove(Asker& asker);
    void update(Asker& asker);
    void read(Asker& asker);
    void find(Asker& asker);
    void search(Asker& asker);

    Documents of_default_;
    Documents of_acme_;
    std::vector<Asker> askers_;
    std::mt19937_64 random_numbers_{20261129};
    uint64_t seen_ = 0;
    uint64_t leaks_ = 0;
    uint64_t refused_ = 0;
};

void AccessRules::upsert(Asker& asker) {
    std::vector<model::Document> batch;
    Documents after = *asker.documents;
    bool is_refused = false;
    for (uint64_t i = 0; i <= below_n(3); ++i) {
        const uint64_t id = below_n(kIds);
        Held held = random_held();
        if (!asker.owner.empty() && !one_in(4)) {
            held.owner = asker.owner;
        }
        const auto known = asker.documents->find(id);
        is_refused = is_refused || !asker.sees(held) ||
                     (known != asker.documents->end() && !asker.sees(known->second));
        after[id] = held;
        model::Document& document = batch.emplace_back();
        document.id = DocumentId(id);
        document.vector = vector_for(id);
        document.metadata = metadata_of(held);
    }
    const auto done = wait([&](engine::WriteDone told) {
        service_->upsert_documents(asker.context, "words", batch, std::move(told));
    });
    ASSERT_EQ(done.has_value(), !is_refused);
    if (is_refused) {
        ++refused_;
        EXPECT_EQ(done.error().code(), Code::kPermissionDenied);
        return;
    }
    *asker.documents = std::move(after);
}

void AccessRules::remove(Asker& asker) {
    if (one_in(3)) {
        const auto bound = static_cast<int64_t>(below_n(12));
        const auto gone = visible(asker, [&](const Held& held) { return held.number < bound; });
        const auto done = service_->delete_matching(asker.context, "words", *below(bound));
        ASSERT_TRUE(done.has_value());
        EXPECT_EQ(done->count, gone.size());
        for (const uint64_t id : gone) {
            asker.documents->erase(id);
        }
        return;
    }
    std::vector<DocumentId> ids;
    uint64_t expected = 0;
    for (uint64_t i = 0; i <= below_n(3); ++i) {
        const uint64_t id = below_n(kIds);
        ids.emplace_back(id);
        const auto known = asker.documents->find(id);
        if (known != asker.documents->end() && asker.sees(known->second)) {
            asker.documents->erase(known);
            ++expected;
        }
    }
    if (one_in(400)) {
        const auto receipt = service_->erase_documents(asker.context, "words", ids);
        ASSERT_TRUE(receipt.has_value()) << receipt.error().message();
        EXPECT_EQ(receipt->files.erased, expected);
        return;
    }
    const auto done = wait([&](engine::WriteDone told) {
        service_->delete_documents(asker.context, "words", ids, std::move(told));
    });
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(done->count, expected);
}

void AccessRules::update(Asker& asker) {
    const Held wanted = random_held();
    const bool changes_owner = one_in(2) && !wanted.owner.empty();
    model::UpdateAll all;
    std::vector<uint64_t> touched;
    if (one_in(2)) {
        const auto bound = static_cast<int64_t>(below_n(20));
        all.which = below(bound);
        touched = visible(asker, [&](const Held& held) { return held.number < bound; });
    } else {
        const uint64_t id = below_n(kIds);
        all.which = std::vector<DocumentId>{DocumentId(id)};
        const auto known = asker.documents->find(id);
        if (known != asker.documents->end() && asker.sees(known->second)) {
            touched.push_back(id);
        }
    }
    Held merged{changes_owner ? wanted.owner : std::string(), wanted.number};
    all.change.merge = metadata_of(merged);
    const bool is_refused = !touched.empty() && changes_owner && !asker.sees(wanted);
    const auto done = wait([&](engine::WriteDone told) {
        service_->update_documents(asker.context, "words", all, std::move(told));
    });
    ASSERT_EQ(done.has_value(), !is_refused) << (done ? "" : done.error().message());
    if (is_refused) {
        ++refused_;
        EXPECT_EQ(done.error().code(), Code::kPermissionDenied);
        return;
    }
    EXPECT_EQ(done->count, touched.size());
    for (const uint64_t id : touched) {
        Held& held = (*asker.documents)[id];
        held.number = wanted.number;
        held.owner = changes_owner ? wanted.owner : held.owner;
    }
}

void AccessRules::read(Asker& asker) {
    const auto bound = static_cast<int64_t>(below_n(110));
    const auto wanted = visible(asker, [&](const Held& held) { return held.number < bound; });
    const auto all = visible(asker, [](const Held&) { return true; });
    switch (below_n(4)) {
        case 0: {
            const uint64_t id = below_n(kIds);
            const auto known = asker.documents->find(id);
            const auto found =
                service_->get_documents(asker.context, "words", {DocumentId(id)}, {.metadata = true}).value();
            EXPECT_EQ(found.size(), known != asker.documents->end() && asker.sees(known->second) ? 1U : 0U);
            for (const model::Document& document : found) {
                expect_seen(asker, document);
            }
            break;
        }
        case 1:
            EXPECT_EQ(service_->count_documents(asker.context, "words", below(bound).get()).value(),
                      wanted.size());
            EXPECT_EQ(service_->count_documents(asker.context, "words", nullptr).value(), all.size());
            break;
        case 2: {
            uint64_t in_all = 0;
            const auto facet = service_->facet(asker.context, "words", {.key = "owner", .limit = 10}).value();
            for (const model::FacetCount& one : facet.counts) {
                const std::string& owner = std::get<std::string>(one.value);
                leaks_ += asker.sees({owner}) ? 0 : 1;
                in_all += one.count;
            }
            EXPECT_EQ(in_all, visible(asker, [](const Held& held) { return !held.owner.empty(); }).size());
            break;
        }
        default:
            EXPECT_EQ(service_->describe_collection(asker.context, "words")->stats.documents, all.size());
            EXPECT_EQ(service_->list_collections(asker.context)->at(0).stats.documents, all.size());
    }
}

void AccessRules::find(Asker& asker) {
    const auto bound = static_cast<int64_t>(below_n(110));
    const auto wanted = visible(asker, [&](const Held& held) { return held.number < bound; });
    model::ScrollRequest request{.limit = 1 + static_cast<uint32_t>(below_n(20))};
    request.filter = below(bound);
    request.include.metadata = true;
    std::vector<uint64_t> found;
    while (true) {
        const auto page = service_->scroll(asker.context, "words", request).value();
        for (const model::Document& document : page.documents) {
            expect_seen(asker, document);
            found.push_back(id_in(document));
        }
        if (!page.next) {
            break;
        }
        request.from = page.next;
    }
    EXPECT_EQ(found, wanted);
}

void AccessRules::search(Asker& asker) {
    const auto bound = static_cast<int64_t>(below_n(110));
    const auto wanted = visible(asker, [&](const Held& held) { return held.number < bound; });
    model::SearchRequest request;
    request.top_k = 100;
    request.params.exact = true;
    request.include.metadata = true;
    request.filter = below(bound);
    const bool by_example = one_in(3);
    const uint64_t id = below_n(kIds);
    if (by_example) {
        request.examples = {.positive = {DocumentId(id)}, .is_one_id = true};
    } else {
        request.vector = vector_for(id);
    }
    if (one_in(4)) {
        request.group_by = {.key = "owner", .size = 100};
    }
    const auto batch = service_->search_batch(asker.context, "words", {request});
    const auto known = asker.documents->find(id);
    if (by_example && (known == asker.documents->end() || !asker.sees(known->second))) {
        ASSERT_FALSE(batch.has_value());
        EXPECT_EQ(batch.error().code(), Code::kNotFound);
        return;
    }
    ASSERT_TRUE(batch.has_value()) << batch.error().message();
    const model::SearchReply& reply = batch->at(0);
    std::vector<uint64_t> found;
    for (const model::SearchMatch& match : reply.matches) {
        expect_seen(asker, match.document);
        found.push_back(id_in(match.document));
    }
    for (const model::SearchGroup& group : reply.groups) {
        leaks_ += asker.sees({std::get<std::string>(group.value)}) ? 0 : 1;
        for (const model::SearchMatch& match : group.matches) {
            expect_seen(asker, match.document);
            found.push_back(id_in(match.document));
        }
    }
    std::sort(found.begin(), found.end());
    std::vector<uint64_t> expected = wanted;
    std::erase_if(expected, [&](uint64_t one) {
        return (by_example && one == id) ||
               (request.group_by && asker.documents->find(one)->second.owner.empty());
    });
    EXPECT_EQ(found, expected);
}

TEST_F(AccessRules, ShowNobodyWhatIsNotHis) {
    for (int i = 0; i < kOperations && !HasFailure(); ++i) {
        Asker& asker = askers_[below_n(askers_.size())];
        switch (below_n(8)) {
            case 0:
            case 1:
                upsert(asker);
                break;
            case 2:
                remove(asker);
                break;
            case 3:
                update(asker);
                break;
            case 4:
            case 5:
                read(asker);
                break;
            case 6:
                find(asker);
                break;
            default:
                search(asker);
        }
    }
    EXPECT_EQ(leaks_, 0U);
    EXPECT_GT(refused_, 100U);
    std::printf("%d operations by %zu keys: %llu documents seen, %llu writes refused, %llu leaks\n",
                kOperations, askers_.size(), static_cast<unsigned long long>(seen_),
                static_cast<unsigned long long>(refused_), static_cast<unsigned long long>(leaks_));
}

}  // namespace
}  // namespace akidb::server
