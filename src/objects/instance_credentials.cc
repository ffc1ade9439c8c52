#include "objects/instance_credentials.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "io/http_client.h"
#include "io/private_file.h"

namespace akidb::objects {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kAnswerBytesMax = 64 << 10;
constexpr uint64_t kRenewBeforeMs = 5 * 60 * 1000;
// Between two askings: while there are keys the old ones serve, and without any somebody waits.
constexpr uint64_t kRenewAgainUs = 30'000'000;
constexpr uint64_t kAskAgainUs = 2'000'000;
constexpr size_t kRoleLettersMax = 64;  // of IAM
constexpr size_t kKeyLettersMax = 16 << 10;
constexpr const char* kInstance = "http://169.254.169.254";
constexpr const char* kContainer = "http://169.254.170.2";
constexpr const char* kTokenPath = "/latest/api/token";
constexpr const char* kRolePath = "/latest/meta-data/iam/security-credentials/";
// What the questions about one set of keys take; a token is not kept longer.
constexpr const char* kTokenSeconds = "60";
constexpr const char* kAdvice =
    "; attach a role to the machine, or name keys (s3.credentials_file, or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY)";

bool has_only(std::string_view text, std::string_view more) {
    return std::all_of(text.begin(), text.end(), [&](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || more.find(letter) != std::string_view::npos;
    });
}

/// Fit for a header.
bool is_visible_text(std::string_view text) {
    return !text.empty() && text.size() <= kKeyLettersMax &&
           std::all_of(text.begin(), text.end(), [](char letter) { return letter > ' ' && letter < 0x7f; });
}

/// Of this machine, link-local, or one of the two that AWS has beside those.
bool is_near(std::string_view host) {
    constexpr std::array<std::string_view, 3> kHosts{"[::1]", "[fd00:ec2::254]", "[fd00:ec2::23]"};
    if (host.starts_with("[fe80:") && host.ends_with(']')) {
        return has_only(host.substr(1, host.size() - 2), ":");
    }
    const bool is_ip4 = std::all_of(host.begin(), host.end(), [](char letter) {
        return (letter >= '0' && letter <= '9') || letter == '.';
    });
    return (is_ip4 && (host.starts_with("127.") || host.starts_with("169.254."))) ||
           std::find(kHosts.begin(), kHosts.end(), host) != kHosts.end();
}

/// The client asks again whom it connects to; this says what is wrong before anything is sent.
Result<std::string> checked_url(const char* variable, const std::string& url) {
    constexpr std::string_view kScheme = "http://";
    const std::string_view rest = std::string_view(url).substr(std::min(kScheme.size(), url.size()));
    const std::string_view authority = rest.substr(0, rest.find('/'));
    const size_t bracket = authority.find(']');
    const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    const std::string_view port =
        colon == std::string_view::npos ? std::string_view() : authority.substr(colon + 1);
    const bool has_port =
        colon == std::string_view::npos ||
        (!port.empty() && port.size() <= 5 &&
         std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; }));
    if (!url.starts_with(kScheme) || !has_port || !is_near(authority.substr(0, colon)) ||
        !is_visible_text(url)) {
        return invalid_argument(
            variable, "'" + printable(url) + "' is not where a machine has its keys",
            "http:// and an address of 127.0.0.0/8, 169.254.0.0/16, [::1] or [fe80::/10]");
    }
    return url;
}

/// "2026-01-31T11:59:59Z", with or without parts of a second; milliseconds since 1970.
std::optional<uint64_t> moment_of(std::string_view text) {
    constexpr std::string_view kForm = "0000-00-00T00:00:00";
    if (text.size() <= kForm.size() || !text.ends_with('Z')) {
        return std::nullopt;
    }
    for (size_t i = 0; i < kForm.size(); ++i) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (kForm[i] == '0' ? !is_digit : text[i] != kForm[i]) {
            return std::nullopt;
        }
    }
    const auto number = [&](size_t at, size_t count) {
        unsigned value = 0;
        for (size_t i = at; i < at + count; ++i) {
            value = value * 10 + static_cast<unsigned>(text[i] - '0');
        }
        return value;
    };
    namespace chrono = std::chrono;
    const chrono::year_month_day day(chrono::year(static_cast<int>(number(0, 4))),
                                     chrono::month(number(5, 2)), chrono::day(number(8, 2)));
    if (!day.ok() || day.year() < chrono::year(1970) || number(11, 2) > 23 || number(14, 2) > 59 ||
        number(17, 2) > 60) {
        return std::nullopt;
    }
    const chrono::seconds since = chrono::sys_days(day).time_since_epoch() + chrono::hours(number(11, 2)) +
                                  chrono::minutes(number(14, 2)) + chrono::seconds(number(17, 2));
    return static_cast<uint64_t>(since.count()) * 1000;
}

std::string text_in(const Json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string first_line(std::string_view text) {
    std::string line(text.substr(0, text.find_first_of("\r\n")));
    while (line.ends_with(' ')) {
        line.pop_back();
    }
    return line;
}

Error no_keys(const std::string& why) {
    return Error(Code::kUnauthenticated, "no credentials of this machine: " + why + kAdvice);
}

}  // namespace

/// The questions about one set of keys: by one client, within one time.
class InstanceCredentials::Questions {
  public:
    Questions(const io::Clock& clock, InstanceTimes times)
        : clock_(clock), times_(times), began_us_(clock.monotonic_us()) {}

    /// The body of a 200.
    Result<std::string> ask(const char* method, const std::string& url, const TextPairs& headers) {
        const uint64_t passed_ms = (clock_.monotonic_us() - began_us_) / 1000;
        const std::string what = std::string(method) + " " + url;
        if (passed_ms >= times_.whole_ms) {
            return Error(Code::kDeadlineExceeded, "credentials of this machine: no time is left for " + what);
        }
        const auto left_ms = static_cast<uint32_t>(times_.whole_ms - passed_ms);
        io::HttpRequest request{.method = method,
                                .url = url,
                                .body = {},
                                .headers = headers,
                                .timeout_ms = left_ms,
                                .connect_timeout_ms = std::min(times_.connect_ms, left_ms),
                                .reply_bytes_max = kAnswerBytesMax};
        Result<io::HttpReply> reply = client_->send(request);
        if (!reply) {
            return std::move(reply).error().with_context(
                "credentials of this machine (from within a container they may be one hop too far away)");
        }
        if (reply->status == 200) {
            return std::move(reply->body);
        }
        return refusal(reply->status, what + ": HTTP " + std::to_string(reply->status));
    }

  private:
    static Error refusal(int status, const std::string& what) {
        if (status >= 500 || status == 429) {
            return Error(Code::kUnavailable, "credentials of this machine: " + what);
        }
        if (status == 404) {
            return no_keys(what + ": the machine has no role");
        }
        if (status == 401 || status == 403) {
            return no_keys(what + ": its metadata service is turned off, or gives nothing to this process");
        }
        return no_keys(what + (status >= 300 && status < 400 ? ": redirects are not followed" : ""));
    }

    const std::unique_ptr<io::HttpClient> client_ = io::make_curl_http_client({.only_near = true});
    const io::Clock& clock_;
    const InstanceTimes times_;
    const uint64_t began_us_;
};

InstanceCredentials::InstanceCredentials(std::map<std::string, std::string> environment,
                                         const io::Clock& clock, Logger* logger, InstanceTimes times)
    : environment_(std::move(environment)), clock_(clock), logger_(logger), times_(times) {}

std::string InstanceCredentials::variable(const char* name) const {
    const auto found = environment_.find(name);
    return found == environment_.end() ? std::string() : found->second;
}

Result<Credentials> InstanceCredentials::get() {
    if (std::optional<Result<Credentials>> known = known_or_turn()) {
        return std::move(*known);
    }
    return note(ask());
}

/// None: it is the caller's turn to ask, and he has to note what came of it.
std::optional<Result<Credentials>> InstanceCredentials::known_or_turn() {
    MutexLock lock(mutex_);
    while (true) {
        const uint64_t now_ms = clock_.unix_ms();
        const bool may_ask = !is_asking_ && clock_.monotonic_us() >= not_before_us_;
        if (keys_ && now_ms < keys_->end_ms) {
            if (now_ms + kRenewBeforeMs < keys_->end_ms || !may_ask) {
                return Result<Credentials>(keys_->credentials);
            }
            break;
        }
        if (may_ask) {
            break;
        }
        if (!is_asking_ && error_) {
            return Result<Credentials>(*error_);
        }
        if (!is_asking_) {
            break;  // the keys ended while there was no need for new ones
        }
        answered_.wait(mutex_);
    }
    is_asking_ = true;
    return std::nullopt;
}

Result<Credentials> InstanceCredentials::note(Result<Keys> asked) {
    const uint64_t now_ms = clock_.unix_ms();
    if (asked && asked->end_ms <= now_ms) {
        asked =
            Error(Code::kUnavailable,
                  "credentials of this machine: those that it gave have ended already; is its clock right?");
    }
    std::optional<Error> failed;
    Result<Credentials> outcome = Error(Code::kInternal, "not asked");
    {
        MutexLock lock(mutex_);
        is_asking_ = false;
        error_ = asked ? std::nullopt : std::optional(asked.error());
        if (asked) {
            keys_ = std::move(*asked);
        }
        const bool has_keys = keys_ && now_ms < keys_->end_ms;
        not_before_us_ = clock_.monotonic_us() + (has_keys ? kRenewAgainUs : kAskAgainUs);
        if (has_keys) {
            failed = error_;
            outcome = keys_->credentials;
        } else {
            keys_.reset();
            outcome = *error_;
        }
        answered_.notify_all();
    }
    if (failed && logger_ != nullptr) {
        logger_->log(LogLevel::kWarning,
                     "credentials of this machine were not renewed; the old serve until they end",
                     {{"error", failed->message()}});
    }
    return outcome;
}

Result<InstanceCredentials::Keys> InstanceCredentials::ask() {
    Questions questions(clock_, times_);
    if (const std::string path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !path.empty()) {
        if (!path.starts_with('/') || !is_visible_text(path)) {
            return invalid_argument("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "is no path",
                                    "begins with '/'");
        }
        return ask_container(questions, kContainer + path);
    }
    if (const std::string url = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"); !url.empty()) {
        AKIDB_TRY(const std::string checked, checked_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", url));
        return ask_container(questions, checked);
    }
    return ask_instance(questions);
}

Result<InstanceCredentials::Keys> InstanceCredentials::ask_container(Questions& questions,
                                                                     const std::string& url) {
    std::string token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    // Read each time: whoever wrote it writes it anew.
    if (const std::string file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !file.empty()) {
        AKIDB_TRY(token, io::read_private_file(file, kAnswerBytesMax));
        token = first_line(token);
    }
    TextPairs headers;
    if (!token.empty()) {
        headers.emplace_back("authorization", token);
    }
    AKIDB_TRY(std::string answer, questions.ask("GET", url, headers));
    return keys_in(std::move(answer), url);
}

Result<InstanceCredentials::Keys> InstanceCredentials::ask_instance(Questions& questions) {
    std::string place = kInstance;
    if (const std::string named = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT"); !named.empty()) {
        AKIDB_TRY(place, checked_url("AWS_EC2_METADATA_SERVICE_ENDPOINT", named));
        while (place.ends_with('/')) {
            place.pop_back();
        }
    }
    AKIDB_TRY(
        const std::string token,
        questions.ask("PUT", place + kTokenPath, {{"x-aws-ec2-metadata-token-ttl-seconds", kTokenSeconds}}));
    if (!is_visible_text(token)) {
        return Error(Code::kUnavailable, "credentials of this machine: " + place + kTokenPath +
                                             " answered something else than a token");
    }
    const TextPairs headers{{"x-aws-ec2-metadata-token", token}};
    AKIDB_TRY(const std::string roles, questions.ask("GET", place + kRolePath, headers));
    const std::string role = first_line(roles);
    if (role.empty() || role.size() > kRoleLettersMax || !has_only(role, "+=,.@_-")) {
        return Error(Code::kUnavailable, "credentials of this machine: " + place + kRolePath +
                                             " answered something else than a role");
    }
    const std::string url = place + kRolePath + role;
    AKIDB_TRY(std::string answer, questions.ask("GET", url, headers));
    return keys_in(std::move(answer), url);
}

/// Errors tell nothing of what was answered but its code.
Result<InstanceCredentials::Keys> InstanceCredentials::keys_in(std::string answer, const std::string& url) {
    const Secret text(std::move(answer));
    const Json object = Json::parse(text.reveal(), nullptr, false);
    if (!object.is_object()) {
        return Error(Code::kUnavailable,
                     "credentials of this machine: " + url + " answered something else than keys");
    }
    // The metadata service tells how it went, the agent of a container does not.
    if (const std::string code = text_in(object, "Code"); !code.empty() && code != "Success") {
        return no_keys(url + ": " + printable(code));
    }
    Keys keys{{text_in(object, "AccessKeyId"), Secret(text_in(object, "SecretAccessKey")),
               Secret(text_in(object, "Token"))}};
    const std::optional<uint64_t> end_ms = moment_of(text_in(object, "Expiration"));
    if (!is_visible_text(keys.credentials.access_key) ||
        !is_visible_text(keys.credentials.secret_key.reveal()) ||
        !is_visible_text(keys.credentials.session_token.reveal()) || !end_ms) {
        return Error(Code::kUnavailable,
                     "credentials of this machine: " + url +
                         " answered without AccessKeyId, SecretAccessKey, Token or Expiration");
    }
    keys.end_ms = *end_ms;
    return keys;
}

}  // namespace akidb::objects
