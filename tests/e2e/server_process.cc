#include "server_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace akidb::e2e {
namespace {

const char* akidb_binary() {
    const char* given = std::getenv("AKIDB_TESTED_BINARY");
    return given != nullptr ? given : AKIDB_BINARY;
}

constexpr uint32_t kPollMs = 2;

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

std::vector<std::string> environment_for_child(const Environment& added) {
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        if (!std::string_view(*variable).starts_with("AKIDB_")) {
            variables.emplace_back(*variable);
        }
    }
    for (const auto& [name, value] : added) {
        variables.push_back(name + "=" + value);
    }
    return variables;
}

std::vector<char*> pointers_of(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

struct Child {
    pid_t pid = -1;
    int process = -1;
};

// Signals are unblocked and at their defaults in the child, whatever the test runner does with them.
Result<Child> spawn(const std::vector<std::string>& arguments, const Environment& environment, int out,
                    const std::string& err_path) {
    std::vector<std::string> words{akidb_binary()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables = environment_for_child(environment);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err_path.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    Child child;
    const int fault = posix_spawn(&child.pid, words.front().c_str(), &actions, &attributes,
                                  pointers_of(words).data(), pointers_of(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (fault != 0) {
        return Error(Code::kInternal,
                     std::string("posix_spawn of ") + words.front() + ": " + std::strerror(fault));
    }
    child.process = static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0));
    return child;
}

Result<int> wait_for(const Child& child, uint32_t timeout_ms) {
    pollfd ended{child.process, POLLIN, 0};
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    int found = 0;
    do {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        found = poll(&ended, 1, std::max(0, static_cast<int>(left.count())));
    } while (found < 0 && errno == EINTR);
    if (found == 0) {
        return Error(Code::kDeadlineExceeded, "process " + std::to_string(child.pid) + " still runs after " +
                                                  std::to_string(timeout_ms) + " ms");
    }
    int status = 0;
    waitpid(child.pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void kill_and_reap(const Child& child) {
    ::kill(child.pid, SIGKILL);
    waitpid(child.pid, nullptr, 0);
}

/// Spawns, lets `wait` wait for the end, and collects what was written.
Result<Finished> run(const std::vector<std::string>& arguments, const Environment& environment,
                     const std::function<Result<int>(const Child&)>& wait) {
    const TemporaryDirectory files;
    const std::string out_path = files.path() + "/out";
    const std::string err_path = files.path() + "/err";
    const int out = ::open(out_path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    Result<Child> child = spawn(arguments, environment, out, err_path);
    ::close(out);
    AKIDB_TRY(const Child running, std::move(child));
    Result<int> exit_code = wait(running);
    if (!exit_code) {
        kill_and_reap(running);
    }
    ::close(running.process);
    AKIDB_TRY(const int code, std::move(exit_code));
    return Finished{code, read_file(out_path), read_file(err_path)};
}

}  // namespace

Sanitizer sanitizer() {
    const char* given = std::getenv("AKIDB_TESTED_SANITIZER");
    const std::string_view name = given != nullptr ? given : "";
    return name == "address" ? Sanitizer::kAddress : name == "thread" ? Sanitizer::kThread : Sanitizer::kNone;
}

TemporaryDirectory::TemporaryDirectory() {
    std::string path = (std::filesystem::temp_directory_path() / "akidb-e2e-XXXXXX").string();
    AKIDB_ASSERT(mkdtemp(path.data()) != nullptr);
    path_ = path;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Result<Finished> run_akidb(const std::vector<std::string>& arguments, const Environment& environment,
                           uint32_t timeout_ms) {
    return run(arguments, environment,
               [timeout_ms](const Child& running) { return wait_for(running, timeout_ms); });
}

Result<Finished> run_akidb_until(const std::vector<std::string>& arguments,
                                 const std::function<bool()>& condition, uint32_t timeout_ms) {
    return run(arguments, {}, [&](const Child& running) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
        Result<int> code = wait_for(running, kPollMs);
        bool is_killed = false;
        while (!code && std::chrono::steady_clock::now() < end) {
            if (!is_killed && condition()) {
                ::kill(running.pid, SIGKILL);
                is_killed = true;
            }
            code = wait_for(running, kPollMs);
        }
        return code;
    });
}

Result<std::unique_ptr<ServerProcess>> ServerProcess::start(const ServerOptions& options) {
    std::vector<std::string> arguments{"serve", "--data", options.data_directory};
    for (const char* port : {"--server.rest_port", "--server.grpc_port", "--metrics.port"}) {
        const bool is_given =
            std::find(options.flags.begin(), options.flags.end(), port) != options.flags.end();
        if (options.takes_free_ports && !is_given) {
            arguments.insert(arguments.end(), {port, "0"});
        }
    }
    arguments.insert(arguments.end(), options.flags.begin(), options.flags.end());
    std::unique_ptr<ServerProcess> server(new ServerProcess());
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return Error(Code::kInternal, std::string("pipe2: ") + std::strerror(errno));
    }
    Result<Child> child = spawn(arguments, options.environment, ends[1], server->files_.path() + "/err");
    ::close(ends[1]);
    server->out_ = ends[0];
    server->ca_file_ = options.ca_file;
    AKIDB_TRY(const Child running, std::move(child));
    server->pid_ = running.pid;
    server->process_ = running.process;
    AKIDB_TRY(server->first_line_, server->read_line_with("akidb listening:", options.start_timeout_ms));
    return server;
}

ServerProcess::~ServerProcess() {
    kill_now();
    for (const int descriptor : {process_, out_}) {
        if (descriptor >= 0) {
            ::close(descriptor);
        }
    }
}

Result<std::string> ServerProcess::read_line_with(std::string_view beginning, uint32_t timeout_ms) {
    std::string line;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (true) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        pollfd readable{out_, POLLIN, 0};
        const int found = poll(&readable, 1, std::max(0, static_cast<int>(left.count())));
        if (found < 0 && errno == EINTR) {
            continue;
        }
        if (found == 0) {
            return Error(Code::kDeadlineExceeded,
                         "no line '" + std::string(beginning) + "' in time; standard error:\n" + log());
        }
        char letter = 0;
        if (::read(out_, &letter, 1) != 1) {
            AKIDB_TRY(const int code, wait_for_exit(10'000));
            return Error(Code::kUnavailable, "the server ended with " + std::to_string(code) + ":\n" + log());
        }
        if (letter != '\n') {
            line += letter;
        } else if (line.starts_with(beginning)) {
            return line;
        } else {
            line.clear();
        }
    }
}

Result<void> ServerProcess::wait_until_told_ready(uint32_t timeout_ms) {
    AKIDB_TRY(read_line_with("akidb ready to answer", timeout_ms));
    return {};
}

std::string ServerProcess::value_in_first_line(std::string_view key) const {
    const std::string marker = " " + std::string(key) + "=";
    const size_t at = first_line_.find(marker);
    if (at == std::string::npos) {
        return {};
    }
    const size_t begin = at + marker.size();
    return first_line_.substr(begin, first_line_.find(' ', begin) - begin);
}

std::string ServerProcess::rest_url() const {
    return value_in_first_line("rest");
}
std::string ServerProcess::metrics_url() const {
    return value_in_first_line("metrics");
}
std::string ServerProcess::grpc_address() const {
    return value_in_first_line("grpc");
}

Result<void> ServerProcess::wait_until_ready(uint32_t timeout_ms) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    std::string last = "no answer";
    while (std::chrono::steady_clock::now() < end) {
        Result<io::HttpReply> reply = request("GET", "/ready");
        if (reply && reply->status == 200) {
            return {};
        }
        last = reply ? reply->body : reply.error().message();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return Error(Code::kDeadlineExceeded, "/ready: " + last + "\n" + log());
}

Result<io::HttpReply> ServerProcess::request(std::string_view method, std::string_view path,
                                             std::string_view body) const {
    io::HttpRequest request;
    request.method = method;
    request.url = rest_url() + std::string(path);
    request.body = body;
    if (!body.empty()) {
        request.headers.emplace_back("Content-Type", "application/json");
    }
    return io::make_curl_http_client(ca_file_)->send(request);
}

void ServerProcess::send_signal(int signal) const {
    if (pid_ > 0 && is_running()) {
        ::kill(pid_, signal);
    }
}

Result<int> ServerProcess::wait_for_exit(uint32_t timeout_ms) {
    if (is_running()) {
        AKIDB_TRY(exit_code_, wait_for(Child{pid_, process_}, timeout_ms));
    }
    return exit_code_;
}

void ServerProcess::kill_now() {
    if (pid_ > 0 && is_running()) {
        kill_and_reap(Child{pid_, process_});
        exit_code_ = 128 + SIGKILL;
    }
}

std::string ServerProcess::log() const {
    return read_file(files_.path() + "/err");
}

}  // namespace akidb::e2e
