#include "formats/torch_pickle.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <string>

#include "base/error.h"

namespace tandem {
namespace {

// Far above every encoder: the largest has a few thousand tensors, and a tensor takes about twenty values.
constexpr std::size_t kValuesMax = 1U << 18;
constexpr std::size_t kTextBytesMax = 4096;
// Compared with others for each of the storages. torch writes a number.
constexpr std::size_t kKeyBytesMax = 512;
constexpr std::size_t kDimensionsMax = 16;

constexpr TorchElementType kElementTypes[] = {
    {"FloatStorage", DType::kF32, 4},   {"HalfStorage", DType::kF16, 2},     {"BFloat16Storage", DType::kBf16, 2},
    {"LongStorage", DType::kI64, 8},    {"DoubleStorage", DType::kOther, 8}, {"IntStorage", DType::kOther, 4},
    {"ShortStorage", DType::kOther, 2}, {"CharStorage", DType::kOther, 1},   {"ByteStorage", DType::kOther, 1},
    {"BoolStorage", DType::kOther, 1},
};

/// The opcodes of pickle that are understood. Python: Lib/pickletools.py.
enum class Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersistentId = 'Q',
  kReduce = 'R',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kEmptyTuple = ')',
  kBinFloat = 'G',
  kProtocol = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8A,
  kShortBinUnicode = 0x8C,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

/// The others by name, for errors.
constexpr std::pair<std::uint8_t, std::string_view> kRefusedOpcodes[] = {
    {'0', "POP"},          {'1', "POP_MARK"},       {'2', "DUP"},
    {'B', "BINBYTES"},     {'C', "SHORT_BINBYTES"}, {'F', "FLOAT"},
    {'I', "INT"},          {'L', "LONG"},           {'P', "PERSID"},
    {'S', "STRING"},       {'T', "BINSTRING"},      {'U', "SHORT_BINSTRING"},
    {'V', "UNICODE"},      {'d', "DICT"},           {'g', "GET"},
    {'i', "INST"},         {'l', "LIST"},           {'o', "OBJ"},
    {'p', "PUT"},          {0x81, "NEWOBJ"},        {0x82, "EXT1"},
    {0x83, "EXT2"},        {0x84, "EXT4"},          {0x8B, "LONG4"},
    {0x8D, "BINUNICODE8"}, {0x8E, "BINBYTES8"},     {0x8F, "EMPTY_SET"},
    {0x90, "ADDITEMS"},    {0x91, "FROZENSET"},     {0x92, "NEWOBJ_EX"},
    {0x96, "BYTEARRAY8"},  {0x97, "NEXT_BUFFER"},   {0x98, "READONLY_BUFFER"},
};

/// What a value is. A value never holds others, only their numbers, so nothing here recurses.
enum class Kind {
  kNone,
  kNumber,
  kText,
  kTuple,
  kList,
  kDict,
  kOrderedDict,
  kRebuildTensor,
  kRebuildParameter,
  kStorageType,
  kStorage,
  kTensor
};

using Reference = std::uint32_t;  ///< The number of a value.

struct Value {
  Kind kind = Kind::kNone;
  std::int64_t number = 0;            ///< kNumber; the place in kElementTypes, storages_ or tensors_.
  std::string_view text = {};         ///< kText.
  std::vector<Reference> items = {};  ///< kTuple, kList; kDict: keys and values in turn.
};

template <class Integer>
Integer load(std::span<const std::byte> bytes) {
  Integer value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);  // Little-endian, as the machine is.
  return value;
}

/// Runs a pickle that others may follow.
class Unpickler {
 public:
  explicit Unpickler(std::span<const std::byte> bytes)
      : pickle_(bytes.first(std::min(bytes.size(), kPickleBytesMax))), is_cut_(pickle_.size() < bytes.size()) {}

  Status run() {
    for (;;) {
      const std::size_t at = place_;
      ASSIGN_OR_RETURN(const std::span<const std::byte> opcode, take(1));
      if (static_cast<Opcode>(opcode[0]) == Opcode::kStop) return finish();
      const Status done = execute(static_cast<Opcode>(opcode[0]));
      if (!done) return fail(done.error().code, "byte {}: {}", at, done.error().message);
    }
  }

  // ---- The result. ----

  std::size_t size_bytes() const { return place_; }

  Result<TorchTensors> tensors() {
    const Value& root = values_[stack_[0]];
    if (root.kind != Kind::kDict) return fail(ErrorCode::kUnsupported, "holds no dictionary of tensors");
    TorchTensors result{.storages = std::move(storages_), .tensors = {}};
    for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
      const Value& key = values_[root.items[i]];
      const Value& value = values_[root.items[i + 1]];
      if (key.kind != Kind::kText) return fail(ErrorCode::kUnsupported, "a key that is no text");
      if (value.kind != Kind::kTensor) return fail(ErrorCode::kUnsupported, "{}: is no tensor", key.text);
      result.tensors.insert_or_assign(key.text, tensors_[static_cast<std::size_t>(value.number)]);
    }
    return result;
  }

  Result<std::int64_t> number() const {
    const Value& root = values_[stack_[0]];
    if (root.kind != Kind::kNumber) return fail(ErrorCode::kCorruptData, "holds no number");
    return root.number;
  }

  Result<std::map<std::string_view, std::int64_t>> numbers() const {
    const Value& root = values_[stack_[0]];
    if (root.kind != Kind::kDict) return fail(ErrorCode::kCorruptData, "holds no dictionary");
    std::map<std::string_view, std::int64_t> result;
    for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
      const Value& key = values_[root.items[i]];
      const Value& value = values_[root.items[i + 1]];
      if (key.kind == Kind::kText && value.kind == Kind::kNumber) result.insert_or_assign(key.text, value.number);
    }
    return result;
  }

  Result<std::vector<std::string_view>> texts() const {
    const Value& root = values_[stack_[0]];
    std::vector<std::string_view> result;
    for (const Reference item : root.items) {
      if (root.kind != Kind::kList || values_[item].kind != Kind::kText) break;
      result.push_back(values_[item].text);
    }
    if (root.kind == Kind::kList && result.size() == root.items.size()) return result;
    return fail(ErrorCode::kCorruptData, "holds no list of texts");
  }

 private:
  Status execute(Opcode opcode) {
    switch (opcode) {
      case Opcode::kProtocol:
        return skip(1);
      case Opcode::kFrame:
        return skip(8);
      case Opcode::kStop:
        return {};
      case Opcode::kNone:
        return push({});
      case Opcode::kNewTrue:
        return push_number(1);
      case Opcode::kNewFalse:
        return push_number(0);
      case Opcode::kBinInt:
        return push_integer<std::int32_t>();
      case Opcode::kBinInt1:
        return push_integer<std::uint8_t>();
      case Opcode::kBinInt2:
        return push_integer<std::uint16_t>();
      case Opcode::kLong1:
        return push_long();
      case Opcode::kBinFloat:
        RETURN_IF_ERROR(skip(8));  // No tensor needs one; some save one beside them.
        return push({});
      case Opcode::kBinUnicode:
        return push_text<std::uint32_t>();
      case Opcode::kShortBinUnicode:
        return push_text<std::uint8_t>();
      case Opcode::kEmptyList:
        return push({.kind = Kind::kList});
      case Opcode::kEmptyDict:
        return push({.kind = Kind::kDict});
      case Opcode::kEmptyTuple:
        return push({.kind = Kind::kTuple});
      case Opcode::kTuple1:
        return push_tuple_of(1);
      case Opcode::kTuple2:
        return push_tuple_of(2);
      case Opcode::kTuple3:
        return push_tuple_of(3);
      case Opcode::kTuple:
        return push_tuple();
      case Opcode::kMark:
        return push_mark();
      case Opcode::kAppend:
        return add_items(Kind::kList, 1);
      case Opcode::kAppends:
        return add_marked_items(Kind::kList);
      case Opcode::kSetItem:
        return add_items(Kind::kDict, 2);
      case Opcode::kSetItems:
        return add_marked_items(Kind::kDict);
      case Opcode::kBinPut:
        return memoize_at<std::uint8_t>();
      case Opcode::kLongBinPut:
        return memoize_at<std::uint32_t>();
      case Opcode::kMemoize:
        return memoize(static_cast<std::uint32_t>(memo_.size()));
      case Opcode::kBinGet:
        return recall<std::uint8_t>();
      case Opcode::kLongBinGet:
        return recall<std::uint32_t>();
      case Opcode::kGlobal:
        return push_global();
      case Opcode::kStackGlobal:
        return push_stack_global();
      case Opcode::kBinPersistentId:
        return push_storage();
      case Opcode::kReduce:
        return reduce();
      case Opcode::kBuild:
        return build();
    }
    const auto code = static_cast<std::uint8_t>(opcode);
    const auto* const known =
        std::ranges::find(kRefusedOpcodes, code, &std::pair<std::uint8_t, std::string_view>::first);
    return fail(ErrorCode::kUnsupported, "opcode 0x{:02x} ({}) is none that tensors need", code,
                known == std::end(kRefusedOpcodes) ? "unknown" : known->second);
  }

  // ---- Bytes of the pickle. ----

  Result<std::span<const std::byte>> take(std::size_t count) {
    if (count > pickle_.size() - place_) {
      if (is_cut_) return fail(ErrorCode::kUnsupported, "a pickle of more than {} bytes", kPickleBytesMax);
      return fail(ErrorCode::kCorruptData, "byte {}: {} more bytes are wanted, {} are left", place_, count,
                  pickle_.size() - place_);
    }
    place_ += count;
    return pickle_.subspan(place_ - count, count);
  }

  Status skip(std::size_t count) {
    ASSIGN_OR_RETURN([[maybe_unused]] const std::span<const std::byte> skipped, take(count));
    return {};
  }

  template <class Integer>
  Result<Integer> take_integer() {
    ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, take(sizeof(Integer)));
    return load<Integer>(bytes);
  }

  Result<std::string_view> take_line() {
    const auto rest = pickle_.subspan(place_, std::min(pickle_.size() - place_, kTextBytesMax));
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
    const std::size_t end = text.find('\n');
    if (end == text.npos) return fail(ErrorCode::kCorruptData, "a name does not end");
    place_ += end + 1;
    return text.substr(0, end);
  }

  // ---- Values, the stack and the memo. ----

  Status push(Value value) {
    if (values_.size() >= kValuesMax) {
      return fail(ErrorCode::kUnsupported, "more than {} values are more than tensors need", kValuesMax);
    }
    stack_.push_back(static_cast<Reference>(values_.size()));
    values_.push_back(std::move(value));
    return {};
  }

  Status push_mark() {
    if (marks_.size() >= kValuesMax) return fail(ErrorCode::kUnsupported, "more than {} marks", kValuesMax);
    marks_.push_back(stack_.size());
    return {};
  }

  Status push_number(std::int64_t number) { return push({.kind = Kind::kNumber, .number = number}); }

  template <class Integer>
  Status push_integer() {
    ASSIGN_OR_RETURN(const Integer number, take_integer<Integer>());
    return push_number(number);
  }

  /// A two's complement number of up to eight bytes.
  Status push_long() {
    ASSIGN_OR_RETURN(const auto count, take_integer<std::uint8_t>());
    if (count > sizeof(std::int64_t))
      return fail(ErrorCode::kUnsupported, "a number of {} bytes, want at most 8", count);
    ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, take(count));
    std::uint64_t number = 0;
    if (count > 0) {
      if ((bytes[count - 1] & std::byte{0x80}) != std::byte{0}) number = ~std::uint64_t{0};
      std::memcpy(&number, bytes.data(), count);
    }
    return push_number(static_cast<std::int64_t>(number));
  }

  template <class Length>
  Status push_text() {
    ASSIGN_OR_RETURN(const Length length, take_integer<Length>());
    if (length > kTextBytesMax) {
      return fail(ErrorCode::kUnsupported, "a text of {} bytes, want at most {}", length, kTextBytesMax);
    }
    ASSIGN_OR_RETURN(const std::span<const std::byte> bytes, take(length));
    return push({.kind = Kind::kText, .text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()}});
  }

  /// Takes the upper `count` values off the stack; those below the last mark belong to others.
  Result<std::vector<Reference>> pop(std::size_t count) {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() - floor < count) {
      return fail(ErrorCode::kCorruptData, "{} values are wanted, the stack has {}", count, stack_.size() - floor);
    }
    std::vector<Reference> values(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }

  Result<std::vector<Reference>> pop_to_mark() {
    if (marks_.empty()) return fail(ErrorCode::kCorruptData, "there is no mark on the stack");
    ASSIGN_OR_RETURN(std::vector<Reference> values, pop(stack_.size() - marks_.back()));
    marks_.pop_back();
    return values;
  }

  Status push_tuple_of(std::size_t count) {
    ASSIGN_OR_RETURN(std::vector<Reference> items, pop(count));
    return push({.kind = Kind::kTuple, .items = std::move(items)});
  }

  Status push_tuple() {
    ASSIGN_OR_RETURN(std::vector<Reference> items, pop_to_mark());
    return push({.kind = Kind::kTuple, .items = std::move(items)});
  }

  Status add_marked_items(Kind kind) {
    ASSIGN_OR_RETURN(const std::vector<Reference> items, pop_to_mark());
    return extend(kind, items);
  }

  Status add_items(Kind kind, std::size_t count) {
    ASSIGN_OR_RETURN(const std::vector<Reference> items, pop(count));
    return extend(kind, items);
  }

  /// Adds to the list or dictionary on top of the stack.
  Status extend(Kind kind, std::span<const Reference> items) {
    ASSIGN_OR_RETURN(const Reference top, peek());
    Value& value = values_[top];
    if (value.kind != kind || (kind == Kind::kDict && items.size() % 2 != 0)) {
      return fail(ErrorCode::kCorruptData, "items are added to what is no {}", kind == Kind::kDict ? "dict" : "list");
    }
    value.items.insert(value.items.end(), items.begin(), items.end());
    return {};
  }

  Result<Reference> peek() const {
    if (stack_.size() == (marks_.empty() ? 0 : marks_.back()))
      return fail(ErrorCode::kCorruptData, "the stack is empty");
    return stack_.back();
  }

  template <class Integer>
  Status memoize_at() {
    ASSIGN_OR_RETURN(const Integer place, take_integer<Integer>());
    return memoize(place);
  }

  Status memoize(std::uint32_t place) {
    ASSIGN_OR_RETURN(const Reference top, peek());
    if (memo_.size() >= kValuesMax) return fail(ErrorCode::kUnsupported, "more than {} places in the memo", kValuesMax);
    memo_[place] = top;
    return {};
  }

  template <class Integer>
  Status recall() {
    ASSIGN_OR_RETURN(const Integer place, take_integer<Integer>());
    const auto found = memo_.find(place);
    if (found == memo_.end()) return fail(ErrorCode::kCorruptData, "the memo has no {}", place);
    stack_.push_back(found->second);
    return {};
  }

  // ---- What tensors are made of. ----

  Status push_global() {
    ASSIGN_OR_RETURN(const std::string_view module, take_line());
    ASSIGN_OR_RETURN(const std::string_view name, take_line());
    return push_known(module, name);
  }

  Status push_stack_global() {
    ASSIGN_OR_RETURN(const std::vector<Reference> names, pop(2));
    for (const Reference name : names) {
      if (values_[name].kind != Kind::kText) return fail(ErrorCode::kCorruptData, "STACK_GLOBAL without two names");
    }
    return push_known(values_[names[0]].text, values_[names[1]].text);
  }

  Status push_known(std::string_view module, std::string_view name) {
    if (module == "collections" && name == "OrderedDict") return push({.kind = Kind::kOrderedDict});
    if (module == "torch._utils" && name == "_rebuild_tensor_v2") return push({.kind = Kind::kRebuildTensor});
    if (module == "torch._utils" && name == "_rebuild_parameter") return push({.kind = Kind::kRebuildParameter});
    if (module == "torch") {
      const auto* const type = std::ranges::find(kElementTypes, name, &TorchElementType::storage);
      if (type != std::end(kElementTypes)) {
        return push({.kind = Kind::kStorageType, .number = type - std::begin(kElementTypes)});
      }
    }
    return fail(ErrorCode::kUnsupported, "{}.{} is none of the names that tensors need", module, name);
  }

  /// The tuple ("storage", type, key, device, elements), behind which the older form has a None, stands for a storage.
  Status push_storage() {
    ASSIGN_OR_RETURN(const std::vector<Reference> popped, pop(1));
    const std::vector<Reference>& id = values_[popped[0]].items;
    const bool has_view = id.size() == 6 && values_[id[5]].kind != Kind::kNone;
    if (values_[popped[0]].kind != Kind::kTuple || id.size() < 5 || id.size() > 6 || has_view ||
        values_[id[0]].text != "storage" || values_[id[1]].kind != Kind::kStorageType ||
        values_[id[2]].kind != Kind::kText || values_[id[4]].kind != Kind::kNumber) {
      return fail(ErrorCode::kUnsupported, "a persistent id that names no storage");
    }
    const TorchStorage storage{.key = values_[id[2]].text,
                               .type = kElementTypes[values_[id[1]].number],
                               .elements = static_cast<std::uint64_t>(values_[id[4]].number)};
    if (storage.key.size() > kKeyBytesMax) {
      return fail(ErrorCode::kUnsupported, "the key of a storage has {} bytes, want at most {}", storage.key.size(),
                  kKeyBytesMax);
    }
    const auto [place, is_new] = storage_of_key_.emplace(storage.key, storages_.size());
    if (is_new) storages_.push_back(storage);
    const TorchStorage& first = storages_[place->second];
    if (first.type.storage != storage.type.storage || first.elements != storage.elements) {
      return fail(ErrorCode::kCorruptData, "storage {} has {} elements of {}, and {} of {} elsewhere", storage.key,
                  storage.elements, storage.type.storage, first.elements, first.type.storage);
    }
    return push({.kind = Kind::kStorage, .number = static_cast<std::int64_t>(place->second)});
  }

  Status reduce() {
    ASSIGN_OR_RETURN(const std::vector<Reference> popped, pop(2));
    const Value& arguments = values_[popped[1]];
    if (arguments.kind != Kind::kTuple) return fail(ErrorCode::kCorruptData, "REDUCE without a tuple of arguments");
    const std::vector<Reference>& items = arguments.items;
    switch (values_[popped[0]].kind) {
      case Kind::kOrderedDict:
        if (!items.empty()) return fail(ErrorCode::kUnsupported, "OrderedDict with arguments");
        return push({.kind = Kind::kDict});
      case Kind::kRebuildTensor:
        return rebuild_tensor(items);
      case Kind::kRebuildParameter:
        if (items.empty() || values_[items[0]].kind != Kind::kTensor) {
          return fail(ErrorCode::kCorruptData, "_rebuild_parameter without a tensor");
        }
        stack_.push_back(items[0]);
        return {};
      case Kind::kNone:
      case Kind::kNumber:
      case Kind::kText:
      case Kind::kTuple:
      case Kind::kList:
      case Kind::kDict:
      case Kind::kStorageType:
      case Kind::kStorage:
      case Kind::kTensor:
        break;
    }
    return fail(ErrorCode::kUnsupported, "REDUCE of what is no function that tensors need");
  }

  /// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, …), of which the first four matter.
  Status rebuild_tensor(std::span<const Reference> items) {
    if (items.size() < 4 || values_[items[0]].kind != Kind::kStorage || values_[items[1]].kind != Kind::kNumber ||
        values_[items[1]].number < 0) {
      return fail(ErrorCode::kCorruptData, "_rebuild_tensor_v2 without storage, offset, size and stride");
    }
    TorchTensor tensor;
    tensor.storage = static_cast<std::size_t>(values_[items[0]].number);
    tensor.offset = static_cast<std::uint64_t>(values_[items[1]].number);
    ASSIGN_OR_RETURN(tensor.shape, dimensions(items[2]));
    ASSIGN_OR_RETURN(tensor.strides, dimensions(items[3]));
    if (tensor.shape.size() != tensor.strides.size()) {
      return fail(ErrorCode::kCorruptData, "a tensor with {} sizes and {} strides", tensor.shape.size(),
                  tensor.strides.size());
    }
    tensors_.push_back(std::move(tensor));
    return push({.kind = Kind::kTensor, .number = static_cast<std::int64_t>(tensors_.size()) - 1});
  }

  Result<std::vector<std::uint64_t>> dimensions(Reference tuple) const {
    const Value& value = values_[tuple];
    if (value.kind != Kind::kTuple || value.items.size() > kDimensionsMax) {
      return fail(ErrorCode::kCorruptData, "want a tuple of at most {} sizes", kDimensionsMax);
    }
    std::vector<std::uint64_t> result;
    for (const Reference item : value.items) {
      if (values_[item].kind != Kind::kNumber || values_[item].number < 0) {
        return fail(ErrorCode::kCorruptData, "a size or stride that is no natural number");
      }
      result.push_back(static_cast<std::uint64_t>(values_[item].number));
    }
    return result;
  }

  /// Attributes of a dictionary, such as the versions of modules that a state_dict carries: nothing that tensors need.
  Status build() {
    ASSIGN_OR_RETURN(const std::vector<Reference> state, pop(1));
    ASSIGN_OR_RETURN(const Reference top, peek());
    if (values_[top].kind == Kind::kDict) return {};
    return fail(ErrorCode::kUnsupported, "BUILD of what is no dict");
  }

  Status finish() const {
    if (stack_.size() == 1 && marks_.empty()) return {};
    return fail(ErrorCode::kCorruptData, "ends with {} values and {} marks on the stack, want one value", stack_.size(),
                marks_.size());
  }

  std::span<const std::byte> pickle_;
  bool is_cut_;  ///< What follows kPickleBytesMax is left out of pickle_.
  std::size_t place_ = 0;
  std::vector<Value> values_;
  std::vector<Reference> stack_;
  std::vector<std::size_t> marks_;  ///< Heights of the stack.
  std::map<std::uint32_t, Reference> memo_;
  std::vector<TorchStorage> storages_;
  std::map<std::string_view, std::size_t> storage_of_key_;
  std::vector<TorchTensor> tensors_;
};

/// Runs the pickle at the front of `bytes` and takes it off.
Result<Unpickler> take_pickle(std::span<const std::byte>& bytes) {
  Unpickler unpickler(bytes);
  RETURN_IF_ERROR(unpickler.run());
  bytes = bytes.subspan(unpickler.size_bytes());
  return unpickler;
}

}  // namespace

Result<TorchTensors> take_torch_tensors(std::span<const std::byte>& bytes) {
  ASSIGN_OR_RETURN(Unpickler pickle, take_pickle(bytes));
  return pickle.tensors();
}

Result<std::int64_t> take_torch_number(std::span<const std::byte>& bytes) {
  ASSIGN_OR_RETURN(const Unpickler pickle, take_pickle(bytes));
  return pickle.number();
}

Result<std::map<std::string_view, std::int64_t>> take_torch_numbers(std::span<const std::byte>& bytes) {
  ASSIGN_OR_RETURN(const Unpickler pickle, take_pickle(bytes));
  return pickle.numbers();
}

Result<std::vector<std::string_view>> take_torch_texts(std::span<const std::byte>& bytes) {
  ASSIGN_OR_RETURN(const Unpickler pickle, take_pickle(bytes));
  return pickle.texts();
}

}  // namespace tandem
