// ImageCheck: opens what a crash left of a disk and asks everything of it (oracle.h); sometimes writes on,
// stops and starts once more; and cuts the power again inside the recovery (crash model (h) of the test
// plan). Single-threaded.
#pragma once

#include <string>

#include "sim/machine.h"
#include "sim/oracle.h"
#include "sim/retries.h"

namespace akidb::sim {

struct Expectation {
    Catalog catalog;
    Oracle oracle;
    Retries retries{};
};

struct ImageCounts {
    uint64_t images = 0;
    uint64_t with_manifest = 0;
    uint64_t second_crashes = 0;  // of the images, those made inside a recovery
};

class ImageCheck {
  public:
    /// `seed` names the dice of everything that follows.
    ImageCheck(Sizes sizes, telemetry::Metrics& metrics, ImageCounts& counts, uint64_t seed)
        : sizes_(sizes), metrics_(metrics), counts_(counts), dice_(seed) {}

    /// What is wrong; empty when nothing is. Changes the image.
    std::string check(SimFileSystem& image, const Expectation& expected);
    /// Starts on a copy of the image, cuts the power at some call of it, and checks what is left then.
    std::string check_second_crash(const SimFileSystem& image, const Expectation& expected);

  private:
    std::string live_on(SimFileSystem& image, Machine& machine,
                        std::shared_ptr<engine::Collection>& collection, Expectation& expected);
    std::string check_without_collection(SimFileSystem& image, const Catalog& catalog);

    const Sizes sizes_;
    telemetry::Metrics& metrics_;
    ImageCounts& counts_;
    Dice dice_;
};

}  // namespace akidb::sim
