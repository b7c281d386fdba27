#include "tandem/test_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>

#include "base/testing/cost.h"
#include "base/testing/temporary_folder.h"

namespace tandem {
namespace {

std::string words(std::string_view word, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::string(word) + std::to_string(i) + ' ';
  return text;
}

/// Three sentences of eight words each that no other document has.
Document document(int number) {
  const std::string id = "d" + std::to_string(number);
  return {.id = id,
          .title = "The title of " + id,
          .text = words(id + "a", 8) + "end. " + words(id + "b", 8) + "end! " + words(id + "c", 8) + "end."};
}

std::vector<Document> corpus(int count) {
  std::vector<Document> documents;
  for (int i = 0; i < count; ++i) documents.push_back(document(i));
  return documents;
}

TestSet made(std::vector<Document> documents, const SelfTestOptions& options) {
  Result<TestSet> test = make_test_set(std::move(documents), options);
  EXPECT_TRUE(test.has_value()) << test.error().message;
  return std::move(*test);
}

std::string all_of(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += sentence + '\n';
  return text;
}

template <class Test>
void expect_error(const Result<Test>& test, ErrorCode code, std::string_view part) {
  ASSERT_FALSE(test.has_value()) << part;
  EXPECT_EQ(test.error().code, code) << test.error().message;
  EXPECT_NE(test.error().message.find(part), std::string::npos) << test.error().message;
}

// --------------------------------------------------------------------------------------------------------- self-made

TEST(SelfTest, ATitleAsksForItsDocumentAndIsTakenOutOfAll) {
  const TestSet test = made(corpus(5), {.queries_max = 3});
  ASSERT_EQ(test.queries.size(), 3U);
  for (const SweepQuery& query : test.queries) {
    EXPECT_EQ(query.text, "The title of " + query.id);
    EXPECT_EQ(test.qrels.judgements_of(query.id).front().document_id, query.id);
  }
  for (const Document& each : test.documents) EXPECT_EQ(each.title, "");
}

TEST(SelfTest, DocumentsThatShareATitleAllAnswerIt) {
  std::vector<Document> documents = corpus(3);
  documents[0].title = "How do I pay?";
  documents[2].title = "how do I pay";
  const TestSet test = made(documents, {.source = QuerySource::kTitles});
  ASSERT_EQ(test.queries.size(), 2U);
  EXPECT_EQ(test.qrels.judgements(), 3U);
}

// The words of these two, with a blank after each, have one hash in libstdc++.
TEST(SelfTest, TitlesThatWereMadeToCollideAreTwo) {
  ASSERT_EQ(std::hash<std::string>()("cats and dogs 12 "), std::hash<std::string>()("c j pmeapfutw19x "));
  std::vector<Document> documents = corpus(2);
  documents[0].title = "Cats and dogs: 12";
  documents[1].title = "c j pmeapfutw19x";
  const TestSet test = made(documents, {.source = QuerySource::kTitles});
  ASSERT_EQ(test.queries.size(), 2U);
  EXPECT_EQ(test.qrels.judgements(), 2U);
}

TEST(SelfTest, ASentenceIsTakenOutOfItsDocument) {
  const std::vector<Document> documents = corpus(20);
  const TestSet test = made(documents, {.source = QuerySource::kSentences, .queries_max = 5});
  ASSERT_EQ(test.queries.size(), 5U);
  std::set<std::string> ids;
  for (const SweepQuery& query : test.queries) {
    ids.insert(query.id);
    const auto place = static_cast<std::size_t>(std::stoi(query.id.substr(1)));
    EXPECT_NE(documents[place].text.find(query.text), std::string::npos);
    EXPECT_EQ(test.documents[place].text.find(query.text), std::string::npos);
    EXPECT_LT(test.documents[place].text.size() + query.text.size(), documents[place].text.size() + 1);
  }
  EXPECT_EQ(ids.size(), 5U);
}

TEST(SelfTest, TheSeedDrawsTheSameTestAgain) {
  const auto texts = [](std::uint32_t seed) {
    std::string joined;
    for (const SweepQuery& query :
         made(corpus(30), {.source = QuerySource::kSentences, .queries_max = 5, .seed = seed}).queries) {
      joined += query.text;
    }
    return joined;
  };
  EXPECT_EQ(texts(1), texts(1));
  EXPECT_NE(texts(1), texts(2));
}

TEST(SelfTest, WhatSeveralDocumentsSayIsNotAskedFor) {
  std::vector<Document> documents = corpus(6);
  documents[1].text = documents[0].text;
  const std::string shared = words("shared", 8) + "end.";
  documents[2].text += ' ' + shared;
  documents[3].text += ' ' + shared;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const TestSet test = made(documents, {.source = QuerySource::kSentences, .seed = seed});
    EXPECT_EQ(test.queries.size(), 4U);
    for (const SweepQuery& query : test.queries) {
      EXPECT_NE(query.id, "d0");
      EXPECT_NE(query.id, "d1");
      EXPECT_EQ(query.text.find("shared"), std::string::npos);
    }
    EXPECT_NE(all_of(test.remarks).find("2 documents were passed over"), std::string::npos);
  }
}

TEST(SelfTest, WhatGivesMoreQueriesServes) {
  std::vector<Document> documents = corpus(4);
  EXPECT_NE(all_of(made(documents, {}).trust).find("are titles"), std::string::npos) << "four of either";
  documents[0].title = "";
  EXPECT_NE(all_of(made(documents, {}).trust).find("4 queries are sentences out of"), std::string::npos);
  EXPECT_NE(all_of(made(documents, {.queries_max = 3}).trust).find("3 queries are titles"), std::string::npos);
  for (Document& each : documents) each.text = words("one sentence " + each.id, 20);
  EXPECT_NE(all_of(made(documents, {}).trust).find("3 queries are titles"), std::string::npos);
}

TEST(SelfTest, AsManyTitlesAsSentencesServeWhereHalfOfTheDocumentsHaveOne) {
  std::vector<Document> documents = corpus(4);
  documents[0].title = documents[1].title = "";
  EXPECT_NE(all_of(made(documents, {.queries_max = 2}).trust).find("are titles"), std::string::npos);
  documents[2].title = "";
  EXPECT_NE(all_of(made(documents, {.queries_max = 1}).trust).find("is a sentence"), std::string::npos);
}

TEST(SelfTest, NumbersAreNoWordsOfAQuery) {
  std::vector<Document> documents = corpus(4);
  for (std::size_t i = 0; i < documents.size(); ++i) documents[i].title = "4.2." + std::to_string(i) + " 17 (2024)";
  expect_error(make_test_set(documents, {.source = QuerySource::kTitles}), ErrorCode::kConflict, "no numbers");
  EXPECT_NE(all_of(made(documents, {}).trust).find("4 queries are sentences out of"), std::string::npos);
}

TEST(SelfTest, SentencesOfAnyScriptAreAskedFor) {
  const std::string hindi =
      "दिल्ली भारत की राजधानी और बड़ा नगर है। गंगा भारत की सबसे लंबी और पवित्र नदी है। हिमालय संसार का सबसे ऊँचा पर्वत "
      "माना जाता है।";
  const TestSet test = made({{.id = "a", .title = "", .text = hindi}}, {});
  ASSERT_EQ(test.queries.size(), 1U);
  EXPECT_TRUE(test.queries[0].text.ends_with("है।"));
  EXPECT_LT(test.queries[0].text.size(), hindi.size() / 2);
}

TEST(SelfTest, TheVerySentenceIsTakenOutNotAnotherThatHoldsIt) {
  const std::string inner = words("inner", 6) + "end.";
  const std::string text =
      "Longer: " + words("outer", 40) + words("more", 40) + inner + " " + inner + ' ' + words("rest", 70);
  const TestSet test = made({{.id = "a", .title = "", .text = text}}, {.source = QuerySource::kSentences});
  EXPECT_TRUE(test.documents[0].text.starts_with("Longer: ")) << test.documents[0].text;
  EXPECT_NE(test.documents[0].text.find("more39 " + inner), std::string::npos) << test.documents[0].text;
}

TEST(SelfTest, CorporaThatMakeNoTestAreRefused) {
  expect_error(make_test_set({}), ErrorCode::kInvalidArgument, "no documents");
  expect_error(make_test_set(corpus(2), {.queries_max = 0}), ErrorCode::kInvalidArgument, "0 queries");
  expect_error(make_test_set({document(1), document(1)}), ErrorCode::kConflict, "'d1'");
  expect_error(make_test_set({{.id = "a", .text = "Too short. To ask for."}}), ErrorCode::kConflict, "1 document");
  expect_error(make_test_set({{.id = "a", .text = "No titles here."}}, {.source = QuerySource::kTitles}),
               ErrorCode::kConflict, "title");
}

TEST(SelfTest, AnyBytesAreRead) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += static_cast<char>(i * 37 % 256);
  static_cast<void>(make_test_set({{.id = "a", .title = text, .text = text}, {.id = "b", .title = "", .text = text}}));
}

// ------------------------------------------------------------------------------------------------------------ clicks

class Clicks : public testing::Test {
 protected:
  std::string write(const std::string& name, std::string_view content) { return folder_.write(name, content).string(); }

  TestSet read(const std::string& name, std::string_view content, const ClickLogOptions& options = {}) {
    Result<TestSet> test = read_click_log(write(name, content), corpus(5), options);
    EXPECT_TRUE(test.has_value()) << test.error().message;
    return std::move(*test);
  }

  void expect_refused(const std::string& name, std::string_view content, ErrorCode code, std::string_view part) {
    expect_error(read_click_log(write(name, content), corpus(5)), code, part);
  }

  TemporaryFolder folder_;
};

TEST_F(Clicks, EqualQueriesAreAddedUpAndGraded) {
  const TestSet test = read("clicks.tsv",
                            "# query, document, clicks\n"
                            "Pay  me\td1\t3\n"
                            "ship\td2\n"
                            " pay ME\td2\n"
                            "pay me\td1\t1\n"
                            "pay me\td3\t0\n");
  ASSERT_EQ(test.queries.size(), 2U);
  EXPECT_EQ(test.queries[0].text, "Pay  me");
  const std::vector<Judgement> judged = test.qrels.judgements_of("1");
  ASSERT_EQ(judged.size(), 2U);
  EXPECT_EQ(judged[0].document_id, "d1");
  EXPECT_EQ(judged[0].relevance, 2);  // Four of five clicks.
  EXPECT_EQ(judged[1].relevance, 1);
  EXPECT_EQ(test.documents.size(), 5U);
}

// Eight times as many may take no more than eight times the time, with what sorting would add.
TEST_F(Clicks, ManyDocumentsOfOneQueryTakeNoLongerThanOfMany) {
  constexpr int kDocuments = 8000;
  constexpr double kGrowthMax = 8 * 1.3 * 1.5;
  constexpr double kCpuFloorMs = 10;
  const auto cost = [&](int count) {
    std::string log;
    for (int i = 0; i < count; ++i) log += "pay\td" + std::to_string(i) + "\n";
    const std::string path = write("clicks.tsv", log);
    const std::vector<Document> documents = corpus(count);
    return cost_of([&] {
      const Result<TestSet> test = read_click_log(path, documents);
      return test && test->qrels.judgements() == static_cast<std::size_t>(count);
    });
  };
  const Cost small = cost(kDocuments);
  const Cost large = cost(8 * kDocuments);
  ASSERT_TRUE(small.succeeded && large.succeeded);
  EXPECT_LT(large.cpu_ms, std::max(small.cpu_ms, kCpuFloorMs) * kGrowthMax);
}

TEST_F(Clicks, BothFormsOfJsonAreRead) {
  const TestSet test = read("clicks.jsonl",
                            "{\"query\": \"pay\", \"clicked\": [\"d1\", \"d2\"]}\n"
                            "{\"query\": \"pay\", \"document_id\": \"d2\", \"clicks\": 4}\n"
                            "{\"query\": \"nothing\", \"clicked\": []}\n"
                            "{\"query\": \"ship\", \"document_id\": \"d3\"}\n");
  ASSERT_EQ(test.queries.size(), 2U);
  EXPECT_EQ(test.qrels.judgements_of("1")[0].relevance, 1);
  EXPECT_EQ(test.qrels.judgements_of("1")[1].relevance, 2);
  EXPECT_EQ(test.queries[1].text, "ship");
  EXPECT_NE(all_of(test.remarks).find("1 query was left out"), std::string::npos);
}

TEST_F(Clicks, FewClicksAndUnknownDocumentsCountForNothing) {
  const TestSet test = read("clicks.tsv", "pay\td1\t5\npay\td2\t1\npay\tgone\t7\nship\td2\t1\n", {.clicks_min = 2});
  ASSERT_EQ(test.queries.size(), 1U);
  EXPECT_EQ(test.qrels.judgements(), 1U);
  EXPECT_NE(all_of(test.remarks).find("7 clicks were on documents that are not in the corpus, the first on 'gone'"),
            std::string::npos);
}

TEST_F(Clicks, BadLinesAreNamed) {
  expect_refused("a.tsv", "pay\td1\nno tab\n", ErrorCode::kCorruptData, "a.tsv:2: ");
  expect_refused("b.tsv", "pay\td1\t-3\n", ErrorCode::kCorruptData, "'-3'");
  expect_refused("c.tsv", " \td1\n", ErrorCode::kCorruptData, "query is empty");
  expect_refused("d.jsonl", "{\"query\": \"pay\"}\n", ErrorCode::kCorruptData, "d.jsonl:1: ");
  expect_refused("e.jsonl", "{\"query\": \"pay\", \"document_id\": \"d1\", \"clicks\": 99999999999}\n",
                 ErrorCode::kCorruptData, "99999999999");
  expect_refused("f.jsonl", "pay\n", ErrorCode::kCorruptData, "f.jsonl:1: ");
  expect_refused("g.tsv", "", ErrorCode::kCorruptData, "holds no click");
}

TEST_F(Clicks, ClicksOnUnknownDocumentsAloneAreAConflict) {
  expect_refused("a.tsv", "pay\tgone\n", ErrorCode::kConflict, "'gone'");
  expect_error(read_click_log(write("b.tsv", "pay\td1\n"), {}), ErrorCode::kInvalidArgument, "no documents");
  expect_error(read_click_log(write("b.tsv", "pay\td1\n"), corpus(2), {.clicks_min = 0}), ErrorCode::kInvalidArgument,
               "clicks_min");
}

// ------------------------------------------------------------------------------------------------------------ judged

Qrels qrels_of(const std::vector<std::tuple<const char*, const char*, int>>& judged) {
  Qrels qrels;
  for (const auto& [query, document, relevance] : judged) EXPECT_TRUE(qrels.add(query, document, relevance));
  return qrels;
}

const std::vector<SweepQuery> kAsked{{.id = "pay", .text = "how to pay"}, {.id = "ship", .text = "when is it here"}};

TEST(JudgedTest, KeepsDocumentsQueriesAndJudgements) {
  const Result<TestSet> test = judged_test_set(corpus(2), kAsked, qrels_of({{"pay", "d0", 2}, {"other", "d1", 1}}),
                                               {.queries = "queries.jsonl", .qrels = "qrels.tsv"});
  ASSERT_TRUE(test.has_value()) << test.error().message;
  EXPECT_EQ(test->documents.size(), 2U);
  EXPECT_EQ(test->queries.size(), 2U);  // One is not judged.
  EXPECT_EQ(test->qrels.judgements(), 2U);
  EXPECT_EQ(all_of(test->trust),
            "The judgements are those of qrels.tsv: what they do not judge counts as not relevant.\n");
  EXPECT_TRUE(test->remarks.empty());
}

TEST(JudgedTest, RelevantDocumentsThatAreNotInTheCorpusAreRemarkedOn) {
  Qrels qrels = qrels_of({{"pay", "d0", 1}, {"pay", "gone", 1}, {"ship", "away", 2}, {"ship", "lost", 0}});
  const Result<TestSet> test = judged_test_set(corpus(1), kAsked, std::move(qrels));
  ASSERT_TRUE(test.has_value()) << test.error().message;
  EXPECT_EQ(all_of(test->remarks),
            "2 of 3 relevant documents are not in the corpus and cannot be found, the first is 'gone'.\n");
}

TEST(JudgedTest, WhatMeasuresNothingIsAConflict) {
  const auto refuse = [](Qrels qrels, std::string_view message) {
    expect_error(judged_test_set(corpus(1), kAsked, std::move(qrels), {.queries = "q.jsonl", .qrels = "j.tsv"}),
                 ErrorCode::kConflict, message);
  };
  refuse(qrels_of({{"other", "d0", 1}}), "q.jsonl: none of its 2 queries is in j.tsv, which begins with 'other'");
  refuse({}, "q.jsonl: none of its 2 queries is in j.tsv, which is empty");
  refuse(qrels_of({{"pay", "d0", 0}}), "j.tsv: no document of the corpus is relevant to any query");
  refuse(qrels_of({{"pay", "gone", 1}}), "relevant to any query; 'gone', the first that is, is not in it");
}

TEST(JudgedTest, DocumentsAreThereAndEachOnce) {
  expect_error(judged_test_set({}, kAsked, qrels_of({{"pay", "d0", 1}})), ErrorCode::kInvalidArgument, "no documents");
  expect_error(judged_test_set({document(0), document(0)}, kAsked, qrels_of({{"pay", "d0", 1}})), ErrorCode::kConflict,
               "two documents have the id 'd0'");
}

}  // namespace
}  // namespace tandem
