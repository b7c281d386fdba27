// Click logs of arbitrary bytes, in both forms: reading ends, names what is wrong, and what was read is a test that can
// be measured. The same bytes as documents: what is made of them is a test, or an error.
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/testing/temporary_folder.h"
#include "tandem/test_set.h"

namespace {

void check(const tandem::Result<tandem::TestSet>& test) {
  if (!test) {
    CHECK(!test.error().message.empty());
    return;
  }
  CHECK(!test->queries.empty() && test->queries.size() == test->qrels.queries() && !test->trust.empty());
  for (const tandem::SweepQuery& query : test->queries) {
    CHECK(!query.text.empty() && !test->qrels.judgements_of(query.id).empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tandem::TemporaryFolder folder;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<tandem::Document> documents{{.id = "a", .text = "one"}, {.id = "1", .text = "two"}};
  for (const char* name : {"clicks.tsv", "clicks.jsonl"}) {
    check(tandem::read_click_log(folder.write(name, text), documents));
  }
  const std::string half(text.substr(0, size / 2));
  for (const tandem::QuerySource source : {tandem::QuerySource::kTitles, tandem::QuerySource::kSentences}) {
    check(tandem::make_test_set({{.id = "a", .title = half, .text = std::string(text)}, {.id = "b", .text = half}},
                                {.source = source}));
  }
  return 0;
}
