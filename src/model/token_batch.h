// The narrow waist between text and numbers: a ragged batch of token sequences, without padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tandem {

/// How the tokens of a sequence are numbered for the position table.
struct PositionRule {
  std::size_t first = 0;  ///< The first token's position id; the next ones count up from it.
  /// Tokens of this id, should a text spell them, have the position `first - 1` and are not counted. `first` is not 0.
  std::optional<std::int32_t> padding_id = {};
};

/// Sequences lie one after another: sequence i has the tokens [offsets[i], offsets[i + 1]).
/// Ids are below the model's table sizes; whoever fills a batch has made sure of it.
struct TokenBatch {
  std::vector<std::int32_t> ids;           ///< [tokens]
  std::vector<std::int32_t> type_ids;      ///< [tokens]
  std::vector<std::int32_t> position_ids;  ///< [tokens]
  std::vector<std::size_t> offsets{0};     ///< [sequences + 1]

  std::size_t tokens() const { return ids.size(); }
  std::size_t sequences() const { return offsets.size() - 1; }

  void clear() {
    ids.clear();
    type_ids.clear();
    position_ids.clear();
    offsets.assign(1, 0);
  }

  /// Appends a sequence, its positions numbered by `rule`.
  void append(std::span<const std::int32_t> sequence_ids, std::span<const std::int32_t> sequence_type_ids,
              const PositionRule& rule) {
    ids.insert(ids.end(), sequence_ids.begin(), sequence_ids.end());
    type_ids.insert(type_ids.end(), sequence_type_ids.begin(), sequence_type_ids.end());
    auto next = static_cast<std::int32_t>(rule.first);
    for (const std::int32_t id : sequence_ids) {
      position_ids.push_back(id == rule.padding_id ? static_cast<std::int32_t>(rule.first) - 1 : next++);
    }
    offsets.push_back(ids.size());
  }
};

}  // namespace tandem
