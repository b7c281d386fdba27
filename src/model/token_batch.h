// The narrow waist between text and numbers: a ragged batch of token sequences, without padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tandem {

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

  /// Appends a sequence whose positions count up from `first_position`.
  void append(std::span<const std::int32_t> sequence_ids, std::span<const std::int32_t> sequence_type_ids,
              std::size_t first_position) {
    ids.insert(ids.end(), sequence_ids.begin(), sequence_ids.end());
    type_ids.insert(type_ids.end(), sequence_type_ids.begin(), sequence_type_ids.end());
    for (std::size_t i = 0; i < sequence_ids.size(); ++i) {
      position_ids.push_back(static_cast<std::int32_t>(first_position + i));
    }
    offsets.push_back(ids.size());
  }
};

}  // namespace tandem
