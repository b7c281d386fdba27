#include "scenarios.h"

#include <fmt/format.h>

#include "base/json.h"

namespace tandem::cli {

namespace {

constexpr std::string_view kBi = "bi-encoder";
constexpr std::string_view kCross = "cross-encoder";
constexpr std::string_view kHybrid = "hybrid";

constexpr Scenario kScenarios[] = {
    {"Large-scale search (more than 10,000 documents)", kBi,
     "Documents become vectors once; a query then costs one encoding and a scan.",
     "tandem bench compare --cross-pairs-max 100 --sizes 10,25,10000"},
    {"Real-time search", kBi, "The answer is there in milliseconds, because nothing is read again.",
     "tandem advise examples/data/faq.jsonl --p95-ms 50"},
    {"High precision", kCross, "Query and document are read together, so that fine differences count.",
     "tandem advise examples/data/corpus.jsonl examples/data/faq.jsonl --queries examples/data/queries.jsonl "
     "--qrels examples/data/qrels.tsv --metric precision@1"},
    {"Complex meaning", kCross, "Attention between both texts sees negations, numbers and who did what.",
     "tandem demo nuance"},
    {"FAQ and knowledge base", kBi, "The questions seldom change, so that their vectors serve for long.",
     "tandem demo faq --model sentence-transformers/all-MiniLM-L6-v2"},
    {"Similar documents at scale", kBi, "Comparing two documents is one dot product of vectors that are there.",
     "tandem eval --pairs examples/data/sentence_pairs.jsonl --mode bi"},
    {"Passages that answer a question", kCross, "Whether a passage answers is seen best beside the question.",
     "tandem eval --pairs examples/data/question_pairs.jsonl --activation sigmoid"},
    {"Legal and medical documents", kCross, "A wrong first result costs more than the time to avoid it.",
     "tandem demo legal"},
    {"E-commerce", kHybrid, "The first stage keeps it quick, the second puts what fits on top.",
     "tandem demo products"},
    {"Similarity of two sentences", kCross, "Both are compared word by word; the model must be trained for it.",
     "tandem eval --pairs examples/data/sentence_pairs.jsonl --activation sigmoid"},
    {"First stage of a search", kBi, "It has to find candidates among everything, and only has to miss little.",
     "tandem advise examples/data/corpus.jsonl examples/data/faq.jsonl --queries examples/data/queries.jsonl "
     "--qrels examples/data/qrels.tsv --min-recall 0.8"},
    {"Reranking the best candidates", kCross, "For some dozens of candidates there is time to read each.",
     "tandem advise examples/data/corpus.jsonl examples/data/faq.jsonl --queries examples/data/queries.jsonl "
     "--qrels examples/data/qrels.tsv --first-stage examples/data/keyword.trec"},
    {"Clustering and classification", kBi, "Every text becomes one vector, which any such method takes.",
     "tandem eval --pairs examples/data/topic_pairs.jsonl --mode bi"},
    {"Classification without training data", kCross, "Each label is read with the text, as if it were a query.",
     "tandem eval --pairs examples/data/topic_pairs.jsonl --mode cross --activation sigmoid"},
};

}  // namespace

std::span<const Scenario> scenarios() { return kScenarios; }

std::string scenarios_text() {
  std::string text = "A rule of thumb for each; the command shows whether it holds, on sample data or on yours.\n";
  for (const Scenario& scenario : kScenarios) {
    text += fmt::format("\n{}: {}\n  {}\n  $ {}\n", scenario.scenario, scenario.recommended, scenario.reason,
                        scenario.command);
  }
  return text;
}

std::string scenarios_json() {
  JsonWriter json;
  json.begin_object().key("scenarios").begin_array();
  for (const Scenario& scenario : kScenarios) {
    json.begin_object().key("scenario").value(scenario.scenario).key("recommended").value(scenario.recommended);
    json.key("reason").value(scenario.reason).key("command").value(scenario.command).end_object();
  }
  return json.end_array().end_object().take() + "\n";
}

}  // namespace tandem::cli
