// A folder with a tokenizer of the older files, damaged: what opens must encode, and keep what it promises.
#include <string>
#include <vector>

#include "base/testing/fuzzed_folder.h"
#include "tandem/tokenizer.h"

namespace tandem {
namespace {

constexpr const char* kTextName = "fuzz.text";

/// A field of a SentencePiece model's pieces. https://protobuf.dev/programming-guides/encoding
std::string piece(std::string_view spelling, char type) {
  std::string text = "\x0A";
  text.append(1, static_cast<char>(spelling.size())).append(spelling);
  text.append("\x15\x00\x00\x80\xBF", 5).append({'\x18', type});
  return std::string("\x0A").append(1, static_cast<char>(text.size())).append(text);
}

void check_encoding(const Tokenizer& tokenizer, const Encoding& encoding, const EncodeOptions& options,
                    std::size_t bytes_max) {
  CHECK(encoding.type_ids.size() == encoding.ids.size() && encoding.offsets.size() == encoding.ids.size());
  for (const std::int32_t id : encoding.ids) {
    CHECK(id >= 0 && static_cast<std::size_t>(id) < tokenizer.vocabulary_size());
  }
  for (const Offset offset : encoding.offsets) CHECK(offset.begin <= offset.end && offset.end <= bytes_max);
  const std::size_t special = tokenizer.encode("", "").ids.size();
  CHECK(options.tokens_max == 0 || encoding.ids.size() <= std::max(options.tokens_max, special));
}

}  // namespace

const FuzzedFolder& fuzzed_folder() {
  static const FuzzedFolder* const folder = [] {
    FuzzedFolder::Options options;
    const FolderFiles word_pieces = {
        {"vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\nsat\n##s\n##t\na\nt\né\n中\n"},
        {"tokenizer_config.json", R"({"do_lower_case":true,"tokenize_chinese_chars":true,"strip_accents":null})"},
        {"special_tokens_map.json", R"({"mask_token":{"content":"[MASK]","lstrip":true},"unk_token":"[UNK]"})"},
        {"added_tokens.json", R"({"<x>":14,"the cat":15})"},
        {"config.json", R"({"model_type":"bert"})"}};
    FolderFiles mpnet = word_pieces;
    mpnet["vocab.txt"] = "<s>\n<pad>\n</s>\n[UNK]\n<mask>\nthe\n##s\na\n";
    mpnet["config.json"] = R"({"model_type":"mpnet"})";
    mpnet.erase("special_tokens_map.json");
    const FolderFiles byte_level = {
        {"vocab.json", R"({"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"<mask>":4,"a":5,"t":6,"c":7,"at":8,"cat":9,"Ġ":10})"},
        {"merges.txt", "#version: 0.2\na t\nc at\n"},
        {"tokenizer_config.json",
         R"({"add_prefix_space":true,"trim_offsets":true,"added_tokens_decoder":{"4":{"content":"<mask>","special":true,
            "lstrip":true}},"additional_special_tokens":["<y>"],"cls_token":"<s>"})"}};
    const FolderFiles pieces = {
        {"sentencepiece.bpe.model", piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 3) + piece("\u2581the", 1) +
                                        piece("\u2581", 1) + piece("a", 1) + piece("t", 1) + piece("<z>", 4)},
        {"tokenizer_config.json", R"({"tokenizer_class":"XLMRobertaTokenizer"})"},
        {"special_tokens_map.json", R"({"bos_token":"<s>","mask_token":{"content":"<mask>","lstrip":true}})"}};
    options.starts = {word_pieces, mpnet, byte_level, pieces};
    options.other_names = {kTextName};
    options.keys = {"added_tokens_decoder",
                    "additional_special_tokens",
                    "extra_special_tokens",
                    "bos_token",
                    "eos_token",
                    "unk_token",
                    "sep_token",
                    "pad_token",
                    "cls_token",
                    "mask_token",
                    "content",
                    "lstrip",
                    "rstrip",
                    "single_word",
                    "normalized",
                    "special",
                    "do_lower_case",
                    "strip_accents",
                    "tokenize_chinese_chars",
                    "add_prefix_space",
                    "trim_offsets",
                    "tokenizer_class",
                    "MPNetTokenizer",
                    "model_type",
                    "mpnet",
                    "0",
                    "5"};
    return new FuzzedFolder(std::move(options));
  }();
  return *folder;
}

void check_folder(const std::filesystem::path& folder, const FolderFiles& files) {
  const auto tokenizer = Tokenizer::open(folder, {.lower_case = files.contains("config.json")});
  if (!tokenizer) {
    CHECK(!tokenizer.error().message.empty());
    return;
  }
  constexpr std::size_t kTextBytesMax = 4096;
  const std::string own = content_of(files, kTextName).substr(0, kTextBytesMax);
  for (const std::string& text : {std::string("the cats sat, caté 中"), std::string(), own,
                                  "[CLS] the cat [SEP]<s></s> <mask> <x><y>" + own, std::string(300, 'a')}) {
    for (const std::size_t tokens_max : {std::size_t{0}, std::size_t{7}}) {
      const EncodeOptions options{.tokens_max = tokens_max, .offsets = OffsetUnit::kBytes};
      check_encoding(*tokenizer, tokenizer->encode(text, options), options, text.size());
      check_encoding(*tokenizer, tokenizer->encode(own, text, options), options, std::max(own.size(), text.size()));
    }
  }
}

}  // namespace tandem
