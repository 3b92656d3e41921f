#include "gguf/gguf.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

#include "gguf/header.h"
#include "gguf/mapping.h"

namespace nt {

namespace {

template <class T>
T load(const uint8_t* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

[[noreturn]] void fail_key(const MetadataEntry& entry, const std::string& reason) {
  throw Error(NT_FORMAT, format("key %s: %s", quote(entry.key).c_str(), reason.c_str()),
              static_cast<int64_t>(entry.offset));
}

[[noreturn]] void fail_type(const MetadataEntry& entry, const char* wanted) {
  fail_key(entry, format("a value of type %s, where %s is wanted", value_type_name(entry.type), wanted));
}

// An integer as sign and magnitude, since GGUF has both int64 and uint64. False for a value of another type.
bool load_integer(const MetadataEntry& entry, bool* negative, uint64_t* magnitude) {
  int64_t value = 0;
  switch (entry.type) {
    case NT_KV_UINT8:
      value = load<uint8_t>(entry.data);
      break;
    case NT_KV_INT8:
      value = load<int8_t>(entry.data);
      break;
    case NT_KV_UINT16:
      value = load<uint16_t>(entry.data);
      break;
    case NT_KV_INT16:
      value = load<int16_t>(entry.data);
      break;
    case NT_KV_UINT32:
      value = load<uint32_t>(entry.data);
      break;
    case NT_KV_INT32:
      value = load<int32_t>(entry.data);
      break;
    case NT_KV_INT64:
      value = load<int64_t>(entry.data);
      break;
    case NT_KV_UINT64:
      *negative = false;
      *magnitude = load<uint64_t>(entry.data);
      return true;
    default:
      return false;
  }
  *negative = value < 0;
  *magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  return true;
}

// The end of a part's name: "-00001-of-00003.gguf".
std::string split_suffix(uint64_t number, uint64_t n_parts) {
  return format("-%05" PRIu64 "-of-%05" PRIu64 ".gguf", number + 1, n_parts);
}

bool ends_with(const std::string& text, const std::string& suffix) {
  return text.size() > suffix.size() && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

// Value of a key that every part of a split model has.
uint64_t split_value(const GgufFile& part, std::string_view key) {
  uint64_t value;
  if (!part.get(key, &value))
    throw Error(NT_FORMAT, format("a part of a split model lacks the key %s", quote(key).c_str()));
  return value;
}

void check_split_value(const GgufFile& part, std::string_view key, uint64_t wanted) {
  const uint64_t value = split_value(part, key);
  if (value != wanted) {
    fail_key(*part.find(key), format("%" PRIu64 ", where %" PRIu64 " is wanted", value, wanted));
  }
}

}  // namespace

GgufFile::GgufFile(FileAccess access) : access_(access) {}
GgufFile::~GgufFile() = default;

std::shared_ptr<const GgufFile> GgufFile::open(const std::string& path, FileAccess access) {
  std::shared_ptr<GgufFile> file(new GgufFile(access));
  file->open_one(path);
  file->open_other_parts(path);
  return file;
}

std::shared_ptr<const GgufFile> GgufFile::parse(const uint8_t* data, size_t size, FileAccess access) {
  std::shared_ptr<GgufFile> file(new GgufFile(access));
  file->read(data, size);
  return file;
}

void GgufFile::read(const uint8_t* data, size_t size) {
  Header header = read_header(data, size, has_data() ? size : kMaxFileBytes);
  version_ = header.version;
  alignment_ = header.alignment;
  metadata_ = std::move(header.metadata);
  metadata_index_ = std::move(header.metadata_index);
  tensors_ = std::move(header.tensors);
  tensor_index_ = index_names(tensors_);
  file_bytes_ = size;
  if (has_data()) return;
  for (const TensorEntry& t : tensors_) file_bytes_ = std::max(file_bytes_, t.offset + t.bytes);
}

void GgufFile::open_one(const std::string& path) {
  parts_.push_back(Mapping::open(path, access_ == FileAccess::kCopy));
  read(parts_[0]->data(), parts_[0]->size());
}

// Part number i of n says split.no = i and split.count = n; a file with split.count 0 or 1 is whole.
void GgufFile::open_other_parts(const std::string& path) {
  uint64_t n_parts = 0;
  if (!get("split.count", &n_parts) || n_parts <= 1) return;
  const uint64_t first = split_value(*this, "split.no");
  if (first != 0) {
    fail_key(*find("split.no"), format("this is part %" PRIu64 " of %" PRIu64
                                       " of a split model; open the first part, whose name ends in %s",
                                       first + 1, n_parts, split_suffix(0, n_parts).c_str()));
  }
  if (!ends_with(path, split_suffix(0, n_parts))) {
    fail_key(*find("split.count"),
             format("the first of %" PRIu64 " parts, but the file's name does not end in %s, so the "
                    "other parts cannot be found",
                    n_parts, split_suffix(0, n_parts).c_str()));
  }
  const std::string prefix = path.substr(0, path.size() - split_suffix(0, n_parts).size());
  for (uint64_t i = 1; i < n_parts; ++i) {
    try {
      GgufFile part(access_);
      part.open_one(prefix + split_suffix(i, n_parts));
      check_split_value(part, "split.no", i);
      check_split_value(part, "split.count", n_parts);
      append(std::move(part));
    } catch (Error& e) {
      e.part = static_cast<int32_t>(i);
      e.message = format("part %" PRIu64 " of %" PRIu64 ": ", i + 1, n_parts) + e.message + " (its name ends in " +
                  split_suffix(i, n_parts) + ")";
      throw;
    }
  }
  check_split_value(*this, "split.tensors.count", tensors_.size());
  tensor_index_ = index_names(tensors_);
}

void GgufFile::append(GgufFile&& part) {
  if (part.file_bytes_ > kMaxFileBytes - file_bytes_) {
    throw Error(NT_FORMAT, format("the parts so far take more than %" PRIu64 " bytes", kMaxFileBytes));
  }
  for (TensorEntry& t : part.tensors_) {
    t.part = static_cast<int32_t>(parts_.size());
    tensors_.push_back(t);
  }
  parts_.push_back(std::move(part.parts_[0]));
  file_bytes_ += part.file_bytes_;
}

const MetadataEntry* GgufFile::find(std::string_view key) const { return find_name(metadata_, metadata_index_, key); }

const TensorEntry* GgufFile::find_tensor(std::string_view name) const {
  return find_name(tensors_, tensor_index_, name);
}

bool GgufFile::get(std::string_view key, uint64_t* out) const {
  const MetadataEntry* entry = find(key);
  if (entry == nullptr) return false;
  bool negative;
  uint64_t magnitude;
  if (!load_integer(*entry, &negative, &magnitude)) fail_type(*entry, "an integer");
  if (negative) fail_key(*entry, format("-%" PRIu64 ", where 0 or more is wanted", magnitude));
  *out = magnitude;
  return true;
}

bool GgufFile::get(std::string_view key, double* out) const {
  const MetadataEntry* entry = find(key);
  if (entry == nullptr) return false;
  bool negative;
  uint64_t magnitude;
  if (entry->type == NT_KV_FLOAT32) {
    *out = load<float>(entry->data);
  } else if (entry->type == NT_KV_FLOAT64) {
    *out = load<double>(entry->data);
  } else if (load_integer(*entry, &negative, &magnitude)) {
    *out = negative ? -static_cast<double>(magnitude) : static_cast<double>(magnitude);
  } else {
    fail_type(*entry, "a number");
  }
  return true;
}

bool GgufFile::get(std::string_view key, bool* out) const {
  const MetadataEntry* entry = find(key);
  if (entry == nullptr) return false;
  if (entry->type != NT_KV_BOOL) fail_type(*entry, "BOOL");
  *out = entry->data[0] != 0;
  return true;
}

bool GgufFile::get(std::string_view key, std::string_view* out) const {
  const MetadataEntry* entry = find(key);
  if (entry == nullptr) return false;
  if (entry->type != NT_KV_STRING) fail_type(*entry, "STRING");
  const uint8_t* p = entry->data;
  *out = next_string(&p);
  return true;
}

void GgufFile::touch(uint64_t offset, uint64_t bytes) const {
  int32_t number = 0;
  for (const std::unique_ptr<Mapping>& part : parts_) {
    if (offset < part->size()) {
      const uint64_t n = std::min<uint64_t>(bytes, part->size() - offset);
      try {
        part->touch(static_cast<size_t>(offset), static_cast<size_t>(n));
      } catch (Error& e) {
        e.part = number;
        throw;
      }
      offset += n;
      bytes -= n;
    }
    offset -= std::min<uint64_t>(offset, part->size());
    ++number;
  }
}

std::string_view next_string(const uint8_t** p) {
  const uint64_t n = load<uint64_t>(*p);
  const std::string_view text(reinterpret_cast<const char*>(*p + sizeof n), static_cast<size_t>(n));
  *p += sizeof n + n;
  return text;
}

}  // namespace nt
