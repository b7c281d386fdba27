// The bi-encoder: one text in, one vector out, so that documents are encoded once and compared fast.
//
//   auto model = tandem::BiEncoder::open("models/all-MiniLM-L6-v2");
//   std::vector<std::string_view> texts{"How do I reset my password?", "Forgot your login?"};
//   auto embeddings = model->encode(texts);          // embeddings->vectors: [2, 384]
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/call.h"
#include "tandem/choices.h"
#include "tandem/compute.h"
#include "tandem/embedding_recipe.h"
#include "tandem/export.h"
#include "tandem/matrix.h"
#include "tandem/model_folders.h"
#include "tandem/model_identity.h"
#include "tandem/result.h"

namespace tandem {

/// What a text is for. Chooses the prompt of config_sentence_transformers.json, as encode, encode_query and
/// encode_document of sentence-transformers 6.2 do: a role whose prompt the folder lacks has none. For a folder that
/// calls its document prompt "passage", name it in BiEncoderOptions::document_prompt.
enum class TextRole {
  kPlain,     ///< The folder's default prompt, if it names one.
  kQuery,     ///< The prompt "query".
  kDocument,  ///< The prompt "document".
};

/// What is put before the texts of one role, over what the folder says.
struct PromptChoice {
  /// The name of one of the folder's prompts, or a text. Letters, digits, '-' and '_' alone are always a name, so that
  /// one that is misspelt is an error and no text.
  std::string value;
  bool is_text = false;  ///< `value` is a text, whatever it looks like.
};

struct BiEncoderOptions {
  ComputeOptions compute = {};
  std::optional<std::size_t> max_length = {};  ///< Tokens per text; default: what the folder says.
  std::optional<Pooling> pooling = {};         ///< Default: what the folder says, mean where it says nothing.
  std::optional<bool> normalize = {};  ///< True adds an L2 normalisation at the end, false removes the folder's.
  std::optional<std::size_t> dimensions = {};     ///< Keep the first components only (Matryoshka), before `normalize`.
  std::optional<std::string> prompt_name = {};    ///< One prompt of the folder for every text, whatever its role.
  std::optional<PromptChoice> query_prompt = {};  ///< For queries, over `prompt_name` too.
  std::optional<PromptChoice> document_prompt = {};  ///< For documents, likewise.
  /// The folder of an adapter of AdapterHub for the model. Where the model says nothing of pooling, the first token is
  /// read then, as the adapters of specter2 want it.
  std::optional<std::filesystem::path> adapter = {};
  /// What BiEncoderIdentity::weights_hash has to be, such as that of a collection: other files are kConflict, and are
  /// not read any further than it takes to hash them.
  std::optional<std::string> expected_weights_hash = {};
};

struct Embeddings {
  Matrix vectors;  ///< [texts, dimensions], in the order of the texts.
  Truncation truncation;
};

/// Immutable; copies are cheap and share it. Every method may be called from many threads at once; their batches take
/// turns on the executor.
///
/// A text's vector has the same bits alone or among any others. Reference: SentenceTransformer.encode of
/// sentence-transformers.
class TANDEM_EXPORT BiEncoder {
 public:
  /// Opens a Hugging Face model folder. Errors: kNotFound, kCorruptData, kUnsupported, kInvalidArgument, kConflict;
  /// here and below, those of `call`.
  static Result<BiEncoder> open(const std::filesystem::path& folder, const BiEncoderOptions& options = {},
                                const CallOptions& call = {});

  /// Encodes texts, each with the prompt of `role` before it. Errors: kCorruptData, with the text's number from 1 on,
  /// for a model that gives it a vector which is not finite.
  Result<Embeddings> encode(std::span<const std::string_view> texts, TextRole role = TextRole::kPlain,
                            const CallOptions& call = {}) const;

  std::size_t dimensions() const;
  Normalization normalization() const;
  /// How vectors are compared where nothing else is asked for: as the folder declares (similarity_fn_name: cosine, dot,
  /// euclidean), else the inner product where they have length 1, and L2 elsewhere. Errors: kUnsupported (another
  /// similarity, by its name).
  Result<Metric> metric() const;
  /// What encode() puts before a text of this role; empty: nothing. Lives as long as the encoder.
  std::string_view prompt(TextRole role) const;
  /// The first call reads every weight file.
  Result<BiEncoderIdentity> identity(const CallOptions& call = {}) const;
  const ComputeInfo& compute() const;
  const Executor& executor() const;

  BiEncoder(const BiEncoder&);
  BiEncoder& operator=(const BiEncoder&);
  BiEncoder(BiEncoder&&) noexcept;
  BiEncoder& operator=(BiEncoder&&) noexcept;
  ~BiEncoder();

 private:
  class Impl;
  explicit BiEncoder(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

/// How the recipe's encoder is opened, so that its vectors fit to those that are there: other weights than the recipe's
/// are an error then. Where `compute` leaves the precision open, it is the recipe's.
TANDEM_EXPORT BiEncoderOptions encoder_options(const EmbeddingRecipe& recipe, ComputeOptions compute = {});

/// Opens the recipe's encoder, with the recipe's adapter, from where they lie: ModelStore::resolve_named() knows, or
/// their owner. Errors: those of BiEncoder::open(), with the name of the encoder that is wanted; kConflict where it is
/// another that lies there.
TANDEM_EXPORT Result<BiEncoder> open_encoder(const EmbeddingRecipe& recipe, const ModelFolders& folders,
                                             const ComputeOptions& compute = {}, const CallOptions& call = {});

}  // namespace tandem
