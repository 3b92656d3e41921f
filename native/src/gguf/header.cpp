#include "gguf/header.h"

#include <algorithm>
#include <numeric>

#include "gguf/reader.h"

namespace nt {

namespace {

constexpr uint64_t kMaxNameBytes = 65535;  // GGUF's limit for keys
constexpr uint64_t kMaxEntries = 1 << 20;  // keys, or tensors: a thousand times what models have
constexpr int kMaxNesting = 8;             // arrays in arrays

constexpr uint64_t kMinKeyBytes = 8 + 1 + 4 + 1;         // name of one byte, type, one byte of value
constexpr uint64_t kMinTensorBytes = 8 + 1 + 4 + 4 + 8;  // name of one byte, no dimension, type, offset

struct ValueType {
  const char* name;
  uint8_t min_bytes;  // of a value; all of them where it is neither a string nor an array
};

constexpr ValueType kValueTypes[] = {
    {"UINT8", 1}, {"INT8", 1},   {"UINT16", 2}, {"INT16", 2},  {"UINT32", 4}, {"INT32", 4},   {"FLOAT32", 4},
    {"BOOL", 1},  {"STRING", 8}, {"ARRAY", 12}, {"UINT64", 8}, {"INT64", 8},  {"FLOAT64", 8},
};

// Tensor types that GGUF numbers and that are not decoded here, so that a message can name them.
struct OtherFormat {
  uint32_t id;
  const char* name;
};
constexpr OtherFormat kOtherFormats[] = {
    {4, "Q4_2"},        {5, "Q4_3"},        {9, "Q8_1"},   {15, "Q8_K"},  {24, "I8"},
    {25, "I16"},        {26, "I32"},        {27, "I64"},   {28, "F64"},   {31, "Q4_0_4_4"},
    {32, "Q4_0_4_8"},   {33, "Q4_0_8_8"},   {34, "TQ1_0"}, {35, "TQ2_0"}, {36, "IQ4_NL_4_4"},
    {37, "IQ4_NL_4_8"}, {38, "IQ4_NL_8_8"}, {39, "MXFP4"}, {40, "NVFP4"}, {41, "Q1_0"},
};

const char* other_format_name(uint32_t id) {
  for (const OtherFormat& other : kOtherFormats) {
    if (other.id == id) return other.name;
  }
  return "unknown";
}

std::string format_names() {
  std::string names;
  for (int32_t id = 0; id < kFormatLimit; ++id) {
    const FormatInfo* known = find_format(id);
    if (known != nullptr) names += (names.empty() ? "" : ", ") + std::string(known->name);
  }
  return names;
}

// False where a · b is more than limit.
bool multiply(uint64_t a, uint64_t b, uint64_t limit, uint64_t* product) {
  if (a != 0 && b > limit / a) return false;
  *product = a * b;
  return true;
}

class Parser {
 public:
  Parser(const uint8_t* data, uint64_t n_there, uint64_t size) : in_(data, n_there, size), has_data_(n_there == size) {}

  Header parse() {
    read_magic();
    const uint64_t n_tensors = read_count("tensors", kMinTensorBytes);
    const uint64_t n_kv = read_count("keys", kMinKeyBytes);
    for (uint64_t i = 0; i < n_kv; ++i) read_key(i);
    read_alignment();
    for (uint64_t i = 0; i < n_tensors; ++i) read_tensor(i);
    place_tensors();
    check_overlap();
    return std::move(header_);
  }

 private:
  void read_magic() {
    const uint32_t magic = in_.read<uint32_t>("the magic number");
    if (magic == 0x47475546) fail_big_endian(0);
    if (magic != 0x46554747) {
      in_.fail(0, format("not a GGUF file: it begins with %08x (little-endian), not with \"GGUF\"", magic));
    }
    header_.version = in_.read<uint32_t>("the version");
    // gguf-py writes the magic of a big-endian file in the usual order and swaps all else.
    if (header_.version != 0 && (header_.version & 0xffff) == 0) fail_big_endian(4);
    if (header_.version != 2 && header_.version != 3) {
      in_.fail(4, format("GGUF version %" PRIu32 "; versions 2 and 3 are read%s", header_.version,
                         header_.version == 1 ? ": convert the file again with a current tool" : ""));
    }
  }

  [[noreturn]] void fail_big_endian(uint64_t offset) {
    in_.fail(offset, "a big-endian GGUF file; only little-endian files are read");
  }

  // A count that the rest of the file cannot hold is refused before anything is allocated for it.
  uint64_t read_count(const char* what, uint64_t min_bytes) {
    const uint64_t at = in_.offset();
    const uint64_t n = in_.read<uint64_t>(what);
    const uint64_t limit = std::min(in_.remaining() / min_bytes, kMaxEntries);
    if (n > limit) {
      in_.fail(at, format("the header claims %" PRIu64 " %s; a file of %" PRIu64 " bytes can have at most %" PRIu64, n,
                          what, in_.size(), limit));
    }
    return n;
  }

  std::string_view read_name() {
    const uint64_t at = in_.offset();
    const uint64_t n = in_.read<uint64_t>("the length of the name");
    if (n == 0 || n > kMaxNameBytes) {
      in_.fail(at, format("a name of %" PRIu64 " bytes; 1 to %" PRIu64 " are allowed", n, kMaxNameBytes));
    }
    return {reinterpret_cast<const char*>(in_.skip(n, "the name")), static_cast<size_t>(n)};
  }

  void read_key(uint64_t number) {
    in_.enter("key number", number);
    MetadataEntry entry;
    entry.offset = in_.offset();
    entry.key = read_name();
    in_.enter("key", entry.key);
    entry.type = read_value_type();
    if (entry.type == NT_KV_ARRAY) {
      entry.element_type = read_value_type();
      entry.count = in_.read<uint64_t>("the length of the array");
    }
    entry.data = in_.here();
    const uint64_t begin = in_.offset();
    if (entry.type == NT_KV_ARRAY) {
      skip_elements(entry.element_type, entry.count, 1);
    } else {
      skip_elements(entry.type, 1, 0);
    }
    entry.bytes = in_.offset() - begin;
    header_.metadata.push_back(entry);
  }

  int32_t read_value_type() {
    const uint64_t at = in_.offset();
    const uint32_t type = in_.read<uint32_t>("the type of the value");
    if (type >= std::size(kValueTypes)) {
      in_.fail(at, format("value type %" PRIu32 "; GGUF has types 0 to %zu", type, std::size(kValueTypes) - 1));
    }
    return static_cast<int32_t>(type);
  }

  // Walks `count` values of a type, inside `depth` arrays.
  void skip_elements(int32_t type, uint64_t count, int depth) {
    const uint64_t min_bytes = kValueTypes[type].min_bytes;
    if (count > in_.remaining() / min_bytes) {
      in_.fail(in_.offset(), format("%" PRIu64 " values of type %s do not fit in the %" PRIu64 " bytes left", count,
                                    kValueTypes[type].name, in_.remaining()));
    }
    if (type == NT_KV_STRING) {
      for (uint64_t i = 0; i < count; ++i) in_.string("a string");
    } else if (type == NT_KV_ARRAY) {
      if (depth >= kMaxNesting) in_.fail(in_.offset(), format("arrays nested more than %d deep", kMaxNesting));
      for (uint64_t i = 0; i < count; ++i) skip_array(depth + 1);
    } else {
      const uint64_t at = in_.offset();
      const uint8_t* values = in_.skip(count * min_bytes, "the value");
      if (type == NT_KV_BOOL) check_bools(values, count, at);
    }
  }

  void skip_array(int depth) {
    const int32_t type = read_value_type();
    const uint64_t count = in_.read<uint64_t>("the length of the array");
    skip_elements(type, count, depth);
  }

  void check_bools(const uint8_t* values, uint64_t count, uint64_t offset) {
    for (uint64_t i = 0; i < count; ++i) {
      if (values[i] > 1) in_.fail(offset + i, format("a boolean of value %d; 0 and 1 are allowed", values[i]));
    }
  }

  void read_alignment() {
    header_.metadata_index = index_names(header_.metadata);
    const MetadataEntry* entry = find_name(header_.metadata, header_.metadata_index, "general.alignment");
    if (entry == nullptr) return;
    in_.enter("key", entry->key);
    if (entry->type != NT_KV_UINT32) {
      in_.fail(entry->offset, format("a value of type %s; it must be UINT32", value_type_name(entry->type)));
    }
    uint32_t alignment;
    std::memcpy(&alignment, entry->data, sizeof alignment);
    if (alignment == 0 || alignment % 8 != 0) {
      in_.fail(entry->offset, format("%" PRIu32 " is not a positive multiple of 8", alignment));
    }
    header_.alignment = alignment;
  }

  void read_tensor(uint64_t number) {
    in_.enter("tensor number", number);
    TensorEntry t;
    t.info_offset = in_.offset();
    t.name = read_name();
    in_.enter("tensor", t.name);
    const uint64_t n_values = read_shape(&t);
    const FormatInfo& format_info = read_format(&t);
    const uint64_t block = static_cast<uint64_t>(format_info.values);
    if (static_cast<uint64_t>(t.shape[0]) % block != 0) {
      in_.fail(t.info_offset, format("rows of %" PRId64 " values, which is no multiple of the %d values of a %s block",
                                     t.shape[0], format_info.values, format_info.name));
    }
    if (!multiply(n_values / block, static_cast<uint64_t>(format_info.bytes), in_.size(), &t.bytes)) {
      in_.fail(t.info_offset, format("%" PRIu64 " values of type %s are more than the file of %" PRIu64 " bytes holds",
                                     n_values, format_info.name, in_.size()));
    }
    t.offset = in_.read<uint64_t>("the offset of the data");
    if (t.offset % header_.alignment != 0) {
      in_.fail(in_.offset() - 8, format("data at offset %" PRIu64 ", which is no multiple of the alignment, %" PRIu64,
                                        t.offset, header_.alignment));
    }
    header_.tensors.push_back(t);
  }

  uint64_t read_shape(TensorEntry* t) {
    const uint64_t at = in_.offset();
    const uint32_t n_dims = in_.read<uint32_t>("the number of dimensions");
    if (n_dims > 4) in_.fail(at, format("%" PRIu32 " dimensions; at most 4 are allowed", n_dims));
    t->n_dims = static_cast<int32_t>(n_dims);
    uint64_t n_values = 1;
    for (uint32_t i = 0; i < n_dims; ++i) {
      const uint64_t n = in_.read<uint64_t>("a dimension");
      if (n == 0) in_.fail(in_.offset() - 8, format("dimension %" PRIu32 " is 0", i));
      if (!multiply(n_values, n, INT64_MAX, &n_values)) {
        in_.fail(in_.offset() - 8,
                 format("dimension %" PRIu32 " is %" PRIu64 ", so that the number of values overflows", i, n));
      }
      t->shape[i] = static_cast<int64_t>(n);
    }
    return n_values;
  }

  const FormatInfo& read_format(TensorEntry* t) {
    const uint64_t at = in_.offset();
    const uint32_t id = in_.read<uint32_t>("the type of the tensor");
    const FormatInfo* known = id < kFormatLimit ? find_format(static_cast<int32_t>(id)) : nullptr;
    if (known == nullptr) {
      in_.fail(at, format("tensor type %" PRIu32 " (%s) is not supported; supported are %s", id, other_format_name(id),
                          format_names().c_str()));
    }
    t->format = static_cast<Format>(id);
    return *known;
  }

  // Offsets in the file count from the first aligned byte after the header.
  void place_tensors() {
    if (header_.tensors.empty()) return;
    const uint64_t padding = (header_.alignment - in_.offset() % header_.alignment) % header_.alignment;
    in_.enter("tensor", header_.tensors[0].name);
    in_.skip(padding, "the padding before the tensors' data");
    const uint64_t begin = in_.offset(), room = in_.remaining();
    for (TensorEntry& t : header_.tensors) {
      if (t.bytes > room || t.offset > room - t.bytes) {
        in_.enter("tensor", t.name);
        in_.fail(t.info_offset, format("its data, %" PRIu64 " bytes at %" PRIu64 " + %" PRIu64
                                       ", ends after the file's %" PRIu64 " bytes: is the file complete?",
                                       t.bytes, begin, t.offset, in_.size()));
      }
      if (has_data_) t.data = in_.here() + t.offset;
      t.offset += begin;
    }
  }

  // Gaps between tensors are allowed; shared bytes are not, since no writer makes them.
  void check_overlap() {
    std::vector<const TensorEntry*> order;
    for (const TensorEntry& t : header_.tensors) order.push_back(&t);
    std::sort(order.begin(), order.end(),
              [](const TensorEntry* a, const TensorEntry* b) { return a->offset < b->offset; });
    for (size_t i = 1; i < order.size(); ++i) {
      const TensorEntry& before = *order[i - 1];
      if (before.offset + before.bytes <= order[i]->offset) continue;
      in_.enter("tensor", order[i]->name);
      in_.fail(order[i]->info_offset,
               format("its data at %" PRIu64 " overlaps that of tensor %s, which ends at %" PRIu64, order[i]->offset,
                      quote(before.name).c_str(), before.offset + before.bytes));
    }
  }

  Reader in_;
  bool has_data_;  // all of the file is there
  Header header_;
};

std::string_view name_of(const MetadataEntry& e) { return e.key; }
std::string_view name_of(const TensorEntry& t) { return t.name; }

template <class Entry>
NameIndex sort_names(const std::vector<Entry>& entries) {
  NameIndex index(entries.size());
  std::iota(index.begin(), index.end(), 0u);
  std::sort(index.begin(), index.end(), [&](uint32_t a, uint32_t b) {
    const int order = name_of(entries[a]).compare(name_of(entries[b]));
    return order != 0 ? order < 0 : a < b;
  });
  return index;
}

// The second entry of a name that occurs twice, or nullptr.
template <class Entry>
const Entry* find_duplicate(const std::vector<Entry>& entries, const NameIndex& index) {
  const auto twin = std::adjacent_find(
      index.begin(), index.end(), [&](uint32_t a, uint32_t b) { return name_of(entries[a]) == name_of(entries[b]); });
  return twin == index.end() ? nullptr : &entries[*(twin + 1)];
}

template <class Entry>
const Entry* search(const std::vector<Entry>& entries, const NameIndex& index, std::string_view name) {
  const auto it = std::lower_bound(index.begin(), index.end(), name,
                                   [&](uint32_t i, std::string_view n) { return name_of(entries[i]) < n; });
  return it != index.end() && name_of(entries[*it]) == name ? &entries[*it] : nullptr;
}

}  // namespace

Header read_header(const uint8_t* data, uint64_t n_there, uint64_t size) { return Parser(data, n_there, size).parse(); }

NameIndex index_names(const std::vector<MetadataEntry>& entries) {
  NameIndex index = sort_names(entries);
  if (const MetadataEntry* twin = find_duplicate(entries, index)) {
    throw Error(NT_FORMAT, format("key %s occurs twice", quote(twin->key).c_str()), static_cast<int64_t>(twin->offset));
  }
  return index;
}

NameIndex index_names(const std::vector<TensorEntry>& entries) {
  NameIndex index = sort_names(entries);
  if (const TensorEntry* twin = find_duplicate(entries, index)) {
    throw Error(NT_FORMAT, format("tensor %s occurs twice", quote(twin->name).c_str()),
                static_cast<int64_t>(twin->info_offset), twin->part);
  }
  return index;
}

const MetadataEntry* find_name(const std::vector<MetadataEntry>& entries, const NameIndex& index,
                               std::string_view name) {
  return search(entries, index, name);
}

const TensorEntry* find_name(const std::vector<TensorEntry>& entries, const NameIndex& index, std::string_view name) {
  return search(entries, index, name);
}

const char* value_type_name(int32_t type) {
  return type >= 0 && type < static_cast<int32_t>(std::size(kValueTypes)) ? kValueTypes[type].name : nullptr;
}

std::string quote(std::string_view name) {
  constexpr size_t kLimit = 80;
  std::string text = "\"";
  for (const char c : name.substr(0, kLimit)) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte < 127) {
      text += c;
    } else {
      text += format("\\x%02x", byte);
    }
  }
  return text + (name.size() > kLimit ? "...\"" : "\"");
}

}  // namespace nt
