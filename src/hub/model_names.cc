#include "hub/model_names.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "base/relative_path.h"

namespace tandem {
namespace {

constexpr std::size_t kIdLengthMax = 96;
constexpr std::size_t kRevisionLengthMax = 200;
constexpr std::size_t kCommitDigits = 40;

// In order.
constexpr std::string_view kBareModelNames[] = {
    "albert-base-v1",
    "albert-base-v2",
    "albert-large-v1",
    "albert-large-v2",
    "albert-xlarge-v1",
    "albert-xlarge-v2",
    "albert-xxlarge-v1",
    "albert-xxlarge-v2",
    "bert-base-cased",
    "bert-base-cased-finetuned-mrpc",
    "bert-base-chinese",
    "bert-base-german-cased",
    "bert-base-german-dbmdz-cased",
    "bert-base-german-dbmdz-uncased",
    "bert-base-multilingual-cased",
    "bert-base-multilingual-uncased",
    "bert-base-uncased",
    "bert-large-cased",
    "bert-large-cased-whole-word-masking",
    "bert-large-cased-whole-word-masking-finetuned-squad",
    "bert-large-uncased",
    "bert-large-uncased-whole-word-masking",
    "bert-large-uncased-whole-word-masking-finetuned-squad",
    "camembert-base",
    "ctrl",
    "distilbert-base-cased",
    "distilbert-base-cased-distilled-squad",
    "distilbert-base-german-cased",
    "distilbert-base-multilingual-cased",
    "distilbert-base-uncased",
    "distilbert-base-uncased-distilled-squad",
    "distilbert-base-uncased-finetuned-sst-2-english",
    "distilgpt2",
    "distilroberta-base",
    "gpt2",
    "gpt2-large",
    "gpt2-medium",
    "gpt2-xl",
    "openai-gpt",
    "roberta-base",
    "roberta-base-openai-detector",
    "roberta-large",
    "roberta-large-mnli",
    "roberta-large-openai-detector",
    "t5-11b",
    "t5-3b",
    "t5-base",
    "t5-large",
    "t5-small",
    "transfo-xl-wt103",
    "xlm-clm-ende-1024",
    "xlm-clm-enfr-1024",
    "xlm-mlm-100-1280",
    "xlm-mlm-17-1280",
    "xlm-mlm-en-2048",
    "xlm-mlm-ende-1024",
    "xlm-mlm-enfr-1024",
    "xlm-mlm-enro-1024",
    "xlm-mlm-tlm-xnli15-1024",
    "xlm-mlm-xnli15-1024",
    "xlm-roberta-base",
    "xlm-roberta-large",
    "xlm-roberta-large-finetuned-conll02-dutch",
    "xlm-roberta-large-finetuned-conll02-spanish",
    "xlm-roberta-large-finetuned-conll03-english",
    "xlm-roberta-large-finetuned-conll03-german",
    "xlnet-base-cased",
    "xlnet-large-cased",
};

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_part_of_id(std::string_view part) {
  return !part.empty() && part.front() != '.' && part.front() != '-' && part.back() != '.' &&
         part.find("..") == part.npos && part.find("--") == part.npos &&
         std::ranges::all_of(part, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; });
}

std::string with_dashes(std::string_view text) {
  std::string result;
  for (const char character : text) {
    if (character == '/') {
      result += "--";
    } else {
      result.push_back(character);
    }
  }
  return result;
}

}  // namespace

bool is_model_id(std::string_view id) {
  if (id.size() > kIdLengthMax) return false;
  const std::size_t slash = id.find('/');
  if (slash == id.npos) return is_part_of_id(id);
  return is_part_of_id(id.substr(0, slash)) && is_part_of_id(id.substr(slash + 1));
}

bool is_revision(std::string_view revision) {
  const auto is_allowed = [](char c) {
    return is_letter_or_digit(c) || std::string_view("-_./+").find(c) != std::string_view::npos;
  };
  return revision.size() <= kRevisionLengthMax && !revision.starts_with('-') && is_safe_relative_path(revision) &&
         std::ranges::all_of(revision, is_allowed);
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_commit(std::string_view text) { return is_hex(text, kCommitDigits); }

bool is_bare_model_name(std::string_view name) {
  return std::ranges::binary_search(kBareModelNames, in_lower_case(name));
}

std::string key_of(std::string_view id, std::string_view revision) {
  CHECK(is_model_id(id) && is_revision(revision));
  std::string key = with_dashes(id);
  if (revision != kMainRevision) key.append(1, '@').append(with_dashes(revision));
  return key;
}

}  // namespace tandem
