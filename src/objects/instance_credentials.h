// InstanceCredentials: keys that the machine itself has for some hours, of those who run it: by Amazon's
// instance metadata service, version 2 ("Use IMDSv2", EC2 user guide: a token by PUT, the name of the role,
// its keys as JSON), or, where AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or …_FULL_URI says so, by the agent of
// the container ("Container credential provider", AWS SDKs guide). Version 1, which answers anybody's plain
// GET, is never asked.
//
// Only plain http to addresses of this machine and link-local ones is asked, without proxy or redirects,
// within InstanceTimes, and no more than 64 KiB are read of an answer. Keys are kept until five minutes
// before they end; then whoever comes first asks for new ones, and the others go on with the old. While new
// ones are not to be had the old serve until they end, and a warning is logged. Ends are told by the wall
// clock, as requests are signed by it. Errors: kUnauthenticated when the machine has no keys to give,
// kUnavailable and kDeadlineExceeded when it may have later, kInvalidArgument for a variable that is wrong.
// Thread-safe; one thread at a time asks the machine, and those who have no keys wait for it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/logger.h"
#include "base/mutex.h"
#include "io/clock.h"
#include "objects/credentials.h"

namespace akidb::objects {

struct InstanceTimes {
    uint32_t connect_ms = 1000;
    uint32_t whole_ms = 5000;  // of all requests for one set of keys
};

class InstanceCredentials {
  public:
    /// Of `environment` those variables count, AWS_CONTAINER_AUTHORIZATION_TOKEN (or …_TOKEN_FILE), and
    /// AWS_EC2_METADATA_SERVICE_ENDPOINT. The logger may be null; what is borrowed must outlive it.
    InstanceCredentials(std::map<std::string, std::string> environment, const io::Clock& clock,
                        Logger* logger = nullptr, InstanceTimes times = {});

    Result<Credentials> get() AKIDB_EXCLUDES(mutex_);

  private:
    struct Keys {
        Credentials credentials;
        uint64_t end_ms = 0;
    };
    class Questions;

    std::optional<Result<Credentials>> known_or_turn() AKIDB_EXCLUDES(mutex_);
    Result<Credentials> note(Result<Keys> asked) AKIDB_EXCLUDES(mutex_);
    Result<Keys> ask();
    Result<Keys> ask_container(Questions& questions, const std::string& url);
    Result<Keys> ask_instance(Questions& questions);
    static Result<Keys> keys_in(std::string answer, const std::string& url);
    std::string variable(const char* name) const;

    const std::map<std::string, std::string> environment_;
    const io::Clock& clock_;
    Logger* const logger_;
    const InstanceTimes times_;
    Mutex mutex_;
    CondVar answered_;
    std::optional<Keys> keys_ AKIDB_GUARDED_BY(mutex_);
    std::optional<Error> error_ AKIDB_GUARDED_BY(mutex_);  // of the last asking
    uint64_t not_before_us_ AKIDB_GUARDED_BY(mutex_) = 0;  // is the next
    bool is_asking_ AKIDB_GUARDED_BY(mutex_) = false;
};

}  // namespace akidb::objects
