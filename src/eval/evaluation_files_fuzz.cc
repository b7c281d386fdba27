// Qrels and runs of arbitrary bytes: reading ends, names what is wrong, and what was read can be written, read again
// and measured.
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/testing/temporary_folder.h"
#include "tandem/evaluation.h"

namespace {

using tandem::Qrels;
using tandem::Run;

void check_error(const tandem::Error& error) { CHECK(!error.message.empty()); }

void check_qrels(const Qrels& qrels, const std::filesystem::path& path) {
  CHECK(qrels.judgements() > 0 && qrels.queries() <= qrels.judgements());
  if (!qrels.write(path, tandem::QrelsFormat::kBeir)) return;
  const auto again = Qrels::read(path);
  CHECK(again.has_value() && again->judgements() == qrels.judgements() && again->query_ids() == qrels.query_ids());
}

void check_run(const Run& run, const std::filesystem::path& path) {
  CHECK(run.results() > 0 && run.queries() <= run.results());
  Qrels qrels;
  std::int32_t relevance = 0;
  for (const std::string_view query : run.query_ids()) {
    const auto ranking = run.ranking_of(query);
    CHECK(!ranking.empty());
    for (std::size_t i = 1; i < ranking.size(); ++i) CHECK(ranking[i - 1].score >= ranking[i].score);
    CHECK(qrels.add(query, ranking.back().document_id, ++relevance % 4).has_value());
  }
  const std::vector<tandem::RankingMetric> metrics{{tandem::RankingMeasure::kNdcg, 3}, {tandem::RankingMeasure::kMap}};
  const auto evaluation = tandem::evaluate(run, qrels, metrics);
  CHECK(evaluation.has_value());
  for (const double mean : evaluation->means) CHECK(mean >= 0 && mean <= 1);
  // A query's id may begin with a second byte-order mark, which cannot be written where there is no first.
  if (!run.write(path, "fuzz")) return;
  const auto again = Run::read(path);
  CHECK(again.has_value() && again->results() == run.results() && again->query_ids() == run.query_ids());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("evaluation", MFD_CLOEXEC);
  static const tandem::TemporaryFolder folder;
  CHECK(::ftruncate(file, 0) == 0 && ::pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
  const std::string path = fmt::format("/proc/self/fd/{}", file);
  if (const auto qrels = Qrels::read(path)) {
    check_qrels(*qrels, folder.path() / "qrels");
  } else {
    check_error(qrels.error());
  }
  if (const auto run = Run::read(path)) {
    check_run(*run, folder.path() / "run");
  } else {
    check_error(run.error());
  }
  return 0;
}
