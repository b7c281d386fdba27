#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/trec.h"
#include "eval/qrels_and_runs.h"
#include "eval/text_fields.h"

namespace tandem {
namespace {

/// Whether the columns are those of a line whose ids hold blanks, which put their words where the rank is looked for,
/// or the score where the tag is.
bool is_shifted(std::span<const std::string_view, 6> columns) {
  return !parse_integer(columns[3]) || parse_number(columns[5]);
}

Status read_line(Run& run, std::string_view line) {
  std::array<std::string_view, 6> columns;
  const std::size_t count = split_blanks(line, columns);
  if (count < columns.size()) {
    return fail(ErrorCode::kCorruptData, "expected 6 columns (query, Q0, document, rank, score, tag), got {}", count);
  }
  if (count > columns.size() && is_shifted(columns)) {
    return fail(
        ErrorCode::kCorruptData,
        "expected 6 columns (query, Q0, document, rank, score, tag), got more, with '{}' as rank and '{}' as tag: "
        "an id cannot hold a blank",
        columns[3], columns[5]);
  }
  const std::optional<double> score = parse_number(columns[4]);
  if (!score) return fail(ErrorCode::kCorruptData, "expected a number as score, got '{}'", columns[4]);
  return run.add(columns[0], columns[2], *score);
}

// A number that is smaller the larger the score is. The bits of positive floats are in their order, those of negative
// ones in the opposite one.
std::uint32_t descending_key(float score) {
  constexpr std::uint32_t kSign = std::uint32_t{1} << 31;
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);  // -0 becomes 0, which it ties with.
  return (bits & kSign) != 0 ? bits : ~(bits | kSign);
}

}  // namespace

// A radix sort of the upper halves, digit by digit from the lowest. The lower halves, places that ascend, follow since
// each pass keeps the order of equals. Unlike a comparison sort it has no branch to mispredict.
void Ranker::sort_keys() {
  if (std::ranges::is_sorted(keys_)) return;
  constexpr std::size_t kFewKeys = 128;  // Below this, clearing the counters costs more than it saves.
  if (keys_.size() < kFewKeys) {
    std::ranges::sort(keys_);
    return;
  }
  constexpr std::uint32_t kDigitBits = 8;
  constexpr std::uint32_t kDigits = 32 / kDigitBits;
  constexpr std::size_t kValues = std::size_t{1} << kDigitBits;
  const auto digit_of = [](std::uint64_t key, std::uint32_t digit) {
    return static_cast<std::size_t>(key >> (32 + digit * kDigitBits)) % kValues;
  };
  std::array<std::array<std::size_t, kValues>, kDigits> counts{};
  for (const std::uint64_t key : keys_) {
    for (std::uint32_t digit = 0; digit < kDigits; ++digit) ++counts[digit][digit_of(key, digit)];
  }
  scattered_.resize(keys_.size());
  for (std::uint32_t digit = 0; digit < kDigits; ++digit) {
    std::array<std::size_t, kValues>& places = counts[digit];
    if (places[digit_of(keys_.front(), digit)] == keys_.size()) continue;  // The same everywhere.
    std::exclusive_scan(places.begin(), places.end(), places.begin(), std::size_t{0});
    for (const std::uint64_t key : keys_) scattered_[places[digit_of(key, digit)]++] = key;
    keys_.swap(scattered_);
  }
}

std::span<const std::uint32_t> Ranker::rank(const QueryList<float>& list) {
  order_.resize(list.values.size());
  switch (run_order_) {
    case RunOrder::kByScore:
      sort_by_score(list);
      break;
    case RunOrder::kAsAdded:
      std::iota(order_.begin(), order_.end(), 0U);
      break;
  }
  return order_;
}

void Ranker::sort_by_score(const QueryList<float>& list) {
  const std::size_t size = list.values.size();
  keys_.resize(size);
  for (std::size_t place = 0; place < size; ++place) {
    keys_[place] = (static_cast<std::uint64_t>(descending_key(list.values[place])) << 32) | place;
  }
  sort_keys();
  for (std::size_t rank = 0; rank < size; ++rank) order_[rank] = static_cast<std::uint32_t>(keys_[rank]);
  for (std::size_t begin = 0; begin < size;) {
    std::size_t end = begin + 1;
    while (end < size && keys_[begin] >> 32 == keys_[end] >> 32) ++end;
    if (end - begin > 1) {
      std::ranges::sort(std::span(order_).subspan(begin, end - begin), std::ranges::greater(),
                        [&](std::uint32_t place) { return list.documents[place]; });
    }
    begin = end;
  }
}

Run::Run() : Run(RunOrder::kByScore) {}
Run::Run(RunOrder order) : impl_(std::make_unique<Impl>(order)) {}
Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;
Run::~Run() = default;

Result<Run> Run::read(const std::filesystem::path& path) {
  Run run;
  RETURN_IF_ERROR(for_each_line(path.string(), "result", [&](std::string_view line) { return read_line(run, line); }));
  return run;
}

Status Run::write(const std::filesystem::path& path, std::string_view tag) const {
  ASSIGN_OR_RETURN(TextFile file, TextFile::create(path));
  Ranker ranker(impl_->order);
  for (std::uint32_t query = 0; query < impl_->queries().size(); ++query) {
    const std::string_view query_id = impl_->queries()[query];
    const QueryList<float>& list = impl_->lists()[query];
    std::size_t rank = 0;
    for (const std::uint32_t place : ranker.rank(list)) {
      const Status status = append_run_line(file.text(), {.query_id = query_id,
                                                          .document_id = list.documents[place],
                                                          .rank = ++rank,
                                                          .score = list.values[place],
                                                          .tag = tag});
      if (!status) return fail_in(path.string(), status.error());
      RETURN_IF_ERROR(file.end_line());
    }
  }
  return file.commit();
}

Status Run::add(std::string_view query_id, std::string_view document_id, double score) {
  if (std::isnan(score)) {
    return fail(ErrorCode::kInvalidArgument, "the score of document '{}' for query '{}' is NaN", document_id, query_id);
  }
  return impl_->add(query_id, document_id, static_cast<float>(score));
}

std::size_t Run::queries() const { return impl_->queries().size(); }
std::size_t Run::results() const { return impl_->size(); }
std::vector<std::string_view> Run::query_ids() const { return impl_->query_ids(); }

std::vector<RunResult> Run::ranking_of(std::string_view query_id) const {
  std::vector<RunResult> ranking;
  if (const QueryList<float>* list = impl_->list_of(query_id)) {
    Ranker ranker(impl_->order);
    for (const std::uint32_t place : ranker.rank(*list)) {
      ranking.push_back({list->documents[place], list->values[place]});
    }
  }
  return ranking;
}

}  // namespace tandem
