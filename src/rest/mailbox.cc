#include <boost/asio/post.hpp>

#include "rest/http_connection.h"

namespace akidb::rest {

void Mailbox::put(const std::shared_ptr<Mailbox>& box, HttpResponse response) {
    MutexLock lock(box->mutex_);
    if (box->response_.has_value()) {
        return;
    }
    box->response_ = std::move(response);
    if (box->waiting_ && box->context_ != nullptr) {
        boost::asio::post(*box->context_, [box] { box->ring(); });
    }
}

bool Mailbox::ready_or_wait() {
    MutexLock lock(mutex_);
    waiting_ = !response_.has_value();
    return !waiting_;
}

HttpResponse Mailbox::collect() {
    MutexLock lock(mutex_);
    return response_.has_value() ? std::move(*response_) : HttpResponse{};
}

void Mailbox::close() {
    MutexLock lock(mutex_);
    context_ = nullptr;
    wake_ = nullptr;
}

void Mailbox::ring() {
    MutexLock lock(mutex_);
    if (wake_ != nullptr) {
        wake_->cancel();
    }
}

}  // namespace akidb::rest
