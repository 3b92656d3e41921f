// The fuzz target of the GGUF parser: whatever the bytes, parsing gives a file of which all may be read, or an Error
// (NT_FORMAT) that points into the bytes. The same bytes as a header alone say the same of the file, or are too few.
// Anything else ends the process.
//   CXX=clang++ cmake -S native -B build/fuzz -DNAUTIL_FUZZ=ON -DNAUTIL_SANITIZE=address,undefined
//   cmake --build build/fuzz --target fuzz && mkdir -p build/found
//   build/fuzz/gguf_fuzz -max_total_time=600 build/found native/src/gguf/corpus
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "gguf/access.h"
#include "gguf/gguf.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// A typed read succeeds or says that the type or the value does not fit.
template <class T>
void read_as(const nt::GgufFile& file, const nt::MetadataEntry& entry) {
  try {
    T value;
    require(file.get(entry.key, &value));
  } catch (const nt::Error& e) {
    require(e.status == NT_FORMAT && e.offset == static_cast<int64_t>(entry.offset));
  }
}

void read_entry(const nt::GgufFile& file, const nt::MetadataEntry& entry) {
  require(file.find(entry.key) == &entry);
  read_as<uint64_t>(file, entry);
  read_as<double>(file, entry);
  read_as<bool>(file, entry);
  read_as<std::string_view>(file, entry);
  unsigned sum = 0;
  for (uint64_t i = 0; i < entry.bytes; ++i) sum += entry.data[i];
  static_cast<void>(*const_cast<const volatile unsigned*>(&sum));
  if (entry.element_type != NT_KV_STRING) return;
  std::vector<int32_t> offsets(entry.count + 1);
  nt::copy_strings(entry, nullptr, 0, offsets.data(), static_cast<int64_t>(offsets.size()));
  std::vector<uint8_t> bytes(static_cast<size_t>(offsets.back()));
  nt::copy_strings(entry, bytes.data(), offsets.back(), offsets.data(), static_cast<int64_t>(offsets.size()));
}

void read_tensor(const nt::GgufFile& file, const nt::TensorEntry& t) {
  require(file.find_tensor(t.name) == &t);
  const nt::FormatInfo& format = nt::info(t.format);
  require(t.bytes / format.bytes * format.values == static_cast<uint64_t>(t.shape[0] * t.n_rows()));
  // The first and the last block, which may be one, and the last row.
  std::vector<float> values(static_cast<size_t>(std::max<int64_t>(t.shape[0], format.values)));
  nt::decode(t.format, t.data, static_cast<size_t>(format.values), values.data());
  nt::decode(t.format, t.data + t.bytes - format.bytes, static_cast<size_t>(format.values), values.data());
  nt::decode_rows(t, t.n_rows() - 1, 1, values.data(), t.shape[0]);
}

// As a header: what a whole file has, but for the data.
void check_header(const uint8_t* data, size_t size, const nt::GgufFile* whole) {
  try {
    const auto file = nt::GgufFile::parse(data, size, nt::FileAccess::kHeader);
    uint64_t n_values = 0, n_bytes = 0;
    for (const nt::MetadataEntry& entry : file->metadata()) read_entry(*file, entry);
    for (const nt::TensorEntry& t : file->tensors()) {
      require(t.data == nullptr);
      n_values += static_cast<uint64_t>(t.shape[0] * t.n_rows());
      n_bytes += t.bytes;
    }
    require(n_values <= INT64_MAX && n_bytes <= file->file_bytes() && file->file_bytes() >= size);
    if (whole == nullptr) return;
    require(file->metadata().size() == whole->metadata().size() && file->file_bytes() == whole->file_bytes());
    for (size_t i = 0; i < whole->tensors().size(); ++i) {
      const nt::TensorEntry &a = file->tensors()[i], &b = whole->tensors()[i];
      require(a.name == b.name && a.offset == b.offset && a.bytes == b.bytes);
    }
  } catch (const nt::Error& e) {
    require(whole == nullptr && e.offset >= 0 && e.offset <= static_cast<int64_t>(size) && !e.message.empty());
    require(e.status == NT_FORMAT || (e.status == NT_INCOMPLETE && e.wanted > static_cast<int64_t>(size)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::shared_ptr<const nt::GgufFile> file;
  try {
    file = nt::GgufFile::parse(data, size);
    for (const nt::MetadataEntry& entry : file->metadata()) read_entry(*file, entry);
    for (const nt::TensorEntry& tensor : file->tensors()) read_tensor(*file, tensor);
  } catch (const nt::Error& e) {
    require(e.status == NT_FORMAT && e.offset >= 0 && e.offset <= static_cast<int64_t>(size) && !e.message.empty());
  }
  check_header(data, size, file.get());
  return 0;
}
