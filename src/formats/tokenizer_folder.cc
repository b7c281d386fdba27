#include "formats/tokenizer_folder.h"

#include "formats/tokenizer_json.h"

namespace tandem {

Result<TokenizerSpec> read_tokenizer_folder(const std::filesystem::path& folder) {
  return read_tokenizer_json(folder / "tokenizer.json");
}

}  // namespace tandem
