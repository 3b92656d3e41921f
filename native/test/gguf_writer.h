// Puts GGUF files together in memory, malformed ones too: every count, length and offset can be a lie.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nautil.h"

namespace test {

class GgufWriter {
 public:
  uint32_t version = 3;
  std::optional<uint64_t> claimed_tensors, claimed_keys;  // instead of what was added
  uint64_t alignment = 32;                                // of the padding before the data; writes no key

  // The bytes of one little-endian value.
  template <class T>
  static std::string value(T v) {
    std::string bytes(sizeof v, '\0');
    std::memcpy(bytes.data(), &v, sizeof v);
    return bytes;
  }
  static std::string string(std::string_view text) { return value<uint64_t>(text.size()) + std::string(text); }
  // An array's element type, count and elements.
  static std::string array(uint32_t type, uint64_t count, const std::string& elements) {
    return value<uint32_t>(type) + value<uint64_t>(count) + elements;
  }

  // Bytes where the next key or tensor starts, for the offsets of errors.
  size_t size() const { return 24 + keys_.size() + tensors_.size(); }

  GgufWriter& raw_key(const std::string& bytes) {
    keys_ += bytes;
    ++n_keys_;
    return *this;
  }
  GgufWriter& key(std::string_view name, uint32_t type, const std::string& bytes) {
    return raw_key(string(name) + value(type) + bytes);
  }
  GgufWriter& u16(std::string_view name, uint16_t v) { return key(name, NT_KV_UINT16, value(v)); }
  GgufWriter& u32(std::string_view name, uint32_t v) { return key(name, NT_KV_UINT32, value(v)); }

  GgufWriter& tensor(std::string_view name, const std::vector<uint64_t>& shape, uint32_t type, uint64_t offset) {
    tensors_ += string(name) + value<uint32_t>(static_cast<uint32_t>(shape.size()));
    for (const uint64_t n : shape) tensors_ += value(n);
    tensors_ += value(type) + value(offset);
    ++n_tensors_;
    return *this;
  }
  // Bytes of the tensors, after the padding.
  GgufWriter& data(size_t n) {
    data_.assign(n, '\0');
    for (size_t i = 0; i < n; ++i) data_[i] = static_cast<char>(i);
    return *this;
  }

  GgufWriter& raw_data(const std::string& bytes) {
    data_ += bytes;
    return *this;
  }
  size_t data_size() const { return data_.size(); }

  std::string bytes() const {
    std::string out = "GGUF" + value(version) + value<uint64_t>(claimed_tensors.value_or(n_tensors_)) +
                      value<uint64_t>(claimed_keys.value_or(n_keys_)) + keys_ + tensors_;
    if (!data_.empty()) out.resize((out.size() + alignment - 1) / alignment * alignment, '\0');
    return out + data_;
  }

 private:
  std::string keys_, tensors_, data_;
  uint64_t n_keys_ = 0, n_tensors_ = 0;
};

}  // namespace test
