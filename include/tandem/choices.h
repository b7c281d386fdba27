// The closed sets that users choose from, and what each choice is called on the command line, in JSON and in files.
//
//   tandem::name_of(tandem::Precision::kBf16);          // "bf16"
//   tandem::choice_of<tandem::Pooling>("mean");         // Pooling::kMean
//
// Names are for good: files and hashes hold them. The numbers behind the enumerators are not, and nothing keeps them.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace tandem {

/// The arithmetic of the encoder's matrix products. Everything between them is f32.
enum class Precision {
  kAuto,  ///< The fastest that keeps parity with f32 on this processor: bf16 where that is faster, else f32.
  kF32,
  kBf16,  ///< Runs as f32 on a processor without bf16 instructions; ComputeInfo says so.
  kInt8,  ///< Weights per output channel, activations per token; a measured loss, see docs/precision.md.
};

/// How token vectors become one text vector. The names are those of sentence-transformers.
enum class Pooling {
  kCls,             ///< cls: the first token.
  kMean,            ///< mean: the average, special tokens included.
  kMax,             ///< max: the largest of each component.
  kMeanSqrtLength,  ///< mean_sqrt_len_tokens: the sum divided by the square root of the count.
  kWeightedMean,    ///< weightedmean: weights 1, 2, 3 … by position.
  kLastToken,       ///< lasttoken.
};

/// Where a text's vector is brought to length 1. What it is decides which vectors come out; the folder and the caller
/// decide what it is.
enum class Normalization {
  kNone,       ///< none: nowhere, or where later modules undo it.
  kBeforeCut,  ///< before_cut: by the folder's own module, and then components are cut off: lengths are below 1.
  kAtEnd,      ///< at_end: vectors that leave have length 1.
};

/// What is applied to a cross-encoder's logits, always in f32.
enum class Activation {
  kAuto,  ///< What the folder declares; else sigmoid for one label, none for several.
  kNone,  ///< Raw logits.
  kSigmoid,
  kSoftmax,  ///< Over the labels.
};

/// How vectors are compared.
enum class Metric {
  kInnerProduct,  ///< For vectors of length 1 this is the cosine.
  kL2,            ///< Euclidean distance; a hit's score is its negative, so that higher is better everywhere.
  kCosine,        ///< Of vectors of any length; 0 where one of them is.
};

/// What a file of texts, pairs, queries or documents holds.
enum class TextFormat {
  /// By the file's name, with or without .gz: .jsonl and .ndjson, .tsv, .csv, and .txt, .text, .md and .markdown for
  /// lines. Standard input and other names: JSON lines where the first line is a JSON object, else lines. What its name
  /// or its first line shows to be something else is an error.
  kAuto,
  kJsonl,  ///< An object per line.
  kTsv,    ///< Fields with tabs between them and no quoting; a header line where one names the fields.
  kCsv,    ///< RFC 4180, with a header line.
  kLines,  ///< One text per line.
};

template <class Choice>
struct NamedChoice {
  std::string_view name;
  Choice value;
};

/// Every value of a set with its name.
template <class Choice>
inline constexpr std::array<NamedChoice<Choice>, 0> kChoices = {};

template <>
inline constexpr std::array kChoices<Precision> = std::to_array<NamedChoice<Precision>>(
    {{"auto", Precision::kAuto}, {"f32", Precision::kF32}, {"bf16", Precision::kBf16}, {"int8", Precision::kInt8}});

template <>
inline constexpr std::array kChoices<Pooling> =
    std::to_array<NamedChoice<Pooling>>({{"cls", Pooling::kCls},
                                         {"mean", Pooling::kMean},
                                         {"max", Pooling::kMax},
                                         {"mean_sqrt_len_tokens", Pooling::kMeanSqrtLength},
                                         {"weightedmean", Pooling::kWeightedMean},
                                         {"lasttoken", Pooling::kLastToken}});

template <>
inline constexpr std::array kChoices<Normalization> = std::to_array<NamedChoice<Normalization>>(
    {{"none", Normalization::kNone}, {"before_cut", Normalization::kBeforeCut}, {"at_end", Normalization::kAtEnd}});

template <>
inline constexpr std::array kChoices<Activation> =
    std::to_array<NamedChoice<Activation>>({{"auto", Activation::kAuto},
                                            {"none", Activation::kNone},
                                            {"sigmoid", Activation::kSigmoid},
                                            {"softmax", Activation::kSoftmax}});

template <>
inline constexpr std::array kChoices<Metric> = std::to_array<NamedChoice<Metric>>(
    {{"inner_product", Metric::kInnerProduct}, {"l2", Metric::kL2}, {"cosine", Metric::kCosine}});

template <>
inline constexpr std::array kChoices<TextFormat> =
    std::to_array<NamedChoice<TextFormat>>({{"auto", TextFormat::kAuto},
                                            {"jsonl", TextFormat::kJsonl},
                                            {"tsv", TextFormat::kTsv},
                                            {"csv", TextFormat::kCsv},
                                            {"lines", TextFormat::kLines}});

/// What a choice is called.
template <class Choice>
constexpr std::string_view name_of(Choice value) {
  for (const NamedChoice<Choice>& choice : kChoices<Choice>) {
    if (choice.value == value) return choice.name;
  }
  return "";
}

/// The choice of that name; nullopt where there is none.
template <class Choice>
constexpr std::optional<Choice> choice_of(std::string_view name) {
  for (const NamedChoice<Choice>& choice : kChoices<Choice>) {
    if (choice.name == name) return choice.value;
  }
  return std::nullopt;
}

}  // namespace tandem
