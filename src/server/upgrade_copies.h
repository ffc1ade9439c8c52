// UpgradeCopies: before a start changes the formats of its data directory it keeps what is there
// (offline/before_upgrade.h), and removes it again after upgrade.copy_days. Belongs to the main thread.
#pragma once

#include <string>

#include "base/logger.h"
#include "base/result.h"
#include "io/clock.h"
#include "io/file_system.h"
#include "settings/settings.h"

namespace akidb::server {

class UpgradeCopies {
  public:
    /// All but the settings must outlive it.
    UpgradeCopies(io::FileSystem& files, const io::Clock& clock, Logger& logger,
                  const settings::Effective& effective);

    /// Before anything in the data directory is opened. An error means that nothing was changed, and must not
    /// be.
    Result<void> prepare();
    /// Now and then.
    void tick();

  private:
    io::FileSystem& files_;
    const io::Clock& clock_;
    Logger& logger_;
    const std::string data_;
    const std::string catalog_;
    const uint64_t keep_days_;
    uint64_t due_us_ = 0;
};

}  // namespace akidb::server
