// SimSqlite: SQLite on a simulated disk. While one lives it is what every sqlite3_open of the process gets
// (SQLite knows its file systems by a list of its own), so that the catalog as it is in the product lies
// where the collections lie, is renamed and lost with them, and stops with the machine's power: between two
// writes of a commit as well. What SQLite writes is durable in the order in which it is written; that it
// syncs where it must is for the tests of SQLite. Each sync is a step of the power. Single-threaded.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/dice.h"
#include "sim/sim_clock.h"
#include "sim/sim_file_system.h"
#include "sim/sim_power.h"

struct sqlite3_vfs;

namespace akidb::sim {

class SimSqlite {
  public:
    /// All must outlive it.
    SimSqlite(uint64_t seed, SimPower& power, const SimClock& clock);
    SimSqlite(const SimSqlite&) = delete;
    SimSqlite& operator=(const SimSqlite&) = delete;
    ~SimSqlite();

    /// The disk from now on; no database may be open.
    void mount(SimFileSystem& disk);

  private:
    friend struct SqliteCalls;
    struct Open;

    Dice dice_;
    SimPower& power_;
    const SimClock& clock_;
    SimFileSystem* disk_ = nullptr;
    std::string name_;
    std::unique_ptr<sqlite3_vfs> vfs_;
    std::vector<Open*> open_;
    /// The index of a write-ahead log, which connections share, by path of the database.
    std::map<std::string, std::vector<std::unique_ptr<std::string>>> shared_;
};

}  // namespace akidb::sim
