#include "comparison.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "tandem/collection.h"
#include "tandem/retriever.h"
#include "terminal.h"

namespace tandem::cli {

namespace fs = std::filesystem;

namespace {

// Texts and pairs computed between two looks at interrupts and progress.
constexpr std::size_t kBatch = 256;
constexpr std::size_t kExtrapolatedDocumentsMax = 1'000'000;

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

/// A folder of its own, removed with everything in it.
class ScratchFolder {
 public:
  static Result<ScratchFolder> create() {
    std::error_code error;
    const fs::path parent = fs::temp_directory_path(error);
    if (error) {
      const char* wanted = ::getenv("TMPDIR");
      return fail(ErrorCode::kNotFound, "{}: want a folder for temporary files: {}",
                  wanted == nullptr ? parent.string() : wanted, error.message());
    }
    std::string name = (parent / "tandem-compare-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return fail_errno(errno, "cannot make a folder", name);
    return ScratchFolder(std::move(name));
  }

  const fs::path& path() const { return path_; }

  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

 private:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

/// Seconds as a function of documents.
struct Line {
  double at_zero = 0;
  double per_document = 0;

  double at(std::size_t documents) const { return at_zero + per_document * static_cast<double>(documents); }
};

/// The least squares through the mean times of scanning; through 0 where there is one size only, or where noise would
/// make more documents faster, or none of them slower than no time at all.
Line fit_scan(const std::vector<SizeResult>& sizes) {
  const auto count = static_cast<double>(sizes.size());
  double mean_x = 0;
  double mean_y = 0;
  for (const SizeResult& size : sizes) {
    mean_x += static_cast<double>(size.documents) / count;
    mean_y += size.bi_stages.scan_s / count;
  }
  double covariance = 0;
  double variance = 0;
  for (const SizeResult& size : sizes) {
    const double dx = static_cast<double>(size.documents) - mean_x;
    covariance += dx * (size.bi_stages.scan_s - mean_y);
    variance += dx * dx;
  }
  if (variance > 0 && covariance > 0) {
    const double slope = covariance / variance;
    const double at_zero = mean_y - slope * mean_x;
    if (at_zero >= 0) return {.at_zero = at_zero, .per_document = slope};
  }
  const SizeResult& largest = sizes.back();
  return {.at_zero = 0, .per_document = largest.bi_stages.scan_s / static_cast<double>(largest.documents)};
}

/// Times of many searches, stage by stage.
struct SearchTimes {
  Sample total;
  StageMeans sums;
  Effort effort;
  double count = 0;

  void add(const StageTimes& times, const Effort& spent) {
    total.add(times.total_ms / 1e3);
    sums.encode_s += times.encode_ms / 1e3;
    sums.scan_s += times.retrieve_ms / 1e3;
    sums.rerank_s += times.rerank_ms / 1e3;
    effort += spent;
    ++count;
  }

  StageMeans means() const {
    return {.encode_s = sums.encode_s / count, .scan_s = sums.scan_s / count, .rerank_s = sums.rerank_s / count};
  }
};

class Compare {
 public:
  Compare(const BiEncoder& bi_encoder, const CrossEncoder& cross_encoder, std::span<const Document> documents,
          std::span<const std::string> queries, const CompareOptions& options)
      : bi_encoder_(bi_encoder),
        cross_encoder_(cross_encoder),
        documents_(documents),
        queries_(queries),
        options_(options),
        vectors_(documents.size(), bi_encoder.dimensions()) {
    for (const Document& document : documents) texts_.push_back(document.full_text());
  }

  Result<Comparison> run() {
    ASSIGN_OR_RETURN(const ScratchFolder scratch, ScratchFolder::create());
    RETURN_IF_ERROR(warm_up());
    for (const std::size_t documents : options_.sizes) {
      SizeResult size{.documents = documents, .copies = documents > documents_.size()};
      if (!size.copies || encoded_ == 0) RETURN_IF_ERROR(encode_up_to(std::min(documents, documents_.size())));
      size.encode_s = encode_effort_.wall_s / static_cast<double>(encoded_) * static_cast<double>(documents);
      size.encode_effort = encode_effort_;
      RETURN_IF_ERROR(search_collection(scratch.path() / fmt::format("{}", documents), size));
      size.memory_peak_bytes = memory_peak_bytes();
      result_.sizes.push_back(std::move(size));
    }
    RETURN_IF_ERROR(score_everything());
    extrapolate();
    result_.documents = encoded_;
    result_.queries = queries_.size();
    return std::move(result_);
  }

 private:
  /// What encoders do once only, such as growing their buffers and reading weights for their identity, is not counted.
  Status warm_up() {
    RETURN_IF_ERROR(bi_encoder_.identity());
    const std::string_view query = queries_.front();
    RETURN_IF_ERROR(bi_encoder_.encode({&query, 1}, TextRole::kQuery));
    const TextPair pair{.query = query, .document = texts_.front()};
    return cross_encoder_.predict({&pair, 1}).map([](const PairScores&) {});
  }

  Status encode_up_to(std::size_t end) {
    const std::size_t begin = encoded_;
    while (encoded_ < end) {
      const std::size_t count = std::min(end - encoded_, kBatch);
      const std::vector<std::string_view> batch(texts_.begin() + static_cast<std::ptrdiff_t>(encoded_),
                                                texts_.begin() + static_cast<std::ptrdiff_t>(encoded_ + count));
      const EffortClock clock;
      ASSIGN_OR_RETURN(const Embeddings embeddings, bi_encoder_.encode(batch, TextRole::kDocument));
      encode_effort_ += clock.elapsed();
      for (std::size_t row = 0; row < count; ++row) {
        std::ranges::copy(embeddings.vectors.row(row), vectors_.row(encoded_ + row).begin());
      }
      result_.truncation += embeddings.truncation;
      encoded_ += count;
      bar_.update("encoding documents", "documents", encoded_,
                  static_cast<double>(encoded_ - begin) / static_cast<double>(end - begin));
      RETURN_IF_ERROR(check_interrupt());
    }
    return {};
  }

  /// Makes a collection, measures searches in it, and removes it.
  Status search_collection(const fs::path& folder, SizeResult& size) {
    const Stopwatch stopwatch;
    ASSIGN_OR_RETURN(CollectionWriter writer, CollectionWriter::create(folder, bi_encoder_));
    for (std::size_t i = 0; i < size.documents; ++i) {
      const std::size_t original = i % encoded_;
      Document document = documents_[original];
      document.id = fmt::format("{}", i);  // Copies too need an id of their own.
      RETURN_IF_ERROR(writer.add(std::move(document), vectors_.row(original)));
      if (i % kBatch == 0) {
        bar_.update("writing a collection", "documents", i,
                    static_cast<double>(i) / static_cast<double>(size.documents));
        RETURN_IF_ERROR(check_interrupt());
      }
    }
    ASSIGN_OR_RETURN(const CollectionInfo info, writer.commit());
    size.write_s = stopwatch.seconds();
    size.index_bytes = info.size_bytes;
    {
      ASSIGN_OR_RETURN(const Collection collection, Collection::open(folder));
      const Retriever retriever(collection, &bi_encoder_, &cross_encoder_);
      RETURN_IF_ERROR(search_with_one_stage(retriever, size));
      if (!size.copies) RETURN_IF_ERROR(search_with_two_stages(retriever, size));
    }
    std::error_code ignored;  // What stays is removed with the folder around it.
    fs::remove_all(folder, ignored);
    return {};
  }

  Status search_with_one_stage(const Retriever& retriever, SizeResult& size) {
    const SearchOptions search{.mode = SearchMode::kBi, .final_top_k = options_.top_k};
    SearchTimes times;
    for (std::size_t run = 0; run <= options_.repeat; ++run) {
      for (const std::string& query : queries_) {
        const EffortClock clock;
        ASSIGN_OR_RETURN(const SearchResponse response, retriever.search(query, search));
        if (run > 0) times.add(response.times, clock.elapsed());  // The first round brings vectors into memory.
        RETURN_IF_ERROR(check_interrupt());
      }
      bar_.update("searching", "rounds", run, std::nullopt);
    }
    size.bi = {.total = times.total, .effort = times.effort};
    size.bi_stages = times.means();
    return {};
  }

  std::size_t candidates(std::size_t documents) const { return std::min(options_.candidates, documents); }

  Status search_with_two_stages(const Retriever& retriever, SizeResult& size) {
    const SearchOptions search{.mode = SearchMode::kHybrid,
                               .initial_top_k = options_.candidates,
                               .final_top_k = std::min(options_.top_k, options_.candidates)};
    const std::size_t affordable = options_.cross_pairs_max / candidates(size.documents);
    SearchTimes times;
    for (std::size_t i = 0; i < std::clamp<std::size_t>(affordable, 1, queries_.size()); ++i) {
      const EffortClock clock;
      ASSIGN_OR_RETURN(const SearchResponse response, retriever.search(queries_[i], search));
      times.add(response.times, clock.elapsed());
      bar_.update("searching in two stages", "queries", i + 1, std::nullopt);
      RETURN_IF_ERROR(check_interrupt());
    }
    size.two_stage = {.total = times.total, .effort = times.effort};
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
      RETURN_IF_ERROR(cross_encoder_.predict(pairs));
      effort += clock.elapsed();
      pairs_scored_ += pairs.size();
      bar_.update("scoring pairs", "pairs", pairs_scored_, std::nullopt);
      RETURN_IF_ERROR(check_interrupt());
    }
    return effort;
  }

  /// The cross-encoder over whole corpora. A larger size goes on from a smaller one, so that no pair is scored twice.
  Status score_everything() {
    for (std::size_t query = 0; query < queries_.size(); ++query) {
      Effort effort;
      std::size_t scored = 0;
      for (SizeResult& size : result_.sizes) {
        if (size.copies || options_.cross_pairs_max / size.documents <= query) break;
        ASSIGN_OR_RETURN(const Effort more, score(queries_[query], scored, size.documents));
        effort += more;
        scored = size.documents;
        size.cross.total.add(effort.wall_s);
        size.cross.effort += effort;
      }
      if (scored == 0) break;
    }
    const auto unmeasured =
        std::ranges::find_if(result_.sizes, [](const SizeResult& size) { return !size.cross.measured(); });
    if (unmeasured == result_.sizes.begin()) {
      const std::size_t pairs = std::min({options_.cross_pairs_max, documents_.size(), unmeasured->documents});
      ASSIGN_OR_RETURN(const Effort effort, score(queries_.front(), 0, pairs));
      pair_s_ = effort.wall_s / static_cast<double>(pairs);
    } else {
      const SizeResult& largest = *std::prev(unmeasured);
      pair_s_ = largest.cross.total.mean() / static_cast<double>(largest.documents);
    }
    return {};
  }

  /// What was not measured follows from what was: a scan takes time in proportion to the vectors, the cross-encoder to
  /// the pairs.
  void extrapolate() {
    const Line scan = fit_scan(result_.sizes);
    const SizeResult& largest = result_.sizes.back();
    const double around_scan_s = largest.bi.mean_s() - largest.bi_stages.scan_s;
    double candidate_s = pair_s_;
    for (const SizeResult& size : result_.sizes) {
      if (!size.two_stage.measured()) continue;
      candidate_s = size.two_stage_means.rerank_s / static_cast<double>(candidates(size.documents));
    }
    const auto rerank_s = [&](std::size_t documents) {
      return candidate_s * static_cast<double>(candidates(documents));
    };
    const auto cross_s = [&](std::size_t documents) { return pair_s_ * static_cast<double>(documents); };
    for (SizeResult& size : result_.sizes) {
      size.cross.estimate_s = cross_s(size.documents);
      size.two_stage.estimate_s = size.bi.mean_s() + rerank_s(size.documents);
    }
    for (std::size_t documents = 10; documents <= kExtrapolatedDocumentsMax; documents *= 10) {
      if (documents <= largest.documents) continue;
      const double bi_s = around_scan_s + scan.at(documents);
      result_.beyond.push_back({.documents = documents,
                                .bi_s = bi_s,
                                .cross_s = cross_s(documents),
                                .two_stage_s = bi_s + rerank_s(documents)});
    }
  }

  const BiEncoder& bi_encoder_;
  const CrossEncoder& cross_encoder_;
  std::span<const Document> documents_;
  std::span<const std::string> queries_;
  const CompareOptions& options_;
  std::vector<std::string> texts_;  // [documents], as they are encoded and scored.
  Matrix vectors_;                  // [documents, dimensions], of which `encoded_` are there.
  std::size_t encoded_ = 0;
  Effort encode_effort_;
  std::size_t pairs_scored_ = 0;
  double pair_s_ = 0;
  ProgressBar bar_;
  Comparison result_;
};

}  // namespace

Machine Machine::here() {
  Machine machine{.processor = "unknown processor"};
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);) {
    const std::size_t colon = line.find(": ");
    if (!line.starts_with("model name") || colon == std::string::npos) continue;
    machine.processor = line.substr(colon + 2);
    break;
  }
  machine.processors = static_cast<std::size_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
  machine.memory_bytes = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PHYS_PAGES), 0L)) *
                         static_cast<std::uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 0L));
  return machine;
}

Effort& Effort::operator+=(const Effort& other) {
  wall_s += other.wall_s;
  cpu_s += other.cpu_s;
  return *this;
}

double Effort::cpu_share(std::size_t threads) const {
  return wall_s > 0 ? cpu_s / (wall_s * static_cast<double>(std::max<std::size_t>(threads, 1))) : 0;
}

Result<Comparison> compare_encoders(const BiEncoder& bi_encoder, const CrossEncoder& cross_encoder,
                                    std::span<const Document> documents, std::span<const std::string> queries,
                                    const CompareOptions& options) {
  return Compare(bi_encoder, cross_encoder, documents, queries, options).run();
}

}  // namespace tandem::cli
