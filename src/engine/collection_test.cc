#include "tandem/collection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <limits>
#include <thread>

#include "engine/testing/tiny_models.h"
#include "formats/safetensors_writer.h"
#include "index/top_k.h"
#include "index/vector_file.h"

namespace tandem {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

class CollectionTest : public testing::Test {
 protected:
  CollectionInfo index(const BiEncoder& encoder, const std::vector<Document>& documents,
                       const CollectionWriterOptions& options = {}) {
    CollectionWriter writer = must(CollectionWriter::create(path_, encoder, options));
    for (const Document& document : documents) must_hold(writer.add(document));
    EXPECT_EQ(writer.documents(), documents.size());
    return must(writer.commit());
  }

  static void must_hold(const Status& status) {
    if (!status) throw std::runtime_error(status.error().message);
  }

  static Matrix encode_one_by_one(const BiEncoder& encoder, const std::vector<Document>& documents) {
    Matrix vectors(documents.size(), encoder.dimensions());
    for (std::size_t row = 0; row < documents.size(); ++row) {
      const std::string text = documents[row].full_text();
      const std::string_view view = text;
      const Embeddings embeddings = must(encoder.encode({&view, 1}, TextRole::kDocument));
      std::ranges::copy(embeddings.vectors.row(0), vectors.row(row).begin());
    }
    return vectors;
  }

  TinyModels models_;
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "faq.tandem";
};

TEST_F(CollectionTest, HoldsWhatTheEncoderSaysWhateverTheBatch) {
  const BiEncoder encoder = models_.bi_encoder();
  const std::vector<Document> documents = tiny_documents(50);
  const Matrix expected = encode_one_by_one(encoder, documents);
  for (const std::size_t batch : {1U, 7U, 256U}) {
    index(encoder, documents, {.metric = std::nullopt, .batch_documents = batch});
    const Collection collection = must(Collection::open(path_));
    const MatrixView vectors = must(collection.vectors(0));
    ASSERT_EQ(vectors.rows, 50U);
    ASSERT_TRUE(std::equal(vectors.data, vectors.data + 50 * vectors.columns, expected.data())) << batch;
    const Document document = must(collection.document("d41"));
    EXPECT_EQ(document.id, "d41");
    EXPECT_EQ(document.text, documents[41].text);
    const RowId rows[] = {{.row = 9}, {.row = 3}};
    EXPECT_EQ(must(collection.documents(rows))[0].title, "one 9");
    for (const RowId& row : {RowId{.row = 50}, RowId{.segment = 1}}) {
      EXPECT_EQ(collection.documents({&row, 1}).error().code, ErrorCode::kNotFound);
    }
    EXPECT_EQ(collection.document("d50").error().message, path_.string() + ": no document has the id \"d50\"");
    EXPECT_EQ(collection.document("d50").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(must(collection.find("d17")), (RowId{.row = 17}));
    EXPECT_EQ(must(collection.find("")), std::nullopt);
    EXPECT_EQ(collection.row_at(17), (RowId{.row = 17}));
    EXPECT_EQ(collection.place_of({.row = 17}), 17U);
  }
}

TEST_F(CollectionTest, TakesVectorsThatAreKnown) {
  const BiEncoder encoder = models_.bi_encoder();
  const std::vector<Document> documents = tiny_documents(7);
  const Matrix vectors = encode_one_by_one(encoder, documents);
  CollectionWriter writer = must(CollectionWriter::create(path_, encoder));
  // In turns, so that documents which wait to be encoded must go before those with a vector.
  for (std::size_t i = 0; i < documents.size(); ++i) {
    must_hold(i % 3 == 0 ? writer.add(documents[i]) : writer.add(documents[i], vectors.row(i)));
  }
  EXPECT_EQ(writer.add({.id = "short"}, vectors.row(0).first(63)).error().code, ErrorCode::kInvalidArgument);
  std::vector<float> spoilt(64, 0.0F);
  spoilt[5] = std::nanf("");
  EXPECT_EQ(writer.add({.id = "spoilt"}, spoilt).error().code, ErrorCode::kCorruptData);
  EXPECT_EQ(writer.add(documents[1], vectors.row(1)).error().code, ErrorCode::kConflict);
  must(writer.commit());
  const Collection collection = must(Collection::open(path_));
  ASSERT_EQ(collection.size(), 7U);
  EXPECT_TRUE(std::equal(vectors.data(), vectors.data() + 7 * 64, must(collection.vectors(0)).data));
  EXPECT_EQ(must(collection.document(documents[6].id)).id, documents[6].id);
}

TEST_F(CollectionTest, RemembersHowItWasMade) {
  const CollectionInfo l2 = index(models_.bi_encoder(), tiny_documents(3));
  EXPECT_EQ(l2.metric, Metric::kL2);
  EXPECT_EQ(l2.recipe.encoder.dimensions, 64U);
  const BiEncoder normalised = models_.bi_encoder({.max_length = 5, .normalize = true});
  index(normalised, tiny_documents(10));
  const CollectionInfo info = must(Collection::open(path_)).info();
  EXPECT_EQ(info.metric, Metric::kInnerProduct);
  EXPECT_EQ(info.documents, 10U);
  EXPECT_TRUE(info.recipe.encoder.normalized());
  EXPECT_EQ(info.recipe.encoder.max_length, 5U);
  EXPECT_TRUE(info.recipe.encoder.weights_hash.starts_with("sha256:"));
  EXPECT_EQ(info.created.size(), std::string("2024-02-29T12:00:00Z").size());
  EXPECT_EQ(info.truncation.texts, 10U);
  EXPECT_GT(info.truncation.texts_truncated, 0U);
  EXPECT_GT(info.truncation.tokens_dropped, info.truncation.texts_truncated);
  EXPECT_EQ(index(normalised, tiny_documents(3), {.metric = Metric::kL2}).metric, Metric::kL2);
}

TEST_F(CollectionTest, FindsTheNearestByBothMetrics) {
  const BiEncoder encoder = models_.bi_encoder();
  const std::vector<Document> documents = tiny_documents(200);
  const std::string_view query = "the fast red boat";
  const Matrix vector = must(encoder.encode({&query, 1}, TextRole::kQuery)).vectors;
  for (const Metric metric : {Metric::kInnerProduct, Metric::kL2}) {
    index(encoder, documents, {.metric = metric});
    const Collection collection = must(Collection::open(path_));
    const MatrixView vectors = must(collection.vectors(0));
    std::vector<VectorHit> expected;
    for (std::uint32_t row = 0; row < collection.size(); ++row) {
      double score = 0;
      for (std::size_t i = 0; i < vector.columns(); ++i) {
        const double a = vector.row(0)[i];
        const double b = vectors.row(row)[i];
        score += metric == Metric::kL2 ? (a - b) * (a - b) : a * b;
      }
      expected.push_back({{.row = row}, static_cast<float>(metric == Metric::kL2 ? -std::sqrt(score) : score)});
    }
    std::ranges::sort(expected, ranks_before);
    const auto hits = must(collection.search(vector, 500));
    ASSERT_EQ(hits[0].size(), 200U);
    for (std::size_t rank = 0; rank < 200; ++rank) EXPECT_NEAR(hits[0][rank].score, expected[rank].score, 1e-4);
    EXPECT_EQ(must(collection.search(vector, 3)),
              (std::vector<std::vector<VectorHit>>{{hits[0].begin(), hits[0].begin() + 3}}));
    EXPECT_EQ(collection.search(Matrix(1, 63), 3).error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(CollectionTest, MayBeSearchedFromManyThreadsAtOnce) {
  const BiEncoder encoder = models_.bi_encoder();
  index(encoder, tiny_documents(300));
  const Collection collection = must(Collection::open(path_));
  const MatrixView vectors = must(collection.vectors(0));
  const auto expected = must(collection.search(vectors, 5));
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        EXPECT_EQ(must(collection.search(vectors, 5)), expected);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(CollectionTest, VectorsThatAreLostWhileThreadsSearchAreAnError) {
  const BiEncoder encoder = models_.bi_encoder();
  index(encoder, tiny_documents(300));
  const std::filesystem::path file = path_ / "generation-000001/vectors.f32";
  const std::uintmax_t whole = std::filesystem::file_size(file);
  for (const std::uintmax_t left : {std::uintmax_t{0}, whole / 2 + 3}) {
    index(encoder, tiny_documents(300));
    const Collection collection = must(Collection::open(path_));
    const std::vector<float> zeros(encoder.dimensions(), 1.0F);
    const MatrixView query{zeros.data(), 1, zeros.size()};
    ASSERT_TRUE(collection.search(query, 5));
    std::atomic<bool> shortened = false;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int round = 0; round < 200; ++round) {
          const bool must_fail = shortened;
          const auto hits = collection.search(query, 5);
          ASSERT_TRUE(hits || contains(hits.error().message, "vectors.f32")) << hits.error().message;
          ASSERT_FALSE(hits && must_fail);
        }
      });
    }
    for (const auto& generation : std::filesystem::directory_iterator(path_)) {
      if (generation.is_directory()) std::filesystem::resize_file(generation.path() / "vectors.f32", left);
    }
    shortened = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(collection.search(query, 5).error().code, ErrorCode::kCorruptData);
    EXPECT_EQ(collection.check_unchanged().error().code, ErrorCode::kCorruptData);
  }
}

TEST_F(CollectionTest, WeightsThatAreLostWhileThreadsEncodeAreAnError) {
  for (const double share : {0.0, 0.3}) {
    const TinyModels models;
    const BiEncoder encoder = models.bi_encoder();
    const std::string_view text = "the cat sat";
    ASSERT_TRUE(encoder.encode({&text, 1}, TextRole::kQuery));
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int round = 0; round < 50; ++round) {
          const auto embeddings = encoder.encode({&text, 1}, TextRole::kQuery);
          ASSERT_TRUE(embeddings || contains(embeddings.error().message, "model.safetensors"))
              << embeddings.error().message;
        }
      });
    }
    const std::filesystem::path file = models.bi_folder().path() / "model.safetensors";
    std::filesystem::resize_file(
        file, static_cast<std::uintmax_t>(share * static_cast<double>(std::filesystem::file_size(file))));
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(encoder.encode({&text, 1}, TextRole::kQuery).error().code, ErrorCode::kCorruptData);
  }
}

TEST_F(CollectionTest, NamesAnIdThatComesTwiceAndGoesOn) {
  const BiEncoder encoder = models_.bi_encoder();
  CollectionWriter writer = must(CollectionWriter::create(path_, encoder, {.metric = {}, .batch_documents = 2}));
  for (const Document& document : tiny_documents(5)) must_hold(writer.add(document));
  const Status status = writer.add(tiny_documents(4).back());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(contains(status.error().message, "two documents have the id \"d3\"")) << status.error().message;
  EXPECT_EQ(must(writer.commit()).documents, 5U);
  EXPECT_EQ(must(Collection::open(path_)).size(), 5U);
}

TEST_F(CollectionTest, AWriterRefusesWhatMakesNoSense) {
  const BiEncoder encoder = models_.bi_encoder();
  EXPECT_EQ(CollectionWriter::create(path_, encoder, {.metric = {}, .batch_documents = 0}).error().code,
            ErrorCode::kInvalidArgument);
  {
    CollectionWriter writer = must(CollectionWriter::create(path_, encoder));
    EXPECT_EQ(CollectionWriter::create(path_, encoder).error().code, ErrorCode::kConflict);
    EXPECT_TRUE(contains(writer.commit().error().message, "no documents were added"));
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
  CollectionWriter writer = must(CollectionWriter::create(path_, encoder));
  must_hold(writer.add(tiny_documents(1)[0]));
  EXPECT_TRUE(writer.commit());
  EXPECT_EQ(writer.commit().error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(writer.add(tiny_documents(2)[1]).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(CollectionTest, SaysExactlyWhatDiffersAboutAnotherEncoder) {
  const BiEncoder encoder = models_.bi_encoder();
  index(encoder, tiny_documents(3));
  const Collection collection = must(Collection::open(path_));
  EXPECT_TRUE(collection.check_encoder(encoder));
  EXPECT_TRUE(collection.check_encoder(models_.bi_encoder()));

  const auto message_for = [&](const BiEncoderOptions& options) {
    const Status status = collection.check_encoder(models_.bi_encoder(options));
    if (status) return std::string("no error");
    EXPECT_EQ(status.error().code, ErrorCode::kConflict);
    return status.error().message;
  };
  const std::string start =
      path_.string() + ": made by another encoder, " + collection.info().recipe.encoder.model + "; ";
  EXPECT_EQ(message_for({.pooling = Pooling::kCls}), start + "pooling: expected mean, got cls");
  EXPECT_EQ(message_for({.max_length = 20}), start + "max length: expected 36, got 20");
  EXPECT_EQ(message_for({.normalize = true, .dimensions = 32}),
            start + "dimensions: expected 64, got 32; normalisation: expected none, got at_end");

  // One bit of the weights.
  std::fstream weights(models_.bi_folder().path() / "model.safetensors", std::ios::in | std::ios::out);
  weights.seekg(-3, std::ios::end);
  const char byte = static_cast<char>(weights.peek() ^ 1);
  weights.seekp(-3, std::ios::end);
  weights.write(&byte, 1);
  weights.close();
  EXPECT_TRUE(contains(message_for({}), "weights: expected sha256:" +
                                            collection.info().recipe.encoder.weights_hash.substr(7) + ", got sha256:"))
      << message_for({});
}

TEST_F(CollectionTest, OtherWeightsThanItsOwnAreNotReadIntoAnEncoder) {
  const std::string hash = must(models_.bi_encoder().identity()).weights_hash;
  const BiEncoder encoder = models_.bi_encoder({.expected_weights_hash = hash});
  EXPECT_EQ(must(encoder.identity()).weights_hash, hash);

  // Weights that no encoder can be made of: what is refused is that they are others.
  models_.bi_folder().write("model.safetensors", std::string("\x02\0\0\0\0\0\0\0{}", 10));
  const auto refusal = [&](const BiEncoderOptions& options) {
    const Result<BiEncoder> opened = BiEncoder::open(models_.bi_folder().path(), options);
    return opened ? Error{ErrorCode::kIo, "no error"} : opened.error();
  };
  EXPECT_TRUE(contains(refusal({}).message, "is missing")) << refusal({}).message;
  const Error error = refusal({.expected_weights_hash = hash});
  EXPECT_EQ(error.code, ErrorCode::kConflict);
  EXPECT_TRUE(contains(error.message, "holds another encoder: weights: expected " + hash + ", got sha256:"))
      << error.message;
}

TEST_F(CollectionTest, TheHashIsOfTheWeightsThatWereReadWhateverLiesThereNow) {
  const std::string hash = must(models_.bi_encoder().identity()).weights_hash;
  const BiEncoder encoder = models_.bi_encoder();
  const std::filesystem::path weights = models_.bi_folder().path() / "model.safetensors";
  std::filesystem::rename(weights, models_.bi_folder().path() / "old");
  models_.bi_folder().write("model.safetensors", "other weights");
  EXPECT_EQ(must(encoder.identity()).weights_hash, hash);
}

TEST_F(CollectionTest, APromptIsPartOfWhatVectorsMean) {
  models_.write_prompts(R"({"query": "query: ", "document": "passage: "})");
  const BiEncoder by_role = models_.bi_encoder();
  index(by_role, tiny_documents(3));
  const Collection collection = must(Collection::open(path_));
  EXPECT_TRUE(collection.check_encoder(by_role));
  EXPECT_TRUE(contains(collection.check_encoder(models_.bi_encoder({.prompt_name = "query"})).error().message,
                       "prompt: expected the one of each text's role, got \"query\""));
  const std::string text = "passage: " + tiny_documents(2)[1].full_text();
  std::filesystem::remove(models_.bi_folder().path() / "config_sentence_transformers.json");
  const std::string_view view = text;
  const Matrix vector = must(models_.bi_encoder().encode({&view, 1})).vectors;
  EXPECT_TRUE(std::ranges::equal(vector.row(0), must(collection.vectors(0)).row(1)));
}

TEST_F(CollectionTest, WhatStandsBetweenTitleAndTextIsEmbeddedToo) {
  const BiEncoder encoder = models_.bi_encoder();
  index(encoder, {{.id = "1", .title = "red", .text = "boat", .metadata = ""}}, {.title_separator = "[SEP]"});
  const std::string_view text = "red[SEP]boat";
  const Matrix vector = must(encoder.encode({&text, 1})).vectors;
  const Collection collection = must(Collection::open(path_));
  EXPECT_TRUE(std::ranges::equal(vector.row(0), must(collection.vectors(0)).row(0)));
}

TEST_F(CollectionTest, ASearchGivesNoScoreThatIsNotFinite) {
  const BiEncoder encoder = models_.bi_encoder();
  index(encoder, tiny_documents(3));
  const std::size_t dimensions = encoder.dimensions();
  {
    const Collection collection = must(Collection::open(path_));
    const std::vector<float> query(dimensions, std::numeric_limits<float>::quiet_NaN());
    EXPECT_EQ(collection.search({query.data(), 1, dimensions}, 3).error().code, ErrorCode::kInvalidArgument);
  }
  const std::vector<float> query(dimensions, 1.0F);
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 3e38F}) {
    const std::filesystem::path file = path_ / "generation-000001/vectors.f32";
    std::filesystem::remove(file);
    VectorFileWriter vectors = must(VectorFileWriter::create(file, dimensions));
    Matrix rows(3, dimensions);
    std::ranges::fill(rows.row(1), value);
    ASSERT_TRUE(vectors.append(rows.view()) && vectors.finish());
    const Collection collection = must(Collection::open(path_));
    const auto hits = collection.search({query.data(), 1, dimensions}, 3);
    ASSERT_FALSE(hits) << value;
    EXPECT_EQ(hits.error().code, ErrorCode::kCorruptData);
    EXPECT_TRUE(contains(hits.error().message, path_.string() + ": the vector of row 1 of segment 0 is not finite"))
        << hits.error().message;
    if (value == 3e38F) continue;  // Only its products are not.
    const Status verified = collection.verify();
    ASSERT_FALSE(verified) << value;
    EXPECT_TRUE(contains(verified.error().message, "row 1 of segment 0 is not finite")) << verified.error().message;
  }
}

TEST_F(CollectionTest, HoldsNoMoreOfABatchTheWiderTheVectors) {
  constexpr std::size_t kWidth = std::size_t{1} << 16;
  const TemporaryFolder& folder = models_.bi_folder();
  folder.write("modules.json", R"([{"path":"","type":"sentence_transformers.models.Transformer"},
    {"path":"1","type":"sentence_transformers.models.Pooling"},{"path":"2","type":"sentence_transformers.models.Dense"},
    {"path":"3","type":"sentence_transformers.models.Dense"}])");
  folder.write("1/config.json", R"({"pooling_mode":"mean"})");
  const auto add_dense = [&](const std::string& name, std::size_t inputs, std::size_t outputs) {
    folder.write(name + "/config.json",
                 fmt::format(R"({{"in_features":{},"out_features":{},"bias":false}})", inputs, outputs));
    const ComputedTensor weights{"linear.weight", {outputs, inputs}, [](std::span<float>) {}};
    ASSERT_TRUE(write_safetensors(folder.path() / name / "model.safetensors", {&weights, 1}));
  };
  add_dense("2", 64, 1);
  add_dense("3", 1, kWidth);
  const BiEncoder encoder = models_.bi_encoder();
  ASSERT_EQ(encoder.dimensions(), kWidth);
  CollectionWriter writer = must(CollectionWriter::create(path_, encoder, {.metric = {}, .batch_documents = 1024}));
  constexpr std::size_t kDocuments = (std::size_t{64} << 20) / (kWidth * sizeof(float));
  for (const Document& document : tiny_documents(kDocuments)) must_hold(writer.add(document));
  std::uintmax_t written_bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
    if (entry.path().filename() == "vectors.f32") written_bytes = entry.file_size();
  }
  EXPECT_GE(written_bytes, kDocuments * kWidth * sizeof(float)) << "64 MiB of vectors are a batch";
}

TEST(BatchRows, AreFewerTheWiderTheyAre) {
  EXPECT_EQ(batch_rows(384, 4096), 4096U);
  EXPECT_EQ(batch_rows(std::size_t{1} << 18, 4096), 64U);
  EXPECT_EQ(batch_rows(std::size_t{1} << 30, 4096), 1U);
  EXPECT_EQ(batch_rows(0, 7), 7U);
}

TEST_F(CollectionTest, RefusesVectorsThatAreNotFinite) {
  models_.spoil_weights(std::numeric_limits<float>::infinity());
  const BiEncoder encoder = models_.bi_encoder();
  CollectionWriter writer = must(CollectionWriter::create(path_, encoder));
  must_hold(writer.add(tiny_documents(1)[0]));
  const auto info = writer.commit();
  ASSERT_FALSE(info);
  EXPECT_TRUE(contains(info.error().message, "documents from d0 on: text 1: ")) << info.error().message;
  EXPECT_TRUE(contains(info.error().message, "not finite")) << info.error().message;
}

}  // namespace
}  // namespace tandem
