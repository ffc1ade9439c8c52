#include "sim/image_check.h"

#include <iterator>

namespace akidb::sim {
namespace {

constexpr uint64_t kLivesOnOneIn = 4;
// More than a recovery of these small disks needs, so that the power also goes off after it.
constexpr uint64_t kRecoveryCallsMax = 40;

}  // namespace

std::string ImageCheck::check(SimFileSystem& image, const Expectation& expected) {
    ++counts_.images;
    if (!expected.catalog.has_collection) {
        return check_without_collection(image, expected.catalog);
    }
    Machine machine(dice_.next());
    auto opened = machine.open(image, metrics_, expected.catalog, sizes_);
    if (!opened.has_value()) {
        return "open failed: " + opened.error().message();
    }
    counts_.with_manifest += (*opened)->stats().covered_sequence > 0 ? 1 : 0;
    Expectation settled = expected;
    std::string wrong = settled.oracle.check(**opened, dice_);
    if (wrong.empty()) {
        wrong = settled.retries.check(**opened, settled.oracle);
    }
    if (wrong.empty() && dice_.one_in(kLivesOnOneIn)) {
        wrong = live_on(image, machine, *opened, settled);
    }
    return wrong;
}

std::string ImageCheck::live_on(SimFileSystem& image, Machine& machine,
                                std::shared_ptr<engine::Collection>& collection, Expectation& expected) {
    int64_t stamp = 1'000'000;
    for (int i = 0; i < 3; ++i) {
        const Operation operation = random_operation(dice_, stamp, expected.catalog.now_ms);
        const auto reply = perform(operation, *collection);
        if (!reply.has_value()) {
            return "a write after recovery was refused: " + reply.error().message();
        }
        expected.oracle.acknowledged(operation);
        expected.retries.acknowledged(operation, *reply);
        machine.executor.run_one();
    }
    if (dice_.coin()) {
        if (auto closed = collection->close(dice_.coin()); !closed.has_value()) {
            return "close after recovery failed: " + closed.error().message();
        }
    }
    collection.reset();
    auto again = machine.open(image, metrics_, expected.catalog, sizes_);
    if (!again.has_value()) {
        return "the second opening failed: " + again.error().message();
    }
    std::string wrong = expected.oracle.check(**again, dice_);
    if (wrong.empty()) {
        wrong = expected.retries.check(**again, expected.oracle);
    }
    return wrong.empty() ? wrong : "at the second opening: " + wrong;
}

/// The crash came while the collection was dropped: what is left of its files goes, and a new one is empty.
std::string ImageCheck::check_without_collection(SimFileSystem& image, const Catalog& catalog) {
    if (auto removed = remove_what_the_catalog_lacks(image, catalog); !removed.has_value()) {
        return "what a drop left could not be removed: " + removed.error().message();
    }
    if (image.file_count() != 0) {
        return "a dropped collection left files";
    }
    Expectation empty{catalog, Oracle()};
    empty.catalog.has_collection = true;
    ++empty.catalog.incarnation;
    auto made = engine::Collection::create(image, std::string(kRoot), empty.catalog.directory());
    if (!made.has_value()) {
        return "a collection could not be made again: " + made.error().message();
    }
    Machine machine(dice_.next());
    auto opened = machine.open(image, metrics_, empty.catalog, sizes_);
    if (!opened.has_value()) {
        return "open of a collection made again failed: " + opened.error().message();
    }
    return empty.oracle.check(**opened, dice_);
}

std::string ImageCheck::check_second_crash(const SimFileSystem& image, const Expectation& expected) {
    const std::unique_ptr<SimFileSystem> first = image.crash_image(CrashModel::kAllKept, dice_.next());
    first->crash_after(first->calls() + dice_.below(kRecoveryCallsMax));
    if (expected.catalog.has_collection) {
        Machine machine(dice_.next());
        const auto opened = machine.open(*first, metrics_, expected.catalog, sizes_);
        static_cast<void>(opened.has_value());  // either way the power goes off
    } else {
        static_cast<void>(remove_what_the_catalog_lacks(*first, expected.catalog).has_value());
    }
    const CrashModel model = kCrashModels[dice_.below(std::size(kCrashModels))];
    std::unique_ptr<SimFileSystem> second = first->crash_image(model, dice_.next());
    ++counts_.second_crashes;
    std::string wrong = check(*second, expected);
    return wrong.empty() ? wrong : std::string("inside the recovery (") + name_of(model) + "): " + wrong;
}

}  // namespace akidb::sim
