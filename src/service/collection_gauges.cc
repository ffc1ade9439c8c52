#include "service/collection_gauges.h"

#include <utility>

namespace akidb::service {

engine::MemoryUse CollectionGauges::set(const EntryMap& map, size_t quarantined,
                                        telemetry::Metrics& metrics) {
    using telemetry::MetricId;
    constexpr size_t kCollectionsWithSeries = 200;
    MutexLock lock(mutex_);
    std::set<std::string> now;
    std::set<RecallLabels> probed_now;
    engine::MemoryUse memory;
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
        memory += stats.memory;
        if (now.size() < kCollectionsWithSeries) {
            // Two tenants may have collections of one name; whose they are no metric tells.
            const std::string& name =
                *now.insert(entry->tenant == Uuid{} ? entry->spec.name : entry->spec.id.to_string()).first;
            metrics.gauge(MetricId::kHeadRows, {name}).set(static_cast<double>(stats.head_rows));
            metrics.gauge(MetricId::kLinkedRows, {name}).set(static_cast<double>(stats.linked_rows));
            metrics.gauge(MetricId::kDeadRows, {name}).set(static_cast<double>(stats.rows - stats.documents));
            metrics.gauge(MetricId::kLogBytes, {name}).set(static_cast<double>(stats.log_bytes));
            for (const engine::RecallState& recall : stats.recall) {
                const std::string_view filter = engine::name_of(recall.filter);
                metrics.gauge(MetricId::kSearchRecall, {name, filter}).set(recall.ratio);
                probed_now.emplace(name, filter);
            }
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
    for (const RecallLabels& labels : probed_) {
        if (!probed_now.contains(labels)) {
            metrics.remove(MetricId::kSearchRecall, {labels.first, labels.second});
        }
    }
    gauged_ = std::move(now);
    probed_ = std::move(probed_now);
    metrics.gauge(MetricId::kLogsBytes).set(static_cast<double>(log_bytes));
    metrics.gauge(MetricId::kCollections).set(static_cast<double>(entries.size()));
    metrics.gauge(MetricId::kCollectionsQuarantined).set(static_cast<double>(quarantined));
    metrics.gauge(MetricId::kCollectionsPoisoned).set(static_cast<double>(poisoned));
    return memory;
}

}  // namespace akidb::service
