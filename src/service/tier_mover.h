// Tiers::Move: the right to move one collection, which one thread at a time has; given back when it goes.
// Only while it is held do local files of a collection that is asleep come or go. Tiers::UploadTurn: the
// right to send to the store and to remove there, of which there is one.
#pragma once

#include "service/tiers.h"

namespace akidb::service {

class Tiers::Move {
  public:
    enum class Turn : uint8_t { kTry, kWait };
    /// kWait: until another gives it back, or the server stops.
    Move(Tiers& tiers, const Uuid& id, Turn turn) : tiers_(tiers), id_(id) {
        MutexLock lock(tiers_.mutex_);
        while (turn == Turn::kWait && tiers_.collections_[id_].is_moving && !tiers_.is_stopping_) {
            tiers_.changed_.wait(tiers_.mutex_);
        }
        Collection& collection = tiers_.collections_[id_];
        collection.row.collection = id_;
        is_held_ = !collection.is_moving && !tiers_.is_stopping_;
        collection.is_moving = collection.is_moving || is_held_;
        tiers_.count_sleepers();
    }
    Move(const Move&) = delete;
    Move& operator=(const Move&) = delete;
    ~Move() {
        if (is_held_) {
            MutexLock lock(tiers_.mutex_);
            tiers_.collections_[id_].is_moving = false;
            tiers_.count_sleepers();
            tiers_.changed_.notify_all();
        }
    }
    bool is_held() const { return is_held_; }

  private:
    Tiers& tiers_;
    const Uuid id_;
    bool is_held_ = false;
};

class Tiers::UploadTurn {
  public:
    explicit UploadTurn(Tiers& tiers) : tiers_(tiers) {
        MutexLock lock(tiers_.mutex_);
        while (tiers_.is_uploading_) {
            tiers_.changed_.wait(tiers_.mutex_);
        }
        tiers_.is_uploading_ = true;
    }
    UploadTurn(const UploadTurn&) = delete;
    UploadTurn& operator=(const UploadTurn&) = delete;
    ~UploadTurn() {
        MutexLock lock(tiers_.mutex_);
        tiers_.is_uploading_ = false;
        tiers_.changed_.notify_all();
    }

  private:
    Tiers& tiers_;
};

}  // namespace akidb::service
