// EchoServer: the floor under every server here: reads a whole request, looks for nothing but its end, and
// answers with fixed bytes. Threads and sockets as a server of two io threads would have them, each with an
// epoll loop of its own and blocking when idle. What a real server takes beyond this is its own doing; what
// this takes is the kernel's and the client's. Throws std::runtime_error when it cannot listen. The
// destructor ends the threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace akidb::bench {

class EchoServer {
  public:
    EchoServer(size_t threads, std::string answer);
    ~EchoServer();
    uint16_t port() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace akidb::bench
