// The narrow waist between text and numbers: a ragged batch of token sequences, without padding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"

namespace tandem {

/// How the tokens of a sequence are numbered for the position table.
struct PositionRule {
  std::size_t first = 0;  ///< The first token's position id; the next ones count up from it.
  /// Tokens of this id, should a text spell them, have the position `first - 1` and are not counted. `first` is not 0.
  std::optional<std::int32_t> padding_id = {};
};

/// The tables of a model that a batch points into.
struct TokenTables {
  std::size_t vocabulary_size = 0;
  std::size_t token_types = 0;  ///< Below 2: type ids are not looked at.
  std::size_t positions = 0;
  PositionRule position_rule;
};

/// Sequences lie one after another: sequence i has the tokens [offsets[i], offsets[i + 1]).
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

  /// Appends a sequence, its positions numbered by the tables' rule. Every id, type and position lies inside the
  /// tables: the tokenizer and the length of texts were held against the model when it was opened, so that what does
  /// not is a mistake of the program, and ends it here rather than in somebody else's memory.
  void append(std::span<const std::int32_t> sequence_ids, std::span<const std::int32_t> sequence_type_ids,
              const TokenTables& tables) {
    const PositionRule& rule = tables.position_rule;
    CHECK(sequence_ids.size() == sequence_type_ids.size() && rule.first <= tables.positions &&
          sequence_ids.size() <= tables.positions - rule.first && all_below(sequence_ids, tables.vocabulary_size) &&
          (tables.token_types < 2 || all_below(sequence_type_ids, tables.token_types)));
    ids.insert(ids.end(), sequence_ids.begin(), sequence_ids.end());
    type_ids.insert(type_ids.end(), sequence_type_ids.begin(), sequence_type_ids.end());
    auto next = static_cast<std::int32_t>(rule.first);
    for (const std::int32_t id : sequence_ids) {
      position_ids.push_back(id == rule.padding_id ? static_cast<std::int32_t>(rule.first) - 1 : next++);
    }
    offsets.push_back(ids.size());
  }

 private:
  /// One comparison for each: a negative number is a large one.
  static bool all_below(std::span<const std::int32_t> values, std::size_t end) {
    std::uint32_t largest = 0;
    for (const std::int32_t value : values) largest = std::max(largest, static_cast<std::uint32_t>(value));
    return values.empty() || largest < end;
  }
};

}  // namespace tandem
