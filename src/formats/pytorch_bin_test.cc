#include "formats/pytorch_bin.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/testing/zip_builder.h"

namespace tandem {
namespace {

// ---- Pickles, written out as torch.save does. ----

std::string text(std::string_view value) {
  std::string bytes = "X";
  const auto length = static_cast<std::uint32_t>(value.size());
  bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes.append(value);
}

std::string number(std::int32_t value) {
  std::string bytes = "J";
  return bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string global(std::string_view module, std::string_view name) {
  return std::string("c").append(module).append("\n").append(name).append("\n");
}

std::string tuple(const std::vector<std::int32_t>& values) {
  std::string bytes = "(";
  for (const std::int32_t value : values) bytes += number(value);
  return bytes + "t";
}

std::string storage(std::string_view type, std::string_view key, std::int32_t elements) {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cpu") + number(elements) + "tQ";
}

struct Shape {
  std::vector<std::int32_t> sizes;
  std::vector<std::int32_t> strides;
  std::int32_t offset = 0;
};

std::string tensor(const std::string& of, const Shape& shape) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + of + number(shape.offset) + tuple(shape.sizes) +
         tuple(shape.strides) + "\x89" + global("collections", "OrderedDict") + ")RtR";
}

std::string dictionary(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string bytes = "\x80\x02" + global("collections", "OrderedDict") + ")Rq" + std::string(1, '\0') + "(";
  for (const auto& [name, value] : entries) bytes += text(name) + value;
  return bytes + "u}" + text("_metadata") + "}sb.";
}

const std::string kFloats = [] {
  const float values[] = {1, 2, 3, 4, 5, 6};
  return std::string(reinterpret_cast<const char*>(values), sizeof values);
}();

/// An archive of a pickle, six floats as storage "0" and two bf16 as storage "1".
std::string archive(const std::string& pickle) {
  return build_zip({{"model/data.pkl", pickle}, {"model/data/0", kFloats}, {"model/data/1", "\x80\x3f\x01\xc0"}});
}

/// The result borrows from `file`.
Result<TensorMap> parse(const std::string& file) {
  return parse_pytorch_bin(std::as_bytes(std::span(file)), "pytorch_model.bin");
}

std::vector<float> values_of(const TensorView& tensor) {
  std::vector<float> values(tensor.elements());
  copy_as_f32(tensor, 0, values);
  return values;
}

void expect_refused(const std::string& file, ErrorCode code, std::string_view part) {
  const Result<TensorMap> tensors = parse(file);
  ASSERT_FALSE(tensors) << part;
  EXPECT_EQ(tensors.error().code, code) << tensors.error().message;
  EXPECT_TRUE(tensors.error().message.starts_with("pytorch_model.bin: ")) << tensors.error().message;
  EXPECT_NE(tensors.error().message.find(part), std::string::npos) << tensors.error().message;
}

void expect_pickle_refused(const std::string& pickle, ErrorCode code, std::string_view part) {
  expect_refused(archive(pickle), code, part);
}

// ---- What is read. ----

TEST(PytorchBin, ReadsTensorsThatShareAStorage) {
  const std::string floats = storage("FloatStorage", "0", 6);
  const std::string file = archive(dictionary(
      {{"whole", tensor(floats, {{2, 3}, {3, 1}})},
       {"tail", tensor(floats, {{1, 2}, {7, 1}, 4})},
       {"scalar", tensor(floats, {{}, {}, 2})},
       {"empty", tensor(floats, {{0, 5}, {5, 1}, 6})},
       {"narrow", tensor(storage("BFloat16Storage", "1", 2), {{2}, {1}})},
       {"parameter", global("torch._utils", "_rebuild_parameter") + "(" + tensor(floats, {{1}, {1}}) + "\x88NtR"}}));
  const Result<TensorMap> tensors = parse(file);
  ASSERT_TRUE(tensors) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 6U);
  EXPECT_EQ(tensors->at("whole").shape, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(values_of(tensors->at("whole")), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(values_of(tensors->at("tail")), (std::vector<float>{5, 6}));
  EXPECT_EQ(values_of(tensors->at("scalar")), (std::vector<float>{3}));
  EXPECT_EQ(tensors->at("empty").elements(), 0U);
  EXPECT_EQ(tensors->at("narrow").dtype, DType::kBf16);
  EXPECT_EQ(values_of(tensors->at("narrow")), (std::vector<float>{1, -2.015625F}));
  EXPECT_EQ(values_of(tensors->at("parameter")), (std::vector<float>{1}));
}

TEST(PytorchBin, FollowsTheMemo) {
  const std::string pickle = "\x80\x02}(" + text("a") + tensor(storage("FloatStorage", "0", 6) + "q\x07", {{2}, {1}}) +
                             "r\x01\x02\x03\x04" + text("b") + "j\x01\x02\x03\x04" + "u.";
  const std::string file = archive(pickle);
  const Result<TensorMap> tensors = parse(file);
  ASSERT_TRUE(tensors) << tensors.error().message;
  EXPECT_EQ(values_of(tensors->at("b")), (std::vector<float>{1, 2}));
}

// ---- What is refused. ----

TEST(PytorchBin, NeverCallsWhatAPickleNames) {
  const auto call = [](const std::string& function) { return "\x80\x02" + function + "(" + text("true") + "tR."; };
  expect_pickle_refused(call(global("os", "system")), ErrorCode::kUnsupported,
                        "model/data.pkl: byte 2: os.system is none of the names that tensors need");
  expect_pickle_refused(call(global("builtins", "eval")), ErrorCode::kUnsupported, "builtins.eval");
  expect_pickle_refused(call(global("torch", "load")), ErrorCode::kUnsupported, "torch.load");
  expect_pickle_refused("\x80\x04" + text("posix") + text("system") + "\x93)R.", ErrorCode::kUnsupported,
                        "byte 23: posix.system");
  expect_pickle_refused("\x80\x02(ios\nsystem\n.", ErrorCode::kUnsupported, "byte 3: opcode 0x69 (INST)");
  expect_pickle_refused("\x80\x02)\x81.", ErrorCode::kUnsupported, "byte 3: opcode 0x81 (NEWOBJ)");
  expect_pickle_refused("\x80\x02\x82\x01.", ErrorCode::kUnsupported, "opcode 0x82 (EXT1)");
  expect_pickle_refused("\x80\x02\xee.", ErrorCode::kUnsupported, "opcode 0xee (unknown)");
  expect_pickle_refused("\x80\x02" + global("torch", "FloatStorage") + ")R.", ErrorCode::kUnsupported, "REDUCE");
  expect_pickle_refused("\x80\x02N}b.", ErrorCode::kUnsupported, "BUILD");
}

TEST(PytorchBin, ChecksThatTensorsLieInTheirStorage) {
  const std::string floats = storage("FloatStorage", "0", 6);
  const auto refuse = [&](const Shape& shape, ErrorCode code, std::string_view part) {
    expect_pickle_refused(dictionary({{"w", tensor(floats, shape)}}), code, part);
  };
  refuse({{7}, {1}}, ErrorCode::kCorruptData, "w: shape [7] from element 0 on does not fit into a storage of 6");
  refuse({{2, 3}, {3, 1}, 1}, ErrorCode::kCorruptData, "w: shape [2, 3] from element 1 on");
  refuse({{1}, {1}, 7}, ErrorCode::kCorruptData, "from element 7 on");
  refuse({{1 << 30, 1 << 30, 1 << 30}, {1, 1, 1}}, ErrorCode::kCorruptData, "does not fit");
  refuse({{3, 2}, {1, 3}}, ErrorCode::kUnsupported, "w: has strides [1, 3] for shape [3, 2], want a tensor that lies");
  refuse({{6, 6}, {0, 1}}, ErrorCode::kUnsupported, "has strides [0, 1]");
  refuse({{2, 3}, {1}}, ErrorCode::kCorruptData, "2 sizes and 1 strides");
  refuse({{-1}, {1}}, ErrorCode::kCorruptData, "no natural number");
  refuse({{1}, {1}, -1}, ErrorCode::kCorruptData, "_rebuild_tensor_v2");
}

TEST(PytorchBin, ChecksStorages) {
  const auto refuse = [](const std::string& of, ErrorCode code, std::string_view part) {
    expect_pickle_refused(dictionary({{"w", tensor(of, {{1}, {1}})}}), code, part);
  };
  refuse(storage("FloatStorage", "0", 5), ErrorCode::kCorruptData, "model/data/0 has 24 bytes, want 5 elements");
  refuse(storage("FloatStorage", "0", -1), ErrorCode::kCorruptData, "model/data/0 has 24 bytes");
  refuse(storage("LongStorage", "1", 0), ErrorCode::kCorruptData, "model/data/1 has 4 bytes");
  refuse(storage("FloatStorage", "9", 6), ErrorCode::kCorruptData, "the archive has no member model/data/9");
  refuse(storage("QInt8Storage", "0", 24), ErrorCode::kUnsupported, "torch.QInt8Storage");
  refuse(text("storage") + "Q", ErrorCode::kUnsupported, "a persistent id that names no storage");
}

TEST(PytorchBin, RefusesPicklesThatAreCutOrOutOfOrder) {
  const std::string whole = dictionary({{"w", tensor(storage("FloatStorage", "0", 6), {{6}, {1}})}});
  ASSERT_TRUE(parse(archive(whole)));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Result<TensorMap> tensors = parse(archive(whole.substr(0, length)));
    ASSERT_FALSE(tensors) << length;
  }
  expect_pickle_refused("\x80\x02t.", ErrorCode::kCorruptData, "no mark");
  expect_pickle_refused("\x80\x02N(\x85.", ErrorCode::kCorruptData, "1 values are wanted, the stack has 0");
  expect_pickle_refused("\x80\x02h\x05.", ErrorCode::kCorruptData, "the memo has no 5");
  expect_pickle_refused("\x80\x02NNs.", ErrorCode::kCorruptData, "the stack is empty");
  expect_pickle_refused("\x80\x02NNNs.", ErrorCode::kCorruptData, "what is no dict");
  expect_pickle_refused("\x80\x02N.", ErrorCode::kUnsupported, "holds no dictionary of tensors");
  expect_pickle_refused("\x80\x02}" + text("step") + "K\x03s.", ErrorCode::kUnsupported, "step: is no tensor");
  expect_pickle_refused("\x80\x02}K\x01K\x03s.", ErrorCode::kUnsupported, "a key that is no text");
  expect_pickle_refused("\x80\x02\x8a\x09.........", ErrorCode::kUnsupported, "a number of 9 bytes");
  expect_pickle_refused("\x80\x02" + text(std::string(5000, 'x')) + ".", ErrorCode::kUnsupported, "5000 bytes");
}

TEST(PytorchBin, BoundsWhatAPickleMayHold) {
  expect_pickle_refused("\x80\x02" + std::string(300'000, 'N'), ErrorCode::kUnsupported, "more than 262144 values");
  expect_pickle_refused("\x80\x02" + std::string(300'000, '('), ErrorCode::kUnsupported, "more than 262144 marks");
  expect_pickle_refused(std::string((8U << 20) + 1, 'N'), ErrorCode::kUnsupported, "want at most 8388608");
}

// A storage of a few bytes is looked up as often as a pickle asks, by a name that is as long as the archive says.
TEST(PytorchBin, BoundsTheNamesOfStorages) {
  const auto with_folder = [](std::size_t bytes) {
    const std::string folder(bytes, 'f');
    const std::string pickle = dictionary({{"x", tensor(storage("FloatStorage", "0", 6), {{6}, {1}})}});
    return build_zip({{folder + "/data.pkl", pickle}, {folder + "/data/0", kFloats}});
  };
  EXPECT_TRUE(parse(with_folder(255)));
  expect_refused(with_folder(60'000), ErrorCode::kUnsupported,
                 "the name of a storage has 60007 bytes, want at most 512");
  expect_pickle_refused(storage("FloatStorage", std::string(600, '0'), 6), ErrorCode::kUnsupported,
                        "the key of a storage has 600 bytes, want at most 512");
}

TEST(PytorchBin, BoundsWhatTensorsThatShareTheirBytesUnpackTo) {
  const auto named = [](std::size_t count) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (std::size_t i = 0; i < count; ++i) {
      entries.emplace_back("w" + std::to_string(i), tensor(storage("FloatStorage", "0", 24'000), {{24'000}, {1}}));
    }
    return build_zip({{"model/data.pkl", dictionary(entries)}, {"model/data/0", std::string(96'000, '\0')}});
  };
  const std::string tied = named(2);
  EXPECT_TRUE(parse(tied));
  expect_refused(named(12), ErrorCode::kUnsupported, "share their bytes until they have 8 times the file's");
}

TEST(PytorchBin, RefusesOneStorageOfTwoKinds) {
  const auto two = [](const std::string& other) {
    return dictionary({{"a", tensor(storage("FloatStorage", "0", 6), {{6}, {1}})}, {"b", tensor(other, {{1}, {1}})}});
  };
  expect_pickle_refused(two(storage("HalfStorage", "0", 12)), ErrorCode::kCorruptData,
                        "storage 0 has 12 elements of HalfStorage, and 6 of FloatStorage elsewhere");
  expect_pickle_refused(two(storage("FloatStorage", "0", 5)), ErrorCode::kCorruptData, "storage 0 has 5 elements");
}

// ---- Checksums of the archive. ----

TEST(PytorchBin, SeesBitsThatHaveChanged) {
  const std::string whole = archive(dictionary({{"w", tensor(storage("FloatStorage", "0", 6), {{6}, {1}})}}));
  ASSERT_TRUE(parse(whole));
  std::string damaged = whole;
  damaged[whole.find(kFloats) + 9] ^= 1;
  expect_refused(damaged, ErrorCode::kCorruptData, "model/data/0: CRC-32 is ");
  damaged = whole;
  damaged[whole.find("_metadata")] = '.';
  expect_refused(damaged, ErrorCode::kCorruptData, "model/data.pkl: CRC-32 is ");
}

// What torch 2.15 writes after torch.serialization.set_crc32_options(False).
TEST(PytorchBin, TakesAnArchiveWithoutAnyChecksum) {
  const std::string pickle = dictionary({{"w", tensor(storage("FloatStorage", "0", 6), {{6}, {1}})}});
  const std::vector<std::pair<std::string, std::string>> members = {{"model/data.pkl", pickle},
                                                                    {"model/data/0", kFloats}};
  EXPECT_TRUE(parse(build_zip(members, ZipChecksums::kZero)));
  // One checksum is a sign that the others were computed, too.
  std::string one = build_zip(members, ZipChecksums::kZero);
  const std::size_t directory_entry = one.find("PK\x01\x02");
  one[directory_entry + 16] = 1;
  expect_refused(one, ErrorCode::kCorruptData, "model/data.pkl: CRC-32 is ");
}

// ---- The form before PyTorch 1.6. ----

const std::string kMagic("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.", 15);
const std::string kVersion = "\x80\x02M\xe9\x03.";
const std::string kMachine = "\x80\x02}(" + text("little_endian") + "\x88" + text("type_sizes") + "}u.";

std::string legacy_storage(std::string_view type, std::string_view key, std::int32_t elements) {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cpu") + number(elements) + "NtQ";
}

std::string keys(const std::vector<std::string>& names) {
  std::string bytes = "\x80\x02](";
  for (const std::string& name : names) bytes += text(name);
  return bytes + "e.";
}

std::string count(std::uint64_t elements) { return {reinterpret_cast<const char*>(&elements), sizeof elements}; }

const std::string kLegacyTensors =
    dictionary({{"a", tensor(legacy_storage("FloatStorage", "94", 6), {{2, 3}, {3, 1}})},
                {"b", tensor(legacy_storage("BFloat16Storage", "12", 2), {{2}, {1}})},
                {"tied", tensor(legacy_storage("FloatStorage", "94", 6), {{2}, {1}, 4})}});
const std::string kLegacyHead = kMagic + kVersion + kMachine + kLegacyTensors;
const std::string kLegacyTail = count(2) + "\x80\x3f\x01\xc0" + count(6) + kFloats;

TEST(PytorchBin, ReadsTheFormBeforePytorch16) {
  const std::string file = kLegacyHead + keys({"12", "94"}) + kLegacyTail;
  const Result<TensorMap> tensors = parse(file);
  ASSERT_TRUE(tensors) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 3U);
  EXPECT_EQ(tensors->at("a").shape, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(values_of(tensors->at("a")), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(values_of(tensors->at("b")), (std::vector<float>{1, -2.015625F}));
  EXPECT_EQ(values_of(tensors->at("tied")), (std::vector<float>{5, 6}));
  const auto* const begin = reinterpret_cast<const std::byte*>(file.data());
  EXPECT_TRUE(tensors->at("a").bytes.data() >= begin && tensors->at("a").bytes.data() < begin + file.size());
  for (std::size_t length = 0; length < file.size(); ++length) {
    const std::string cut = file.substr(0, length);
    ASSERT_FALSE(parse(cut)) << length;
  }
}

TEST(PytorchBin, ChecksTheFormBeforePytorch16) {
  const auto refuse = [](const std::string& after_magic, ErrorCode code, std::string_view part) {
    expect_refused(kMagic + after_magic, code, part);
  };
  refuse("\x80\x02M\xea\x03.", ErrorCode::kUnsupported, "the protocol's version is 1002, want 1001");
  refuse("\x80\x02}.", ErrorCode::kCorruptData, "the pickle at byte 15: holds no number");
  refuse(kVersion + "\x80\x02}" + text("little_endian") + "\x89s.", ErrorCode::kUnsupported, "order is not little");
  refuse(kVersion + "\x80\x02}.", ErrorCode::kUnsupported, "order is not little");
  refuse(kVersion + kMachine + "\x80\x02" + global("os", "system") + ")R.", ErrorCode::kUnsupported,
         "byte 2: os.system is none of the names that tensors need");
  refuse(kVersion + kMachine + dictionary({{"a", tensor("(" + text("module") + "NNNtQ", {{1}, {1}})}}),
         ErrorCode::kUnsupported, "a persistent id that names no storage");
  const std::string view = "(" + text("storage") + global("torch", "FloatStorage") + text("94") + text("cpu") +
                           number(6) + "(" + text("95") + number(0) + number(6) + "ttQ";
  refuse(kVersion + kMachine + dictionary({{"a", tensor(view, {{1}, {1}})}}), ErrorCode::kUnsupported,
         "a persistent id that names no storage");

  const auto refuse_tail = [](const std::string& tail, std::string_view part) {
    expect_refused(kLegacyHead + tail, ErrorCode::kCorruptData, part);
  };
  refuse_tail("\x80\x02}.", "holds no list of texts");
  refuse_tail(keys({"94"}) + count(6) + kFloats, "the list of keys has no storage 12");
  refuse_tail(keys({"94", "94"}) + count(6) + kFloats, "storage 94 stands twice in the list of keys");
  refuse_tail(keys({"7"}) + count(6) + kFloats, "storage 7 stands twice in the list of keys, or no tensor names it");
  refuse_tail(keys({"94", "12"}) + kLegacyTail, "storage 94 has 2 elements, want 6 of FloatStorage");
  const std::string huge = dictionary({{"a", tensor(legacy_storage("FloatStorage", "9", 0x7fffffff), {{1}, {1}})}});
  refuse(kVersion + kMachine + huge + keys({"9"}) + count(0x7fffffff) + kFloats, ErrorCode::kCorruptData,
         "storage 9 has 2147483647 elements of FloatStorage, but only 24 bytes are left");
}

TEST(PytorchBin, SaysWhatAFileIsThatIsNoneOfThese) {
  expect_refused(std::string(257, 's') + "ustar", ErrorCode::kUnsupported, "is a tar archive");
  expect_refused("\x80\x02}.", ErrorCode::kCorruptData, "no file of torch.save");
  expect_refused("", ErrorCode::kCorruptData, "no file of torch.save");
  expect_refused("version https://git-lfs.github.com/spec/v1", ErrorCode::kCorruptData, "no file of torch.save");
  expect_refused("PK", ErrorCode::kCorruptData, "no zip archive");
  expect_refused(build_zip({{"a/other.pkl", "N."}}), ErrorCode::kCorruptData, "has no data.pkl");
  expect_refused(build_zip({{"a/data.pkl", "}."}, {"a/byteorder", "big"}}), ErrorCode::kUnsupported, "byte order");
  EXPECT_TRUE(parse(build_zip({{"a/data.pkl", "}."}, {"a/byteorder", "little"}})));
}

}  // namespace
}  // namespace tandem
