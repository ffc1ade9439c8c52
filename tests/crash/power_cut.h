// PowerCut: what a machine shows after its power went: the directory as a preloaded layer
// (power_cut_layer.cc) kept it, with nothing that was not synced, or with a random part of that: each name on
// its own, each 512-byte sector on its own. The process must be dead. Throws std::runtime_error when files
// cannot be handled. Not thread-safe.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace akidb::crash {

enum class Unsynced : uint8_t { kLost, kPartlyKept };

/// What the cuts took: a run in which nothing was ever unsynced would prove nothing.
struct PowerLoss {
    uint64_t cuts = 0;
    uint64_t sectors_lost = 0;
    uint64_t sectors_kept = 0;
    uint64_t names_lost = 0;  // new ones
    uint64_t names_back = 0;  // removed ones
};

class PowerCut {
  public:
    /// `data` need not be there yet; `shadow` is made.
    PowerCut(std::string data, std::string shadow, uint64_t seed);

    /// For the server's environment.
    std::vector<std::pair<std::string, std::string>> environment(const std::string& layer) const;
    /// Puts what is left in place of the directory, and takes all of it for durable.
    void cut(Unsynced unsynced);
    const PowerLoss& loss() const { return loss_; }

  private:
    struct Content {
        std::string durable;
        std::string real;
    };
    void leave(const std::string& under, Unsynced unsynced);
    void leave_file(const std::string& name, Unsynced unsynced);
    std::string mixed(const Content& content, Unsynced unsynced);
    void take_for_durable();
    bool coin() { return random_() % 2 == 0; }

    std::string data_;
    std::string shadow_;
    std::string image_;
    std::mt19937_64 random_;
    PowerLoss loss_;
};

}  // namespace akidb::crash
