// Bars: the lines of a bench program's table: what was measured, and beside it the bar it is held to and
// whether it was met. Not thread-safe.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>

namespace akidb::bench {

class Bars {
  public:
    void heading(const std::string& text) { std::printf("\n%s\n", text.c_str()); }

    void line(const std::string& what, double value, const std::string& unit) {
        std::printf("  %-62s %12.*f %s\n", what.c_str(), digits(value), value, unit.c_str());
        std::fflush(stdout);
    }

    void at_least(double bar, const std::string& what, double value, const std::string& unit) {
        judged(value >= bar, ">=", bar, what, value, unit);
    }
    void at_most(double bar, const std::string& what, double value, const std::string& unit) {
        judged(value <= bar, "<=", bar, what, value, unit);
    }

    unsigned missed() const { return missed_; }

  private:
    static int digits(double value) {
        return value >= 1000 || value == std::trunc(value) ? 0 : value >= 10 ? 1 : 3;
    }

    void judged(bool is_met, const char* relation, double bar, const std::string& what, double value,
                const std::string& unit) {
        missed_ += is_met ? 0 : 1;
        std::printf("  %-62s %12.*f %-12s bar %s %.*f %s\n", what.c_str(), digits(value), value, unit.c_str(),
                    relation, digits(bar), bar, is_met ? "met" : "MISSED");
        std::fflush(stdout);
    }

    unsigned missed_ = 0;
};

}  // namespace akidb::bench
