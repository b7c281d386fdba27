// For fuzzers whose input is a folder of files. An input says from which of some whole folders it begins and how its
// files differ, so that inputs stay small; and its mutations know JSON and safetensors, since bytes that are flipped
// anywhere seldom come past the first check of a reader.
//
//   byte 0: the folder to begin from. Then, for each file that differs: a byte for its name and a byte for the folder
//   whose file of that name it resembles; three little-endian u32, how many bytes at its beginning and at its end are
//   those of that file, and how many lie between; and these.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/testing/temporary_folder.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

namespace tandem {

/// What the files of a folder hold, by their paths in it.
using FolderFiles = std::map<std::string, std::string>;

/// Empty where there is no such file.
inline std::string content_of(const FolderFiles& files, const std::string& name) {
  const auto found = files.find(name);
  return found == files.end() ? std::string() : found->second;
}

/// A value in a JSON text, and where the member begins that it is the value of. JSON that is damaged has some too.
struct JsonPlace {
  std::size_t member = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
};

inline std::vector<JsonPlace> find_json_values(std::string_view text) {
  std::vector<JsonPlace> values;
  std::vector<JsonPlace> open;
  std::optional<std::size_t> key;
  const auto add = [&](std::size_t begin, std::size_t end) {
    values.push_back({key.value_or(begin), begin, end});
    key.reset();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t begin = i;
    if (text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\' ? 1 : 0;
      i = std::min(i, text.size() - 1);
      const std::size_t next = text.find_first_not_of(" \t\r\n", i + 1);
      if (next != text.npos && text[next] == ':') {
        key = begin;
      } else {
        add(begin, i + 1);
      }
    } else if (text[i] == '{' || text[i] == '[') {
      open.push_back({key.value_or(i), i, 0});
      key.reset();
    } else if ((text[i] == '}' || text[i] == ']') && !open.empty()) {
      open.back().end = i + 1;
      values.push_back(open.back());
      open.pop_back();
    } else if (constexpr std::string_view kEnds = " \t\r\n,:]}\""; kEnds.find(text[i]) == kEnds.npos) {
      i = std::min(text.find_first_of(kEnds, i), text.size());
      add(begin, i);
      --i;
    }
  }
  return values;
}

class FuzzedFolder {
 public:
  struct Options {
    std::vector<FolderFiles> starts;       ///< Folders to begin from: one at least.
    std::vector<std::string> other_names;  ///< Names of files that none of them has.
    std::vector<std::string> keys;         ///< Names of members that readers look for.
  };

  explicit FuzzedFolder(Options options) : options_(std::move(options)) {
    std::set<std::string> names(options_.other_names.begin(), options_.other_names.end());
    for (std::size_t start = 0; start < options_.starts.size(); ++start) {
      for (const auto& [name, content] : options_.starts[start]) {
        names.insert(name);
        folder_.write(path_of(start) / name, content);
      }
    }
    names_.assign(names.begin(), names.end());
    CHECK(!options_.starts.empty() && options_.starts.size() < kUnlike && names_.size() < 256);
  }

  /// Calls `use` with the path of the input's folder and with its files.
  void with_folder(std::span<const std::uint8_t> data,
                   const std::function<void(const std::filesystem::path&, const FolderFiles&)>& use) const {
    const Input input = unpack(data);
    const FolderFiles& start = options_.starts[input.start];
    const std::filesystem::path path = path_of(input.start);
    const auto make = [&](const FolderFiles& from, const FolderFiles& to) {
      for (const auto& [name, content] : to) {
        const auto was = from.find(name);
        if (was == from.end() || was->second != content) folder_.write(path / name, content);
      }
      for (const auto& [name, content] : from) {
        if (!to.contains(name)) std::filesystem::remove(folder_.path() / path / name);
      }
    };
    make(start, input.files);
    use(folder_.path() / path, input.files);
    make(input.files, start);
  }

  /// What LLVMFuzzerCustomMutator is to do.
  std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t size_max, unsigned seed) const {
    Random random(seed);
    Input input = unpack({data, size});
    for (std::size_t changes = 1 + pick(random, 3); changes > 0; --changes) change(input, random, size_max);
    return pack(input, data, size, size_max);
  }

  /// What LLVMFuzzerCustomCrossOver is to do: files that the other input has changed take the place of this one's.
  std::size_t cross_over(std::span<const std::uint8_t> left, std::span<const std::uint8_t> right,
                         std::span<std::uint8_t> out, unsigned seed) const {
    Random random(seed);
    Input input = unpack(left);
    const Input other = unpack(right);
    for (const auto& [name, content] : other.files) {
      if (content != content_of(options_.starts[other.start], name) && pick(random, 2) == 0) {
        input.files[name] = content;
      }
    }
    return pack(input, out.data(), 0, out.size());
  }

 private:
  using Random = std::minstd_rand;
  struct Input {
    std::size_t start = 0;
    FolderFiles files;
  };
  static constexpr std::size_t kEntryBytes = 2 + 3 * sizeof(std::uint32_t);
  static constexpr std::size_t kUnlike = 254;   ///< In place of a folder: the file resembles none.
  static constexpr std::size_t kMissing = 255;  ///< There is no such file.

  /// A number below `count`.
  static std::size_t pick(Random& random, std::size_t count) { return random() / 7 % count; }

  static std::filesystem::path path_of(std::size_t start) { return std::to_string(start); }

  Input unpack(std::span<const std::uint8_t> data) const {
    Input input;
    if (!data.empty()) {
      input.start = data[0] % options_.starts.size();
      data = data.subspan(1);
    }
    input.files = options_.starts[input.start];
    while (data.size() >= kEntryBytes) {
      const std::string& name = names_[data[0] % names_.size()];
      const std::size_t like = data[1];
      std::array<std::uint32_t, 3> sizes;  // Before, after and between.
      std::memcpy(sizes.data(), data.data() + 2, sizeof sizes);
      data = data.subspan(kEntryBytes);
      if (like == kMissing) {
        input.files.erase(name);
        continue;
      }
      const std::string whole = like == kUnlike ? "" : content_of(options_.starts[like % options_.starts.size()], name);
      const std::size_t before = std::min<std::size_t>(sizes[0], whole.size());
      const std::size_t after = std::min<std::size_t>(sizes[1], whole.size() - before);
      const std::size_t between = std::min<std::size_t>(sizes[2], data.size());
      std::string& content = input.files[name] = whole.substr(0, before);
      content.append(reinterpret_cast<const char*>(data.data()), between);
      content.append(whole, whole.size() - after);
      data = data.subspan(between);
    }
    return input;
  }

  /// Leaves data as it is where the input does not fit.
  std::size_t pack(const Input& input, std::uint8_t* data, std::size_t size, std::size_t size_max) const {
    const FolderFiles& start = options_.starts[input.start];
    std::string packed(1, static_cast<char>(input.start));
    for (std::size_t number = 0; number < names_.size(); ++number) {
      const auto file = input.files.find(names_[number]);
      const auto was = start.find(names_[number]);
      if (file == input.files.end() ? was == start.end() : was != start.end() && was->second == file->second) continue;
      if (packed.size() + kEntryBytes > size_max) return size;
      packed.push_back(static_cast<char>(number));
      if (file == input.files.end()) {
        packed.append(1, static_cast<char>(kMissing)).append(kEntryBytes - 2, '\0');
      } else {
        pack_file(names_[number], file->second, packed);
      }
    }
    if (packed.size() > size_max) return size;
    std::memcpy(data, packed.data(), packed.size());
    return packed.size();
  }

  /// As what differs from the file of this name that it resembles most.
  void pack_file(const std::string& name, std::string_view content, std::string& packed) const {
    std::size_t like = kUnlike;
    std::array<std::uint32_t, 3> sizes{0, 0, static_cast<std::uint32_t>(content.size())};
    for (std::size_t start = 0; start < options_.starts.size(); ++start) {
      const std::string whole = content_of(options_.starts[start], name);
      const auto before = std::ranges::mismatch(content, whole).in1 - content.begin();
      const std::string_view rest = content.substr(static_cast<std::size_t>(before));
      const auto whole_rest = std::string_view(whole).substr(static_cast<std::size_t>(before));
      const auto after =
          std::mismatch(rest.rbegin(), rest.rend(), whole_rest.rbegin(), whole_rest.rend()).first - rest.rbegin();
      const auto between = static_cast<std::uint32_t>(static_cast<std::ptrdiff_t>(rest.size()) - after);
      if (between >= sizes[2]) continue;
      like = start;
      sizes = {static_cast<std::uint32_t>(before), static_cast<std::uint32_t>(after), between};
    }
    packed.push_back(static_cast<char>(like));
    packed.append(reinterpret_cast<const char*>(sizes.data()), sizeof sizes);
    packed.append(content.substr(sizes[0], sizes[2]));
  }

  void change(Input& input, Random& random, std::size_t size_max) const {
    const FolderFiles& other = options_.starts[pick(random, options_.starts.size())];
    switch (pick(random, 16)) {
      case 0: {  // Another start, with the differences of this one where both have the file.
        const std::size_t start = pick(random, options_.starts.size());
        FolderFiles files = options_.starts[start];
        for (auto& [name, content] : files) {
          const auto own = input.files.find(name);
          const auto was = options_.starts[input.start].find(name);
          if (own != input.files.end() && (was == options_.starts[input.start].end() || was->second != own->second)) {
            content = own->second;
          }
        }
        input = {start, std::move(files)};
        return;
      }
      case 1:
        input.files.erase(names_[pick(random, names_.size())]);
        return;
      case 2: {
        const std::string& name = names_[pick(random, names_.size())];
        if (const auto found = other.find(name); found != other.end()) input.files[name] = found->second;
        return;
      }
      default:
        break;
    }
    // Mostly a file that is there; else one that comes into being, as another folder has it where one does.
    auto file = input.files.begin();
    if (pick(random, 4) == 0 || input.files.empty()) {
      file = input.files.try_emplace(names_[pick(random, names_.size())]).first;
      for (const FolderFiles& start : options_.starts) {
        if (const auto found = start.find(file->first); file->second.empty() && found != start.end()) {
          file->second = found->second;
        }
      }
    } else {
      std::advance(file, pick(random, input.files.size()));
    }
    auto& [name, content] = *file;
    if (name.ends_with(".json") && pick(random, 8) != 0) {
      if (content.empty()) content = "{}";
      change_json(content, input.files, random);
    } else if (name.ends_with(".safetensors") && pick(random, 8) != 0) {
      change_safetensors(content, input.files, random);
    } else {
      change_bytes(content, size_max);
    }
  }

  static void change_bytes(std::string& content, std::size_t size_max) {
    const std::size_t before = content.size();
    content.resize(std::max(size_max, before));
    content.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(content.data()), before, content.size()));
  }

  /// A value that readers may not have thought of, or one that stands somewhere in the folder.
  std::string any_value(const FolderFiles& files, Random& random) const {
    static constexpr std::string_view kValues[] = {
        "0",          "1",          "-1",         "2",     "3",    "7",     "255",
        "65535",      "65536",      "1048576",    "2e9",   "1e30", "1e308", "2147483647",
        "2147483648", "4294967295", "4294967296", "1e-40", "0.5",  "-0.0",  "9223372036854775807",
        "null",       "true",       "false",      "\"\"",  "[]",   "{}",    "18446744073709551615",
        "\"a\"",      "\" \"",      "[0]",        "[[]]",  "[0,0]"};
    if (pick(random, 2) == 0) return std::string(kValues[pick(random, std::size(kValues))]);
    auto file = files.begin();
    std::advance(file, pick(random, files.size()));
    if (!file->first.ends_with(".json")) return "\"" + options_.keys[pick(random, options_.keys.size())] + "\"";
    const std::vector<JsonPlace> values = find_json_values(file->second);
    if (values.empty()) return "0";
    const JsonPlace& value = values[pick(random, values.size())];
    return file->second.substr(value.begin, value.end - value.begin);
  }

  void change_json(std::string& text, const FolderFiles& files, Random& random) const {
    const std::vector<JsonPlace> values = find_json_values(text);
    if (values.empty()) return;
    const JsonPlace& place = values[pick(random, values.size())];
    const std::string value = text.substr(place.begin, place.end - place.begin);
    switch (pick(random, 6)) {
      case 0:  // Leaves the member out, with one of the commas beside it.
        if (text[std::min(place.end, text.size() - 1)] == ',') {
          text.erase(place.member, place.end + 1 - place.member);
        } else {
          const std::size_t begin = place.member > 0 && text[place.member - 1] == ',' ? place.member - 1 : place.member;
          text.erase(begin, place.end - begin);
        }
        return;
      case 1:
        text.insert(place.end, "," + text.substr(place.member, place.end - place.member));
        return;
      case 2:
        if (value.starts_with('{') && !options_.keys.empty()) {
          const std::string member = "\"" + options_.keys[pick(random, options_.keys.size())] +
                                     "\":" + any_value(files, random) + (value == "{}" ? "" : ",");
          text.insert(place.begin + 1, member);
          return;
        }
        break;
      case 3:
        if (const std::size_t digit = value.find_first_of("0123456789"); digit <= 1) {
          char& character = text[place.begin + digit];
          character = static_cast<char>('0' + pick(random, 10));
          return;
        }
        if (value.starts_with('"')) {
          std::string inside = value.substr(1, value.size() - 2);
          change_bytes(inside, inside.size() + 8);
          text.replace(place.begin, value.size(), "\"" + inside + "\"");
          return;
        }
        break;
      default:
        break;
    }
    text.replace(place.begin, value.size(), any_value(files, random));
  }

  /// Changes the header and keeps its length in step, or puts a number that is hard to compute with among the weights.
  void change_safetensors(std::string& file, const FolderFiles& files, Random& random) const {
    std::uint64_t header_bytes = 0;
    if (file.size() < sizeof header_bytes) return;
    std::memcpy(&header_bytes, file.data(), sizeof header_bytes);
    const std::size_t data = sizeof header_bytes + std::min<std::size_t>(header_bytes, file.size() - 8);
    if (pick(random, 2) == 0) {
      std::string header = file.substr(sizeof header_bytes, data - sizeof header_bytes);
      change_json(header, files, random);
      header_bytes = header.size();
      file.replace(sizeof header_bytes, data - sizeof header_bytes, header);
      std::memcpy(file.data(), &header_bytes, sizeof header_bytes);
    } else if (const std::size_t numbers = (file.size() - data) / sizeof(float); numbers > 0) {
      static constexpr std::uint32_t kBits[] = {0x7F800000, 0xFF800000, 0x7FC00000, 0x7F7FFFFF, 0x00000001,
                                                0x80000000, 0x60000000, 0xDF000000, 0x2F800000, 0x3F800000};
      const std::uint32_t bits = kBits[pick(random, std::size(kBits))];
      std::memcpy(file.data() + data + pick(random, numbers) * sizeof bits, &bits, sizeof bits);
    }
  }

  Options options_;
  TemporaryFolder folder_;  ///< Holds the starts as they are, but while an input is in use.
  std::vector<std::string> names_;
};

// ---- What a fuzzer that includes this defines, and how libFuzzer comes to it. ----

const FuzzedFolder& fuzzed_folder();
void check_folder(const std::filesystem::path& folder, const FolderFiles& files);

}  // namespace tandem

// Not inline: libFuzzer finds them by their names, and a fuzzer is one source.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tandem::fuzzed_folder().with_folder({data, size}, tandem::check_folder);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t size_max,
                                               unsigned seed) {
  return tandem::fuzzed_folder().mutate(data, size, size_max, seed);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* left, std::size_t left_size,
                                                 const std::uint8_t* right, std::size_t right_size, std::uint8_t* out,
                                                 std::size_t out_size_max, unsigned seed) {
  return tandem::fuzzed_folder().cross_over({left, left_size}, {right, right_size}, {out, out_size_max}, seed);
}
