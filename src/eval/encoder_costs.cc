#include "tandem/encoder_costs.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string_view>
#include <utility>

#include "base/call.h"
#include "base/error.h"
#include "base/scratch_folder.h"
#include "base/stopwatch.h"
#include "eval/cost_extrapolation.h"
#include "tandem/collection.h"
#include "tandem/retriever.h"

namespace tandem {
namespace {

namespace fs = std::filesystem;

// Texts and pairs computed between two reports of progress.
constexpr std::size_t kBatch = 256;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t memory_peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

/// Both clocks since it was made.
class EffortClock {
 public:
  Effort elapsed() const { return {.wall_s = wall_.seconds(), .cpu_s = cpu_seconds() - cpu_start_s_}; }

 private:
  Stopwatch wall_;
  double cpu_start_s_ = cpu_seconds();
};

/// Times of many searches, stage by stage.
struct SearchTimes {
  std::vector<double> seconds;
  StageMeans sums;
  Effort effort;

  void add(const StageTimes& times, const Effort& spent) {
    seconds.push_back(times.total_ms / 1e3);
    sums.encode_s += times.encode_ms / 1e3;
    sums.scan_s += times.retrieve_ms / 1e3;
    sums.rerank_s += times.rerank_ms / 1e3;
    effort += spent;
  }

  StageMeans means() const {
    const auto count = static_cast<double>(seconds.size());
    return {.encode_s = sums.encode_s / count, .scan_s = sums.scan_s / count, .rerank_s = sums.rerank_s / count};
  }
};

class CostMeasurement {
 public:
  CostMeasurement(const EncoderCostInput& input, const EncoderCostOptions& options, const CallOptions& call)
      : bi_encoder_(*input.bi_encoder),
        cross_encoder_(*input.cross_encoder),
        documents_(input.documents),
        queries_(input.queries),
        options_(options),
        call_(call),
        quiet_call_(without_progress(call)),
        vectors_(input.documents.size(), input.bi_encoder->dimensions()) {
    for (const Document& document : documents_) texts_.push_back(document.full_text());
  }

  Result<EncoderCosts> run() {
    ASSIGN_OR_RETURN(const ScratchFolder scratch, ScratchFolder::create("tandem-compare"));
    RETURN_IF_ERROR(warm_up());
    for (const std::size_t documents : options_.sizes) {
      SizeCosts size{.documents = documents, .copies = documents > documents_.size()};
      if (!size.copies || encoded_ == 0) RETURN_IF_ERROR(encode_up_to(std::min(documents, documents_.size())));
      size.encode_s = encode_effort_.wall_s / static_cast<double>(encoded_) * static_cast<double>(documents);
      size.encode_effort = encode_effort_;
      RETURN_IF_ERROR(search_collection(scratch.path() / fmt::format("{}", documents), size));
      size.memory_peak_bytes = memory_peak_bytes();
      result_.sizes.push_back(std::move(size));
    }
    RETURN_IF_ERROR(score_everything());
    extrapolate(result_, options_.candidates, pair_s_);
    result_.documents = encoded_;
    result_.queries = queries_.size();
    return std::move(result_);
  }

 private:
  /// Says how far it has come, and whether to go on. `total`: 0 where it is not known.
  Status report(const Progress& progress) const {
    if (call_.progress) call_.progress(progress);
    return check_call(call_);
  }

  /// What encoders do once only, such as growing their buffers and reading weights for their identity, is not counted.
  Status warm_up() {
    RETURN_IF_ERROR(bi_encoder_.identity(quiet_call_));
    const std::string_view query = queries_.front();
    RETURN_IF_ERROR(bi_encoder_.encode({&query, 1}, TextRole::kQuery, quiet_call_));
    const TextPair pair{.query = query, .document = texts_.front()};
    return cross_encoder_.predict({&pair, 1}, quiet_call_).map([](const PairScores&) {});
  }

  Status encode_up_to(std::size_t end) {
    while (encoded_ < end) {
      const std::size_t count = std::min(end - encoded_, kBatch);
      const std::vector<std::string_view> batch(texts_.begin() + static_cast<std::ptrdiff_t>(encoded_),
                                                texts_.begin() + static_cast<std::ptrdiff_t>(encoded_ + count));
      const EffortClock clock;
      ASSIGN_OR_RETURN(const Embeddings embeddings, bi_encoder_.encode(batch, TextRole::kDocument, quiet_call_));
      encode_effort_ += clock.elapsed();
      for (std::size_t row = 0; row < count; ++row) {
        std::ranges::copy(embeddings.vectors.row(row), vectors_.row(encoded_ + row).begin());
      }
      result_.truncation += embeddings.truncation;
      encoded_ += count;
      RETURN_IF_ERROR(report({.what = "encoding documents", .unit = "documents", .done = encoded_, .total = end}));
    }
    return {};
  }

  /// Makes a collection, measures searches in it, and removes it.
  Status search_collection(const fs::path& folder, SizeCosts& size) {
    const EffortClock clock;
    ASSIGN_OR_RETURN(CollectionWriter writer, CollectionWriter::create(folder, bi_encoder_, {}, quiet_call_));
    for (std::size_t i = 0; i < size.documents; ++i) {
      const std::size_t original = i % encoded_;
      Document document = documents_[original];
      document.id = fmt::format("{}", i);  // Copies too need an id of their own.
      RETURN_IF_ERROR(writer.add(std::move(document), vectors_.row(original), quiet_call_));
      if (i % kBatch == 0) {
        RETURN_IF_ERROR(
            report({.what = "writing a collection", .unit = "documents", .done = i, .total = size.documents}));
      }
    }
    ASSIGN_OR_RETURN(const CollectionInfo info, writer.commit(quiet_call_));
    size.write_s = clock.elapsed().wall_s;
    size.index_bytes = info.size_bytes;
    {
      ASSIGN_OR_RETURN(const Collection collection, Collection::open(folder, {.executor = bi_encoder_.executor()}));
      const Retriever retriever(collection, bi_encoder_, cross_encoder_);
      RETURN_IF_ERROR(search_with_one_stage(retriever, size));
      if (!size.copies) RETURN_IF_ERROR(search_with_two_stages(retriever, size));
    }
    std::error_code ignored;  // What stays is removed with the folder around it.
    fs::remove_all(folder, ignored);
    return {};
  }

  Status search_with_one_stage(const Retriever& retriever, SizeCosts& size) {
    const SearchOptions search{.mode = SearchMode::kBi, .final_top_k = options_.top_k};
    SearchTimes times;
    for (std::size_t run = 0; run <= options_.repeat; ++run) {
      for (const std::string& query : queries_) {
        const EffortClock clock;
        ASSIGN_OR_RETURN(const SearchResponse response, retriever.search(query, search));
        if (run > 0) times.add(response.times, clock.elapsed());  // The first round brings vectors into memory.
        RETURN_IF_ERROR(check_call(call_));
      }
      RETURN_IF_ERROR(report({.what = "searching", .unit = "rounds", .done = run}));
    }
    size.bi = {.seconds = times.seconds, .effort = times.effort};
    size.bi_stages = times.means();
    return {};
  }

  std::size_t candidates(std::size_t documents) const { return std::min(options_.candidates, documents); }

  Status search_with_two_stages(const Retriever& retriever, SizeCosts& size) {
    const SearchOptions search{.mode = SearchMode::kHybrid,
                               .initial_top_k = options_.candidates,
                               .final_top_k = std::min(options_.top_k, options_.candidates)};
    const std::size_t affordable = options_.cross_pairs_max / candidates(size.documents);
    SearchTimes times;
    for (std::size_t i = 0; i < std::clamp<std::size_t>(affordable, 1, queries_.size()); ++i) {
      const EffortClock clock;
      ASSIGN_OR_RETURN(const SearchResponse response, retriever.search(queries_[i], search));
      times.add(response.times, clock.elapsed());
      RETURN_IF_ERROR(report({.what = "searching in two stages", .unit = "queries", .done = i + 1}));
    }
    size.two_stage = {.seconds = times.seconds, .effort = times.effort};
    size.two_stage_means = times.means();
    return {};
  }

  /// Scores documents [begin, end) for a query.
  Result<Effort> score(std::string_view query, std::size_t begin, std::size_t end) {
    Effort effort;
    for (std::size_t i = begin; i < end; i += kBatch) {
      std::vector<TextPair> pairs;
      for (std::size_t j = i; j < std::min(i + kBatch, end); ++j) {
        pairs.push_back({.query = query, .document = texts_[j]});
      }
      const EffortClock clock;
      RETURN_IF_ERROR(cross_encoder_.predict(pairs, quiet_call_));
      effort += clock.elapsed();
      pairs_scored_ += pairs.size();
      RETURN_IF_ERROR(report({.what = "scoring pairs", .unit = "pairs", .done = pairs_scored_}));
    }
    return effort;
  }

  /// The cross-encoder over whole corpora. A larger size goes on from a smaller one, so that no pair is scored twice.
  Status score_everything() {
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      Effort effort;
      std::size_t scored = 0;
      for (SizeCosts& size : result_.sizes) {
        if (size.copies || options_.cross_pairs_max / size.documents <= query) break;
        ASSIGN_OR_RETURN(const Effort more, score(queries_[query], scored, size.documents));
        effort += more;
        scored = size.documents;
        size.cross.seconds.push_back(effort.wall_s);
        size.cross.effort += effort;
      }
      if (scored == 0) break;
    }
    const auto unmeasured =
        std::ranges::find_if(result_.sizes, [](const SizeCosts& size) { return !size.cross.measured(); });
    if (unmeasured == result_.sizes.begin()) {
      const std::size_t pairs = std::min({options_.cross_pairs_max, documents_.size(), unmeasured->documents});
      ASSIGN_OR_RETURN(const Effort effort, score(queries_.front(), 0, pairs));
      pair_s_ = effort.wall_s / static_cast<double>(pairs);
    } else {
      const SizeCosts& largest = *std::prev(unmeasured);
      pair_s_ = largest.cross.mean_s() / static_cast<double>(largest.documents);
    }
    return {};
  }

  const BiEncoder& bi_encoder_;
  const CrossEncoder& cross_encoder_;
  std::span<const Document> documents_;
  std::span<const std::string> queries_;
  const EncoderCostOptions& options_;
  const CallOptions& call_;
  const CallOptions quiet_call_;    // For single steps, whose progress is none of the whole.
  std::vector<std::string> texts_;  // [documents], as they are encoded and scored.
  Matrix vectors_;                  // [documents, dimensions], of which `encoded_` are there.
  std::size_t encoded_ = 0;
  Effort encode_effort_;
  std::size_t pairs_scored_ = 0;
  double pair_s_ = 0;
  EncoderCosts result_;
};

Status check(const EncoderCostInput& input, const EncoderCostOptions& options) {
  const auto refuse = [](std::string_view message) { return fail(ErrorCode::kInvalidArgument, "{}", message); };
  if (input.bi_encoder == nullptr || input.cross_encoder == nullptr)
    return refuse("costs are compared of two encoders");
  if (input.cross_encoder->labels().size() != 1) {
    return fail(ErrorCode::kInvalidArgument, "{} has {} labels, want a model with one score",
                input.cross_encoder->model(), input.cross_encoder->labels().size());
  }
  if (input.documents.empty()) return refuse("there are no documents to measure with");
  if (input.queries.empty()) return refuse("there are no queries to measure with");
  if (options.sizes.empty() || options.sizes.front() == 0 ||
      std::ranges::adjacent_find(options.sizes, std::greater_equal<>()) != options.sizes.end()) {
    return refuse("the sizes are not ascending from 1 or more on");
  }
  if (std::min({options.top_k, options.candidates, options.repeat, options.cross_pairs_max}) == 0) {
    return refuse("top_k, candidates, repeat and cross_pairs_max are at least 1");
  }
  return {};
}

}  // namespace

Result<EncoderCosts> measure_encoder_costs(const EncoderCostInput& input, const EncoderCostOptions& options,
                                           const CallOptions& call) {
  RETURN_IF_ERROR(check(input, options));
  return CostMeasurement(input, options, call).run();
}

}  // namespace tandem
