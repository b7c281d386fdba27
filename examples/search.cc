// Two-stage search in one page: indexes a file of documents and answers one question about it.
//
//   search BI_ENCODER CROSS_ENCODER DOCUMENTS.jsonl "a question"
//
// Models are Hugging Face ids or folders; see examples/CMakeLists.txt for how to build against an installed Tandem.
#include <cstdio>
#include <filesystem>

#include "tandem/bi_encoder.h"
#include "tandem/collection.h"
#include "tandem/corpus.h"
#include "tandem/cross_encoder.h"
#include "tandem/model_store.h"
#include "tandem/retriever.h"

namespace {

/// Everything that may go wrong comes back as one Error, whose message says what, where, expected and got.
tandem::Status run(const char* bi_model, const char* cross_model, const char* documents, const char* question) {
  const tandem::ModelStore store;
  auto bi_folder = store.resolve(bi_model);
  if (!bi_folder) return tl::unexpected(bi_folder.error());
  auto cross_folder = store.resolve(cross_model);
  if (!cross_folder) return tl::unexpected(cross_folder.error());
  auto bi_encoder = tandem::BiEncoder::open(*bi_folder);
  if (!bi_encoder) return tl::unexpected(bi_encoder.error());
  auto cross_encoder = tandem::CrossEncoder::open(*cross_folder);
  if (!cross_encoder) return tl::unexpected(cross_encoder.error());

  // Write the collection: done once, then searched as often as you like.
  const std::filesystem::path folder = "example.tandem";
  auto reader = tandem::CorpusReader::open({documents});
  if (!reader) return tl::unexpected(reader.error());
  auto writer = tandem::CollectionWriter::create(folder, *bi_encoder);
  if (!writer) return tl::unexpected(writer.error());
  for (;;) {
    auto document = reader->next();
    if (!document) return tl::unexpected(document.error());
    if (!*document) break;
    if (auto added = writer->add(std::move(**document)); !added) return added;
  }
  if (auto committed = writer->commit(); !committed) return tl::unexpected(committed.error());

  // Search it.
  auto collection = tandem::Collection::open(folder);
  if (!collection) return tl::unexpected(collection.error());
  const tandem::Retriever retriever(*collection, *bi_encoder, *cross_encoder);
  auto response = retriever.search(question, {.final_top_k = 3});
  if (!response) return tl::unexpected(response.error());
  for (const tandem::SearchHit& hit : response->hits) {
    std::printf("%zu  %.3f  %s: %s\n", hit.rank, hit.final_score, hit.document->id.c_str(), hit.document->text.c_str());
  }
  std::printf("first stage %.1f ms, second stage %.1f ms\n", response->times.encode_ms + response->times.retrieve_ms,
              response->times.rerank_ms);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: search BI_ENCODER CROSS_ENCODER DOCUMENTS.jsonl \"a question\"\n");
    return 2;
  }
  const tandem::Status status = run(argv[1], argv[2], argv[3], argv[4]);
  if (!status) std::fprintf(stderr, "search: %s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
