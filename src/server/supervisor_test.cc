#include "server/supervisor.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "io/clock_for_tests.h"

namespace akidb::server {
namespace {

constexpr uint64_t kSecondUs = 1'000'000;

/// The service manager's end of the socket, by an abstract name that is ours alone.
class Listener {
  public:
    explicit Listener(const std::string& name) : descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name.data(), name.size());
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        is_bound_ = bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size) == 0;
    }
    ~Listener() { close(descriptor_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    bool is_bound() const { return is_bound_; }
    /// What was told and not yet read; empty when that is nothing.
    std::string take() const {
        char text[512];
        const ssize_t size = recv(descriptor_, text, sizeof text, MSG_DONTWAIT);
        return size > 0 ? std::string(text, static_cast<size_t>(size)) : std::string();
    }

  private:
    int descriptor_;
    bool is_bound_ = false;
};

class Supervised : public testing::Test {
  protected:
    Supervised() : name_("akidb-supervisor-test-" + std::to_string(getpid())), listener_(name_) {}

    Supervisor supervisor(uint64_t watchdog_us) {
        return Supervisor({"@" + name_, watchdog_us}, clock_, [this](std::string_view path) {
            asked_.emplace_back(path);
            return answer_;
        });
    }

    std::string name_;
    Listener listener_;
    io::HandClock clock_;
    Result<Supervisor::Answer> answer_ = Supervisor::Answer{200, "{}"};
    std::vector<std::string> asked_;
};

TEST_F(Supervised, AsksForTimeWhileItLoadsAndSaysReadyOnce) {
    ASSERT_TRUE(listener_.is_bound());
    Supervisor supervisor = this->supervisor(0);
    answer_ = Supervisor::Answer{503, "{\"progress\":\"35/42\"}\n"};
    supervisor.tick();
    EXPECT_EQ(listener_.take(), "EXTEND_TIMEOUT_USEC=60000000\nSTATUS={\"progress\":\"35/42\"} ");
    supervisor.tick();
    EXPECT_EQ(listener_.take(), "") << "half a second has not passed";
    clock_.advance_us(kSecondUs);
    answer_ = Supervisor::Answer{200, "{}"};
    supervisor.tick();
    EXPECT_EQ(listener_.take(), "READY=1\nWATCHDOG=1\nSTATUS={}");
    clock_.advance_us(100 * kSecondUs);
    supervisor.tick();
    EXPECT_EQ(listener_.take(), "") << "no watchdog was asked for";
}

TEST_F(Supervised, IsSilentWhenTheProbeIsNotAnswered) {
    Supervisor supervisor = this->supervisor(60 * kSecondUs);
    supervisor.tick();
    EXPECT_EQ(listener_.take(), "READY=1\nWATCHDOG=1\nSTATUS={}");
    clock_.advance_us(20 * kSecondUs);
    supervisor.tick();
    EXPECT_EQ(listener_.take(), "WATCHDOG=1") << "a third of what it waits for";
    clock_.advance_us(20 * kSecondUs);
    answer_ = Error(Code::kDeadlineExceeded, "no answer");
    supervisor.tick();
    EXPECT_EQ(listener_.take(), "");
    clock_.advance_us(20 * kSecondUs);
    answer_ = Supervisor::Answer{503, "{}"};
    supervisor.tick();
    EXPECT_EQ(listener_.take(), "");
    EXPECT_EQ(asked_, (std::vector<std::string>{"/ready", "/health", "/health", "/health"}));
}

TEST_F(Supervised, TellsReloadsAndTheEnd) {
    Supervisor supervisor = this->supervisor(0);
    supervisor.begin_reload();
    supervisor.end_reload();
    EXPECT_EQ(listener_.take(), "RELOADING=1\nMONOTONIC_USEC=" + std::to_string(clock_.monotonic_us()));
    EXPECT_EQ(listener_.take(), "") << "not ready before it was";
    supervisor.tick();
    EXPECT_EQ(listener_.take().substr(0, 8), "READY=1\n");
    supervisor.begin_reload();
    supervisor.end_reload();
    EXPECT_EQ(listener_.take().substr(0, 12), "RELOADING=1\n");
    EXPECT_EQ(listener_.take(), "READY=1");
    supervisor.stop();
    EXPECT_EQ(listener_.take(), "STOPPING=1\nWATCHDOG=1\nSTATUS=draining");
}

TEST_F(Supervised, SaysNothingToNobody) {
    Supervisor supervisor({}, clock_, [this](std::string_view path) {
        asked_.emplace_back(path);
        return answer_;
    });
    supervisor.tick();
    supervisor.stop();
    EXPECT_TRUE(asked_.empty());
}

TEST(SupervisorOptions, AreOfThisProcessAloneAndTakenOutOfTheEnvironment) {
    setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
    setenv("WATCHDOG_USEC", "60000000", 1);
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
    SupervisorOptions options = supervisor_options();
    EXPECT_EQ(options.socket, "/run/systemd/notify");
    EXPECT_EQ(options.watchdog_us, 60 * kSecondUs);
    EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);

    setenv("WATCHDOG_USEC", "60000000", 1);
    setenv("WATCHDOG_PID", std::to_string(getpid() + 1).c_str(), 1);
    options = supervisor_options();
    EXPECT_EQ(options.socket, "");
    EXPECT_EQ(options.watchdog_us, 0U);
}

}  // namespace
}  // namespace akidb::server
