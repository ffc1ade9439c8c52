// MetadataIndex: typed indexes on declared metadata fields of one collection, over row ordinals. A field is a
// list of immutable blocks of rows, none across a chunk of 65,536; each knows, sorted, which rows hold which
// value (metadata_column.h). Rows come in order: the builder makes a block of the newest ones, which swallows
// its elders while they are not larger, so that a row is indexed about log2(n) times and a chunk holds few
// blocks. Each field says how far it reaches (`indexed`); rows beyond it are for the caller to look at
// themselves.
//
// Nothing is stored: the index is made anew from the rows after a restart, in the background, and used as far
// as it reaches. Texts in it are views into the metadata given, which must outlive the index.
//
// declare() and view() are thread-safe; one builder at a time calls advance(). A view is immutable; readers
// copy a pointer and wait for nobody.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/mutex.h"
#include "base/published.h"
#include "index/metadata_column.h"
#include "model/metadata_field.h"

namespace akidb::index {

/// The encoded metadata of a row.
using ReadMetadata = FunctionRef<std::string_view(uint32_t row)>;

/// What a field index covers, and how it compares.
enum class ValueClass : uint8_t { kText, kNumber, kBool, kMoment };
ValueClass class_of(model::MetadataIndexType type);
/// The value as numbers, booleans and moments are ordered; nothing when it is not of that class.
std::optional<NumberKey> number_key_of(model::MetadataView value, ValueClass wanted);

struct MetadataBlock {
    uint32_t begin = 0;
    uint32_t end = 0;
    Column<NumberKey> numbers;  // also booleans (0, 1) and moments
    Column<std::string_view> texts;
    std::vector<uint16_t> others;  // rows with a value (no null, no object) that is not of the field's class
    bool holds_one_each = true;    // no row has two values in the column

    size_t entries() const { return numbers.size() + texts.size(); }
};

struct IndexedField {
    model::MetadataField declared;
    uint32_t indexed = 0;  // rows [0, indexed) are in the blocks
    std::vector<std::shared_ptr<const MetadataBlock>> blocks;
    uint64_t bytes = 0;

    /// Whether it lacks so many of the first `rows` rows that a block more is worth making.
    bool is_behind(uint32_t rows) const;
};

struct MetadataIndexView {
    std::vector<std::shared_ptr<const IndexedField>> fields;

    const IndexedField* find(std::string_view key) const;
};

class MetadataIndex {
  public:
    MetadataIndex();

    std::shared_ptr<const MetadataIndexView> view() const { return view_.load(); }
    /// Fields that are declared already keep what is built of them.
    void declare(const std::vector<model::MetadataField>& fields) AKIDB_EXCLUDES(mutex_);
    /// Whether a field is.
    bool is_behind(uint32_t rows) const;
    /// The builder: one block more for the field that is furthest behind; bounded work (about 20 ms).
    void advance(uint32_t rows, ReadMetadata metadata) AKIDB_EXCLUDES(mutex_);

  private:
    /// Nothing when the field was dropped meanwhile.
    void replace(const IndexedField* old, std::shared_ptr<const IndexedField> next_field)
        AKIDB_EXCLUDES(mutex_);

    Mutex mutex_;  // of those who replace the view
    Published<MetadataIndexView> view_;
};

}  // namespace akidb::index
