#include "server/upgrade_copies.h"

#include "offline/before_upgrade.h"
#include "server/layer_options.h"
#include "server/load_settings.h"

namespace akidb::server {
namespace {

constexpr uint64_t kLookEveryUs = 3'600'000'000;

}  // namespace

UpgradeCopies::UpgradeCopies(io::FileSystem& files, const io::Clock& clock, Logger& logger,
                             const settings::Effective& effective)
    : files_(files),
      clock_(clock),
      logger_(logger),
      data_(effective.text("storage.data_dir")),
      catalog_(catalog_path(effective)),
      keep_days_(number_of<uint64_t>(effective, "upgrade.copy_days")) {}

Result<void> UpgradeCopies::prepare() {
    AKIDB_TRY(const offline::UpgradePreparation done,
              offline::prepare_upgrade(files_, clock_, {data_, catalog_}, keep_days_));
    for (const std::string& change : done.changes) {
        logger_.log(LogLevel::kWarning, "this start changes a format", {{"change", change}});
    }
    if (!done.copy.empty()) {
        logger_.log(LogLevel::kWarning, "kept what was there before, the way back to an older version",
                    {{"copy", done.copy},
                     {"days", std::to_string(keep_days_)},
                     {"copied_bytes", std::to_string(done.copied_bytes)},
                     {"linked_bytes", std::to_string(done.linked_bytes)}});
    }
    return {};
}

void UpgradeCopies::tick() {
    const uint64_t now_us = clock_.monotonic_us();
    if (now_us < due_us_ || clock_.is_in_doubt()) {
        return;
    }
    due_us_ = now_us + kLookEveryUs;
    const auto removed = offline::remove_old_upgrade_copies(files_, clock_, data_, keep_days_);
    if (!removed) {
        logger_.log(LogLevel::kWarning, "a copy of before an upgrade was not removed",
                    {{"error", removed.error().message()}});
        return;
    }
    for (const std::string& name : *removed) {
        logger_.log(LogLevel::kInfo, "removed what was kept before an upgrade", {{"copy", name}});
    }
}

}  // namespace akidb::server
