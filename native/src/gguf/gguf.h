// A GGUF file, mapped and validated. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "tensor/tensor.h"

namespace nt {

class Mapping;  // the bytes of one file: mapped, or read into memory (mapping.h)

// One metadata entry. The value is validated: every length lies inside the file.
struct MetadataEntry {
  std::string_view key;
  int32_t type = 0;           // NT_KV_…
  int32_t element_type = -1;  // of an array
  uint64_t count = 1;         // elements of an array
  const uint8_t* data = nullptr;
  uint64_t bytes = 0;
  uint64_t offset = 0;  // of the key in the file, for errors
};

struct TensorEntry {
  std::string_view name;
  Format format = Format::F32;
  int32_t n_dims = 0;
  int64_t shape[4] = {1, 1, 1, 1};  // shape[0] values a row
  uint64_t offset = 0;              // bytes from the start of its file
  uint64_t bytes = 0;
  uint64_t info_offset = 0;  // of its record in the header of its file, for errors
  int32_t part = 0;
  const uint8_t* data = nullptr;  // nullptr where only the header was read

  int64_t n_rows() const { return shape[1] * shape[2] * shape[3]; }
};

// What is read of a file.
enum class FileAccess {
  kMap,
  kCopy,   // into memory
  kHeader  // what precedes the tensors' data: the file may end anywhere after that
};

class GgufFile {
 public:
  // Opens path and, if it is the first part of a split model, its other parts. Throws Error: NT_IO, NT_FORMAT, and
  // NT_INCOMPLETE where even a header is not all there.
  static std::shared_ptr<const GgufFile> open(const std::string& path, FileAccess access);

  // Parses one file's bytes, which must outlive the result: what the fuzzer calls. Split models are not followed.
  static std::shared_ptr<const GgufFile> parse(const uint8_t* data, size_t size, FileAccess access = FileAccess::kMap);

  uint32_t version() const { return version_; }
  uint64_t alignment() const { return alignment_; }
  const std::vector<MetadataEntry>& metadata() const { return metadata_; }
  const std::vector<TensorEntry>& tensors() const { return tensors_; }
  size_t n_parts() const { return parts_.empty() ? 1 : parts_.size(); }
  bool has_data() const { return access_ != FileAccess::kHeader; }
  // Of a header, where the last tensor's data ends.
  uint64_t file_bytes() const { return file_bytes_; }

  // nullptr if there is none of that name.
  const MetadataEntry* find(std::string_view key) const;
  const TensorEntry* find_tensor(std::string_view name) const;

  // Typed values: any integer type converts where the value fits; a wrong type is an Error(NT_FORMAT) with the key's
  // offset.
  bool get(std::string_view key, uint64_t* out) const;  // false if absent
  bool get(std::string_view key, double* out) const;
  bool get(std::string_view key, bool* out) const;
  bool get(std::string_view key, std::string_view* out) const;

  // Reads the pages of a range of all parts' bytes, one part after another.
  void touch(uint64_t offset, uint64_t bytes) const;

  ~GgufFile();

 private:
  explicit GgufFile(FileAccess access);
  void read(const uint8_t* data, size_t size);
  void open_one(const std::string& path);
  void open_other_parts(const std::string& path);
  void append(GgufFile&& part);

  FileAccess access_;
  uint32_t version_ = 0;
  uint64_t alignment_ = 32;
  uint64_t file_bytes_ = 0;
  std::vector<MetadataEntry> metadata_;
  std::vector<TensorEntry> tensors_;
  std::vector<uint32_t> metadata_index_, tensor_index_;  // positions in the order of the names
  std::vector<std::unique_ptr<Mapping>> parts_;
};

// "UINT8" for NT_KV_UINT8; nullptr for what is none of GGUF's value types.
const char* value_type_name(int32_t type);

// A key or a tensor's name, in quotes and fit for a message: at most 80 of its bytes, those outside ASCII as \xNN.
std::string quote(std::string_view name);

// A string of a string array's encoding; advances p. The entry was validated, so this cannot run past its end.
std::string_view next_string(const uint8_t** p);

}  // namespace nt
