#include "sample_data.h"

#include <cstdlib>

#include "base/error.h"
#include "input.h"

namespace tandem::cli {

namespace fs = std::filesystem;

Result<fs::path> sample_file(const std::string& name) {
  std::vector<fs::path> folders;
  if (const char* set = std::getenv("TANDEM_EXAMPLES"); set != nullptr && *set != '\0') folders.emplace_back(set);
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  folders.push_back(program.parent_path() / TANDEM_EXAMPLES_FROM_BIN);
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / name, error)) return (folder / name).lexically_normal();
  }
  return fail(ErrorCode::kNotFound,
              "the sample data is not where this program expects it: TANDEM_EXAMPLES can name the folder of {}", name);
}

Result<std::vector<std::string>> sample_texts(const std::string& name) {
  ASSIGN_OR_RETURN(const fs::path path, sample_file(name));
  return read_all(path.string(), texts());
}

}  // namespace tandem::cli
