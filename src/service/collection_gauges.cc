#include "service/collection_gauges.h"

#include <utility>

namespace akidb::service {

void CollectionGauges::set(const EntryMap& map, size_t quarantined, telemetry::Metrics& metrics) {
    using telemetry::MetricId;
    constexpr size_t kCollectionsWithSeries = 200;
    MutexLock lock(mutex_);
    std::set<std::string> now;
    size_t poisoned = 0;
    uint64_t log_bytes = 0;
    const auto entries = map.all();
    for (const auto& entry : entries) {
        if (entry->collection == nullptr) {
            continue;
        }
        const engine::CollectionStats stats = entry->collection->stats();
        poisoned += stats.is_poisoned ? 1 : 0;
        log_bytes += stats.log_bytes;
        if (now.size() < kCollectionsWithSeries) {
            // Two tenants may have collections of one name; whose they are no metric tells.
            const std::string& name =
                *now.insert(entry->tenant == Uuid{} ? entry->spec.name : entry->spec.id.to_string()).first;
            metrics.gauge(MetricId::kHeadRows, {name}).set(static_cast<double>(stats.head_rows));
            metrics.gauge(MetricId::kLinkedRows, {name}).set(static_cast<double>(stats.linked_rows));
            metrics.gauge(MetricId::kDeadRows, {name}).set(static_cast<double>(stats.rows - stats.documents));
            metrics.gauge(MetricId::kLogBytes, {name}).set(static_cast<double>(stats.log_bytes));
            if (stats.scrubbed_at_ms > 0) {
                metrics.gauge(MetricId::kScrubLastSuccess, {name})
                    .set(static_cast<double>(stats.scrubbed_at_ms) / 1000);
            }
        }
    }
    for (const std::string& name : gauged_) {
        if (!now.contains(name)) {
            for (const MetricId id : {MetricId::kHeadRows, MetricId::kLinkedRows, MetricId::kDeadRows,
                                      MetricId::kLogBytes, MetricId::kScrubLastSuccess}) {
                metrics.remove(id, {name});
            }
        }
    }
    gauged_ = std::move(now);
    metrics.gauge(MetricId::kLogsBytes).set(static_cast<double>(log_bytes));
    metrics.gauge(MetricId::kCollections).set(static_cast<double>(entries.size()));
    metrics.gauge(MetricId::kCollectionsQuarantined).set(static_cast<double>(quarantined));
    metrics.gauge(MetricId::kCollectionsPoisoned).set(static_cast<double>(poisoned));
}

}  // namespace akidb::service
