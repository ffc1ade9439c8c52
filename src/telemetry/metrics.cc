#include "telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <functional>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "telemetry/label_text.h"

namespace akidb::telemetry {
namespace {

// The budget is 5,000 series per process; what is beyond it is summed as "other" rather than left to grow.
constexpr size_t kMaxLabelSets = 200;
constexpr std::string_view kOverflowValue = "other";
// Gauges have one series each, so those of collections may have a few for each of 200.
constexpr size_t kGaugesPerCollection = 3;

size_t label_sets_max(const MetricRow& row) {
    const bool has_several = row.type == MetricType::kGauge && row.labels.starts_with("collection,");
    return has_several ? kMaxLabelSets * kGaugesPerCollection : kMaxLabelSets;
}

const std::vector<double>& duration_buckets() {
    static const std::vector<double> kBuckets{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                              0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
    return kBuckets;
}
const std::vector<double>& count_buckets() {
    static const std::vector<double> kBuckets{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096};
    return kBuckets;
}

class CounterSeries final : public Counter {
  public:
    using Inner = prometheus::Counter;
    explicit CounterSeries(Inner& inner) : inner_(inner) {}
    void add(double amount) override {
        if (amount >= 0) {  // false for NaN too, which would stick for ever
            inner_.Increment(amount);
        }
    }
    Inner& inner() { return inner_; }

  private:
    Inner& inner_;
};

class GaugeSeries final : public Gauge {
  public:
    using Inner = prometheus::Gauge;
    explicit GaugeSeries(Inner& inner) : inner_(inner) {}
    void set(double value) override { inner_.Set(value); }
    void add(double amount) override { inner_.Increment(amount); }
    Inner& inner() { return inner_; }

  private:
    Inner& inner_;
};

class HistogramSeries final : public Histogram {
  public:
    using Inner = prometheus::Histogram;
    explicit HistogramSeries(Inner& inner) : inner_(inner) {}
    void observe(double value) override {
        if (!std::isnan(value)) {
            inner_.Observe(value);
        }
    }
    Inner& inner() { return inner_; }

  private:
    Inner& inner_;
};

struct KeyHash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
};

using LabelValues = std::initializer_list<std::string_view>;

// Length-prefixed, so that no label value can be mistaken for two.
std::string key_of(LabelValues values) {
    std::string key;
    ByteWriter writer(key);
    for (std::string_view value : values) {
        writer.put_string(value);
    }
    return key;
}

// All series of one metric. The one series of a metric without labels is made with the family, so that it is
// exported as 0 from the start and found without a lock.
template <class Series>
class SeriesOf {
  public:
    using Inner = typename Series::Inner;

    SeriesOf(const MetricRow& row, prometheus::Family<Inner>& family)
        : row_(row), family_(family), names_(split_labels(row.labels)) {
        if (names_.empty()) {
            only_ = std::make_unique<Series>(make_inner(family_, {}));
        }
        // Exported as 0 from the start: the first failure of all would otherwise be no increase to who
        // watches.
        for (const std::string& value : first_values(row.labels)) {
            at({value});
        }
    }

    Series& at(LabelValues values) AKIDB_EXCLUDES(mutex_) {
        AKIDB_ASSERT(values.size() == names_.size());
        if (only_) {
            return *only_;
        }
        std::string key = key_of(values);
        MutexLock lock(mutex_);
        if (auto found = by_key_.find(key); found != by_key_.end()) {
            return *found->second;
        }
        if (by_key_.size() >= label_sets_max(row_)) {
            return overflow();
        }
        prometheus::Labels labels;
        for (size_t i = 0; i < names_.size(); ++i) {
            labels.emplace(names_[i], label_text(values.begin()[i]));
        }
        // Two keys whose bytes differ can read the same once made printable; the library hands both the same
        // series.
        auto made = std::make_unique<Series>(make_inner(family_, labels));
        return *by_key_.emplace(std::move(key), std::move(made)).first->second;
    }

    void remove(LabelValues values) AKIDB_EXCLUDES(mutex_) {
        AKIDB_ASSERT(!only_ && values.size() == names_.size());
        MutexLock lock(mutex_);
        auto found = by_key_.find(key_of(values));
        if (found == by_key_.end()) {
            return;
        }
        Inner* inner = &found->second->inner();
        by_key_.erase(found);
        for (const auto& [key, other] : by_key_) {
            if (&other->inner() == inner) {
                return;
            }
        }
        family_.Remove(inner);
    }

  private:
    Inner& make_inner(prometheus::Family<Inner>& family, const prometheus::Labels& labels) {
        if constexpr (std::is_same_v<Inner, prometheus::Histogram>) {
            return family.Add(labels, row_.name.ends_with("_seconds") ? duration_buckets() : count_buckets());
        } else {
            return family.Add(labels);
        }
    }

    Series& overflow() AKIDB_REQUIRES(mutex_) {
        if (overflow_) {
            return *overflow_;
        }
        if constexpr (std::is_same_v<Inner, prometheus::Gauge>) {
            // One gauge set by many would show the value of the last; better none.
            overflow_ = std::make_unique<Series>(unexported_);
        } else {
            prometheus::Labels labels;
            for (const std::string& name : names_) {
                labels.emplace(name, kOverflowValue);
            }
            overflow_ = std::make_unique<Series>(make_inner(family_, labels));
        }
        return *overflow_;
    }

    const MetricRow& row_;
    prometheus::Family<Inner>& family_;
    const std::vector<std::string> names_;
    std::unique_ptr<Series> only_;
    Mutex mutex_;
    std::unordered_map<std::string, std::unique_ptr<Series>, KeyHash, std::equal_to<>> by_key_
        AKIDB_GUARDED_BY(mutex_);
    std::unique_ptr<Series> overflow_ AKIDB_GUARDED_BY(mutex_);
    prometheus::Gauge unexported_;  // where gauges beyond the limit go
};

}  // namespace

struct Metrics::Impl {
    prometheus::Registry registry;
    // By MetricId; each metric is in the vector of its type and null in the others.
    std::vector<std::unique_ptr<SeriesOf<CounterSeries>>> counters;
    std::vector<std::unique_ptr<SeriesOf<GaugeSeries>>> gauges;
    std::vector<std::unique_ptr<SeriesOf<HistogramSeries>>> histograms;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
    for (const MetricRow& row : metric_table()) {
        const std::string name(row.name);
        const std::string help(row.help);
        auto family = [&](auto builder) -> auto& {
            return builder.Name(name).Help(help).Register(impl_->registry);
        };
        auto& counter = impl_->counters.emplace_back();
        auto& gauge = impl_->gauges.emplace_back();
        auto& histogram = impl_->histograms.emplace_back();
        switch (row.type) {
            case MetricType::kCounter:
                counter = std::make_unique<SeriesOf<CounterSeries>>(row, family(prometheus::BuildCounter()));
                break;
            case MetricType::kGauge:
                gauge = std::make_unique<SeriesOf<GaugeSeries>>(row, family(prometheus::BuildGauge()));
                break;
            case MetricType::kHistogram:
                histogram =
                    std::make_unique<SeriesOf<HistogramSeries>>(row, family(prometheus::BuildHistogram()));
                break;
        }
    }
}

Metrics::~Metrics() = default;

Counter& Metrics::counter(MetricId id, LabelValues label_values) {
    const auto& series = impl_->counters.at(static_cast<size_t>(id));
    AKIDB_ASSERT(series);
    return series->at(label_values);
}

Gauge& Metrics::gauge(MetricId id, LabelValues label_values) {
    const auto& series = impl_->gauges.at(static_cast<size_t>(id));
    AKIDB_ASSERT(series);
    return series->at(label_values);
}

Histogram& Metrics::histogram(MetricId id, LabelValues label_values) {
    const auto& series = impl_->histograms.at(static_cast<size_t>(id));
    AKIDB_ASSERT(series);
    return series->at(label_values);
}

void Metrics::remove(MetricId id, LabelValues label_values) {
    const auto index = static_cast<size_t>(id);
    if (const auto& counters = impl_->counters.at(index)) {
        counters->remove(label_values);
    } else if (const auto& gauges = impl_->gauges.at(index)) {
        gauges->remove(label_values);
    } else {
        impl_->histograms.at(index)->remove(label_values);
    }
}

std::string Metrics::expose() const {
    return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace akidb::telemetry
