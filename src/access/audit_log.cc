#include "access/audit_log.h"

#include <algorithm>
#include <utility>

#include "access/audit_log_impl.h"

namespace akidb::access {

AuditEntry AuditLog::Impl::own_entry(std::string_view action, std::string resource, std::string reason) {
    return {.actor = "akidb",
            .action = std::string(action),
            .resource = std::move(resource),
            .reason = std::move(reason)};
}

AuditLog::Impl::Group AuditLog::Impl::take_group() {
    busy = true;
    Group group{.waiting = std::exchange(queue, {}), .notes = std::exchange(notes, {})};
    if (omitted > 0) {
        group.notes.push_back(own_entry(kAuditOmit, std::to_string(std::exchange(omitted, 0)) + " denials",
                                        "more came than are written"));
    }
    group.sign = clock.monotonic_us() - signed_us >= options.checkpoint_ms * 1000;
    return group;
}

Result<void> AuditLog::Impl::write(Group& group, std::vector<std::string>& checkpoints) {
    if (group.waiting.empty() && group.notes.empty() && !(group.sign && last > signed_through)) {
        return {};
    }
    constexpr uint64_t kEntryBytesMax = 4096;
    AKIDB_TRY(ready_file((group.waiting.size() + group.notes.size()) * kEntryBytesMax));
    std::string text;
    Sha256 new_hash = hash;
    uint64_t sequence = last;
    uint64_t covered = signed_through;
    const uint64_t now_ms = clock.unix_ms();
    const auto sign = [&] {
        checkpoints.push_back(encode_audit_checkpoint(
            {.log = log, .sequence = sequence, .unix_ms = now_ms, .hash = new_hash}, key));
        text.append(checkpoints.back()).append("\n");
        covered = sequence;
    };
    const auto put = [&](AuditEntry& entry) {
        entry.sequence = ++sequence;
        entry.unix_ms = now_ms;
        text.append(encode_audit_entry(entry, new_hash)).append("\n");
        if (sequence - covered == kAuditEntriesPerCheckpoint) {
            sign();
        }
    };
    std::for_each(group.notes.begin(), group.notes.end(), put);
    std::for_each(group.waiting.begin(), group.waiting.end(), [&](Waiting* waiting) { put(waiting->entry); });
    if (group.sign && sequence > covered) {
        sign();
    }
    Result<void> written = active->append(text);
    if (written) {
        written = active->sync();
    }
    if (!written) {
        must_seal = true;
        return written;
    }
    last = sequence;
    hash = new_hash;
    signed_through = covered;
    acknowledged += text.size();
    return {};
}

Result<void> AuditLog::Impl::run(Group group) {
    std::vector<std::string> checkpoints;
    Result<void> written = write(group, checkpoints);
    if (!written) {
        checkpoints.clear();
    }
    if (!checkpoints.empty() || group.sign) {
        signed_us = clock.monotonic_us();
    }
    if (options.on_checkpoint) {
        std::for_each(checkpoints.begin(), checkpoints.end(), options.on_checkpoint);
    }
    MutexLock lock(mutex);
    for (Waiting* waiting : group.waiting) {
        waiting->outcome =
            written ? Result<uint64_t>(waiting->entry.sequence) : Result<uint64_t>(written.error());
    }
    if (written) {
        last_file_bytes = active ? acknowledged : last_file_bytes;
        figures.entries = last;
        figures.checkpoint_unix_ms = checkpoints.empty() ? figures.checkpoint_unix_ms : clock.unix_ms();
    } else {
        ++figures.failures;
        omitted += group.notes.size();
    }
    figures.files = on_disk.size();
    busy = false;
    changed.notify_all();
    return written;
}

AuditLog::AuditLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

AuditLog::~AuditLog() = default;

Result<std::unique_ptr<AuditLog>> AuditLog::open(io::FileSystem& files, const io::Clock& clock,
                                                 io::Random& random, std::string directory,
                                                 const AuditKey& key, AuditOptions options) {
    require_sodium();
    auto impl = std::make_unique<Impl>(files, clock, std::move(directory), key, std::move(options));
    AKIDB_TRY(impl->recover(random));
    return std::unique_ptr<AuditLog>(new AuditLog(std::move(impl)));
}

Result<uint64_t> AuditLog::append(AuditEntry entry) {
    Impl& impl = *impl_;
    Impl::Waiting mine{std::move(entry), std::nullopt};
    {
        MutexLock lock(impl.mutex);
        if (impl.closed) {
            return Error(Code::kUnavailable, "the audit log is closed: the server is stopping");
        }
        impl.queue.push_back(&mine);
    }
    while (true) {
        Impl::Group group;
        {
            MutexLock lock(impl.mutex);
            while (impl.busy && !mine.outcome) {
                impl.changed.wait(impl.mutex);
            }
            if (mine.outcome) {
                return std::move(*mine.outcome);
            }
            group = impl.take_group();
        }
        // Its error, if any, is in `mine` too.
        static_cast<void>(impl.run(std::move(group)).has_value());
    }
}

void AuditLog::note(AuditEntry entry) {
    Impl& impl = *impl_;
    MutexLock lock(impl.mutex);
    const uint64_t second = impl.clock.monotonic_us() / 1'000'000;
    if (second != impl.notes_second) {
        impl.notes_second = second;
        impl.notes_in_second = 0;
    }
    // Without ticks, what waits is bounded by the second condition.
    if (impl.notes_in_second >= impl.options.notes_per_second ||
        impl.notes.size() >= kAuditEntriesPerCheckpoint || impl.closed) {
        ++impl.omitted;
        ++impl.figures.omitted;
        return;
    }
    ++impl.notes_in_second;
    impl.notes.push_back(std::move(entry));
}

Result<void> AuditLog::tick() {
    Impl& impl = *impl_;
    Impl::Group group;
    {
        MutexLock lock(impl.mutex);
        while (impl.busy) {
            impl.changed.wait(impl.mutex);
        }
        if (impl.closed) {
            return {};
        }
        group = impl.take_group();
    }
    AKIDB_TRY(impl.run(std::move(group)));
    return impl.expire();
}

Result<void> AuditLog::close() {
    Impl& impl = *impl_;
    Impl::Group group;
    {
        MutexLock lock(impl.mutex);
        impl.closed = true;
        while (impl.busy) {
            impl.changed.wait(impl.mutex);
        }
        group = impl.take_group();
        group.sign = true;
    }
    return impl.run(std::move(group));
}

AuditFigures AuditLog::figures() const {
    MutexLock lock(impl_->mutex);
    return impl_->figures;
}

}  // namespace akidb::access
