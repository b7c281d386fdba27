#include "tandem/test_set.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/string_map.h"
#include "base/strip.h"
#include "eval/document_ids.h"
#include "eval/shuffle.h"
#include "eval/text_pieces.h"
#include "eval/wording.h"

namespace tandem {
namespace {

// A query of fewer words says too little, one of more is nothing that anybody would type.
constexpr std::size_t kTitleWordsMin = 3;
constexpr std::size_t kSentenceWordsMin = 6;
constexpr std::size_t kSentenceWordsMax = 60;
// What is left of a document must be enough to be found by.
constexpr std::size_t kRestWordsMin = 12;
// A title that more documents share names a kind of document, not one.
constexpr std::size_t kSharedTitleMax = 20;

/// A text's words, so that two that differ in punctuation and case alone are the same.
struct Words {
  std::size_t count = 0;
  // A hash, with the secret of one test: no two texts can be made to share one, and those of others do it so rarely
  // that a lost query is no harm.
  std::size_t key = 0;

  Words(std::string_view text, const StringHash& hash) {
    std::string joined;
    for (const std::string& word : split_words(text)) {
      joined += word + ' ';
      ++count;
    }
    key = hash(joined);
  }
};

std::size_t count_words(std::string_view text) { return split_words(text).size(); }

std::vector<std::size_t> random_order(std::size_t count, std::uint32_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(order, seed);
  return order;
}

std::string share_of(std::size_t part, std::size_t whole, std::string_view unit) {
  return fmt::format("{} of {} {}", part, whole, unit);
}

// ------------------------------------------------------------------------------------------------------------- titles

bool title_serves(const Document& document) {
  return count_words(document.title) >= kTitleWordsMin && count_words(document.text) >= kRestWordsMin;
}

Result<TestSet> test_by_titles(std::vector<Document> documents, const SelfTestOptions& options) {
  TestSet test;
  const StringHash hash;
  std::unordered_map<std::size_t, std::vector<std::size_t>> documents_of_title;
  for (std::size_t place = 0; place < documents.size(); ++place) {
    if (!strip(documents[place].title).empty()) {
      documents_of_title[Words(documents[place].title, hash).key].push_back(place);
    }
  }
  std::unordered_set<std::size_t> asked;
  std::size_t too_common = 0;
  for (const std::size_t place : random_order(documents.size(), options.seed)) {
    if (test.queries.size() == options.queries_max) break;
    const Document& document = documents[place];
    if (!title_serves(document)) continue;
    const std::size_t key = Words(document.title, hash).key;
    if (!asked.insert(key).second) continue;
    const std::vector<std::size_t>& answers = documents_of_title[key];
    if (answers.size() > kSharedTitleMax) {
      ++too_common;
      continue;
    }
    for (const std::size_t answer : answers) RETURN_IF_ERROR(test.qrels.add(document.id, documents[answer].id, 1));
    test.queries.push_back({.id = document.id, .text = std::string(strip(document.title))});
  }
  if (too_common > 0) {
    test.remarks.push_back(fmt::format("{} left out: more than {} documents share each.",
                                       too_common == 1 ? "1 title was" : fmt::format("{} titles were", too_common),
                                       kSharedTitleMax));
  }
  // From every document, not only from those that are asked for: else those alone would be without a title, and found
  // or missed for that. A document that is nothing but a title keeps it.
  for (Document& document : documents) {
    if (count_words(document.text) > 0) document.title.clear();
  }
  test.trust.push_back(
      fmt::format("Nobody judged this test: its {} of documents, each of which asks for the documents that had it. All "
                  "documents are "
                  "searched without their titles.",
                  count_of(test.queries.size(), "query is one of the titles", "queries are titles")));
  test.documents = std::move(documents);
  return test;
}

// ---------------------------------------------------------------------------------------------------------- sentences

/// A document that may be asked for.
struct Candidate {
  std::size_t place = 0;
  std::vector<std::string_view> sentences;
  std::vector<Words> words;  // [sentences]
};

std::optional<Candidate> candidate_at(const std::vector<Document>& documents, std::size_t place,
                                      const StringHash& hash) {
  Candidate candidate{.place = place, .sentences = split_sentences(documents[place].text), .words = {}};
  std::size_t count = 0;
  for (const std::string_view sentence : candidate.sentences) {
    count += candidate.words.emplace_back(sentence, hash).count;
  }
  const bool serves = std::ranges::any_of(candidate.words, [&](const Words& words) {
    return words.count >= kSentenceWordsMin && words.count <= kSentenceWordsMax && count - words.count >= kRestWordsMin;
  });
  return serves ? std::optional(std::move(candidate)) : std::nullopt;
}

/// In how many documents each sentence of the candidates stands.
std::unordered_map<std::size_t, std::size_t> count_sentences(const std::vector<Document>& documents,
                                                             const std::vector<Candidate>& candidates,
                                                             const StringHash& hash) {
  std::unordered_map<std::size_t, std::size_t> counts;
  for (const Candidate& candidate : candidates) {
    for (const Words& words : candidate.words) counts.emplace(words.key, 0);
  }
  for (const Document& document : documents) {
    std::unordered_set<std::size_t> keys;
    for (const std::string_view sentence : split_sentences(document.text)) keys.insert(Words(sentence, hash).key);
    for (const std::size_t key : keys) {
      if (const auto found = counts.find(key); found != counts.end()) ++found->second;
    }
  }
  return counts;
}

/// The sentences that can be taken out of a document; none where most of what it says stands elsewhere too.
std::vector<std::size_t> sentences_that_serve(const Candidate& candidate,
                                              const std::unordered_map<std::size_t, std::size_t>& counts) {
  std::size_t words_all = 0;
  std::size_t words_elsewhere = 0;
  for (const Words& words : candidate.words) {
    words_all += words.count;
    if (counts.at(words.key) > 1) words_elsewhere += words.count;
  }
  std::vector<std::size_t> serve;
  for (std::size_t i = 0; i < candidate.words.size() && 2 * words_elsewhere <= words_all; ++i) {
    const Words& words = candidate.words[i];
    if (words.count >= kSentenceWordsMin && words.count <= kSentenceWordsMax &&
        words_all - words.count >= kRestWordsMin && counts.at(words.key) == 1) {
      serve.push_back(i);
    }
  }
  return serve;
}

std::string without(std::string_view text, std::string_view sentence) {
  const auto begin = static_cast<std::size_t>(sentence.data() - text.data());
  std::string rest(strip(text.substr(0, begin)));
  const std::string_view after = strip(text.substr(begin + sentence.size()));
  if (!rest.empty() && !after.empty()) rest += ' ';
  return rest.append(after);
}

Result<TestSet> test_by_sentences(std::vector<Document> documents, const SelfTestOptions& options) {
  // Some candidates turn out to say what others say too.
  constexpr std::size_t kSpare = 3;
  TestSet test;
  const StringHash hash;
  std::vector<Candidate> candidates;
  for (const std::size_t place : random_order(documents.size(), options.seed)) {
    if (candidates.size() / kSpare == options.queries_max) break;
    std::optional<Candidate> candidate = candidate_at(documents, place, hash);
    if (candidate) candidates.push_back(std::move(*candidate));
  }
  const std::unordered_map<std::size_t, std::size_t> counts = count_sentences(documents, candidates, hash);
  std::mt19937_64 random(options.seed);
  std::size_t repeated = 0;
  for (const Candidate& candidate : candidates) {
    if (test.queries.size() == options.queries_max) break;
    const std::vector<std::size_t> serve = sentences_that_serve(candidate, counts);
    if (serve.empty()) {
      ++repeated;
      continue;
    }
    Document& document = documents[candidate.place];
    const std::string_view sentence = candidate.sentences[serve[random() % serve.size()]];
    RETURN_IF_ERROR(test.qrels.add(document.id, document.id, 1));
    test.queries.push_back({.id = document.id, .text = std::string(sentence)});
    document.text = without(document.text, sentence);
  }
  if (repeated > 0) {
    test.remarks.push_back(fmt::format("{} passed over: what {} said stands in other documents too.",
                                       repeated == 1 ? "1 document was" : fmt::format("{} documents were", repeated),
                                       repeated == 1 ? "it" : "they"));
  }
  test.trust.push_back(
      fmt::format("Nobody judged this test: its {}, each of which asks for the document that it was taken from.",
                  count_of(test.queries.size(), "query is a sentence out of a document",
                           "queries are sentences out of as many documents")));
  test.documents = std::move(documents);
  return test;
}

}  // namespace

Result<TestSet> make_test_set(std::vector<Document> documents, const SelfTestOptions& options) {
  RETURN_IF_ERROR(document_ids(documents));
  if (options.queries_max == 0) return fail(ErrorCode::kInvalidArgument, "a test of 0 queries measures nothing");
  const std::size_t count = documents.size();
  const auto titles = static_cast<std::size_t>(std::ranges::count_if(documents, title_serves));
  const bool by_titles = options.source == QuerySource::kTitles ||
                         (options.source == QuerySource::kAuto && 2 * titles >= documents.size());
  ASSIGN_OR_RETURN(TestSet test, by_titles ? test_by_titles(std::move(documents), options)
                                           : test_by_sentences(std::move(documents), options));
  if (test.queries.empty()) {
    return fail(
        ErrorCode::kConflict,
        "no test can be made of {}: {}. Measure with queries and judgements, or with logged clicks",
        count == 1 ? "1 document" : fmt::format("{} documents", count),
        by_titles ? fmt::format("a title needs {} words, a text of {} below it, and at most {} documents that share it",
                                kTitleWordsMin, kRestWordsMin, kSharedTitleMax)
                  : fmt::format("a document needs a sentence of {} to {} words that stands in no other, and "
                                "{} words beside it",
                                kSentenceWordsMin, kSentenceWordsMax, kRestWordsMin));
  }
  test.trust.emplace_back(
      "Another document that answers as well counts as wrong, so the values are too low; a query shares words with its "
      "document as people's queries seldom do, so they are too high. Compare settings by it, and take no value for "
      "what "
      "people will see.");
  if (by_titles && titles < count) {
    test.remarks.push_back(fmt::format("{} a title and a text that serve.", share_of(titles, count, "documents have")));
  }
  return test;
}

}  // namespace tandem
