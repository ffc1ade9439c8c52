// Every limit on what a client may send, in one place. Docs and validation messages print these; each has a
// boundary test at n-1, n, n+1. Limits an operator may move are in the settings table instead and start from
// these values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace akidb::model {

inline constexpr uint32_t kDimensionMin = 16;
inline constexpr uint32_t kDimensionMax = 4096;
inline constexpr size_t kCollectionNameBytesMax = 128;
/// Beside the one without a name; a byte in the files tells which of them a document lacks.
inline constexpr size_t kNamedVectorsMax = 8;
inline constexpr size_t kVectorNameBytesMax = 128;
inline constexpr size_t kDocumentIdBytesMax = 255;
inline constexpr size_t kBatchDocumentsMax = 10'000;
inline constexpr size_t kMetadataBytesMax = 1 << 20;
inline constexpr uint32_t kMetadataDepthMax = 32;
/// The kernels sum in 32-bit floats: up to this, |a-b|² ≤ 4·max and its parts stay finite for any two
/// vectors.
inline constexpr double kSquaredNormMax = 4e37;
/// Under cosine: from this on, squares are not denormal even when 4096 equal components share the length.
inline constexpr double kCosineSquaredNormMin = 1e-34;
/// The largest binary16, and the largest float that becomes zero there.
inline constexpr float kF16Max = 65'504;
inline constexpr float kF16ZeroMax = 0x1p-25f;
/// Of the metadata, by one update.
inline constexpr size_t kRemovedPathsMax = 64;
inline constexpr uint32_t kTopKMax = 10'000;
inline constexpr uint32_t kOffsetMax = 10'000;
inline constexpr uint32_t kScrollLimitMax = 10'000;
inline constexpr uint32_t kScrollLimitDefault = 100;
/// Of metadata and vectors: a page ends early rather than be larger.
inline constexpr size_t kPageBytesMax = 64 << 20;
inline constexpr uint32_t kFacetLimitMax = 10'000;
inline constexpr uint32_t kFacetLimitDefault = 10;
/// Documents or vectors that a search is to be like, or unlike.
inline constexpr size_t kExamplesMax = 100;
inline constexpr uint32_t kGroupsMax = 1'000;
inline constexpr uint32_t kGroupSizeMax = 1'000;
/// Candidates are compared with what is chosen already, each with each.
inline constexpr uint32_t kDiversityCandidatesMax = 1'000;
/// Of one fusion; together they may ask for no more documents than one search may.
inline constexpr size_t kFusedQueriesMax = 16;
inline constexpr uint32_t kFusionConstantMax = 10'000;
inline constexpr uint32_t kDeadlineMsMax = 3'600'000;
/// Of one request; together they may ask for no more documents than one search may.
inline constexpr size_t kBatchSearchesMax = 1'000;
inline constexpr double kRecallTargetMin = 0.80;
inline constexpr double kRecallTargetMax = 0.999;
inline constexpr uint32_t kEfMax = 4096;
inline constexpr uint32_t kFilterNodesMax = 512;
inline constexpr uint32_t kFilterDepthMax = 32;
/// Of one filter: each reads all words of a document.
inline constexpr uint32_t kFilterTextConditionsMax = 32;
inline constexpr size_t kFilterListItemsMax = 10'000;
inline constexpr size_t kFilterStringBytesMax = 64 << 10;
inline constexpr size_t kFilterKeyBytesMax = 1024;
inline constexpr size_t kFilterTextWordsMax = 256;
/// Of all polygons of one filter together.
inline constexpr size_t kFilterPolygonPointsMax = 10'000;
inline constexpr size_t kMetadataIndexesMax = 64;
/// Fields without an index that the statistics of a collection name.
inline constexpr size_t kAdvisedFieldsMax = 64;
inline constexpr size_t kAliasesMax = 10'000;
inline constexpr size_t kAliasActionsMax = 1'000;
/// A level of a filter takes two of JSON; around and within it stand a few more.
inline constexpr uint32_t kJsonDepthMax = 2 * kFilterDepthMax + 16;
inline constexpr size_t kImportBodyBytesMax = 64 << 20;
inline constexpr size_t kBodyBytesMax = 4 << 20;
inline constexpr size_t kIdempotencyKeyBytesMax = 255;
/// Of one collection in 24 hours: 12 a second; about 150 bytes of memory each.
inline constexpr uint64_t kRememberedKeysDefault = 1'000'000;
inline constexpr size_t kRequestIdBytesMax = 64;
inline constexpr size_t kPasswordBytesMin = 12;
inline constexpr size_t kPasswordBytesMax = 1024;
inline constexpr size_t kEmailBytesMax = 254;
inline constexpr size_t kTenantsMax = 100'000;
inline constexpr size_t kUsersMax = 1'000'000;
inline constexpr size_t kKeysMax = 1'000'000;
/// Of one user at a time: the oldest makes room.
inline constexpr size_t kSessionsOfUserMax = 100;
inline constexpr size_t kSessionsMax = 1'000'000;
inline constexpr size_t kKeyPatternsMax = 100;
/// Of a key: every filter of a search gets it on top of its own.
inline constexpr size_t kRowRuleBytesMax = 16 << 10;
inline constexpr size_t kUrlBytesMax = 8 << 10;
inline constexpr size_t kHeaderBytesMax = 16 << 10;

}  // namespace akidb::model
