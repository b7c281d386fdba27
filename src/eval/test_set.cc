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
  std::size_t count = 0;  // Without numbers.
  // A hash, with the secret of one test: no two texts can be made to share one, and those of others do it so rarely
  // that a lost query is no harm.
  std::size_t key = 0;

  Words(std::string_view text, const StringHash& hash) : count(count_words(text)) {
    std::string joined;
    for (const std::string& word : split_words(text)) joined += word + ' ';
    key = hash(joined);
  }
};

/// Where a sentence stands.
struct SentencePlace {
  std::size_t document = 0;
  std::size_t begin = 0;
};

/// A test before anything is taken out of the documents.
struct Draft {
  std::vector<SweepQuery> queries = {};
  Qrels qrels = {};
  std::vector<std::string> remarks = {};
  std::string trust = {};
  std::vector<SentencePlace> sentences = {};  // [queries] Those that are queries; none where titles are.
};

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

std::size_t count_titles(const std::vector<Document>& documents) {
  return static_cast<std::size_t>(std::ranges::count_if(documents, title_serves));
}

Result<Draft> draft_of_titles(const std::vector<Document>& documents, const SelfTestOptions& options) {
  Draft draft;
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
    if (draft.queries.size() == options.queries_max) break;
    const Document& document = documents[place];
    if (!title_serves(document)) continue;
    const std::size_t key = Words(document.title, hash).key;
    if (!asked.insert(key).second) continue;
    const std::vector<std::size_t>& answers = documents_of_title[key];
    if (answers.size() > kSharedTitleMax) {
      ++too_common;
      continue;
    }
    for (const std::size_t answer : answers) RETURN_IF_ERROR(draft.qrels.add(document.id, documents[answer].id, 1));
    draft.queries.push_back({.id = document.id, .text = std::string(strip(document.title))});
  }
  if (too_common > 0) {
    draft.remarks.push_back(fmt::format("{} left out: more than {} documents share each.",
                                        too_common == 1 ? "1 title was" : fmt::format("{} titles were", too_common),
                                        kSharedTitleMax));
  }
  if (const std::size_t serve = count_titles(documents); serve < documents.size()) {
    draft.remarks.push_back(
        fmt::format("{} a title and a text that serve.", share_of(serve, documents.size(), "documents have")));
  }
  draft.trust = fmt::format(
      "Nobody judged this test: its {} of documents, each of which asks for the documents that had it. All "
      "documents are "
      "searched without their titles.",
      count_of(draft.queries.size(), "query is one of the titles", "queries are titles"));
  return draft;
}

/// From every document, not only from those that are asked for: else those alone would be without a title, and found
/// or missed for that. A document that is nothing but a title keeps it.
void take_titles(std::vector<Document>& documents) {
  for (Document& document : documents) {
    if (!split_words(document.text).empty()) document.title.clear();
  }
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

std::string without(std::string_view text, std::size_t begin, std::size_t size) {
  std::string rest(strip(text.substr(0, begin)));
  const std::string_view after = strip(text.substr(begin + size));
  if (!rest.empty() && !after.empty()) rest += ' ';
  return rest.append(after);
}

Result<Draft> draft_of_sentences(const std::vector<Document>& documents, const SelfTestOptions& options) {
  // Some candidates turn out to say what others say too.
  constexpr std::size_t kSpare = 3;
  Draft draft;
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
    if (draft.queries.size() == options.queries_max) break;
    const std::vector<std::size_t> serve = sentences_that_serve(candidate, counts);
    if (serve.empty()) {
      ++repeated;
      continue;
    }
    const Document& document = documents[candidate.place];
    RETURN_IF_ERROR(draft.qrels.add(document.id, document.id, 1));
    const std::string_view sentence = candidate.sentences[serve[random() % serve.size()]];
    draft.queries.push_back({.id = document.id, .text = std::string(sentence)});
    draft.sentences.push_back(
        {.document = candidate.place, .begin = static_cast<std::size_t>(sentence.data() - document.text.data())});
  }
  if (repeated > 0) {
    draft.remarks.push_back(fmt::format("{} passed over: what {} said stands in other documents too.",
                                        repeated == 1 ? "1 document was" : fmt::format("{} documents were", repeated),
                                        repeated == 1 ? "it" : "they"));
  }
  draft.trust =
      fmt::format("Nobody judged this test: its {}, each of which asks for the document that it was taken from.",
                  count_of(draft.queries.size(), "query is a sentence out of a document",
                           "queries are sentences out of as many documents"));
  return draft;
}

void take_sentences(const Draft& draft, std::vector<Document>& documents) {
  for (std::size_t query = 0; query < draft.queries.size(); ++query) {
    std::string& text = documents[draft.sentences[query].document].text;
    text = without(text, draft.sentences[query].begin, draft.queries[query].text.size());
  }
}

// -------------------------------------------------------------------------------------------------------- the choice

struct ChosenDraft {
  Draft draft;
  bool of_titles = false;
};

/// Of the wanted source; else of the one that gives more queries, and where both give as many of titles, if half of the
/// documents have one.
Result<ChosenDraft> choose_draft(const std::vector<Document>& documents, const SelfTestOptions& options) {
  Draft titles;
  Draft sentences;
  if (options.source != QuerySource::kSentences) {
    ASSIGN_OR_RETURN(titles, draft_of_titles(documents, options));
  }
  if (options.source != QuerySource::kTitles) {
    ASSIGN_OR_RETURN(sentences, draft_of_sentences(documents, options));
  }
  const std::size_t needed = sentences.queries.size() + (2 * count_titles(documents) < documents.size() ? 1 : 0);
  const bool of_titles = options.source == QuerySource::kTitles ||
                         (options.source == QuerySource::kAuto && titles.queries.size() >= needed);
  return ChosenDraft{.draft = of_titles ? std::move(titles) : std::move(sentences), .of_titles = of_titles};
}

std::string needs_of(QuerySource source) {
  const std::string titles = fmt::format(
      "a title needs {} words that are no numbers, a text of {} below it, and at most {} documents that "
      "share it",
      kTitleWordsMin, kRestWordsMin, kSharedTitleMax);
  const std::string sentences =
      fmt::format("a document needs a sentence of {} to {} words that stands in no other, and {} words beside it",
                  kSentenceWordsMin, kSentenceWordsMax, kRestWordsMin);
  switch (source) {
    case QuerySource::kTitles:
      return titles;
    case QuerySource::kSentences:
      return sentences;
    case QuerySource::kAuto:
      return titles + "; without titles, " + sentences;
  }
  return {};
}

}  // namespace

Result<TestSet> make_test_set(std::vector<Document> documents, const SelfTestOptions& options) {
  RETURN_IF_ERROR(document_ids(documents));
  if (options.queries_max == 0) return fail(ErrorCode::kInvalidArgument, "a test of 0 queries measures nothing");
  ASSIGN_OR_RETURN(ChosenDraft chosen, choose_draft(documents, options));
  Draft& draft = chosen.draft;
  if (draft.queries.empty()) {
    return fail(ErrorCode::kConflict,
                "no test can be made of {}: {}. Measure with queries and judgements, or with logged clicks",
                count_of(documents.size(), "document", "documents"), needs_of(options.source));
  }
  if (chosen.of_titles) {
    take_titles(documents);
  } else {
    take_sentences(draft, documents);
  }
  TestSet test{.documents = std::move(documents),
               .queries = std::move(draft.queries),
               .qrels = std::move(draft.qrels),
               .trust = {std::move(draft.trust)},
               .remarks = std::move(draft.remarks)};
  test.trust.emplace_back(
      "Another document that answers as well counts as wrong, so the values are too low; a query shares words with its "
      "document as people's queries seldom do, so they are too high. Compare settings by it, and take no value for "
      "what "
      "people will see.");
  return test;
}

}  // namespace tandem
