#include "rest/http_connection.h"

#include "rest/http_connection_impl.h"

namespace akidb::rest {

void start_connection(Loop& loop, tcp::socket socket, ConnectionBook::Seat seat) {
    start(loop, std::move(socket), std::move(seat));
}

}  // namespace akidb::rest
