#include "formats/pytorch_bin.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "formats/torch_pickle.h"
#include "formats/zip_archive.h"

static_assert(std::endian::native == std::endian::little,
              "the files that are read are little-endian, and so is Tandem");

namespace tandem {
namespace {

// Since PyTorch 1.6: the members of a zip archive, all under one folder that torch names after the file.
//
//   data.pkl    the pickle: a dictionary from names to tensors, each of which names a storage by its key
//   data/KEY    the bytes of a storage, stored without compression
//   byteorder   "little" or "big"; missing in older files, which are little-endian
constexpr std::string_view kPickle = "data.pkl";

// Before: one after another,
//
//   a pickle of the number 0x1950a86a20f9469cfc6c, by which the form is known
//   a pickle of the number 1001
//   a pickle of a dictionary: "little_endian" and what the machine was otherwise
//   the pickle: as data.pkl
//   a pickle of a list: the keys of the storages, in the order in which they follow
//   for each storage    the number of its elements u64, then their bytes
constexpr std::string_view kMagic{"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15};
constexpr std::int64_t kProtocolVersion = 1001;

// And before that: a tar archive, whose first header has this at byte 257.
constexpr std::string_view kTarMagic = "ustar";
constexpr std::size_t kTarMagicPlace = 257;

// Of a member's name. torch writes the file's name and a number.
constexpr std::size_t kMemberBytesMax = 512;
// Tensors may share their bytes, as tied embeddings do. All together they have no more than this many times the file's:
// one whose thousand layers are the same matrix would be unpacked to a thousand times its size.
constexpr std::uint64_t kSharesMax = 8;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// ---- Tensors in their storages. ----

tl::unexpected<Error> does_not_fit(const TorchTensor& tensor, std::uint64_t capacity) {
  return fail(ErrorCode::kCorruptData, "shape {} from element {} on does not fit into a storage of {} elements",
              shape_text(tensor.shape), tensor.offset, capacity);
}

/// Checks that a tensor lies row by row inside its storage.
Result<TensorView> view_of(const TorchTensor& tensor, const TorchStorage& storage,
                           std::span<const std::byte> storage_bytes) {
  std::uint64_t elements = 1;
  if (std::ranges::find(tensor.shape, 0U) != tensor.shape.end()) elements = 0;
  for (std::size_t i = tensor.shape.size(); i-- > 0 && elements > 0;) {
    // The stride of a dimension of size 1 is never used, and torch leaves anything there.
    if (tensor.shape[i] != 1 && tensor.strides[i] != elements) {
      return fail(ErrorCode::kUnsupported, "has strides {} for shape {}, want a tensor that lies row by row",
                  shape_text(tensor.strides), shape_text(tensor.shape));
    }
    if (tensor.shape[i] > storage.elements / elements) elements = 0;  // Before the product can overflow.
    elements *= tensor.shape[i];
    if (elements == 0) return does_not_fit(tensor, storage.elements);
  }
  if (tensor.offset > storage.elements || elements > storage.elements - tensor.offset) {
    return does_not_fit(tensor, storage.elements);
  }
  return TensorView{storage.type.dtype, tensor.shape,
                    storage_bytes.subspan(tensor.offset * storage.type.bytes, elements * storage.type.bytes)};
}

/// `storages`: the bytes of each of the pickle's storages.
Result<TensorMap> views_of(const TorchTensors& pickled, std::span<const std::span<const std::byte>> storages,
                           std::uint64_t file_bytes) {
  TensorMap views;
  std::uint64_t bytes_left = kSharesMax * file_bytes;
  for (const auto& [name, tensor] : pickled.tensors) {
    Result<TensorView> view = view_of(tensor, pickled.storages[tensor.storage], storages[tensor.storage]);
    if (!view) return fail_in(name, std::move(view).error());
    if (view->bytes.size() > bytes_left) {
      return fail(ErrorCode::kUnsupported,
                  "{}: the tensors up to this one share their bytes until they have {} times the file's {}", name,
                  kSharesMax, file_bytes);
    }
    bytes_left -= view->bytes.size();
    views.emplace(name, *std::move(view));
  }
  return views;
}

// ---- The form since PyTorch 1.6. ----

/// The archive of a file, whose members are held against their checksums as they are asked for.
class Archive {
 public:
  static Result<Archive> open(std::span<const std::byte> file) {
    ASSIGN_OR_RETURN(ZipMembers members, parse_zip(file, "the archive"));
    const auto is_pickle = [](const auto& member) {
      const std::string_view name = member.first;
      return name.ends_with(kPickle) &&
             (name.size() == kPickle.size() || name[name.size() - kPickle.size() - 1] == '/');
    };
    const auto found = std::ranges::find_if(members, is_pickle);
    if (found == members.end()) return fail(ErrorCode::kCorruptData, "the archive has no {}", kPickle);
    if (const auto second = std::find_if(std::next(found), members.end(), is_pickle); second != members.end()) {
      return fail(ErrorCode::kCorruptData, "the archive has {} and {}, want one", found->first, second->first);
    }
    std::string folder = found->first.substr(0, found->first.size() - kPickle.size());
    return Archive(std::move(members), std::move(folder));
  }

  bool has(std::string_view name) const { return members_.contains(folder_ + std::string(name)); }
  /// The name of a member of the folder, for errors.
  std::string path(std::string_view name) const { return folder_ + std::string(name); }

  Result<std::span<const std::byte>> read(std::string_view name) const {
    const std::string path = this->path(name);
    const auto found = members_.find(path);
    if (found == members_.end()) return fail(ErrorCode::kCorruptData, "the archive has no member {}", path);
    const ZipMember& member = found->second;
    if (member.is_deflated) {
      return fail(ErrorCode::kUnsupported, "{} is compressed, want it stored, as torch.save does", path);
    }
    if (has_checksums_) {
      const Status whole = read_zip_member(member, [](std::span<const std::byte>) { return Status(); });
      if (!whole) return fail_in(path, whole.error());
    }
    return member.contents;
  }

 private:
  Archive(ZipMembers members, std::string folder)
      : members_(std::move(members)),
        folder_(std::move(folder)),
        // torch.serialization.set_crc32_options(False) leaves a zero in the place of every checksum.
        has_checksums_(std::ranges::any_of(members_, [](const auto& member) { return member.second.crc32 != 0; })) {}

  ZipMembers members_;
  std::string folder_;  ///< With its '/'.
  bool has_checksums_;
};

Result<std::vector<std::span<const std::byte>>> read_storages(const Archive& archive,
                                                              std::span<const TorchStorage> storages) {
  std::vector<std::span<const std::byte>> result;
  for (const TorchStorage& storage : storages) {
    const std::string name = std::string("data/").append(storage.key);
    if (const std::size_t bytes = archive.path(name).size(); bytes > kMemberBytesMax) {
      return fail(ErrorCode::kUnsupported, "the name of a storage has {} bytes, want at most {}", bytes,
                  kMemberBytesMax);
    }
    ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, archive.read(name));
    if (bytes.size() % storage.type.bytes != 0 || bytes.size() / storage.type.bytes != storage.elements) {
      return fail(ErrorCode::kCorruptData, "{} has {} bytes, want {} elements of {}", archive.path(name), bytes.size(),
                  storage.elements, storage.type.storage);
    }
    result.push_back(bytes);
  }
  return result;
}

Result<TensorMap> parse_archive(std::span<const std::byte> file) {
  ASSIGN_OR_RETURN(const Archive archive, Archive::open(file));
  if (archive.has("byteorder")) {
    ASSIGN_OR_RETURN(const std::span<const std::byte> order, archive.read("byteorder"));
    if (as_text(order) != "little") {
      return fail(ErrorCode::kUnsupported, "{}: the byte order is not little", archive.path("byteorder"));
    }
  }
  ASSIGN_OR_RETURN(std::span<const std::byte> pickle, archive.read(kPickle));
  if (pickle.size() > kPickleBytesMax) {
    return fail(ErrorCode::kUnsupported, "{} has {} bytes, want at most {}", archive.path(kPickle), pickle.size(),
                kPickleBytesMax);
  }
  const Result<TorchTensors> pickled = take_torch_tensors(pickle);
  if (!pickled) return fail_in(archive.path(kPickle), pickled.error());
  ASSIGN_OR_RETURN(const auto storages, read_storages(archive, pickled->storages));
  return views_of(*pickled, storages, file.size());
}

// ---- The form before PyTorch 1.6. ----

/// Takes the storages off the front of `rest`, in the order in which `keys` names them.
Result<std::vector<std::span<const std::byte>>> take_storages(std::span<const std::byte>& rest,
                                                              std::span<const std::string_view> keys,
                                                              std::span<const TorchStorage> storages) {
  std::map<std::string_view, std::size_t> unread;
  for (std::size_t i = 0; i < storages.size(); ++i) unread.emplace(storages[i].key, i);
  std::vector<std::span<const std::byte>> result(storages.size());
  for (const std::string_view key : keys) {
    const auto found = unread.find(key);
    if (found == unread.end()) {
      return fail(ErrorCode::kCorruptData, "storage {} stands twice in the list of keys, or no tensor names it", key);
    }
    const TorchStorage& storage = storages[found->second];
    std::uint64_t elements = 0;
    if (rest.size() < sizeof elements) return fail(ErrorCode::kCorruptData, "ends before storage {}", key);
    std::memcpy(&elements, rest.data(), sizeof elements);
    rest = rest.subspan(sizeof elements);
    if (elements != storage.elements) {
      return fail(ErrorCode::kCorruptData, "storage {} has {} elements, want {} of {}", key, elements, storage.elements,
                  storage.type.storage);
    }
    if (elements > rest.size() / storage.type.bytes) {
      return fail(ErrorCode::kCorruptData, "storage {} has {} elements of {}, but only {} bytes are left", key,
                  elements, storage.type.storage, rest.size());
    }
    result[found->second] = rest.first(elements * storage.type.bytes);
    rest = rest.subspan(elements * storage.type.bytes);
    unread.erase(found);
  }
  if (unread.empty()) return result;
  return fail(ErrorCode::kCorruptData, "the list of keys has no storage {}", unread.begin()->first);
}

Result<TensorMap> parse_legacy(std::span<const std::byte> file) {
  std::span<const std::byte> rest = file.subspan(kMagic.size());
  const auto take = [&](auto take_pickle) -> decltype(take_pickle(rest)) {
    const std::size_t place = file.size() - rest.size();
    auto result = take_pickle(rest);
    if (!result) return fail_in(fmt::format("the pickle at byte {}", place), std::move(result).error());
    return result;
  };
  ASSIGN_OR_RETURN(const std::int64_t version, take(take_torch_number));
  if (version != kProtocolVersion) {
    return fail(ErrorCode::kUnsupported, "the protocol's version is {}, want {}", version, kProtocolVersion);
  }
  ASSIGN_OR_RETURN(const auto machine, take(take_torch_numbers));
  if (const auto little = machine.find("little_endian"); little == machine.end() || little->second != 1) {
    return fail(ErrorCode::kUnsupported, "the byte order is not little");
  }
  ASSIGN_OR_RETURN(const TorchTensors pickled, take(take_torch_tensors));
  ASSIGN_OR_RETURN(const std::vector<std::string_view> keys, take(take_torch_texts));
  ASSIGN_OR_RETURN(const auto storages, take_storages(rest, keys, pickled.storages));
  return views_of(pickled, storages, file.size());
}

Result<TensorMap> parse_checked(std::span<const std::byte> file) {
  const std::string_view text = as_text(file);
  if (text.starts_with('P')) return parse_archive(file);
  if (text.starts_with(kMagic)) return parse_legacy(file);
  if (text.substr(std::min(kTarMagicPlace, text.size())).starts_with(kTarMagic)) {
    return fail(ErrorCode::kUnsupported,
                "is a tar archive, as the first releases of PyTorch wrote, which is not read: load and save it again "
                "with a newer PyTorch, or convert it to safetensors");
  }
  return fail(ErrorCode::kCorruptData,
              "is no file of torch.save, which begins as a zip archive does, or with torch's own number");
}

}  // namespace

Result<TensorMap> parse_pytorch_bin(std::span<const std::byte> file, std::string_view name) {
  Result<TensorMap> tensors = parse_checked(file);
  if (!tensors) return fail_in(name, std::move(tensors).error());
  return tensors;
}

}  // namespace tandem
