// A cursor over the bytes of a file: little-endian, byte-aligned, and never past the end. Only the first of the file's
// bytes may be there: what needs more of them is an Error(NT_INCOMPLETE).
#pragma once

#include <cinttypes>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "error.h"
#include "gguf/header.h"

namespace nt {

class Reader {
 public:
  // The first n_there bytes of a file of `size`.
  Reader(const uint8_t* data, uint64_t n_there, uint64_t size) : data_(data), n_there_(n_there), size_(size) {}

  uint64_t offset() const { return offset_; }
  uint64_t remaining() const { return size_ - offset_; }
  uint64_t size() const { return size_; }
  const uint8_t* here() const { return data_ + offset_; }

  // What is being read, for messages. Kept by reference, since a file has many more names than errors.
  void enter(const char* kind, std::string_view name) {
    kind_ = kind;
    name_ = name;
  }
  void enter(const char* kind, uint64_t number) {
    enter(kind, std::string_view());
    number_ = number;
  }

  template <class T>
  T read(const char* what) {
    need(sizeof(T), what);
    T value;
    std::memcpy(&value, here(), sizeof(T));
    offset_ += sizeof(T);
    return value;
  }

  const uint8_t* skip(uint64_t n, const char* what) {
    need(n, what);
    const uint8_t* p = here();
    offset_ += n;
    return p;
  }

  // A 64-bit length and as many bytes.
  std::string_view string(const char* what) {
    const uint64_t n = read<uint64_t>(what);
    return {reinterpret_cast<const char*>(skip(n, what)), static_cast<size_t>(n)};
  }

  void need(uint64_t n, const char* what) const {
    if (n > remaining()) {
      fail(offset_, format("%s takes %" PRIu64 " bytes, and the file ends after %" PRIu64, what, n, remaining()));
    }
    if (n > n_there_ - offset_) {
      Error e = error(NT_INCOMPLETE, offset_,
                      format("%s takes %" PRIu64 " bytes, and only the first %" PRIu64 " bytes of the file are there",
                             what, n, n_there_));
      e.wanted = static_cast<int64_t>(offset_ + n);
      throw e;
    }
  }

  [[noreturn]] void fail(uint64_t offset, const std::string& reason) const { throw error(NT_FORMAT, offset, reason); }

 private:
  Error error(nt_status status, uint64_t offset, const std::string& reason) const {
    const std::string where = name_.data() != nullptr ? quote(name_) : format("%" PRIu64, number_);
    return {status, kind_ == nullptr ? reason : format("%s %s: %s", kind_, where.c_str(), reason.c_str()),
            static_cast<int64_t>(offset)};
  }

  const uint8_t* data_;
  uint64_t n_there_;
  uint64_t size_;
  uint64_t offset_ = 0;
  const char* kind_ = nullptr;  // "key", "tensor"; nullptr: the file itself
  std::string_view name_;       // or, where it has no data, number_
  uint64_t number_ = 0;
};

}  // namespace nt
