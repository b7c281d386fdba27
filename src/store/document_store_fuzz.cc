// Any SQLite file as the documents of a collection: what opens must be safe to read.
#include <numeric>
#include <vector>

#include "store/document_store.h"
#include "store/testing/fuzzed_database.h"

namespace tandem {

const FuzzedFolder& fuzzed_folder() {
  static const FuzzedFolder* const folder = [] {
    const TemporaryFolder files;
    const std::filesystem::path path = files.path() / kDatabaseName;
    auto writer = DocumentWriter::create(path);
    CHECK(writer);
    for (std::size_t number = 0; number < 12; ++number) {
      CHECK(writer->add({.id = std::to_string(number),
                         .title = "title",
                         .text = std::string(number * 200, 'x'),
                         .metadata = R"({"a":1})"}));
    }
    CHECK(writer->finish());
    return new FuzzedFolder(fuzzed_databases(content_of_file(path), "", "documents"));
  }();
  return *folder;
}

void check_folder(const std::filesystem::path& folder, const FolderFiles& files) {
  const std::filesystem::path scratch = folder / "scratch";
  make_database(scratch, files);
  const auto reader = DocumentReader::open(scratch / kDatabaseName);
  if (!reader) {
    CHECK(!reader.error().message.empty());
    return;
  }
  constexpr std::size_t kOrdinalsMax = 64;
  std::vector<std::uint32_t> ordinals(std::min(reader->count(), kOrdinalsMax));
  std::iota(ordinals.begin(), ordinals.end(), 0U);
  ordinals.push_back(static_cast<std::uint32_t>(reader->count() - 1));
  for (const std::uint32_t ordinal : ordinals) {
    const auto documents = reader->read(std::span(&ordinal, 1));
    CHECK(documents ? documents->size() == 1 : !documents.error().message.empty());
  }
}

}  // namespace tandem
