#include "formats/safetensors.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/testing/temporary_folder.h"
#include "formats/testing/zip_builder.h"

namespace tandem {
namespace {

std::string file_with(std::string_view header, std::string_view data) {
  const std::uint64_t length = header.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file.append(header).append(data);
}

Result<TensorMap> parse(std::string_view file) {
  return parse_safetensors(std::as_bytes(std::span(file)), "model.safetensors");
}

/// The message of the error that a header, in front of `data_bytes` bytes of data, must raise.
std::string error_of(std::string_view header, std::size_t data_bytes) {
  const std::string file = file_with(header, std::string(data_bytes, 'x'));
  const Result<TensorMap> tensors = parse(file);
  if (tensors) return "no error";
  EXPECT_EQ(tensors.error().code, ErrorCode::kCorruptData);
  EXPECT_TRUE(tensors.error().message.starts_with("model.safetensors: ")) << tensors.error().message;
  return tensors.error().message;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

std::string floats(std::initializer_list<float> values) {
  return {reinterpret_cast<const char*>(std::data(values)), values.size() * sizeof(float)};
}

TEST(Safetensors, ReadsTensorsOfEveryTypeInAnyOrder) {
  const std::string file =
      file_with(R"({"__metadata__":{"format":"pt"},)"
                R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[24,28]},)"
                R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                R"("scalar":{"dtype":"F16","shape":[],"data_offsets":[28,30]},)"
                R"("empty":{"dtype":"F32","shape":[0,18446744073709551615],"data_offsets":[28,28]},)"
                R"("odd":{"dtype":"FUTURE","shape":[7],"data_offsets":[30,33]}}   )",
                floats({1, 2, 3, 4, 5, 6}) + std::string("\x80\x3f\x00\xc0\x00\x3czzz", 9));
  const Result<TensorMap> tensors = parse(file);
  ASSERT_TRUE(tensors) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 5U);

  const TensorView& a = tensors->find("a")->second;
  EXPECT_EQ(a.dtype, DType::kF32);
  EXPECT_EQ(a.shape, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(a.elements(), 6U);
  std::vector<float> values(4);
  copy_as_f32(a, 2, values);
  EXPECT_EQ(values, (std::vector<float>{3, 4, 5, 6}));

  values.assign(2, 0);
  copy_as_f32(tensors->find("b")->second, 0, values);
  EXPECT_EQ(values, (std::vector<float>{1, -2}));

  const TensorView& scalar = tensors->find("scalar")->second;
  EXPECT_EQ(scalar.elements(), 1U);
  values.assign(1, 0);
  copy_as_f32(scalar, 0, values);
  EXPECT_EQ(values, (std::vector<float>{1}));

  EXPECT_EQ(tensors->find("empty")->second.elements(), 0U);
  EXPECT_EQ(tensors->find("odd")->second.dtype, DType::kOther);
}

TEST(Safetensors, ConvertsEveryHalfExactly) {
  std::vector<std::uint16_t> halves(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  const TensorView tensor{DType::kF16, {65536}, std::as_bytes(std::span(halves))};
  std::vector<float> values(halves.size());
  copy_as_f32(tensor, 0, values);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const int exponent = static_cast<int>(i >> 10 & 31);
    const auto mantissa = static_cast<float>(i & 1023);
    // IEEE 754-2008, 3.4, computed the slow way.
    float expected = exponent == 0    ? std::ldexp(mantissa, -24)
                     : exponent == 31 ? (mantissa == 0 ? std::numeric_limits<float>::infinity() : std::nanf(""))
                                      : std::ldexp(1024 + mantissa, exponent - 25);
    expected = std::copysign(expected, (i & 0x8000) != 0 ? -1.0F : 1.0F);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(values[i])) << i;
    } else {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(values[i]), std::bit_cast<std::uint32_t>(expected)) << i;
    }
  }
}

TEST(Safetensors, RefusesFilesWithoutAWholeHeader) {
  for (const std::string& file :
       {std::string(), std::string("\x02\0\0\0\0\0\0", 7), std::string("\x03\0\0\0\0\0\0\0{}", 10),
        std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10)}) {
    const Result<TensorMap> tensors = parse(file);
    ASSERT_FALSE(tensors);
    EXPECT_EQ(tensors.error().code, ErrorCode::kCorruptData);
  }
  EXPECT_TRUE(contains(error_of("[]", 0), "expected an object"));
  EXPECT_TRUE(contains(error_of("{", 0), "not valid JSON"));
  EXPECT_TRUE(contains(error_of("", 0), "want JSON"));
}

TEST(Safetensors, RefusesOverlappingTensors) {
  EXPECT_TRUE(contains(error_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                                6),
                       "b: begins at byte 2 of the data, want 4: it overlaps"));
}

TEST(Safetensors, RefusesBytesThatNoTensorOwns) {
  EXPECT_TRUE(contains(error_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                                R"("b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}})",
                                5),
                       "b: begins at byte 3 of the data, want 2: no tensor owns"));
  EXPECT_TRUE(contains(error_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 3),
                       "end at byte 2 of the data, which has 3"));
  EXPECT_TRUE(contains(error_of("{}", 1), "end at byte 0 of the data, which has 1"));
}

TEST(Safetensors, RefusesTruncatedData) {
  EXPECT_TRUE(contains(error_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7),
                       "a: data_offsets are [0, 8], want a range inside the 7 bytes"));
}

TEST(Safetensors, RefusesOffsetsThatLie) {
  for (const char* offsets : {"[8,0]", "[0]", "[0,8,8]", "[]", "[18446744073709551615,18446744073709551615]"}) {
    const std::string header = std::string(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":)") + offsets + "}}";
    EXPECT_TRUE(contains(error_of(header, 8), "a: data_offsets are ")) << offsets;
  }
  for (const char* offsets : {"[-1,8]", "[0.5,8]", "\"0,8\"", "null", "[0,18446744073709551616]"}) {
    const std::string header = std::string(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":)") + offsets + "}}";
    EXPECT_NE(error_of(header, 8), "no error") << offsets;
  }
}

TEST(Safetensors, RefusesShapesThatDisagreeWithTheData) {
  EXPECT_TRUE(contains(error_of(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
                       "a: data_offsets [0, 8] hold 8 bytes, but F32 [3] has 12"));
  // 2^62 · 4 · 4 wraps round to 0 in 64 bits.
  EXPECT_TRUE(contains(error_of(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0),
                       "a: F32 [4611686018427387904, 4] is not a whole number of bytes"));
  EXPECT_TRUE(contains(error_of(R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", 1), "not a whole number"));
  EXPECT_TRUE(contains(error_of(R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", 8), "a: header: shape"));
  EXPECT_TRUE(contains(error_of(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8), "dtype is missing"));
  EXPECT_TRUE(contains(error_of(R"({"a":7})", 0), "a: header: "));
}

TEST(Safetensors, RefusesATensorThatIsNamedTwice) {
  EXPECT_TRUE(contains(error_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                                2),
                       "a: the header names this tensor twice"));
}

TEST(Safetensors, OpensAFolderWithOneFile) {
  TemporaryFolder folder;
  folder.write("model.safetensors",
               file_with(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", floats({7})));
  const Result<TensorSource> source = TensorSource::open_folder(folder.path());
  ASSERT_TRUE(source) << source.error().message;
  ASSERT_NE(source->find("a"), nullptr);
  EXPECT_EQ(source->find("b"), nullptr);
  EXPECT_EQ(source->files(), (std::vector{folder.path() / "model.safetensors"}));
  source->discard(*source->find("a"));
  std::vector<float> value(1);
  copy_as_f32(*source->find("a"), 0, value);
  EXPECT_EQ(value[0], 7);
}

TEST(Safetensors, JoinsShards) {
  TemporaryFolder folder;
  folder.write("one.safetensors", file_with(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", floats({1})));
  folder.write("two.safetensors", file_with(R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", floats({2})));
  folder.write("model.safetensors.index.json",
               R"({"metadata":{"total_size":8},"weight_map":{"b":"two.safetensors","a":"one.safetensors"}})");
  const Result<TensorSource> source = TensorSource::open_folder(folder.path());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->files(), (std::vector{folder.path() / "one.safetensors", folder.path() / "two.safetensors"}));
  std::vector<float> value(1);
  copy_as_f32(*source->find("b"), 0, value);
  EXPECT_EQ(value[0], 2);
}

// Each name of one large file would be read and hashed again.
TEST(Safetensors, AShardIsReadUnderOneNameOnly) {
  TemporaryFolder folder;
  folder.write("one", file_with(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", floats({1})));
  folder.write("empty", file_with(R"({"__metadata__":{}})", ""));
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"one","a":"empty","a":"link"}})");
  for (const bool is_hard : {false, true}) {
    std::filesystem::remove(folder.path() / "link");
    is_hard ? std::filesystem::create_hard_link(folder.path() / "empty", folder.path() / "link")
            : std::filesystem::create_symlink("empty", folder.path() / "link");
    const Result<TensorSource> source = TensorSource::open_folder(folder.path());
    ASSERT_FALSE(source);
    EXPECT_TRUE(contains(source.error().message, "link: another shard is the same file")) << source.error().message;
  }
}

TEST(Safetensors, RefusesAShardIndexThatLies) {
  const std::string shard = file_with(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x");
  const struct {
    const char* index;
    ErrorCode code;
    const char* part;
  } cases[] = {
      {R"({"weight_map":{"a":"one","b":"one"}})", ErrorCode::kCorruptData, "b: no shard has this tensor"},
      {R"({"weight_map":{"a":"one","b":"two"}})", ErrorCode::kCorruptData,
       "a: another shard has a tensor of this name"},
      {R"({"weight_map":{"a":"../one"}})", ErrorCode::kCorruptData, "want a file of the same folder"},
      {R"({"weight_map":{"a":".."}})", ErrorCode::kCorruptData, "want a file of the same folder"},
      {R"({"weight_map":{"a":"missing"}})", ErrorCode::kNotFound, "missing"},
      {R"({"weight_map":{"a":1}})", ErrorCode::kCorruptData, "a: expected a string"},
      {R"({"weight_map":{}})", ErrorCode::kCorruptData, "names no tensors"},
      {R"({})", ErrorCode::kCorruptData, "weight_map is missing"},
  };
  for (const auto& test : cases) {
    TemporaryFolder folder;
    folder.write("one", shard);
    folder.write("two", shard);
    folder.write("model.safetensors.index.json", test.index);
    const Result<TensorSource> source = TensorSource::open_folder(folder.path());
    ASSERT_FALSE(source) << test.index;
    EXPECT_EQ(source.error().code, test.code) << test.index;
    EXPECT_TRUE(contains(source.error().message, test.part)) << source.error().message;
  }
}

TEST(TensorSource, PrefersSafetensorsAndFallsBackToPytorch) {
  TemporaryFolder folder;
  const Result<TensorSource> nothing = TensorSource::open_folder(folder.path());
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(contains(nothing.error().message, "neither model.safetensors nor pytorch_model.bin"));

  folder.write("one.bin", build_zip({{"one/data.pkl", "}."}}));
  folder.write("pytorch_model.bin.index.json", R"({"weight_map":{"a":"one.bin"}})");
  const Result<TensorSource> shards = TensorSource::open_folder(folder.path());
  ASSERT_FALSE(shards);
  EXPECT_TRUE(contains(shards.error().message, "a: no shard has this tensor")) << shards.error().message;

  folder.write("pytorch_model.bin", build_zip({{"model/data.pkl", "}."}}));
  const Result<TensorSource> whole = TensorSource::open_folder(folder.path());
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_TRUE(whole->tensors().empty());

  folder.write("model.safetensors", file_with(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x"));
  const Result<TensorSource> safe = TensorSource::open_folder(folder.path());
  ASSERT_TRUE(safe) << safe.error().message;
  EXPECT_NE(safe->find("a"), nullptr);
}

}  // namespace
}  // namespace tandem
